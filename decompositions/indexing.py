"""Reading, writing and selecting by index, mask or condition."""

from __future__ import annotations

from typing import Any

import torch

from torch_complex_subclass.decompositions.comparison import nonzero_mask
from torch_complex_subclass.decompositions.registry import Pair, componentwise, reduction

aten = torch.ops.aten

# Moves elements only; indices and masks are shared by both parts.
componentwise(
    aten._unsafe_index.Tensor,
    aten.gather.default,
    aten.index.Tensor,
    aten.index_select.default,
    aten.masked_select.default,
    aten.take.default,
    aten.take_along_dim.default,
)

componentwise(
    aten.diagonal_scatter.default,
    aten.select_scatter.default,
    aten.slice_scatter.default,
    aten.scatter.src,
    aten.scatter_add.default,
    data=("self", "src"),
)
componentwise(
    aten._unsafe_index_put.default,
    aten.index_put.default,
    data=("self", "values"),
)
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


@reduction(aten.nonzero.default)
def nonzero(z: Pair) -> Any:
    """Indices of elements that are not zero."""
    return aten.nonzero.default(nonzero_mask(z))
