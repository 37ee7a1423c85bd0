"""Products of many rows with few columns, or the reverse, that loops compute.

A library call computes blocks of more columns than there are, and copies a real or an imaginary
part of complex memory first. Loops read the long factor in the order of memory, fuse with what
computes the factors and with what reads the result. Only in graphs: op by op, the products of all
pairs of rows and columns would be stored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, fx

from torch_complex_subclass import dispatch, routes
from torch_complex_subclass.decompositions.linalg import (
    LARGEST_GATE,
    sums_of_columns,
    sums_of_rows,
)
from torch_complex_subclass.decompositions.registry import Kind
from torch_complex_subclass.values import owners_of

aten = torch.ops.aten

_COPIES = aten._to_copy.default, aten.clone.default

LARGEST_WIDTH = 10
"""Most columns, or rows, of the small factor where one factor is real, and the long one stored."""

LARGEST_COMPLEX_WIDTH = 3
"""The same where both factors are complex, or loops may compute the long one for each column."""

FEWEST_ROWS = 16
"""Fewest rows that such columns are multiplied by."""

SHORTEST_SUM, LONGEST_SUM = 16, 4096
"""Fewest terms, since short sums are unrolled, and most, which the caches keep for each column."""


def sums(node: fx.Node, has_real_factor: bool) -> Callable[..., Any] | None:
    """Return the sums that a product of few columns, or few rows, is to be; None for others.

    Factors whose terms lie in one piece each are summed in vectors of terms, and where the rows of
    the long factor lie side by side, vectors of sums are taken. Measured on CPUs and in single
    precision, and for those only; in double precision sums of terms are slower.
    """
    if not routes.is_plain_product(node) or routes.is_elementwise(*node.args):  # type: ignore[arg-type]
        return None
    left, right = node.args
    a, b = (factor.meta["val"] for factor in (left, right))  # type: ignore[union-attr]
    is_measured = a.device.type == "cpu" and a.dtype == torch.complex64
    if not is_measured or not all(isinstance(n, int) for n in _numbers(a, b)):
        return None
    if b.shape[-1] > a.shape[-2]:
        left, right, a, b = right, left, b.mT, a.mT
    widest = LARGEST_WIDTH if has_real_factor and _is_stored(left) else LARGEST_COMPLEX_WIDTH
    is_narrow = a.shape[-2] >= FEWEST_ROWS and 1 < b.shape[-1] <= widest
    if not is_narrow or not _is_in_order(left):
        return None
    return _sums_along(a, b, _is_in_order(right))


def _sums_along(a: Tensor, b: Tensor, small_is_in_order: bool) -> Callable[..., Any] | None:
    """What loops sum of a long factor and a small one, by how they lie; None where neither."""
    if not SHORTEST_SUM <= a.shape[-1] <= LONGEST_SUM:
        return None
    if a.stride(-1) == 1 and b.stride(-2) == 1 and small_is_in_order:
        return sums_of_rows
    return sums_of_columns if a.stride(-2) == 1 else None


def _is_stored(factor: Any) -> bool:
    """True for an input, or a sum of products, as it lies in memory, and for views of those."""
    *_, owner = owners_of(factor)
    if owner.target in _COPIES:
        return _are_alike(owner, *owner.all_input_nodes) and _is_stored(owner.all_input_nodes[0])
    if routes.is_plain_product(owner):
        terms = owner.args[0].meta["val"].shape[-1]  # type: ignore[union-attr]
        return not isinstance(terms, int) or terms > LARGEST_GATE
    return owner.op == "placeholder"


def _is_in_order(factor: Any) -> bool:
    """True for what is stored, and for what loops compute of factors that lie in the same order.

    Loops read what is copied or computed where its operands lie, whatever its own strides say.
    """
    to_see, seen = [factor], set()
    while to_see:
        *_, owner = owners_of(to_see.pop())
        if owner in seen or _is_stored(owner):
            continue
        seen.add(owner)
        operands = _operands_of_loop(owner)
        if operands is None or not _are_alike(owner, *operands):
            return False
        to_see += operands
    return True


def _operands_of_loop(owner: fx.Node) -> list[fx.Node] | None:
    """What a loop over elements reads of its own size; None where no such loop computes a value."""
    rule = dispatch.lookup(owner.target)
    is_elementwise = rule is not None and rule.kind in (Kind.UNARY, Kind.ELEMENTWISE)
    if not is_elementwise and owner.target not in _COPIES:
        return None
    size = owner.meta["val"].shape
    return [n for n in owner.all_input_nodes if getattr(n.meta["val"], "shape", ()) == size]


def _are_alike(*nodes: fx.Node) -> bool:
    """True for values with the same strides."""
    return len({node.meta["val"].stride() for node in nodes}) == 1


def _numbers(*values: Tensor) -> list[int | torch.SymInt]:
    return [n for t in values for n in (*t.shape, *t.stride())]
