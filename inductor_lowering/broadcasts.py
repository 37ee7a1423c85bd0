"""A transcendental of a small tensor is computed once, not again for each copy in a broadcast.

Inductor fuses a broadcast operand into the kernel that reads it, so the phases of a rotary
embedding, a table of positions by frequencies, are computed again for every head and batch: eager,
which stores the table, is faster. Here a value is stored before it is broadcast where that costs
less: storing takes two passes over the small tensor, computing again takes one evaluation for each
element of the large one. Stock Inductor does so for some functions on CPU (exp, log, tanh), but
neither for sine and cosine nor inside a rule. Applies only to graphs with complex values.

The same holds for overlapping windows of a signal that is reflected at its ends, as of a
short-time Fourier transform: computed addresses keep vectors out of the loop over the windows, so
the signal is stored with its reflections.

An upstream `should_realize_on_reuse` with a cost for each function would make this file
unnecessary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from unittest.mock import patch

import torch
from torch._inductor import ir
from torch._inductor.dependencies import MemoryDep, extract_read_writes
from torch._inductor.lowering import lowerings
from torch._inductor.utils import sympy_product
from torch._inductor.virtualized import V
from torch.utils._sympy.functions import FloorDiv, ModularIndexing

from torch_complex_subclass.inductor_lowering import interleaved

SLOW = frozenset(
    (
        *("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "pow", "sigmoid"),
        *("sin", "cos", "tan", "sinh", "cosh", "tanh"),
        *("asin", "acos", "atan", "atan2", "asinh", "acosh", "atanh"),
    )
)
"""Operations that take longer than to write and read a number."""

LEAST_COPIES = {"cpu": 2}
"""Copies of an element from which storing it is faster, by device."""

LEAST_COPIES_ELSEWHERE = 8
"""On a GPU arithmetic is cheaper than memory, and a kernel more costs some microseconds."""


def _stored_in(x: Any) -> Any:
    """The storage that a view, or view of a view, is of."""
    while isinstance(x, ir.BaseView):
        x = x.data
    return x


def _is_slow(value: Any) -> bool:
    return isinstance(value, ir.Pointwise) and not SLOW.isdisjoint(
        value.inner_fn_opcount().used_ops
    )


def _is_gathered(value: Any) -> bool:
    """True for a value that is read at computed addresses."""
    return isinstance(value, ir.Pointwise) and any(
        isinstance(dep, MemoryDep) and dep.is_indirect() for dep in value.get_reads()
    )


def _is_split(x: Any) -> bool:
    """True for a view that reads memory by quotients and remainders of an index."""
    with patch.object(ir.FlexibleLayout, "allow_indexing", True):
        reads = extract_read_writes(x.make_loader(), x.get_size()).reads
    return any(
        isinstance(dep, MemoryDep) and dep.index.has(FloorDiv, ModularIndexing) for dep in reads
    )


def _copies(value: Any, size: Sequence[Any]) -> float:
    """Elements of a broadcast for each of the value."""
    hint = V.graph.sizevars.optimization_hint
    return hint(sympy_product(size)) / max(1, hint(sympy_product(value.get_size())))


def store_before_broadcast(x: Any, size: Sequence[Any]) -> None:
    """Store what x is a view of where a broadcast to `size` would compute it again too often."""
    box = _stored_in(x)
    value = getattr(box, "data", None)
    if not isinstance(box, ir.StorageBox) or not isinstance(value, ir.Pointwise):
        return
    least = LEAST_COPIES.get(value.device.type, LEAST_COPIES_ELSEWHERE)
    if _copies(value, size) >= least and (_is_slow(value) or _is_split(x)):
        box.realize()


def _create(stock: Callable[..., Any]) -> Callable[..., Any]:
    def create(cls: Any, x: Any, new_size: Sequence[Any]) -> Any:
        if interleaved.has_complex_values(V.graph):
            store_before_broadcast(x, new_size)
        return stock(cls, x, new_size)

    return create


def _unfold(stock: Callable[..., Any]) -> Callable[..., Any]:
    def unfold(x: Any, dimension: int, size: Any, step: Any) -> Any:
        value = getattr(_stored_in(x.data), "data", None)
        overlap = V.graph.sizevars.optimization_hint(
            size
        ) >= 2 * V.graph.sizevars.optimization_hint(step)
        if interleaved.has_complex_values(V.graph) and overlap and _is_gathered(value):
            x.realize()
        return stock(x, dimension, size, step)

    return unfold


def table() -> dict[Any, Callable[..., Any]]:
    """The entries for Inductor's table of lowerings."""
    op = torch.ops.aten.unfold.default
    return {op: _unfold(lowerings[op])}


def replacements() -> list[tuple[Any, str, Any]]:
    """Object, attribute and new value of every edit."""
    stock: Any = ir.ExpandView.create
    return [(ir.ExpandView, "create", classmethod(_create(stock.__func__)))]
