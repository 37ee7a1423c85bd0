"""Keeps GCC from reordering sums when Inductor is told to use unsafe optimisations.

With `config.cpp.enable_unsafe_math_opt_flag` Inductor's C++ is built with
`-funsafe-math-optimizations`, which lets GCC replace `(a + b) - a` by `b`, in vector code too. The
error-free pieces of the rules are such differences. The rest of what the flag allows stays: at
most it flushes subnormal numbers to zero and multiplies by rounded reciprocals.

An Inductor that leaves `-fassociative-math` out would make this file unnecessary.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch._inductor import config, cpp_builder

_FLAGS = "_get_ffast_math_flags"


def _in_order(stock: Callable[[], list[str]]) -> Callable[[], list[str]]:
    def flags() -> list[str]:
        found = stock()
        unsafe = config.cpp.enable_unsafe_math_opt_flag and "funsafe-math-optimizations" in found
        return [*found, "fno-associative-math"] if unsafe else found

    return flags


def replacements() -> list[tuple[Any, str, Any]]:
    """Object, attribute and new value of every edit."""
    stock = getattr(cpp_builder, _FLAGS)
    return [(cpp_builder, _FLAGS, _in_order(stock))]
