"""A random program as data, and as the Python source that runs it.

A program is straight-line code in three parts: tensors that are made, statements, and the values
that are returned. dtypes are names (`c64`, `f32`, ...), so that the same source runs in double
precision when these names stand for wider dtypes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

COMPLEX = ("c64", "c128")
REAL = ("f32", "f64")
NARROW = ("c64", "f32")
COMPLEX_OF = {"f32": "c64", "f64": "c128"}

_NAME = re.compile(r"\b[xv]\d+\b")

Shape = tuple[int, ...]


def names_in(text: str) -> list[str]:
    """The variables that a piece of source mentions, each once."""
    return list(dict.fromkeys(_NAME.findall(text)))


def _transposed(shape: Shape) -> tuple[Shape, str]:
    return (*shape[:-2], shape[-1], shape[-2]), ".transpose(-1, -2)"


def _reversed(shape: Shape) -> tuple[Shape, str]:
    return shape[::-1], f".permute({', '.join(map(str, reversed(range(len(shape)))))})"


def _stepped(shape: Shape) -> tuple[Shape, str]:
    return (*shape[:-1], 2 * shape[-1]), "[..., ::2]"


def _shifted(shape: Shape) -> tuple[Shape, str]:
    return (*shape[:-1], shape[-1] + 1), "[..., 1:]"


def _expanded(shape: Shape) -> tuple[Shape, str]:
    return (1, *shape[1:]), f".expand{shape}"


def _overlapping(shape: Shape) -> tuple[Shape, str]:
    length = max(1, sum(shape) - len(shape) + 1)
    return (length,), f".as_strided({shape}, {(1,) * len(shape)})"


def _channels_last(shape: Shape) -> tuple[Shape, str]:
    n, c, h, w = shape
    return (n, h, w, c), ".permute(0, 3, 1, 2)"


# How a tensor lies in memory: fewest dimensions, most, and what it is a view of.
LAYOUTS: dict[str, tuple[int, int, Callable[[Shape], tuple[Shape, str]]]] = {
    "contiguous": (0, 9, lambda shape: (shape, "")),
    "transposed": (2, 9, _transposed),
    "reversed": (2, 9, _reversed),
    "stepped": (1, 9, _stepped),
    "shifted": (1, 9, _shifted),
    "expanded": (1, 9, _expanded),
    "overlapping": (1, 3, _overlapping),
    "channels_last": (4, 4, _channels_last),
    # Real parts of complex memory.
    "real": (0, 9, lambda shape: (shape, ".real")),
    "imag": (0, 9, lambda shape: (shape, ".imag")),
    "negated": (0, 9, lambda shape: (shape, ".conj().imag")),
}
PARTS = ("real", "imag", "negated")


class Runnable(Protocol):
    """Something with the source of a program."""

    def source(self) -> str:
        """Two functions: `inputs(make)` and `program(...)`."""


def is_narrow(source: str) -> bool:
    """True when something in a program is in single precision, or can become so."""
    return any(re.search(rf"\b{dtype}\b", source) for dtype in NARROW)


@dataclass(frozen=True)
class Input:
    """A tensor that a program is called with."""

    name: str
    shape: Shape
    dtype: str
    seed: int
    layout: str = "contiguous"
    values: str = "grid"
    conj: bool = False
    requires_grad: bool = False
    """It is a leaf, or a view of one, and the gradient of the leaf is compared."""
    copied: bool = False
    """A leaf cannot be written to; a copy of it can."""
    view: str = ""
    """An expression on earlier inputs instead: a view that shares memory with one."""

    def source(self) -> str:
        """The statement that makes it."""
        if self.view:
            return f"{self.name} = {self.view}"
        least, most, lay = LAYOUTS[self.layout]
        fits = least <= len(self.shape) <= most
        shape, suffix = lay(self.shape) if fits else (self.shape, "")
        dtype = COMPLEX_OF[self.dtype] if self.layout in PARTS else self.dtype
        options = "" if self.values == "grid" else f", values={self.values!r}"
        options += ", requires_grad=True" if self.requires_grad else ""
        suffix += ".conj()" if self.conj else ""
        suffix += ".clone()" if self.copied and self.requires_grad else ""
        return f"{self.name} = make({shape}, {dtype}, {self.seed}{options}){suffix}"

    def simpler(self) -> list[Input]:
        """The same input with one property less, for each property it has."""
        if self.view:
            return []
        found = [
            replace(self, layout="contiguous") if self.layout != "contiguous" else self,
            replace(self, conj=False),
            replace(self, values="grid"),
            replace(self, requires_grad=False),
            replace(self, copied=False),
        ]
        return [candidate for candidate in found if candidate != self]


@dataclass(frozen=True)
class Step:
    """One statement; `target` is the variable that it defines, if it defines one."""

    text: str
    target: str = ""

    def source(self) -> str:
        """The statement."""
        return f"{self.target} = {self.text}" if self.target else self.text

    def reads(self) -> list[str]:
        """Variables it mentions besides its target."""
        return names_in(self.text)


@dataclass(frozen=True)
class Program:
    """Inputs, statements and the names of the results."""

    inputs: tuple[Input, ...]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...]

    def source(self) -> str:
        """Two functions: `inputs(make)` and `program(...)`."""
        made = "".join(f"    {i.source()}\n" for i in self.inputs)
        read = {name for s in self.steps for name in s.reads()} | {*self.outputs}
        # What is only the base of another input is no argument.
        names = ", ".join(i.name for i in self.inputs if i.name in read)
        body = "".join(f"    {s.source()}\n" for s in self.steps)
        return (
            f"def inputs(make):\n{made}    return [{names}]\n\n\n"
            f"def program({names}):\n{body}    return [{', '.join(self.outputs)}]\n"
        )
