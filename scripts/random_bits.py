"""Looks for NaN, inf and zero where a number is due, over random bit patterns of complex64.

    python scripts/random_bits.py [FUNCTION ...] [--patterns 10000000] [--seed 0] [--compiled]

Prints a line for each function and ends with status 1 when one has a defect; what counts as one
says torch_complex_subclass/testing/bit_patterns.py. Ten million patterns of every function take
some tens of minutes on one core.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

import torch
from tabulate import tabulate
from torch import Tensor
from tqdm import tqdm

from torch_complex_subclass.decompositions.registry import Pair
from torch_complex_subclass.testing import unary
from torch_complex_subclass.testing.bit_patterns import CHUNK, Findings, search
from torch_complex_subclass.testing.operations import Operation, operations

HEADERS = (
    "function",
    "patterns",
    "picked",
    "decided",
    "defects",
    "eager's too",
    "of sampled",
    "lost with larger part",
    "example",
)


def compiled(operation: Operation) -> Callable[..., list[Tensor]]:
    """Function as Inductor generates it; operands of every length run at one length."""
    torch._dynamo.reset()  # each function is a version of one, and versions are limited
    kernel: Any = torch.compile(
        operation.eager, fullgraph=True, dynamic=False, backend="inductor_complex"
    )

    def run(*operands: Pair) -> list[Tensor]:
        n = len(operands[0].re)
        result = kernel(*(torch.complex(_padded(z.re), _padded(z.im)) for z in operands))
        return [part[:n] for part in unary.parts_of(result)]

    return run


def _padded(part: Tensor) -> Tensor:
    return torch.nn.functional.pad(part, (0, CHUNK - len(part)), value=1.0)


def row(found: Findings) -> tuple[Any, ...]:
    """Line of the table."""
    return (
        found.name,
        found.patterns,
        found.picked,
        found.decided,
        found.defects,
        found.eagers,
        f"{found.missed}/{found.sampled}",
        found.lost,
        found.worst,
    )


def main() -> int:
    """Search each function that is named; return the exit status."""
    known = operations()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("functions", nargs="*", choices=[[], *known], metavar="FUNCTION")
    parser.add_argument("--patterns", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--compiled", action="store_true", help="the rule compiled by Inductor")
    chosen = parser.parse_args()
    rows, failed = [], False
    names = chosen.functions or list(known)
    with tqdm(total=len(names) * chosen.patterns, unit="pattern", unit_scale=True) as bar:
        for name in names:
            bar.set_description(name)
            run = compiled(known[name]) if chosen.compiled else None
            for found in search(known[name], chosen.patterns, chosen.seed, run):
                bar.update(min(CHUNK, chosen.patterns - (found.patterns - 1) // CHUNK * CHUNK))
            rows.append(row(found))
            if found.defects:
                tqdm.write(f"{name}: {found.defects} defects, first {found.worst}")
            failed |= found.defects > found.excused
    print(tabulate(rows, HEADERS))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
