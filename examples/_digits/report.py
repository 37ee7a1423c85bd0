"""The table, the picture and the checks of the handwritten digits example."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt
from tabulate import tabulate

import torch_complex_subclass as tcs
from _digits.counts import LIBRARY, Counts
from _digits.training import WARM_UP_STEPS, Replica

MIN_ACCURACY = 0.95
MAX_ACCURACY_GAP = 0.005
MAX_LOSS_DIFFERENCE = 1e-4
COMPARED_STEPS = 50

HEADERS = (
    "",
    "ms per step",
    "times eager's",
    "generated kernels",
    "FFT, GEMM calls",
    "other op calls",
    "test accuracy",
    f"loss difference, {COMPARED_STEPS} steps",
)


@dataclass(frozen=True)
class Result:
    """What one way of running the training came to."""

    replica: Replica
    counts: Counts
    accuracy: float
    loss_difference: float
    """Largest difference to eager's loss, relative to it, over the first steps."""


def loss_difference(replica: Replica, eager: Replica) -> float:
    """Return the largest relative difference of the loss curves over the first steps."""
    pairs = list(zip(replica.losses, eager.losses, strict=True))[:COMPARED_STEPS]
    return max(abs(ours - theirs) / abs(theirs) for ours, theirs in pairs)


def table(results: list[Result]) -> str:
    """One line for each way of running the training; the first is eager."""
    eager = results[0].replica.typical_seconds
    rows = [
        (
            r.replica.name,
            f"{1e3 * r.replica.typical_seconds:.2f}",
            f"{r.replica.typical_seconds / eager:.2f}",
            r.counts.generated,
            r.counts.library,
            r.counts.other,
            f"{100 * r.accuracy:.2f} %",
            f"{r.loss_difference:.1e}",
        )
        for r in results
    ]
    return tabulate(rows, HEADERS, disable_numparse=True, colalign=["left"] + ["right"] * 7)


def picture(replicas: list[Replica], path: Path) -> None:
    """Draw the loss curves and the time of each step."""
    mpl.use("Agg")
    figure, (curves, times) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    styles = ("-", "--", ":")
    for replica, style in zip(replicas, styles, strict=True):
        curves.semilogy(replica.losses, style, label=replica.name)
        steps = range(WARM_UP_STEPS, len(replica.seconds))
        milliseconds = [1e3 * s for s in replica.seconds[WARM_UP_STEPS:]]
        times.plot(steps, milliseconds, linewidth=0.8, label=replica.name)
    typical = [1e3 * replica.typical_seconds for replica in replicas]
    times.set_ylim(0, 2 * max(typical))  # a pause of the machine must not hide the difference
    curves.set(title="Training loss", xlabel="step", ylabel="cross entropy")
    times.set(title="Time per step", xlabel="step", ylabel="ms")
    for axes in (curves, times):
        axes.legend()
        axes.grid(alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def unexpected(explanation: tcs.Explanation) -> dict[str, int]:
    """Return the complex ops left to complex kernels, without the library's FFT and GEMM."""
    return {
        op: count
        for op, count in explanation.fallbacks.items()
        if not any(name in LIBRARY for name in op.replace("::", ".").split("."))
    }


def failures(results: list[Result], explanation: tcs.Explanation) -> list[str]:
    """Return a sentence for each result that is wrong; time is no reason to fail."""
    found = []
    accuracies = [r.accuracy for r in results]
    for r in results:
        if r.accuracy < MIN_ACCURACY:
            found.append(
                f"{r.replica.name} reached {r.accuracy:.2%} test accuracy, "
                f"less than {MIN_ACCURACY:.0%}."
            )
        if not r.loss_difference <= MAX_LOSS_DIFFERENCE:
            found.append(
                f"The loss of {r.replica.name} differs from eager's by {r.loss_difference:.1e} "
                f"within {COMPARED_STEPS} steps, more than {MAX_LOSS_DIFFERENCE:.0e}."
            )
    if max(accuracies) - min(accuracies) > MAX_ACCURACY_GAP:
        found.append(f"Accuracies differ by more than {MAX_ACCURACY_GAP:.1%}: {accuracies}.")
    if left := unexpected(explanation):
        found.append(f"These complex ops were left to complex kernels: {left}.")
    return found
