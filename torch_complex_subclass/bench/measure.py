"""Measures one row: a case at a size, in inference or training, in all ways asked for."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from torch_complex_subclass.bench import jax_process, limits, memory
from torch_complex_subclass.bench.agreement import difference, in_the_form_of
from torch_complex_subclass.bench.candidates import WAYS, FirstCall, first_call, reason
from torch_complex_subclass.bench.cases import Case, Inputs
from torch_complex_subclass.bench.rows import Outcome, Row, Settings
from torch_complex_subclass.bench.runner import Timing, interleaved
from torch_complex_subclass.bench.steps import Step

# Whose call on tiny inputs is timed too, where next to nothing is left to compute.
_OVERHEAD_OF = ("stock", "ours")

# Where a first call starts from, for programs that draw random numbers.
_SEED = 0


@dataclass(frozen=True)
class _Task:
    """What the candidates of a row have in common."""

    case: Case
    inputs: Inputs
    training: bool
    settings: Settings
    caches: Path
    """Has a folder of torch's caches for each candidate, empty when it compiles first."""

    def step(self, name: str) -> Step:
        """What is timed of a candidate, not yet compiled."""
        return WAYS[name].step(self.case, self.inputs, self.training, self.settings.compile_mode)

    def first_call(self, name: str, step: Step) -> FirstCall:
        """Compile the step of a candidate."""
        return first_call(WAYS[name], step, self.caches / name)

    def difference(self, got: Sequence[Tensor], want: Sequence[Tensor]) -> str | None:
        """Say where results differ from eager's, or return None."""
        if self.case.differs is not None:
            return self.case.differs(in_the_form_of(want, got), want)
        return difference(got, want, self.settings.dtype)


def measure(case: Case, size: str, training: bool, settings: Settings) -> Row:
    """Check and time every candidate; where the case itself raises, all have that problem."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            task = _Task(case, case.draw(size, settings.dtype), training, settings, Path(folder))
            return _measure(task, size)
    except Exception as error:
        # One case must not cost the others their rows.
        failed = Outcome(problem=f"failed: {reason(error)}")
        outcomes = dict.fromkeys(settings.candidates, failed)
        return Row(case, size, settings.dtype, training, None, None, outcomes)


def _measure(task: _Task, size: str) -> Row:
    case, settings, training = task.case, task.settings, task.training
    steps, outcomes, want = _prepare(task)
    timings = interleaved(steps, settings.rounds)
    device = task.inputs[0].device
    for name, timing in timings.items():
        peak = memory.peak_bytes(steps[name], device)
        outcomes[name] = replace(outcomes[name], timing=timing, peak_bytes=peak)
    for name in timings if settings.warm else ():
        outcomes[name] = replace(outcomes[name], warm_compile_seconds=_warm_seconds(task, name))
    overheads = _overheads(task, timings) if settings.overhead else {}
    for name, timing in overheads.items():
        outcomes[name] = replace(outcomes[name], overhead_seconds=timing.median)
    if "jax" in settings.candidates:
        outcomes["jax"] = _in_jax(task, want)
    traffic = _bytes([*task.inputs, *want])
    flops = case.flops(case.shapes[size]) * (3 if training else 1) if case.flops else 0
    least = limits.least_seconds(traffic, flops, settings.dtype.to_real())
    ordered = {name: outcomes[name] for name in settings.candidates}
    return Row(case, size, settings.dtype, training, traffic, least, ordered)


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(t.nbytes for t in tensors)


def _prepare(task: _Task) -> tuple[dict[str, Step], dict[str, Outcome], tuple[Tensor, ...]]:
    """Compile and check all candidates of this process.

    Returns those to be timed, what is known of each, and eager's results.
    """
    torch.compiler.reset()
    steps: dict[str, Step] = {}
    outcomes: dict[str, Outcome] = {}
    eager = task.step("eager")
    torch.manual_seed(_SEED)
    want = tuple(t.detach().clone() for t in eager())
    for name in task.settings.candidates:
        if name == "eager":
            steps[name], outcomes[name] = eager, Outcome()
        elif name in WAYS and WAYS[name].by_hand and task.case.hand is None:
            outcomes[name] = Outcome(problem="the case has no version by hand")
        elif name in WAYS:
            step, outcomes[name] = _compiled(name, task, want)
            if step is not None:
                steps[name] = step
    return steps, outcomes, want


def _compiled(name: str, task: _Task, want: tuple[Tensor, ...]) -> tuple[Step | None, Outcome]:
    try:
        step = task.step(name)
        torch.manual_seed(_SEED)
        first = task.first_call(name, step)
    except Exception as error:
        # Whatever a compiler raises is a result here, and the others go on.
        return None, Outcome(problem=f"failed: {reason(error)}")
    differs = task.difference(first.results, want)
    outcome = Outcome(
        problem=None if differs is None else f"mismatch: {differs}",
        compile_seconds=first.seconds,
        kernels=first.kernels,
        fallbacks=first.fallbacks,
    )
    return (step if differs is None else None), outcome


def _warm_seconds(task: _Task, name: str) -> float | None:
    """Compile again what `_prepare` has compiled; forgets what this process has of all of it."""
    if name == "eager":
        return None
    torch.compiler.reset()
    return task.first_call(name, task.step(name)).seconds


def _overheads(task: _Task, timed: Iterable[str]) -> dict[str, Timing]:
    """Time those of `_OVERHEAD_OF` that were timed, on tiny inputs."""
    names = tuple(name for name in _OVERHEAD_OF if name in timed)
    tiny = replace(
        task,
        inputs=task.case.draw("tiny", task.settings.dtype),
        settings=replace(task.settings, candidates=names),
        caches=task.caches / "tiny",
    )
    steps, _, _ = _prepare(tiny)
    return interleaved(steps, task.settings.rounds)


def _in_jax(task: _Task, want: tuple[Tensor, ...]) -> Outcome:
    dtype, rounds = task.settings.dtype, task.settings.rounds
    if task.case.jax is None:
        return Outcome(problem="the case has no version for JAX")
    try:
        answer = jax_process.measure(task.case, task.inputs, dtype, task.training, rounds)
    except jax_process.JaxError as error:
        return Outcome(problem=f"failed: {error}")
    differs = task.difference(answer.results, want)
    if differs is not None:
        return Outcome(problem=f"mismatch: {differs}", compile_seconds=answer.compile_seconds)
    return Outcome(timing=answer.timing, compile_seconds=answer.compile_seconds)
