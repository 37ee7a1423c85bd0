"""Reading, writing and selecting by index, mask or condition."""

from __future__ import annotations

from typing import Any

import torch

from torch_complex_subclass.decompositions.comparison import nonzero_mask
from torch_complex_subclass.decompositions.operands import as_pair
from torch_complex_subclass.decompositions.registry import Operand, Pair, componentwise, reduction

aten = torch.ops.aten

# Moves elements only; indices and masks are shared by both parts.
componentwise(
    aten._unsafe_index.Tensor,
    aten.gather.default,
    aten.index.Tensor,
    aten.masked_select.default,
    aten.take_along_dim.default,
)

componentwise(
    aten.diagonal_scatter.default,
    aten.select_scatter.default,
    aten.slice_scatter.default,
    aten.scatter.src,
    data=("self", "src"),
)
componentwise(aten.scatter_add.default, data=("self", "src"), sums=True)
componentwise(
    aten._unsafe_index_put.default,
    aten._unsafe_masked_index_put_accumulate.default,
    aten.index_put.default,
    data=("self", "values"),
    sums=True,
)
componentwise(aten._unsafe_masked_index.default, data=("self", "fill"))
componentwise(aten.embedding.default, data=("weight",))
componentwise(aten.index_copy.default, aten.masked_scatter.default, data=("self", "source"))
componentwise(
    aten.index_fill.int_Scalar,
    aten.index_fill.int_Tensor,
    aten.masked_fill.Scalar,
    aten.masked_fill.Tensor,
    aten.scatter.value,
    data=("self", "value"),
)
componentwise(
    aten.where.Scalar,
    aten.where.ScalarOther,
    aten.where.ScalarSelf,
    aten.where.self,
    data=("self", "other"),
)


@reduction(aten.index_select.default)
def index_select(z: Pair, dim: int, index: Any) -> Pair:
    """Rows of `z`; the only element of a tensor without dimensions is asked for no index."""
    if not z.re.dim():
        return Pair(z.re.clone(), z.im.clone())
    re, im = (aten.index_select.default(part, dim, index) for part in z)
    return Pair(re, im)


@reduction(aten.take.default)
def take(z: Pair, index: Any) -> Pair:
    """Elements of `z` as if it had one dimension.

    By indexing: the decomposition of `take` reads the value of an index without dimensions.
    """
    re, im = (aten.index.Tensor(part.reshape(-1), [index]) for part in z)
    return Pair(re, im)


@reduction(aten.index_add.default, data=("self", "source"))
def index_add(z: Pair, dim: int, index: Any, source: Pair, *, alpha: Any = 1) -> Any:
    """Add rows of `source`, times a real alpha, into rows of `z`."""
    if isinstance(alpha, Pair) or not isinstance(source, Pair) or not isinstance(z, Pair):
        return NotImplemented
    re, im = (
        aten.index_add.default(part, dim, index, more, alpha=alpha)
        for part, more in zip(z, source, strict=True)
    )
    return Pair(re, im)


PRODUCTS_COLLIDE = "a product of colliding elements is no pair of real reductions"


def _scatter_parts(op: Any, z: Pair, place: Any, values: Operand, *rest: Any, **how: Any) -> Pair:
    re, im = (
        op(part, *place, more, *rest, **how) for part, more in zip(z, as_pair(values), strict=True)
    )
    return Pair(re, im)


@reduction(aten.scatter.reduce, data=("self", "src"), reason=PRODUCTS_COLLIDE)
def scatter_with(z: Pair, dim: int, index: Any, source: Operand, *, reduce: str) -> Any:
    """Add elements of `source` to those of `z` that `index` names."""
    if reduce != "add" or not isinstance(z, Pair):
        return NotImplemented
    return _scatter_parts(aten.scatter.reduce, z, (dim, index), source, reduce=reduce)


@reduction(aten.scatter.value_reduce, data=("self", "value"), reason=PRODUCTS_COLLIDE)
def scatter_value_with(z: Pair, dim: int, index: Any, value: Operand, *, reduce: str) -> Any:
    """Add `value` to the elements of `z` that `index` names."""
    if reduce != "add" or not isinstance(z, Pair):
        return NotImplemented
    return _scatter_parts(aten.scatter.value_reduce, z, (dim, index), value, reduce=reduce)


@reduction(aten.scatter_reduce.two, data=("self", "src"), reason=PRODUCTS_COLLIDE)
def scatter_reduce(
    z: Pair, dim: int, index: Any, source: Operand, reduce: str, *, include_self: bool = True
) -> Any:
    """Sum or mean of the elements of `source`, and of `z`, that `index` names."""
    if reduce not in ("sum", "mean") or not isinstance(z, Pair):
        return NotImplemented
    op = aten.scatter_reduce.two
    return _scatter_parts(op, z, (dim, index), source, reduce, include_self=include_self)


@reduction(aten.nonzero_static.default)
def nonzero_static(z: Pair, *, size: Any, fill_value: int = -1) -> Any:
    """Indices of the first `size` elements that are not zero, then `fill_value`."""
    return aten.nonzero_static.default(nonzero_mask(z), size=size, fill_value=fill_value)


@reduction(aten.nonzero.default)
def nonzero(z: Pair) -> Any:
    """Indices of elements that are not zero."""
    return aten.nonzero.default(nonzero_mask(z))
