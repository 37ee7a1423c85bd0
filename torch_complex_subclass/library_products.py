"""Products of conjugates, where the library would copy a factor to conjugate it.

BLAS multiplies by a transposed matrix, or by one conjugated and transposed; of the conjugate of a
matrix that lies in rows the library writes a copy first. But conj(a) b is the conjugate of a
conj(b). So where b is smaller, it is conjugated instead, and the loops that read the result turn
its sign.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, fx
from torch._ops import OpOverload

from torch_complex_subclass.decompositions.registry import Pair
from torch_complex_subclass.inductor_lowering.ops import edge_op
from torch_complex_subclass.readers import is_read_by_loops
from torch_complex_subclass.recorder import Recorder
from torch_complex_subclass.values import Values

aten = torch.ops.aten


def parts(
    op: OpOverload, left: fx.Node, right: fx.Node, values: Values, recorder: Recorder
) -> Pair:
    """Record a call of the library for a product that loops read; return its parts."""
    found = _product_of_conjugates(op, left, right, values, recorder)
    if found is not None:
        return found
    product = recorder.emit(op, factor(left, values), factor(right, values))
    values.set_stored(product, product)
    return values.pair(product)


def factor(node: fx.Node, values: Values) -> fx.Node:
    """Return a factor in complex memory that the library reads as it is.

    BLAS asks for rows or columns that lie in one piece. Other matrices the library would copy, in a
    batch one by one. The loop that computes such a factor writes it in rows instead, and one that
    is in memory is copied by one loop.
    """
    return values.stored(node) if _is_read_as_it_is(node.meta["val"]) else values.in_rows(node)


def _is_read_as_it_is(value: Tensor) -> bool:
    """True for matrices whose rows or columns lie in one piece, and for sizes not known."""
    sizes, strides = value.shape[-2:], value.stride()[-2:]
    if not all(isinstance(n, int) for n in (*sizes, *strides)):
        return True
    (rows, columns), (row, column) = sizes, strides
    return (column == 1 and row >= columns) or (row == 1 and column >= rows)


def parts_of_conjugates(node: fx.Node, values: Values, recorder: Recorder) -> Pair | None:
    """Record a product by way of conjugated factors; None where it is best taken as it is."""
    if not is_read_by_loops(node):
        return None
    op, (left, right) = node.target, node.args
    return _product_of_conjugates(op, left, right, values, recorder)  # type: ignore[arg-type]


def _product_of_conjugates(
    op: OpOverload, left: fx.Node, right: fx.Node, values: Values, recorder: Recorder
) -> Pair | None:
    """Record a product by way of conjugated factors, where the library copies fewer numbers so.

    Returns its parts, or None where the factors are best taken as they are.
    """
    factors = left, right
    if not all(isinstance(n, int) for f in factors for n in f.meta["val"].shape):
        return None
    now = sum(_size(f) for f in factors if f.meta["val"].is_conj())
    # One that is yet to be written counts too: another product may need it as it is.
    then = sum(_size(f) for f in factors if not f.meta["val"].is_conj())
    if then >= now:
        return None
    product = recorder.emit(op, *(_conjugate(f, values, recorder) for f in factors))
    values.set_stored(product, product)
    re, im = values.pair(product)
    return Pair(re, recorder.emit(aten.neg.default, im))


def _size(node: fx.Node) -> int:
    """Numbers that the library copies to conjugate a factor."""
    value = node.meta["val"]
    return value.numel() if _lies_in_rows(value) else 0


def _lies_in_rows(value: Tensor) -> bool:
    columns, rows = value.stride()[-1], value.stride()[-2]
    return columns == 1 and rows != 1


def _conjugate(node: fx.Node, values: Values, recorder: Recorder) -> fx.Node:
    """Return the conjugate of a factor in complex memory."""
    value: Tensor = node.meta["val"]
    as_it_is = _is_read_as_it_is(value)
    if as_it_is and (value.is_conj() or values.is_shown_by_memory(node)):
        stored: Any = values.stored(node)
        is_view = stored.target is edge_op("conj_view")
        return stored.args[0] if is_view else recorder.emit(edge_op("conj_view"), stored)
    re, im = values.pair(node)
    like = value if as_it_is else value.contiguous()
    memory = values.join(re, recorder.emit(aten.neg.default, im), like=like)
    return recorder.emit(edge_op("as_complex"), memory)
