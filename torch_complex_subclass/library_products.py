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

from torch_complex_subclass import dispatch, routes
from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.decompositions.registry import Pair
from torch_complex_subclass.inductor_lowering.ops import edge_op
from torch_complex_subclass.recorder import Recorder
from torch_complex_subclass.values import Values

aten = torch.ops.aten

# Their results may lie in the memory of the operand; schemas tell of the other views.
_HANDED_ON = (aten._unsafe_view.default, aten.clone.default)


def parts(
    op: OpOverload, left: fx.Node, right: fx.Node, values: Values, recorder: Recorder
) -> Pair:
    """Record a call of the library for a product that loops read; return its parts."""
    found = _product_of_conjugates(op, left, right, values, recorder)
    if found is not None:
        return found
    product = recorder.emit(op, values.stored(left), values.stored(right))
    values.set_stored(product, product)
    return values.pair(product)


def parts_of_conjugates(node: fx.Node, values: Values, recorder: Recorder) -> Pair | None:
    """Record a product by way of conjugated factors; None where it is best taken as it is."""
    if not _is_read_by_loops(node):
        return None
    op, (left, right) = node.target, node.args
    return _product_of_conjugates(op, left, right, values, recorder)  # type: ignore[arg-type]


def _is_read_by_loops(node: fx.Node) -> bool:
    """True when no result and no library call needs the value of `node` in complex memory."""
    return all(_is_loop(user, node) for user in node.users)


def _is_loop(user: fx.Node, operand: fx.Node) -> bool:
    op = user.target
    if not isinstance(op, OpOverload) or not dispatch.has_function(dispatch.lookup(op)):
        return False
    if routes.is_product(user):
        factors: Any = user.args[-2:]
        return operand not in factors or routes.is_elementwise(*factors)
    hands_on = op in _HANDED_ON or compat.returns_view(op)
    return not hands_on or _is_read_by_loops(user)


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


def _size(factor: fx.Node) -> int:
    """Numbers that the library copies to conjugate a factor."""
    value = factor.meta["val"]
    return value.numel() if _lies_in_rows(value) else 0


def _lies_in_rows(value: Tensor) -> bool:
    columns, rows = value.stride()[-1], value.stride()[-2]
    return columns == 1 and rows != 1


def _conjugate(factor: fx.Node, values: Values, recorder: Recorder) -> fx.Node:
    """Return the conjugate of a factor in complex memory."""
    value: Tensor = factor.meta["val"]
    if value.is_conj() or values.is_shown_by_memory(factor):
        stored: Any = values.stored(factor)
        is_view = stored.target is edge_op("conj_view")
        return stored.args[0] if is_view else recorder.emit(edge_op("conj_view"), stored)
    re, im = values.pair(factor)
    memory = values.join(re, recorder.emit(aten.neg.default, im), like=value)
    return recorder.emit(edge_op("as_complex"), memory)
