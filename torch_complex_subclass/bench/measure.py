"""Measures one row: a case at a size, in inference or training, in all ways asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import torch
from torch import Tensor

from torch_complex_subclass.bench import jax_process, limits
from torch_complex_subclass.bench.agreement import difference
from torch_complex_subclass.bench.candidates import WAYS, first_call, reason
from torch_complex_subclass.bench.cases import Case, Inputs
from torch_complex_subclass.bench.rows import Outcome, Row, Settings
from torch_complex_subclass.bench.runner import Timing, interleaved
from torch_complex_subclass.bench.steps import Step

# Whose call on tiny inputs is timed too, where next to nothing is left to compute.
_OVERHEAD_OF = ("stock", "ours")


def measure(case: Case, size: str, training: bool, settings: Settings) -> Row:
    """Check and time every candidate; where the case itself raises, all have that problem."""
    try:
        return _measure(case, size, training, settings)
    except Exception as error:
        # One case must not cost the others their rows.
        failed = Outcome(problem=f"failed: {reason(error)}")
        outcomes = dict.fromkeys(settings.candidates, failed)
        return Row(case, size, settings.dtype, training, None, None, outcomes)


def _measure(case: Case, size: str, training: bool, settings: Settings) -> Row:
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
