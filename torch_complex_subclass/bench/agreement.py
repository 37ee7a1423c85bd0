"""Whether a result is the one of eager."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

# Relative to the largest element: sums of millions in another order, and phases of many turns.
_TOLERANCE = {torch.complex64: 1e-4, torch.complex128: 1e-11}

# A result of few digits, which eager rounds after each op and a compiler after the last.
_ROUNDED = {torch.bfloat16: 2e-2}


def in_the_form_of(want: Sequence[Tensor], got: Sequence[Tensor]) -> list[Tensor]:
    """Undo the interleaved form `(..., 2)` of complex results."""
    if len(got) != len(want):
        return list(got)
    return [_like(a, b) for a, b in zip(got, want, strict=True)]


def _like(got: Tensor, want: Tensor) -> Tensor:
    if want.is_complex() and not got.is_complex() and got.shape == (*want.shape, 2):
        return torch.view_as_complex(got.contiguous())
    return got


def difference(got: Sequence[Tensor], want: Sequence[Tensor], dtype: torch.dtype) -> str | None:
    """Say where results differ from eager's, or return None; `dtype` is that of the case."""
    if len(got) != len(want):
        return f"{len(got)} results, eager gives {len(want)}"
    for i, (a, b) in enumerate(zip(in_the_form_of(want, got), want, strict=True)):
        if (a.shape, a.dtype) != (b.shape, b.dtype):
            return (
                f"result {i} is {a.dtype} of shape {tuple(a.shape)}, "
                f"eager's {b.dtype} of {tuple(b.shape)}"
            )
        tolerance = _ROUNDED.get(b.dtype, _TOLERANCE[dtype])
        scale = float(b.abs().max())
        if not torch.allclose(a, b, rtol=tolerance, atol=tolerance * scale):
            off = float((a - b).abs().max()) / (scale or 1.0)
            return f"result {i} is off by {off:.1e} of the largest element, allowed {tolerance:.0e}"
    return None
