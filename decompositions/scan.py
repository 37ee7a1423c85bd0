"""Products along a dimension, by a tree of pairwise combinations.

A tree has a depth, and so a growth of rounding errors, logarithmic in the length. Lengths have to
be known: a symbolic one keeps the library's kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.decompositions.arithmetic import mul
from torch_complex_subclass.decompositions.registry import Pair, native, reduction
from torch_complex_subclass.dtypes import real_dtype

aten = torch.ops.aten

DYNAMIC = "a tree needs a known length; the library's kernel walks any"

# One element of a scan: tensors of one shape that are combined together.
State = tuple[Tensor, Tensor, Tensor]
Combine = Callable[[State, State], State]


def _slice(state: State, dim: int, start: int, stop: int, step: int = 1) -> State:
    a, b, c = (aten.slice.Tensor(t, dim, start, stop, step) for t in state)
    return a, b, c


def fold(combine: Combine, state: State, dim: int, length: int) -> State:
    """Combine all `length` >= 1 elements along `dim`; the dimension stays, with size one."""
    while length > 1:
        half = length // 2
        folded = combine(_slice(state, dim, 0, half), _slice(state, dim, length - half, length))
        if length % 2:
            middle = _slice(state, dim, half, half + 1)
            a, b, c = (torch.cat(pair, dim) for pair in zip(folded, middle, strict=True))
            folded = a, b, c
        state, length = folded, length - half
    return state


def scan(combine: Combine, state: State, dim: int, length: int) -> State:
    """Combine each element along `dim` with all before it.

    Neighbours are combined first, that half is scanned, and the elements between are added:
    2 n combinations (Ladner, Fischer, 1980).
    """
    if length < 2:
        return state
    half, even = length // 2, length - length // 2
    neighbours = combine(_slice(state, dim, 0, 2 * half, 2), _slice(state, dim, 1, 2 * half, 2))
    odd_places = scan(combine, neighbours, dim, half)
    between = combine(_slice(odd_places, dim, 0, even - 1), _slice(state, dim, 2, length, 2))
    first = _slice(state, dim, 0, 1)
    a, b, c = (
        _alternate(torch.cat([head, tail], dim), odd, dim, half)
        for head, tail, odd in zip(first, between, odd_places, strict=True)
    )
    return a, b, c


def _alternate(even: Tensor, odd: Tensor, dim: int, half: int) -> Tensor:
    """Elements of `even` and `odd` in turn; `even` can have one more."""
    paired = torch.stack([aten.slice.Tensor(even, dim, 0, half), odd], dim + 1)
    joined = paired.flatten(dim, dim + 1)
    return torch.cat([joined, aten.slice.Tensor(even, dim, half, half + 1)], dim)


def _unit(dtype: torch.dtype) -> float:
    return 64.0 if dtype == torch.float32 else 512.0


def _rescale(state: State) -> State:
    """Move a power of two from the parts to the exponent, counted in units, where they are far
    from one: parts within 2**-32 and 2**32 (2**256 in float64) stay as they are."""
    re, im, exponent = state
    unit = _unit(re.dtype)
    size = re.abs().maximum(im.abs())
    zero = torch.zeros_like(size)
    shift = torch.where(
        size > 2.0 ** (unit / 2), zero + 1, torch.where(size < 2.0 ** (-unit / 2), zero - 1, zero)
    )
    factor = torch.where(shift > 0, 2.0**-unit, torch.where(shift < 0, 2.0**unit, zero + 1))
    return re * factor, im * factor, exponent + shift


def _multiply(a: State, b: State) -> State:
    re, im = mul(Pair(a[0], a[1]), Pair(b[0], b[1]))
    return _rescale((re, im, a[2] + b[2]))


def _factors(z: Pair) -> State:
    """Elements as parts and exponent; twice, for the smallest and the largest numbers."""
    return _rescale(_rescale((z.re, z.im, torch.zeros_like(z.re))))


def _value(state: State) -> Pair:
    """Parts times 2**(unit * exponent), one unit at a time: each step is exact until the result
    is subnormal, zero or infinite."""
    re, im, exponent = state
    unit = _unit(re.dtype)
    for step in range(1, 6):
        one = torch.ones_like(exponent)
        below = torch.where(exponent <= -step, 2.0**-unit, one)
        factor = torch.where(exponent >= step, 2.0**unit, below)
        re, im = re * factor, im * factor
    return Pair(re, im)


def _prepare(z: Any, dtype: torch.dtype | None) -> Pair | None:
    """Parts in the dtype that is asked for; None where the rule does not apply."""
    if not isinstance(z, Pair) or (dtype is not None and not dtype.is_complex):
        return None
    if dtype is None or real_dtype(dtype) == z.re.dtype:
        return z
    wide = torch.promote_types(real_dtype(dtype), torch.float32)
    return Pair(z.re.to(wide), z.im.to(wide))


def _finish(result: Pair, dtype: torch.dtype | None) -> Pair:
    if dtype is None:
        return result
    return Pair(result.re.to(real_dtype(dtype)), result.im.to(real_dtype(dtype)))


def _product_along(z: Pair, dim: int, keepdim: bool) -> Any:
    length = z.re.shape[dim]
    if not isinstance(length, int):
        return NotImplemented
    if length == 0:
        one = aten.sum.dim_IntList(z.re, [dim], keepdim) + 1
        return Pair(one, torch.zeros_like(one))
    result = _value(fold(_multiply, _factors(z), dim, length))
    return result if keepdim else Pair(result.re.squeeze(dim), result.im.squeeze(dim))


@reduction(aten.prod.default, reason=DYNAMIC)
def prod_all(z: Pair, *, dtype: torch.dtype | None = None) -> Any:
    """Product of all elements.

    Normwise error: log2(n) times that of one product, where the textbook product has n.
    A power of two is carried apart, so that no product on the way overflows or underflows.
    """
    parts = _prepare(z, dtype)
    if parts is None:
        return NotImplemented
    flat = Pair(parts.re.reshape(-1), parts.im.reshape(-1))
    result = _product_along(flat, 0, False)
    return result if result is NotImplemented else _finish(result, dtype)


@reduction(aten.prod.dim_int, reason=DYNAMIC)
def prod_dim(z: Pair, dim: int, keepdim: bool = False, *, dtype: torch.dtype | None = None) -> Any:
    """Product along `dim`; errors as for the product of all elements."""
    parts = _prepare(z, dtype)
    if parts is None:
        return NotImplemented
    if parts.re.dim() == 0:
        return _finish(parts, dtype)
    result = _product_along(parts, dim % parts.re.dim(), keepdim)
    return result if result is NotImplemented else _finish(result, dtype)


@reduction(aten.cumprod.default, reason=DYNAMIC)
def cumprod(z: Pair, dim: int, *, dtype: torch.dtype | None = None) -> Any:
    """Running product along `dim`; errors as for the product of all elements.

    A later factor does not bring back what eager's running product has lost to overflow or
    underflow: here nothing is lost on the way, so such elements are finite and right.
    """
    parts = _prepare(z, dtype)
    if parts is None:
        return NotImplemented
    if parts.re.dim() == 0:
        return _finish(parts, dtype)
    dim = dim % parts.re.dim()
    length = parts.re.shape[dim]
    if not isinstance(length, int):
        return NotImplemented
    return _finish(_value(scan(_multiply, _factors(parts), dim, length)), dtype)


native(
    aten.logcumsumexp.default,
    reason="each imaginary part continues from the one before it, so the terms go in order",
)
