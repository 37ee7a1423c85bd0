"""Measures one row: a case at a size, in inference or training, in all ways asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from torch_complex_subclass.bench import jax_process, limits
from torch_complex_subclass.bench.agreement import difference
from torch_complex_subclass.bench.candidates import WAYS, first_call, reason
from torch_complex_subclass.bench.cases import Case, Inputs
from torch_complex_subclass.bench.runner import Timing, interleaved
from torch_complex_subclass.bench.steps import Step

# Whose call on tiny inputs is timed too, where next to nothing is left to compute.
_OVERHEAD_OF = ("stock", "ours")


@dataclass(frozen=True)
class Outcome:
    """How one candidate did; without a timing, `problem` says why."""

    timing: Timing | None = None
    problem: str | None = None
    compile_seconds: float | None = None
    kernels: int | None = None
    fallbacks: dict[str, int] = field(default_factory=dict)
    overhead_seconds: float | None = None


@dataclass(frozen=True)
class Row:
    """A case at a size, and what each candidate made of it."""

    case: Case
    size: str
    dtype: torch.dtype
    training: bool
    traffic: int
    """Bytes of inputs and results, each of which moves at least once."""
    least_seconds: float
    """What the machine needs for that traffic, or for the matrix products."""
    outcomes: dict[str, Outcome]

    @property
    def mode(self) -> str:
        """What a call does."""
        return "training" if self.training else "inference"

    def ratio(self, who: str) -> float | None:
        """Time of a candidate over ours; above 1, ours is faster."""
        theirs, ours = (self.outcomes.get(name, Outcome()).timing for name in (who, "ours"))
        return theirs.median / ours.median if theirs and ours else None


@dataclass(frozen=True)
class Settings:
    """What holds for all rows."""

    dtype: torch.dtype
    candidates: tuple[str, ...]
    """Names in WAYS, and `jax`; eager is run for its results even when it is not timed."""
    compile_mode: str | None
    rounds: int


def measure(case: Case, size: str, training: bool, settings: Settings) -> Row:
    """Check and time every candidate."""
    inputs = case.draw(size, settings.dtype)
    steps, outcomes, want = _prepare(case, inputs, training, settings)
    timings = interleaved(steps, settings.rounds)
    overheads = _overheads(case, training, settings, timings) if size != "tiny" else timings
    for name, timing in timings.items():
        overhead = overheads[name].median if name in overheads else None
        outcomes[name] = replace(outcomes[name], timing=timing, overhead_seconds=overhead)
    if "jax" in settings.candidates:
        outcomes["jax"] = _in_jax(case, inputs, training, settings, want)
    traffic = _bytes([*inputs, *want])
    flops = case.flops(case.shapes[size]) * (3 if training else 1) if case.flops else 0
    least = limits.least_seconds(traffic, flops, settings.dtype.to_real())
    ordered = {name: outcomes[name] for name in settings.candidates}
    return Row(case, size, settings.dtype, training, traffic, least, ordered)


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(t.nbytes for t in tensors)


def _prepare(
    case: Case, inputs: Inputs, training: bool, settings: Settings
) -> tuple[dict[str, Step], dict[str, Outcome], tuple[Tensor, ...]]:
    """Compile and check all candidates of this process.

    Returns those to be timed, what is known of each, and eager's results.
    """
    torch.compiler.reset()
    steps: dict[str, Step] = {}
    outcomes: dict[str, Outcome] = {}
    eager = WAYS["eager"].step(case, inputs, training, None)
    want = tuple(t.detach().clone() for t in eager())
    for name in settings.candidates:
        if name == "eager":
            steps[name], outcomes[name] = eager, Outcome()
        elif name in WAYS:
            step, outcomes[name] = _compiled(name, case, inputs, training, settings, want)
            if step is not None:
                steps[name] = step
    return steps, outcomes, want


def _compiled(
    name: str,
    case: Case,
    inputs: Inputs,
    training: bool,
    settings: Settings,
    want: tuple[Tensor, ...],
) -> tuple[Step | None, Outcome]:
    way = WAYS[name]
    try:
        step = way.step(case, inputs, training, settings.compile_mode)
        first = first_call(way, step)
    except Exception as error:
        # Whatever a compiler raises is a result here, and the others go on.
        return None, Outcome(problem=f"failed: {reason(error)}")
    differs = difference(first.results, want, settings.dtype)
    outcome = Outcome(
        problem=None if differs is None else f"mismatch: {differs}",
        compile_seconds=first.seconds,
        kernels=first.kernels,
        fallbacks=first.fallbacks,
    )
    return (step if differs is None else None), outcome


def _overheads(
    case: Case, training: bool, settings: Settings, timed: Iterable[str]
) -> dict[str, Timing]:
    """Time those of `_OVERHEAD_OF` that were timed, on tiny inputs."""
    names = tuple(name for name in _OVERHEAD_OF if name in timed)
    tiny = replace(settings, candidates=names)
    steps, _, _ = _prepare(case, case.draw("tiny", settings.dtype), training, tiny)
    return interleaved(steps, settings.rounds)


def _in_jax(
    case: Case, inputs: Inputs, training: bool, settings: Settings, want: tuple[Tensor, ...]
) -> Outcome:
    if case.jax is None:
        return Outcome(problem="the case has no version for JAX")
    try:
        answer = jax_process.measure(case, inputs, settings.dtype, training, settings.rounds)
    except jax_process.JaxError as error:
        return Outcome(problem=f"failed: {error}")
    differs = difference(answer.results, want, settings.dtype)
    if differs is not None:
        return Outcome(problem=f"mismatch: {differs}", compile_seconds=answer.compile_seconds)
    return Outcome(timing=answer.timing, compile_seconds=answer.compile_seconds)
