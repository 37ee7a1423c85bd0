"""Complex and real dtype pairs, compute dtypes, and eager's type promotion."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

REAL_OF = {
    torch.complex32: torch.float16,
    torch.complex64: torch.float32,
    torch.complex128: torch.float64,
}
COMPLEX_OF = {real: cplx for cplx, real in REAL_OF.items()}

# Parts in a half type are computed in float32 and rounded once, as Inductor does.
_COMPUTE = {torch.float16: torch.float32, torch.bfloat16: torch.float32}


def real_dtype(dtype: torch.dtype) -> torch.dtype:
    """Return the dtype of the parts of `dtype`; a real dtype is returned as it is."""
    return REAL_OF.get(dtype, dtype)


def complex_dtype(dtype: torch.dtype) -> torch.dtype:
    """Return the complex dtype whose parts are `dtype`.

    Raises TypeError for a dtype that has none.
    """
    if dtype.is_complex:
        return dtype
    try:
        return COMPLEX_OF[dtype]
    except KeyError:
        names = ", ".join(str(d) for d in COMPLEX_OF)
        raise TypeError(f"no complex dtype has parts of {dtype}; use one of {names}") from None


def compute_dtype(real: torch.dtype) -> torch.dtype:
    """Return the dtype that parts of dtype `real` are computed in."""
    return _COMPUTE.get(real, real)


def _number_dtype(value: object) -> torch.dtype:
    if isinstance(value, bool | torch.SymBool):
        return torch.bool
    if isinstance(value, int | torch.SymInt):
        return torch.int64
    return torch.get_default_dtype()


def _combine(higher: torch.dtype | None, lower: torch.dtype | None) -> torch.dtype | None:
    """Promote across categories: a lower one changes the kind of number, not its width."""
    if higher is None or lower is None:
        return lower if higher is None else higher
    if higher.is_complex:
        return higher
    if higher.is_floating_point:
        # bfloat16 has no complex dtype of its own; torch widens it to complex64.
        return torch.promote_types(higher, torch.complex32) if lower.is_complex else higher
    if higher == torch.bool or lower.is_floating_point or lower.is_complex:
        return torch.promote_types(higher, lower)
    return higher


def _promote(dtypes: Iterable[torch.dtype]) -> torch.dtype | None:
    result: torch.dtype | None = None
    for dtype in dtypes:
        result = dtype if result is None else torch.promote_types(result, dtype)
    return result


def result_dtype(operands: Iterable[Any]) -> torch.dtype:
    """Return the dtype of eager's result for these operands.

    An operand is a tensor, a pair of tensors (complex), a Python number or a pair of numbers.
    Tensors with dimensions take precedence over those without, and these over numbers.
    """
    shaped: list[torch.dtype] = []
    zero_dim: list[torch.dtype] = []
    numbers: list[torch.dtype] = []
    for operand in operands:
        is_pair = isinstance(operand, tuple)
        first = operand[0] if is_pair else operand
        dtype = first.dtype if isinstance(first, Tensor) else _number_dtype(first)
        dtype = complex_dtype(dtype) if is_pair else dtype
        if not isinstance(first, Tensor):
            numbers.append(dtype)
        else:
            (shaped if first.dim() else zero_dim).append(dtype)
    result = _combine(_combine(_promote(shaped), _promote(zero_dim)), _promote(numbers))
    if result is None:
        raise TypeError("type promotion needs at least one operand")
    return result
