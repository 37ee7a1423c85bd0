"""New tensors, copies, and conversion between dtypes.

These rules settle the dtype themselves: an operand is not promoted before they see it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.decompositions.comparison import nonzero_mask
from torch_complex_subclass.decompositions.operands import as_pair
from torch_complex_subclass.decompositions.registry import (
    Operand,
    Pair,
    componentwise,
    creation,
)
from torch_complex_subclass.dtypes import (
    Dtype,
    complex_dtype,
    default_complex_dtype,
    ready_to_round,
    real_dtype,
)

aten = torch.ops.aten
prims = torch.ops.prims


def _convert_part(part: Any, dtype: torch.dtype | None, how: Any) -> Tensor:
    """Copy a real part, under `vmap` also of a number; a conversion rounds once."""
    if not isinstance(part, Tensor):
        part = torch.scalar_tensor(part, dtype=dtype or torch.get_default_dtype())
    part = ready_to_round(part, dtype)
    return aten._to_copy.default(part, dtype=dtype, **how)  # type: ignore[no-any-return]


def _convert(z: Operand, dtype: Dtype | None, **how: Any) -> Any:
    """Convert to `dtype`; a real one drops the imaginary part, as eager does with a warning."""
    if dtype is None or dtype.is_complex:
        part = None if dtype is None else real_dtype(dtype)
        if not isinstance(z, Pair):
            re = _convert_part(z, part, how)
            return Pair(re, torch.zeros_like(re))
        re, im = (_convert_part(p, part, how) for p in z)
        return Pair(re, im)
    if dtype == torch.bool and isinstance(z, Pair):
        return aten._to_copy.default(nonzero_mask(z), **how)
    return aten._to_copy.default(z.re if isinstance(z, Pair) else z, dtype=dtype, **how)


@creation(aten._to_copy.default)
def to_copy(z: Operand, *, dtype: torch.dtype | None = None, **how: Any) -> Any:
    """Copy with another dtype, device or memory format."""
    return _convert(z, dtype, **how)


@creation(prims.convert_element_type.default)
def convert_element_type(z: Operand, dtype: torch.dtype) -> Any:
    """Convert to `dtype`."""
    return _convert(z, dtype)


@creation(aten.clone.default)
def clone(z: Pair, *, memory_format: torch.memory_format | None = None) -> Pair:
    """Copy both parts."""
    re, im = (aten.clone.default(p, memory_format=memory_format) for p in z)
    return Pair(re, im)


componentwise(prims.device_put.default, data=("a",))


@creation(aten.copy.default)
def copy(target: Operand, source: Operand, non_blocking: bool = False) -> Any:
    """Values of `source`, broadcast to the shape and converted to the dtype of `target`."""
    if not isinstance(target, Pair):
        part = source.re if isinstance(source, Pair) else source
        return aten.copy.default(target, part, non_blocking)
    source, dtype = as_pair(source), target.re.dtype
    return Pair(
        aten.copy.default(target.re, ready_to_round(source.re, dtype), non_blocking),
        aten.copy.default(target.im, ready_to_round(source.im, dtype), non_blocking),
    )


def _like(z: Operand) -> tuple[Tensor, Dtype]:
    """Return a tensor to take shape, strides and device from, and its complex dtype."""
    if isinstance(z, Pair):
        return z.re, complex_dtype(z.re.dtype)
    return z, z.dtype  # type: ignore[union-attr,return-value]


def _fill_like(op: Any, z: Operand, args: tuple[Any, ...], fills: Any, options: Any) -> Any:
    """Call `op(tensor, *args, fill?)` for both parts, or for one when the dtype is real."""
    like, own = _like(z)
    dtype = options.pop("dtype", None) or own
    parts = [
        op(like, *args, *fill, dtype=real_dtype(dtype), **options)
        for fill in (fills if dtype.is_complex else fills[:1])
    ]
    return Pair(*parts) if dtype.is_complex else parts[0]


def _fills(value: Any) -> tuple[Any, Any]:
    return ((value.re,), (value.im,)) if isinstance(value, Pair) else ((value,), (0,))


@creation(aten.zeros_like.default)
def zeros_like(z: Operand, **options: Any) -> Any:
    """Zeros of the shape of `z`."""
    return _fill_like(aten.full_like.default, z, (), _fills(0), options)


@creation(aten.ones_like.default)
def ones_like(z: Operand, **options: Any) -> Any:
    """Ones of the shape of `z`."""
    return _fill_like(aten.full_like.default, z, (), _fills(1), options)


@creation(aten.full_like.default)
def full_like(z: Operand, value: Any, **options: Any) -> Any:
    """A tensor of the shape of `z` filled with `value`."""
    return _fill_like(aten.full_like.default, z, (), _fills(value), options)


@creation(aten.empty_like.default)
def empty_like(z: Operand, **options: Any) -> Any:
    """An uninitialised tensor of the shape of `z`."""
    return _fill_like(aten.empty_like.default, z, (), ((), ()), options)


@creation(aten.new_zeros.default)
def new_zeros(z: Operand, size: Any, **options: Any) -> Any:
    """Zeros of shape `size`."""
    return _fill_like(aten.new_full.default, z, (size,), _fills(0), options)


@creation(aten.new_ones.default)
def new_ones(z: Operand, size: Any, **options: Any) -> Any:
    """Ones of shape `size`."""
    return _fill_like(aten.new_full.default, z, (size,), _fills(1), options)


@creation(aten.new_full.default)
def new_full(z: Operand, size: Any, value: Any, **options: Any) -> Any:
    """A tensor of shape `size` filled with `value`."""
    return _fill_like(aten.new_full.default, z, (size,), _fills(value), options)


@creation(aten.new_empty.default)
def new_empty(z: Operand, size: Any, **options: Any) -> Any:
    """An uninitialised tensor of shape `size`."""
    return _fill_like(aten.new_empty.default, z, (size,), ((), ()), options)


@creation(aten.new_empty_strided.default)
def new_empty_strided(z: Operand, size: Any, stride: Any, **options: Any) -> Any:
    """An uninitialised tensor of shape `size` with the strides given."""
    return _fill_like(aten.new_empty_strided.default, z, (size, stride), ((), ()), options)


@creation(aten.fill.Scalar, aten.fill.Tensor)
def fill(z: Pair, value: Any) -> Pair:
    """Both parts of `value` everywhere."""
    if isinstance(value, Tensor):
        value = Pair(value, torch.zeros_like(value))
    elif not isinstance(value, Pair):
        value = Pair(value, 0)
    re, im = (torch.fill(p, v) for p, v in zip(z, value, strict=True))
    return Pair(re, im)


@creation(aten.full.default)
def full(size: Any, value: Any, *, dtype: torch.dtype | None = None, **options: Any) -> Any:
    """A tensor of shape `size` filled with `value`."""
    if dtype is None and isinstance(value, Pair):
        dtype = default_complex_dtype()
    if dtype is None or not dtype.is_complex:
        return NotImplemented
    parts = [
        aten.full.default(size, *fill, dtype=real_dtype(dtype), **options) for fill in _fills(value)
    ]
    return Pair(*parts)


@creation(aten.empty.memory_format)
def empty(size: Any, *, dtype: torch.dtype | None = None, **options: Any) -> Any:
    """An uninitialised tensor of shape `size`."""
    if dtype is None or not dtype.is_complex:
        return NotImplemented
    parts = [aten.empty.memory_format(size, dtype=real_dtype(dtype), **options) for _ in range(2)]
    return Pair(*parts)


@creation(aten.empty_strided.default)
def empty_strided(
    size: Any, stride: Any, *, dtype: torch.dtype | None = None, **options: Any
) -> Any:
    """An uninitialised tensor of shape `size` with the strides given."""
    if dtype is None or not dtype.is_complex:
        return NotImplemented
    real = real_dtype(dtype)
    parts = [aten.empty_strided.default(size, stride, dtype=real, **options) for _ in range(2)]
    return Pair(*parts)


@creation(aten.scalar_tensor.default)
def scalar_tensor(value: Any, **options: Any) -> Any:
    """A zero-dimensional tensor."""
    return full((), value, **options)


@creation(aten.zeros.default)
def zeros(size: Any, **options: Any) -> Any:
    """Zeros of shape `size`."""
    return full(size, 0, **options)


@creation(aten.ones.default)
def ones(size: Any, **options: Any) -> Any:
    """Ones of shape `size`."""
    return full(size, 1, **options)
