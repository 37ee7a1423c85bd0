"""Views by strides or by another dtype: what the memory of a complex tensor is seen as.

A complex value comes and goes as `Interleaved`. Sizes, strides and offsets are counted in complex
elements by the op and in real ones by the rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.decompositions.registry import Interleaved, memory, native
from torch_complex_subclass.dtypes import REAL_OF

aten = torch.ops.aten

Geometry = tuple[list[Any], list[Any], Any]

UNALIGNED = "memory that starts or steps by an odd number of real elements is no complex memory"


def _in_real_elements(size: Sequence[Any], stride: Sequence[Any], offset: Any) -> Geometry:
    return [*size, 2], [2 * s for s in stride] + [1], None if offset is None else 2 * offset


@memory(aten.as_strided.default)
def as_strided(z: Interleaved, size: Any, stride: Any, storage_offset: Any = None) -> Interleaved:
    """View of shape `size` with the strides and the offset given."""
    where = _in_real_elements(size, stride, storage_offset)
    return Interleaved(aten.as_strided.default(z.memory, *where))


@memory(aten.as_strided_copy.default)
def as_strided_copy(
    z: Interleaved, size: Any, stride: Any, storage_offset: Any = None
) -> Interleaved:
    """Copy of the view of shape `size` with the strides and the offset given."""
    return Interleaved(as_strided(z, size, stride, storage_offset).memory.clone())


@memory(aten.as_strided_scatter.default)
def as_strided_scatter(
    z: Interleaved, src: Any, size: Any, stride: Any, storage_offset: Any = None
) -> Any:
    """Copy of `z` in which the view of shape `size` holds `src`."""
    if not isinstance(src, Interleaved):
        return NotImplemented
    where = _in_real_elements(size, stride, storage_offset)
    return Interleaved(aten.as_strided_scatter.default(z.memory, src.memory, *where))


@memory(aten.view_as_real_copy.default)
def view_as_real_copy(z: Interleaved) -> Tensor:
    """Copy of shape `(..., 2)` with the parts along the last dimension."""
    return z.memory.clone()


@memory(aten.view_as_complex_copy.default)
def view_as_complex_copy(parts: Tensor) -> Interleaved:
    """Copy of real `(..., 2)` as complex `(...)`."""
    return Interleaved(parts.clone())


@memory(aten.view.dtype, reason=UNALIGNED)
def view_dtype(z: Any, dtype: torch.dtype) -> Any:
    """View of the memory as elements of `dtype`; the last dimension takes the difference in size.

    A complex element is two real ones, so `(..., n)` complex64 is `(..., 2n)` float32.
    """
    real = REAL_OF.get(dtype, dtype)
    if not isinstance(z, Interleaved):
        if dtype.is_complex:
            return Interleaved(aten.view.dtype(z, real).unflatten(-1, (-1, 2)))
        return NotImplemented
    elements = aten.view.dtype(z.memory, real)
    return _regrouped(elements, dtype, z.memory)


def _regrouped(elements: Tensor, dtype: torch.dtype, memory: Tensor) -> Any:
    """Give the pairs of a reinterpreted `(..., m)` the shape that complex elements would have."""
    if memory.dim() == 1:  # a single complex element
        if elements.shape[-1] == 2 and dtype.is_complex:
            return Interleaved(elements)
        return elements.squeeze(-1) if elements.shape[-1] == 1 else NotImplemented
    row = elements.flatten(-2)
    return Interleaved(row.unflatten(-1, (-1, 2))) if dtype.is_complex else row


native(
    aten.resize.default,
    aten.resize_as.default,
    reason="it changes the amount of memory, which a pair of parts does not share",
)
native(
    aten._sparse_addmm.default,
    aten._to_sparse.default,
    aten._to_sparse.sparse_dim,
    aten._to_sparse_bsc.default,
    aten._to_sparse_bsr.default,
    aten._to_sparse_csc.default,
    aten._to_sparse_csr.default,
    reason="sparse memory has a layout of its own",
)
