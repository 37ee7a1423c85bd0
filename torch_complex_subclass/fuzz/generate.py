"""Makes random programs that eager accepts."""

from __future__ import annotations

import random
import warnings
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.fuzz import templates
from torch_complex_subclass.fuzz.make import make
from torch_complex_subclass.fuzz.observe import namespace, observe
from torch_complex_subclass.fuzz.program import COMPLEX, LAYOUTS, PARTS, REAL, Input, Program, Step
from torch_complex_subclass.fuzz.scope import NoOperandError, Scope

LEAST, MOST = 5, 40
"""Statements of a program."""

_MAX_ELEMENTS = 300
_MAX_SIZE = 1e3
_MAX_RESULTS = 6
_TRIES = 12

_LEAF_LAYOUTS = tuple(name for name in LAYOUTS if name not in PARTS)


class _Refused(Exception):  # noqa: N818 - it is no error, but a choice to take back
    """A statement does not run, or its value is not wanted."""


def generate(seed: int, index: int) -> Program:
    """Return program number `index` of a seed; the same each time."""
    for attempt in range(100):
        builder = _Builder(random.Random(f"{seed}/{index}/{attempt}"))
        program = builder.build()
        if program is not None:
            return program
    raise RuntimeError(f"no program for seed {seed}, index {index} after 100 attempts")


class _Builder:
    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.gradients = draw.random() < 0.35
        self.special = draw.random() < 0.06
        self.sizes = [draw.choice((1, 2, 2, 3, 3, 4, 5)) for _ in range(3)]
        if draw.random() < 0.06:
            self.sizes[0] = 0
        # Mostly one precision, as programs have; sometimes both.
        narrow, both = draw.random() < 0.75, draw.random() < 0.25
        precisions = (0, 1) if both else (0,) if narrow else (1,)
        self.complex = [COMPLEX[i] for i in precisions]
        self.real = [REAL[i] for i in precisions]
        self.inputs: list[Input] = []
        self.steps: list[Step] = []
        self.space: dict[str, Any] = {}

    def build(self) -> Program | None:
        """Return a program, or None when it came to nothing."""
        self._add_inputs()
        # Short ones are more: they take less time and are as telling.
        count = min(LEAST + int(self.draw.expovariate(1 / 6)), MOST)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._restart()
            for _ in range(_TRIES * count):
                if len(self.steps) < count:
                    self._try_step()
        if len(self.steps) < LEAST:
            return None
        program = Program(tuple(self.inputs), tuple(self.steps), self._outputs())
        try:
            observe(program)
        except Exception:  # the backward pass refuses what was changed in place
            without = tuple(replace(i, requires_grad=False) for i in self.inputs)
            program = replace(program, inputs=without)
            try:
                observe(program)
            except Exception:
                return None
        return program

    def _add_inputs(self) -> None:
        draw = self.draw
        for k in range(draw.randint(2, 4)):
            dtype = draw.choice(self.complex) if k == 0 or draw.random() < 0.65 else ""
            dtype = dtype or draw.choice(self.real)
            self._add_input(dtype)
        if draw.random() < 0.3:
            self._add_input(draw.choice(("i64", "b")))
        if draw.random() < 0.2:
            base = draw.choice(self.inputs)
            view = draw.choice(
                ("{}.conj()", "{}[..., :1]", "{}.mT", "{}.real", "{}", "{}.view(-1)")
            )
            self._add_view(view.format(base.name))

    def _add_input(self, dtype: str) -> None:
        draw = self.draw
        shape = tuple(draw.choice(self.sizes) for _ in range(draw.choice((0, 1, 2, 2, 2, 3, 3, 4))))
        is_float = dtype in COMPLEX + REAL
        layout = "contiguous"
        if draw.random() < 0.5:
            layout = draw.choice(tuple(LAYOUTS) if dtype in REAL else _LEAF_LAYOUTS)
        grad = self.gradients and is_float and draw.random() < 0.7
        made = Input(
            f"x{len(self.inputs)}",
            shape,
            dtype,
            draw.randrange(1000),
            layout,
            "hard" if is_float and draw.random() < (0.5 if self.special else 0.08) else "grid",
            dtype in COMPLEX and draw.random() < 0.12,
            grad,
            grad and draw.random() < 0.3,
        )
        self.inputs.append(made)

    def _add_view(self, view: str) -> None:
        candidate = Input(f"x{len(self.inputs)}", (), "", 0, view=view)
        self.inputs.append(candidate)
        try:
            self._restart()
        except Exception:  # this view is not one of this tensor
            self.inputs.pop()

    def _restart(self) -> None:
        """Run all statements anew, for values that nothing was done to since."""
        self.space = namespace() | {"make": make}
        for source in [made.source() for made in self.inputs] + [s.source() for s in self.steps]:
            exec(source, self.space)

    def _values(self) -> dict[str, Tensor]:
        names = [i.name for i in self.inputs] + [s.target for s in self.steps if s.target]
        return {name: self.space[name] for name in names}

    def _try_step(self) -> None:
        names = list(templates.FAMILIES)
        weights = [weight for weight, _ in templates.FAMILIES.values()]
        family = self.draw.choices(names, weights)[0]
        template = self.draw.choice(templates.LINES[family])
        scope = Scope(self.draw, self._values())
        try:
            text = scope.fill(template)
        except NoOperandError:
            return
        writes = family == "writes"
        step = Step(text, "" if writes else f"v{len(self.steps)}")
        try:
            exec(step.source(), self.space)
            self._judge(step, scope.subject)
        except Exception:  # eager refuses it, or what it gives is of no use
            if writes:
                self._restart()
            self.space.pop(step.target, None)
            return
        self.steps.append(step)

    def _judge(self, step: Step, subject: str) -> None:
        """Raise _Refused for a value that is too large to go on with."""
        changed = [step.target] if step.target else [subject, *step.reads()]
        for name in changed:
            t = self.space[name]
            if not isinstance(t, Tensor) or t.numel() > _MAX_ELEMENTS or t.dim() > 5:
                raise _Refused
            if t.is_complex() or t.is_floating_point():
                size = t.detach().abs()
                if not bool((size < _MAX_SIZE).all()) and self.draw.random() > 0.02:
                    raise _Refused
        if not step.target and self.gradients:
            self._check_backward()

    def _check_backward(self) -> None:
        """Raise where a change in place makes gradients impossible."""
        values = self._values()
        leaves = [t for t in values.values() if t.requires_grad and t.is_leaf]
        roots = [t for t in values.values() if t.requires_grad and not t.is_leaf]
        if leaves and roots:
            zeros = [torch.zeros_like(t) for t in roots]
            torch.autograd.grad(roots, leaves, zeros, retain_graph=True, allow_unused=True)

    def _outputs(self) -> tuple[str, ...]:
        """What nothing reads, and some of the rest; now and then an input as well."""
        read = {name for step in self.steps for name in step.reads()}
        made = [step.target for step in self.steps if step.target]
        unread = [name for name in made if name not in read]
        others = [name for name in made if name in read and self.draw.random() < 0.3]
        if self.draw.random() < 0.1:
            others.append(self.draw.choice(self.inputs).name)
        chosen = unread + others or [self.inputs[0].name]
        self.draw.shuffle(chosen)
        return tuple(chosen[:_MAX_RESULTS])
