"""Conversion between bcomplex32 and other complex dtypes."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor

from torch_complex_subclass import errors
from torch_complex_subclass.bfloat16_parts import dtype_of
from torch_complex_subclass.dtypes import (
    TORCH_BCOMPLEX32,
    BComplex32,
    Dtype,
    bcomplex32,
    real_dtype,
)
from torch_complex_subclass.tensor import ComplexTensor

_WIDER = (torch.complex64, torch.complex128)


def _widen(z: ComplexTensor, dtype: torch.dtype) -> ComplexTensor:
    """Convert bcomplex32 to a wider complex dtype by its parts.

    Torch's own conversion casts a gradient that is a plain tensor to complex32 with float16
    parts; this one takes it apart first.
    """
    from torch_complex_subclass.autograd import take_interleaved

    return cast(ComplexTensor, take_interleaved(z.as_interleaved().to(real_dtype(dtype))))


def convert(
    z: ComplexTensor, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[ComplexTensor, tuple[Any, ...], dict[str, Any]]:
    """Convert to or from bcomplex32 as the arguments of `Tensor.to` say.

    Returns the tensor and the arguments that are left: all of them where bcomplex32 is neither
    the dtype asked for nor that of `z`. Torch's own dtype of this name asks for it too.
    """
    other = args[0] if args else kwargs.get("other")
    if isinstance(other, Tensor):  # its dtype alone would not tell which complex32 it is
        args = (other.device, dtype_of(other), *args[1:])
        kwargs = {name: value for name, value in kwargs.items() if name != "other"}
    asked = next((v for v in (*args, kwargs.get("dtype")) if isinstance(v, Dtype)), None)
    if isinstance(asked, BComplex32) or (asked is not None and asked is TORCH_BCOMPLEX32):
        z = to_bcomplex32(z)
    elif asked in _WIDER and dtype_of(z) is bcomplex32:
        z = _widen(z, asked)
    else:
        return z, args, kwargs
    kwargs = {name: value for name, value in kwargs.items() if name != "dtype"}
    return z, tuple(v for v in args if v is not asked), kwargs


def to_bcomplex32(z: Tensor) -> ComplexTensor:
    """Convert a complex tensor of either class to bcomplex32, with parts in bfloat16.

    Each part is rounded once, to nearest even. Gradients flow through, in the dtype of `z`; a
    tensor that is bcomplex32 already is returned as it is.

    Raises:
        TypeError: `z` is no complex tensor.
    """
    from torch_complex_subclass.autograd import round_to_bfloat16, take_interleaved

    if not isinstance(z, Tensor) or not z.is_complex():
        raise TypeError(f"expected a complex tensor, got {errors.describe([z])}")
    if dtype_of(z) is bcomplex32:
        return cast(ComplexTensor, z)
    if isinstance(z, ComplexTensor):
        t = z.as_interleaved()
    else:
        t = torch.view_as_real(z.resolve_conj().resolve_neg())
    return cast(ComplexTensor, take_interleaved(round_to_bfloat16(t)))
