"""Keeps sizes and floats symbolic where torch combines them with complex tensors.

The reference implementations that fake tensors go through turn a number into the type of the
tensor's dtype, and `complex(number)` fixes it: one compilation for each. A real number does as
well there. A `sym_complex` in torch would make this file unnecessary.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch


def _complex(value: Any) -> Any:
    symbolic = isinstance(value, torch.SymInt | torch.SymFloat)
    return torch.sym_float(value) if symbolic else complex(value)


def kept(stock: Callable[[torch.dtype], Any]) -> Callable[[torch.dtype], Any]:
    """Return torch's function from dtypes to constructors of numbers, with ours for complex."""

    @functools.wraps(stock)
    def constructor(dtype: torch.dtype) -> Any:
        return _complex if dtype.is_complex else stock(dtype)

    return constructor
