"""Handwritten digits, classified by a complex-valued network in the Fourier domain.

The same training runs in eager, with stock torch.compile and with this package, from the same
seed and on the same batches, one step of each in turn. Prints one table, draws one picture, and
fails when the results differ; time is reported, never judged.
"""

from __future__ import annotations

import argparse
import logging
import sys
import warnings
from pathlib import Path

import torch
from _digits.counts import Counts, compiled_counts, eager_counts
from _digits.data import CLASSES, SIDE, Digits
from _digits.model import FourierClassifier
from _digits.report import Result, failures, loss_difference, picture, table
from _digits.training import BATCH, SEED, Replica, loss_function, train

import torch_complex_subclass as tcs


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=240, help="training steps (default 240)")
    parser.add_argument("--output", type=Path, default=Path("demo-output"), help="for the picture")
    return parser.parse_args()


def inspect(replicas: list[Replica], digits: Digits) -> tuple[list[Counts], tcs.Explanation]:
    """Count what a fresh network runs in each way, and ask what was generated for it."""
    images, labels = next(digits.batches(BATCH, 1, SEED))
    loss = loss_function(FourierClassifier(SIDE, CLASSES))
    counts = [
        compiled_counts(lambda: loss(images, labels), replica.backend)
        if replica.backend
        else eager_counts(lambda: loss(images, labels))
        for replica in replicas
    ]
    return counts, tcs.explain(loss, images, labels)


def main() -> int:
    options = arguments()
    # Stock's word that complex code is slow is what the table is about.
    warnings.filterwarnings("ignore", message="Torchinductor does not support code generation")
    warnings.filterwarnings("ignore", message="dynamo_pgo force disabled")
    torch._logging.set_logs(all=logging.ERROR)

    digits = Digits.load()
    replicas = [
        Replica("eager", None),
        Replica("torch.compile", "inductor"),
        Replica("torch_complex_subclass", "inductor_complex"),
    ]
    eager = replicas[0]
    print("Compiling; the first step takes up to a minute.", flush=True)
    train(replicas, digits, options.steps)
    counts, explanation = inspect(replicas, digits)
    results = [
        Result(
            replica,
            count,
            replica.accuracy(digits.test_images, digits.test_labels),
            loss_difference(replica, eager),
        )
        for replica, count in zip(replicas, counts, strict=True)
    ]

    print(f"\n{table(results)}\n")
    path = options.output / "digits.png"
    picture(replicas, path)
    print(f"Picture: {path.resolve()}")
    for sentence in (found := failures(results, explanation)):
        print(sentence, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
