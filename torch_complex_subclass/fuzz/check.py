"""Checks one program: compiled against eager."""

from __future__ import annotations

import functools
import re
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.backend import enabled
from torch_complex_subclass.fuzz import compare
from torch_complex_subclass.fuzz.observe import FILENAME, Compiler, Observation, observe
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
    got: Any = field(default=None, compare=False, repr=False)
    """What compiled code gave instead: numbers, strides, or where and how it raised."""

    def __str__(self) -> str:
        place = f" of {self.where}[{self.index}]" if self.where else ""
        return f"{self.kind}{place}: {self.detail}"

    def alike(self, other: Failure | None) -> bool:
        """True when the same thing is wrong, whatever the numbers."""
        if other is None or (self.kind, self.where) != (other.kind, other.where):
            return False
        return self.kind != "error" or _without_digits(self.detail) == _without_digits(other.detail)


def _without_digits(text: str) -> str:
    return re.sub(r"\d+", "", text)


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


def partly_decomposed(fn: Callable[..., Any], arguments: list[Tensor]) -> Callable[..., Any]:
    """As `decomposed`; an op whose decomposition raises, as some do for complex, keeps its kernel.

    So such an op does not hide what the decompositions of others do.
    """
    table = {op: _where_it_works(how) for op, how in compat.select_decompositions().items()}
    return compat.interpret_with_aot(_module(fn), arguments, lambda graph: None, table)


def _where_it_works(decomposition: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(decomposition)
    def attempt(*args: Any, **kwargs: Any) -> Any:
        try:
            return decomposition(*args, **kwargs)
        except Exception:  # whatever it does not take
            return NotImplemented

    return attempt


def traced(fn: Callable[..., Any], arguments: list[Tensor]) -> Callable[..., Any]:
    """Trace and functionalise with torch alone, without decompositions, and interpret."""
    return compat.interpret_with_aot(_module(fn), arguments, lambda graph: None, {})


def mended(fn: Callable[..., Any], arguments: list[Tensor]) -> Callable[..., Any]:
    """As `traced`, with what this package puts right in AOTAutograd, and none of its rules."""
    with enabled():
        return traced(fn, arguments)


def _compiled(backend: str) -> Compiler:
    def compiler(fn: Callable[..., Any], arguments: list[Tensor]) -> Callable[..., Any]:
        torch._dynamo.reset()
        return torch.compile(fn, backend=backend, fullgraph=True, dynamic=False)

    return compiler


inductor = _compiled("inductor_complex")
"""Compile with Inductor's generated code."""

stock = _compiled("aot_eager")
"""As `traced`, but by way of Dynamo."""


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


def _raised(error: BaseException) -> Failure:
    """What an error says, and of what type it is in which line of the program."""
    # Dynamo wraps what a backend raises, and names the backend.
    error = getattr(error, "inner_exception", error)
    lines = [line for line in str(error).splitlines() if line.strip()]
    text = " ".join(lines[:2])[:300]
    frames = traceback.extract_tb(error.__traceback__)
    at = [frame.lineno for frame in frames if frame.filename == FILENAME]
    place = at[-1] if at else _without_digits(text)
    kind = type(error).__name__
    return Failure("error", "", f"{kind}: {text}", got=(kind, place))


def check(program: Runnable, compiler: Compiler = rewritten) -> Failure | None:
    """Compare a compiled program with eager; return the first thing that is wrong.

    Raises InvalidProgramError for a program that eager refuses.
    """
    return next(failures(program, compiler), None)


def failures(program: Runnable, compiler: Compiler = rewritten) -> Iterator[Failure]:
    """Compare a compiled program with eager; yield all that is wrong.

    Raises InvalidProgramError for a program that eager refuses.
    """
    reference = Reference(program)
    try:
        ours = observe(program, compiler)
    except Exception as error:  # any error is a failure of what was compiled
        yield _raised(error)
        return
    if ours.error is not None:
        yield _raised(ours.error)
    yield from _different_kind(ours, reference.eager)
    yield from _wrong_values(ours, reference)


def _different_kind(ours: Observation, eager: Observation) -> Iterator[Failure]:
    for group in ("results", "arguments"):
        pairs = zip(getattr(ours, group), getattr(eager, group), strict=True)
        for i, (seen, wanted) in enumerate(pairs):
            for what, got, want in compare.differences(seen, wanted):
                yield Failure(what, group, f"{got}, eager {want}", i, got)
    if ours.aliases != eager.aliases:
        detail = f"{ours.aliases}, eager {eager.aliases}"
        yield Failure("aliasing", "results", detail, got=ours.aliases)


def _numbers(seen: Observation) -> list[tuple[str, int, Tensor | None]]:
    groups = [("results", [s.value for s in seen.results])]
    groups.append(("arguments", [s.value for s in seen.arguments]))
    found: list[tuple[str, int, Tensor | None]] = [
        (name, i, value) for name, values in groups for i, value in enumerate(values)
    ]
    return found + [("gradients", i, g) for i, g in enumerate(seen.gradients)]


def _wrong_values(ours: Observation, reference: Reference) -> Iterator[Failure]:
    rows = _numbers(ours), _numbers(reference.eager), _numbers(reference.exact)
    for place, ((group, i, got), (_, _, eager), (_, _, exact)) in enumerate(
        zip(*rows, strict=ours.error is None)
    ):
        like = eager if eager is not None else got
        if like is None:
            continue
        # No gradient is a gradient of zero.
        got, eager, exact = (
            torch.zeros_like(like) if t is None else t for t in (got, eager, exact)
        )
        if (got.shape, got.dtype) != (eager.shape, eager.dtype):
            if group == "gradients":  # of others it is told already
                yield Failure("dtype", group, f"{got.dtype}, eager {eager.dtype}", i, got.dtype)
            continue
        for runs in (_FEW, _MANY):
            others = [_numbers(seen)[place][2] for seen in reference.others(runs)]
            known = [t for t in others if t is not None]
            wrong = compare.wrong_numbers(got, eager, exact, known)
            if not wrong.any():
                break
        else:
            detail = compare.describe(got, eager, exact, wrong)
            yield Failure("value", group, detail, i, compare.Wrong(got, exact, wrong))
