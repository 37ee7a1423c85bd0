"""Which buffers of a graph hold interleaved complex memory, as the lowerings made them."""

from __future__ import annotations

import functools
import weakref
from dataclasses import dataclass, field
from typing import Any

import sympy
from torch import fx
from torch._inductor import ir
from torch._inductor.virtualized import NullHandler, V

from torch_complex_subclass.recorder import RECORDED


@dataclass
class Interleaved:
    """Names of interleaved buffers of one graph."""

    buffers: set[str] = field(default_factory=set)
    """Buffers of shape `(..., 2)` whose last stride is one."""
    parts: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Buffers that are one part of an interleaved one: its name, and 0 or 1."""
    pairs: dict[tuple[str, int], bool] = field(default_factory=dict)
    """Answers of `ends_block`, by name and size."""
    ends: dict[fx.Node, fx.Node | None] = field(default_factory=dict)
    """Answers of `reduced_values.end_of_all`, by node."""


_graphs: weakref.WeakKeyDictionary[Any, Interleaved] = weakref.WeakKeyDictionary()


def of(graph: Any) -> Interleaved:
    """Return the record of a graph under lowering."""
    return _graphs.setdefault(graph, Interleaved())


def has_complex_values(graph: Any) -> bool:
    """True for a graph in which the pass made a node."""
    if isinstance(graph, NullHandler):
        return False
    if graph not in _rewritten:
        _rewritten[graph] = any(RECORDED in node.meta for node in graph.module.graph.nodes)
    return _rewritten[graph]


_rewritten: weakref.WeakKeyDictionary[Any, bool] = weakref.WeakKeyDictionary()


# The scheduler asks for a loop once for each other that it might be fused with.
@functools.lru_cache(maxsize=4096)
def split_residue(index: sympy.Expr, modulus: int) -> tuple[sympy.Expr, int] | None:
    """Return `index` rounded down to a multiple, and the rest where that is fixed."""
    constant, rest = sympy.expand(index).as_coeff_Add()
    if not isinstance(constant, sympy.Integer):
        return None
    for term in sympy.Add.make_args(rest):
        coefficient = term.as_coeff_Mul()[0]
        if not isinstance(coefficient, sympy.Integer) or coefficient % modulus:
            return None
    residue = int(constant) % modulus
    return index - residue, residue


def split_parity(index: sympy.Expr) -> tuple[sympy.Expr, int] | None:
    """Return `index` rounded down to even, and its parity, when that is the same for all values."""
    return split_residue(index, 2)


def real_name(name: str) -> str:
    """Name of the buffer that a store to `name` changes."""
    # None for a buffer local to an outer loop, which Inductor adds while it writes the kernel.
    buffer = V.graph.try_get_buffer(name)
    layout = getattr(buffer, "layout", None)
    if isinstance(layout, ir.MutationLayoutSHOULDREMOVE):
        return str(layout.get_buffer().get_name())
    return name


def holds_pairs(graph: Any, name: str) -> bool:
    """True for a buffer in whose memory each even index is followed by an odd one.

    Real memory that a program reads as pairs, such as an operand of `view_as_complex`.
    """
    return has_complex_values(graph) and ends_block(graph, name, 2)


def ends_block(graph: Any, name: str, size: int) -> bool:
    """True for a buffer whose memory, from its first element to its last, is blocks of a size."""
    known = of(graph).pairs
    if (name, size) not in known:
        buffer = graph.try_get_buffer(name)
        known[name, size] = buffer is not None and _ends_block(graph, buffer, size)
    return known[name, size]


def _ends_block(graph: Any, buffer: Any, block: int) -> bool:
    layout = buffer.maybe_get_layout()
    # What only marks a write, or holds several tensors, has no elements of its own.
    if not isinstance(layout, ir.Layout) or isinstance(layout, ir.MutationLayoutSHOULDREMOVE):
        return False
    steps = zip(layout.size, layout.stride, strict=True)
    length = sum((size - 1) * stride for size, stride in steps) + 1
    return bool(graph.sizevars.statically_known_equals(sympy.Mod(length, block), 0))
