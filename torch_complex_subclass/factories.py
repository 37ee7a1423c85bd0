"""New tensors of a dtype that may be bcomplex32; with any other they are torch's own.

Bad arguments raise what torch's functions raise, a dtype that is none TypeError, and a layout
other than strided ValueError.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from torch_complex_subclass.conversion import to_bcomplex32
from torch_complex_subclass.dtypes import BComplex32, Dtype, bcomplex32
from torch_complex_subclass.tensor import ComplexTensor

if TYPE_CHECKING:
    from typing_extensions import TypeIs

Size = int | Sequence[int]

# Torch takes Python's own types too.
_DTYPES = (torch.dtype, BComplex32, type, type(None))


def _sizes(size: tuple[Size, ...]) -> tuple[int, ...]:
    """Accept sizes one by one or as one sequence, as torch does."""
    if len(size) == 1 and not isinstance(size[0], int | torch.SymInt):
        return tuple(size[0])
    return size  # type: ignore[return-value]


def _is_bcomplex32(dtype: Dtype | None) -> TypeIs[BComplex32]:
    """Tell ours from torch's; what is neither raises TypeError."""
    if not isinstance(dtype, _DTYPES):
        raise TypeError(f"dtype must be a torch.dtype or tcs.{bcomplex32.name}, got {dtype!r}")
    return isinstance(dtype, BComplex32)


def _check_layout(options: dict[str, Any]) -> None:
    layout = options.get("layout", torch.strided)
    if layout != torch.strided:
        raise ValueError(f"a bcomplex32 tensor has layout torch.strided, got {layout}")


def _filled(make: Callable[..., Tensor], value: complex, options: dict[str, Any]) -> Tensor:
    """Call `make(part, dtype=)` for both parts of `value`."""
    _check_layout(options)
    requires_grad = options.pop("requires_grad", False)
    number = complex(value)
    re, im = (make(part, dtype=torch.bfloat16, **options) for part in (number.real, number.imag))
    return ComplexTensor(re, im).requires_grad_(requires_grad)


def _rounded(z: Tensor, requires_grad: bool) -> Tensor:
    with torch.no_grad():
        return to_bcomplex32(z).requires_grad_(requires_grad)


def full(
    size: Sequence[int], fill_value: complex, *, dtype: Dtype | None = None, **options: Any
) -> Tensor:
    """Return a tensor of shape `size` filled with `fill_value`, as `torch.full` does."""
    if not _is_bcomplex32(dtype):
        return torch.full(size, fill_value, dtype=dtype, **options)
    return _filled(lambda part, **how: torch.full(tuple(size), part, **how), fill_value, options)


def zeros(*size: Size, dtype: Dtype | None = None, **options: Any) -> Tensor:
    """Return zeros of shape `size`, as `torch.zeros` does."""
    if not _is_bcomplex32(dtype):
        return torch.zeros(_sizes(size), dtype=dtype, **options)
    return full(_sizes(size), 0, dtype=dtype, **options)


def ones(*size: Size, dtype: Dtype | None = None, **options: Any) -> Tensor:
    """Return ones of shape `size`, as `torch.ones` does."""
    if not _is_bcomplex32(dtype):
        return torch.ones(_sizes(size), dtype=dtype, **options)
    return full(_sizes(size), 1, dtype=dtype, **options)


def empty(*size: Size, dtype: Dtype | None = None, **options: Any) -> Tensor:
    """Return an uninitialised tensor of shape `size`, as `torch.empty` does."""
    if not _is_bcomplex32(dtype):
        return torch.empty(_sizes(size), dtype=dtype, **options)
    shape = _sizes(size)
    return _filled(lambda _, **how: torch.empty(shape, **how), 0, options)


def randn(
    *size: Size, dtype: Dtype | None = None, requires_grad: bool = False, **options: Any
) -> Tensor:
    """Return normal values of variance 1, as `torch.randn` does.

    Those of bcomplex32 are what complex64 would get from the same generator, rounded.
    """
    if not _is_bcomplex32(dtype):
        return torch.randn(_sizes(size), dtype=dtype, requires_grad=requires_grad, **options)
    _check_layout(options)
    return _rounded(torch.randn(_sizes(size), dtype=torch.complex64, **options), requires_grad)


def full_like(
    input: Tensor, fill_value: complex, *, dtype: Dtype | None = None, **options: Any
) -> Tensor:
    """Return a tensor like `input` filled with `fill_value`, as `torch.full_like` does."""
    if not _is_bcomplex32(dtype):
        return torch.full_like(input, fill_value, dtype=dtype, **options)
    return _filled(lambda part, **how: torch.full_like(input, part, **how), fill_value, options)


def zeros_like(input: Tensor, *, dtype: Dtype | None = None, **options: Any) -> Tensor:
    """Return zeros like `input`, as `torch.zeros_like` does."""
    if not _is_bcomplex32(dtype):
        return torch.zeros_like(input, dtype=dtype, **options)
    return full_like(input, 0, dtype=dtype, **options)


def ones_like(input: Tensor, *, dtype: Dtype | None = None, **options: Any) -> Tensor:
    """Return ones like `input`, as `torch.ones_like` does."""
    if not _is_bcomplex32(dtype):
        return torch.ones_like(input, dtype=dtype, **options)
    return full_like(input, 1, dtype=dtype, **options)


def empty_like(input: Tensor, *, dtype: Dtype | None = None, **options: Any) -> Tensor:
    """Return an uninitialised tensor like `input`, as `torch.empty_like` does."""
    if not _is_bcomplex32(dtype):
        return torch.empty_like(input, dtype=dtype, **options)
    return _filled(lambda _, **how: torch.empty_like(input, **how), 0, options)


def randn_like(
    input: Tensor, *, dtype: Dtype | None = None, requires_grad: bool = False, **options: Any
) -> Tensor:
    """Return normal values of variance 1 like `input`, as `torch.randn_like` does.

    Those of bcomplex32 are what complex64 would get from the same generator, rounded.
    """
    if not _is_bcomplex32(dtype):
        return torch.randn_like(input, dtype=dtype, requires_grad=requires_grad, **options)
    _check_layout(options)
    return _rounded(torch.randn_like(input, dtype=torch.complex64, **options), requires_grad)
