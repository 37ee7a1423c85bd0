"""Runs a program and keeps what can be seen of it: results, changed inputs, gradients."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType
from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.fuzz.make import make
from torch_complex_subclass.fuzz.program import Runnable

FILENAME = "<program>"
"""What a traceback calls the source of a program."""

Function = Callable[..., Any]
# Takes a function and the tensors it will be called with; returns what to call instead.
Compiler = Callable[[Function, list[Tensor]], Function]

_PLAIN = {"i64": torch.int64, "b": torch.bool, "c128": torch.complex128, "f64": torch.float64}
_NARROW = {"c64": torch.complex64, "f32": torch.float32}
_WIDE = {"c64": torch.complex128, "f32": torch.float64}


@dataclass(frozen=True)
class Seen:
    """A tensor as a caller sees it; `value` is a plain copy."""

    value: Tensor
    strides: tuple[int, ...]
    conj: bool
    requires_grad: bool


@dataclass(frozen=True)
class Observation:
    """What one run of a program shows."""

    results: list[Seen]
    arguments: list[Seen]
    gradients: list[Tensor | None]
    aliases: list[tuple[int, ...]]
    """For each result, which of the arguments and results share its memory."""
    error: Exception | None = None
    """What the backward pass of a compiled program raised; there are no gradients then."""


def namespace(wide: bool = False) -> dict[str, Any]:
    """The names that a program's source uses; with `wide`, in double precision throughout."""
    dtypes = _PLAIN | (_WIDE if wide else _NARROW)
    return {"torch": torch, "F": torch.nn.functional, **dtypes}


@contextmanager
def default_dtype(wide: bool) -> Iterator[None]:
    """Numbers and integers become double precision in a wide run."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64 if wide else torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@functools.lru_cache(maxsize=16)
def _code(source: str) -> CodeType:
    return compile(source, FILENAME, "exec")


def _seen(t: Tensor) -> Seen:
    copy = t.detach().clone().resolve_conj().resolve_neg()
    return Seen(copy, tuple(t.stride()), t.is_conj(), t.requires_grad)


def _aliases(results: list[Tensor], arguments: list[Tensor]) -> list[tuple[int, ...]]:
    places = [t.untyped_storage().data_ptr() for t in (*arguments, *results)]
    return [
        tuple(i for i, place in enumerate(places) if place == p and t.numel() > 0)
        for t, p in zip(results, places[len(arguments) :], strict=True)
    ]


def _gradients(roots: list[Tensor], leaves: list[Tensor]) -> list[Tensor | None]:
    """Gradients of a fixed functional of the roots."""
    if not roots or not leaves:
        return [None] * len(leaves)
    seeds = [make(tuple(t.shape), t.dtype, 1000 + i) for i, t in enumerate(roots)]
    found = torch.autograd.grad(roots, leaves, seeds, allow_unused=True)
    return [g if g is None else g.detach().resolve_conj().resolve_neg().clone() for g in found]


def observe(program: Runnable, compiler: Compiler | None = None, wide: bool = False) -> Observation:
    """Run a program in eager, or as compiled by `compiler`, and look at what it did.

    Raises what the program or the compiler raises, and in eager what the backward pass raises.
    """
    space = namespace(wide)
    exec(_code(program.source()), space)
    leaves: list[Tensor] = []

    def noted(*args: Any, **kwargs: Any) -> Tensor:
        made = make(*args, **kwargs)
        if made.requires_grad:
            leaves.append(made)
        return made

    with warnings.catch_warnings(), default_dtype(wide):
        warnings.simplefilter("ignore")
        arguments: list[Tensor] = space["inputs"](noted)
        function = space["program"]
        call = function if compiler is None else compiler(function, arguments)
        results: list[Tensor] = list(call(*arguments))
        seen = [_seen(t) for t in results]
        written = [t for t in arguments if t.requires_grad and not t.is_leaf]
        roots = [t for t in results if t.requires_grad] + written
        changed, aliases = [_seen(t) for t in arguments], _aliases(results, arguments)
        try:
            return Observation(seen, changed, _gradients(roots, leaves), aliases)
        except Exception as error:
            if compiler is None:
                raise
            return Observation(seen, changed, [], aliases, error)
