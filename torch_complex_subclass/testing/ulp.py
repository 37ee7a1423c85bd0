"""Distances from a reference in units in the last place."""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

# A value to more digits than a double: the nearest double, and what it leaves out.
Exact = tuple[Tensor, Tensor]


def ulp(value: Tensor, dtype: torch.dtype) -> Tensor:
    """Distance of neighbouring numbers of `dtype` at a double; that at tiny below it."""
    fi = torch.finfo(dtype)
    size = value.abs().clamp(fi.tiny, fi.max)
    _, exponent = torch.frexp(size)
    return torch.ldexp(torch.full_like(size, fi.eps / 2), exponent)


def ulp_error(got: Tensor, want: Exact, unit: Tensor | None = None) -> Tensor:
    """Distance of a computed part from its reference, in ulp of the reference (or in `unit`).

    Infinity counts as the number after the largest; NaN where a number is due as infinite.
    """
    fi = torch.finfo(got.dtype)
    head, rest = want
    top = math.ldexp(1.0, math.frexp(fi.max)[1] - 1)  # half of the number after the largest
    unit = ulp(head, got.dtype) if unit is None else unit
    over = head.abs() / 2 >= top
    half = torch.where(head.abs() > 1, 0.5, torch.ones_like(head))  # exact, and no overflow
    got_top = torch.where(got.isinf() & (half < 1), top * got.double().sign(), got.double() * half)
    want_top = torch.where(over, top * head.sign(), head * half)
    rest = torch.where(over, 0.0, rest)
    error = ((got_top - want_top) / unit / half - rest / unit).abs()
    return torch.where(got.isnan() & ~head.isnan(), torch.inf, error)


def normwise_unit(want: list[Exact], dtype: torch.dtype) -> Tensor:
    """Ulp of the larger part of each value."""
    return functools.reduce(torch.maximum, [ulp(head, dtype) for head, _ in want])


def assert_ulp(
    got: Tensor,
    want: Exact,
    max_ulp: float,
    *,
    at: tuple[Tensor, Tensor],
    part: str,
    label: str = "",
    unit: Tensor | None = None,
) -> None:
    """Fail, naming the worst point, where a part is further than max_ulp from its reference."""
    error = ulp_error(got, want, unit)
    worst = int(error.argmax())
    if not error[worst] <= max_ulp:
        raise AssertionError(
            f"{label}: {part} is {error[worst]:.4g} ulp off, bound {max_ulp}, at "
            f"x={at[0][worst].item()!r}, y={at[1][worst].item()!r}: got {got[worst].item()!r}, "
            f"want {want[0][worst].item()!r}; {int((error > max_ulp).sum())} of {len(error)} points"
        )
