"""Checks one program: compiled against eager, and against stock torch where they differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.fuzz import compare
from torch_complex_subclass.fuzz.observe import Compiler, Observation, observe
from torch_complex_subclass.fuzz.perturb import Perturbed
from torch_complex_subclass.fuzz.program import Runnable, is_narrow
from torch_complex_subclass.testing.interpret import interpreted

# Perturbed runs: at first, and where a number is too far off.
_FEW, _MANY = 2, 40


class InvalidProgramError(Exception):
    """Eager does not run the program, so there is nothing to compare with."""


@dataclass(frozen=True)
class Failure:
    """What is wrong with a compiled program: what kind of thing, where, and the details."""

    kind: str
    where: str
    detail: str
    index: int = 0

    def __str__(self) -> str:
        place = f" of {self.where}[{self.index}]" if self.where else ""
        return f"{self.kind}{place}: {self.detail}"

    def alike(self, other: Failure | None) -> bool:
        """True when the same thing is wrong, whatever the numbers."""
        return other is not None and (self.kind, self.where) == (other.kind, other.where)


def _module(fn: Callable[..., Any]) -> Any:
    """Wrap a function for AOTAutograd, which wants a module and needs no graph of it."""

    class Module(torch.nn.Module):
        def forward(self, *inputs: Tensor) -> Any:
            return fn(*inputs)

    return Module()


def rewritten(fn: Callable[..., Any], arguments: list[Tensor]) -> Callable[..., Any]:
    """Compile without generating code: traced as for Inductor, rewritten, and interpreted."""

    return interpreted(_module(fn), arguments)  # type: ignore[no-any-return]


def decomposed(fn: Callable[..., Any], arguments: list[Tensor]) -> Callable[..., Any]:
    """Trace with stock Inductor's decompositions, without this package, and interpret."""
    return compat.interpret_with_aot(_module(fn), arguments, lambda graph: None)


def _compiled(backend: str) -> Compiler:
    def compiler(fn: Callable[..., Any], arguments: list[Tensor]) -> Callable[..., Any]:
        torch._dynamo.reset()
        return torch.compile(fn, backend=backend, fullgraph=True, dynamic=False)

    return compiler


inductor = _compiled("inductor_complex")
"""Compile with Inductor's generated code."""

stock = _compiled("aot_eager")
"""Trace and functionalise with torch alone, and run the ops of the graph in eager."""


COMPILERS: dict[str, Compiler] = {"rewritten": rewritten, "inductor": inductor, "stock": stock}


class Reference:
    """What eager gives, in the program's dtypes, in double precision, and perturbed.

    Raises InvalidProgramError for a program that eager refuses.
    """

    def __init__(self, program: Runnable) -> None:
        self.program = program
        try:
            self.eager = observe(program)
            self.exact = observe(program, wide=True) if is_narrow(program.source()) else self.eager
        except Exception as error:  # whatever it is, it is not about compiled code
            raise InvalidProgramError(f"{type(error).__name__}: {error}") from error
        self._others: list[Observation] = []

    def others(self, count: int) -> list[Observation]:
        """Return at least `count` perturbed runs."""
        while len(self._others) < count:
            with Perturbed(seed=len(self._others)):
                self._others.append(observe(self.program))
        return self._others


def _first_line(error: BaseException) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {' '.join(lines[:2])[:300]}"


def check(program: Runnable, compiler: Compiler = rewritten) -> Failure | None:
    """Compare a compiled program with eager; return the first thing that is wrong.

    Raises InvalidProgramError for a program that eager refuses.
    """
    reference = Reference(program)
    try:
        ours = observe(program, compiler)
    except Exception as error:  # any error is a failure of what was compiled
        return Failure("error", "", _first_line(error))
    return _different_kind(ours, reference.eager) or _wrong_values(ours, reference)


def _different_kind(ours: Observation, eager: Observation) -> Failure | None:
    for group in ("results", "arguments"):
        pairs = zip(getattr(ours, group), getattr(eager, group), strict=True)
        for i, (got, want) in enumerate(pairs):
            what, how = compare.different_kind(got, want)
            if what:
                return Failure(what, group, how, i)
    if ours.aliases != eager.aliases:
        return Failure("aliasing", "results", f"{ours.aliases}, eager {eager.aliases}")
    return None


def _numbers(seen: Observation) -> list[tuple[str, int, Tensor | None]]:
    groups = [("results", [s.value for s in seen.results])]
    groups.append(("arguments", [s.value for s in seen.arguments]))
    found: list[tuple[str, int, Tensor | None]] = [
        (name, i, value) for name, values in groups for i, value in enumerate(values)
    ]
    return found + [("gradients", i, g) for i, g in enumerate(seen.gradients)]


def _wrong_values(ours: Observation, reference: Reference) -> Failure | None:
    rows = _numbers(ours), _numbers(reference.eager), _numbers(reference.exact)
    for place, ((group, i, got), (_, _, eager), (_, _, exact)) in enumerate(
        zip(*rows, strict=True)
    ):
        if got is None and eager is None:
            continue
        like = eager if eager is not None else got
        assert like is not None
        # No gradient is a gradient of zero.
        got, eager, exact = (
            torch.zeros_like(like) if t is None else t for t in (got, eager, exact)
        )
        if (got.shape, got.dtype) != (eager.shape, eager.dtype):
            return Failure("dtype", group, f"{got.dtype}, eager {eager.dtype}", i)
        for runs in (_FEW, _MANY):
            others = [_numbers(seen)[place][2] for seen in reference.others(runs)]
            known = [t for t in others if t is not None]
            wrong = compare.wrong_numbers(got, eager, exact, known)
            if not wrong.any():
                break
        else:
            detail = compare.describe(got, eager, exact, wrong)
            return Failure("value", group, detail, i)
    return None
