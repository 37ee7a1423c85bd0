"""What the machine allows, measured through compiled real code: memory traffic, products."""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.bench.runner import interleaved

_ROUNDS = 9

# For the figure of the whole machine: far beyond any last-level cache.
_LARGE = 2**28

_GEMM_SIZES = (512, 1024, 2048)


def _triad(a: Tensor, b: Tensor, c: Tensor) -> None:
    a.copy_(b + 3.0 * c)


@functools.cache
def bandwidth(working_set: int = _LARGE) -> float:
    """Bytes per second of a = b + 3 c on real vectors that together have `working_set` bytes.

    The time includes the call, as that of any compiled function does.
    """
    length = max(working_set // 12, 1)
    a, b, c = torch.zeros(length), torch.ones(length), torch.ones(length)
    compiled = _compiled_triad()
    compiled(a, b, c)
    seconds = interleaved({"triad": lambda: compiled(a, b, c)}, _ROUNDS)["triad"].median
    return 12 * length / seconds


@functools.cache
def _compiled_triad() -> Any:
    compiled: Any = torch.compile(_triad, dynamic=True)
    return compiled


@functools.cache
def product_rate(dtype: torch.dtype) -> float:
    """Operations per second of the largest real matrix product; `dtype` is real."""
    rates = []
    for n in _GEMM_SIZES:
        a, b = (torch.randn(n, n, dtype=dtype) for _ in range(2))
        product = functools.partial(torch.mm, a, b)
        rates.append(2 * n**3 / interleaved({"mm": product}, _ROUNDS)["mm"].median)
    return max(rates)


def least_seconds(traffic: int, flops: int, dtype: torch.dtype) -> float:
    """Time below which so much traffic in bytes and so many operations cannot be had."""
    by_memory = traffic / bandwidth(traffic)
    return max(by_memory, flops / product_rate(dtype)) if flops else by_memory
