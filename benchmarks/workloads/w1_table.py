"""The published table of W1: `python -m torch_complex_subclass.bench.workloads.w1_table`.

Forward and backward of each model at the published sizes, 5 trials of 50 runs, the models in turn.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import mean, stdev

import torch
from torch import Tensor

from torch_complex_subclass import backend
from torch_complex_subclass.bench.workloads import w1_models as models
from torch_complex_subclass.bench.workloads.w1_quadratic_form import SIZES, draw

TRIALS, RUNS = 5, 50

_TOLERANCE = 1e-5

Step = Callable[[], list[Tensor]]

Figures = tuple[float, float]
"""Mean and standard deviation over trials, in milliseconds."""


def step(model: models.Model, x: Tensor, compiled: bool) -> Step:
    """Return a call that gives the loss and its gradients in the complex convention."""

    def loss(x: Tensor) -> Tensor:
        return model(x).square().sum()  # type: ignore[no-any-return]

    fn = torch.compile(loss, fullgraph=True, backend=backend.inductor_complex) if compiled else loss

    def run() -> list[Tensor]:
        model.zero_grad()
        value = fn(x)
        value.backward()
        return [value.detach(), *model.gradients()]

    return run


def timed(steps: list[Step], trials: int = TRIALS, runs: int = RUNS) -> list[Figures]:
    """Time steps in turn."""
    samples: list[list[float]] = [[] for _ in steps]
    for _ in range(trials):
        for run, found in zip(steps, samples, strict=True):
            start = time.perf_counter()
            for _ in range(runs):
                run()
            found.append((time.perf_counter() - start) / runs * 1e3)
    return [(mean(s), stdev(s)) for s in samples]


def status(got: list[Tensor], want: list[Tensor]) -> str:
    """Whether results are those wanted, relative to the largest element."""
    errors = [float((a - b).abs().max() / b.abs().max()) for a, b in zip(got, want, strict=True)]
    return "ok" if max(errors) < _TOLERANCE else f"off by {max(errors):.0e}"


def table(names: list[str], figures: list[Figures], states: list[str]) -> str:
    """Lay out the models by compiled time; `figures` are eager and compiled of each in turn."""
    pairs = list(zip(names, figures[::2], figures[1::2], states, strict=True))
    lines = ["| rank | model | compiled ms | eager ms | ratio | status |", f"|{' --- |' * 6}"]
    for rank, (name, eager, ours, state) in enumerate(sorted(pairs, key=lambda p: p[2]), start=1):
        cells = [f"{value:.3f} ± {spread:.3f}" for value, spread in (ours, eager)]
        lines.append(
            f"| {rank} | {name} | {' | '.join(cells)} | {eager[0] / ours[0]:.2f} | {state} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Check all models against the native one in eager, time them, print the table."""
    x, psi, form = draw(SIZES["small"], torch.complex64, torch.Generator().manual_seed(0))
    want = step(models.Native(psi, form), x, False)()
    steps = [step(m(psi, form), x, compiled) for m in models.MODELS for compiled in (False, True)]
    states = [status(run(), want) for run in steps][1::2]
    names = [model.__name__ for model in models.MODELS]
    print(table(names, timed(steps), states))


if __name__ == "__main__":
    main()
