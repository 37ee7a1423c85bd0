"""Makes a failing program smaller while the same thing stays wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from torch_complex_subclass.fuzz.program import REAL, Input, Program, Step

StillFails = Callable[[Program], bool]


def minimise(program: Program, still_fails: StillFails) -> Program:
    """Return a program that fails alike and of which no single piece can be left out.

    `still_fails` must be false for programs that do not run.
    """
    while True:
        for candidate in _smaller(program):
            if still_fails(candidate):
                program = candidate
                break
        else:
            return program


def _smaller(program: Program) -> Iterator[Program]:
    """Candidates, those that leave out most first."""
    yield from _fewer_outputs(program)
    yield from _fewer_steps(program)
    yield from _cut_steps(program)
    yield from _fewer_inputs(program)
    yield from _simpler_inputs(program)
    yield from _smaller_sizes(program)


def _fewer_outputs(program: Program) -> Iterator[Program]:
    if len(program.outputs) > 1:
        for name in program.outputs:
            yield replace(program, outputs=(name,))
        for i in range(len(program.outputs)):
            rest = program.outputs[:i] + program.outputs[i + 1 :]
            yield replace(program, outputs=rest)


def _without(program: Program, dropped: set[int]) -> Program:
    """Leave out steps, and whatever reads what they define."""
    gone: set[str] = set()
    kept: list[Step] = []
    for i, step in enumerate(program.steps):
        if i in dropped or gone.intersection(step.reads()):
            gone.add(step.target)
        else:
            kept.append(step)
    outputs = tuple(name for name in program.outputs if name not in gone)
    return replace(program, steps=tuple(kept), outputs=outputs)


def _fewer_steps(program: Program) -> Iterator[Program]:
    count = len(program.steps)
    size = max(1, count // 2)
    seen = set()
    while True:
        for start in range(count - 1, -1, -size):
            dropped = set(range(max(0, start - size + 1), start + 1))
            candidate = _without(program, dropped)
            if candidate not in seen and (candidate.outputs or candidate.steps):
                seen.add(candidate)
                yield candidate
        if size == 1:
            return
        size //= 2


def _cut_steps(program: Program) -> Iterator[Program]:
    """Replace the value of a step by that of a variable that the step reads, or by an input."""
    for i, step in enumerate(program.steps):
        for name in step.reads() if step.target else ():
            if step.text != name:
                yield _with_step(program, i, replace(step, text=name))
    for i, step in enumerate(program.steps):
        if step.target and step.text not in step.reads():
            for dtype in ("c64", *REAL[:1]):
                for shape in {(2, 2), (2,), (), *(p.shape for p in program.inputs)}:
                    yield _with_input(program, i, Input(step.target, shape, dtype, i))


def _with_step(program: Program, i: int, step: Step) -> Program:
    return replace(program, steps=(*program.steps[:i], step, *program.steps[i + 1 :]))


def _with_input(program: Program, i: int, made: Input) -> Program:
    rest = program.steps[:i] + program.steps[i + 1 :]
    return replace(program, inputs=(*program.inputs, made), steps=rest)


def _fewer_inputs(program: Program) -> Iterator[Program]:
    for i, item in enumerate(program.inputs):
        yield replace(program, inputs=program.inputs[:i] + program.inputs[i + 1 :])
        if item.view:
            plain = Input(item.name, (2, 2), "c64", i)
            yield replace(program, inputs=_at(program.inputs, i, plain))


def _at(inputs: tuple[Input, ...], i: int, item: Input) -> tuple[Input, ...]:
    return (*inputs[:i], item, *inputs[i + 1 :])


def _simpler_inputs(program: Program) -> Iterator[Program]:
    for i, item in enumerate(program.inputs):
        for simpler in item.simpler():
            yield replace(program, inputs=_at(program.inputs, i, simpler))


def _smaller_sizes(program: Program) -> Iterator[Program]:
    for size in sorted({n for item in program.inputs for n in item.shape if n > 1}):
        for smaller in (1, 2):
            if smaller < size:
                yield _resized(program, size, smaller)
    for i, item in enumerate(program.inputs):
        if item.shape:
            yield replace(
                program, inputs=_at(program.inputs, i, replace(item, shape=item.shape[1:]))
            )


def _resized(program: Program, size: int, smaller: int) -> Program:
    inputs = tuple(
        replace(item, shape=tuple(smaller if n == size else n for n in item.shape))
        for item in program.inputs
    )
    return replace(program, inputs=inputs)
