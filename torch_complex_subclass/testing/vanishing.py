"""Points near curves on which one part of a function vanishes and the other does not.

There the small part is what a cancellation leaves, so that only a rule that treats the curve on
purpose has its digits. Curves that are axes or circles are regions of `plane` already.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from torch_complex_subclass.testing.draw import Points, exponents, log2_uniform, signs, uniform

# Zero on the curve, of either sign beside it, and without poles.
Curve = Callable[[Tensor, Tensor], Tensor]

CURVES: dict[str, list[Curve]] = {
    "exp2": [
        lambda x, y: (y * math.log(2)).cos() + 0 * x,
        lambda x, y: (y * math.log(2)).sin() + 0 * x,
    ],
    "expm1": [lambda x, y: x.expm1() * y.cos() - 2 * (y / 2).sin() ** 2],
    "sigmoid": [lambda x, y: x.exp() + y.cos()],
    "silu": [
        lambda x, y: x * x.exp() + x * y.cos() - y * y.sin(),
        lambda x, y: y * x.exp() + y * y.cos() + x * y.sin(),
    ],
    "sinc": [
        lambda x, y: x * (math.pi * x).sin() + y * (math.pi * x).cos() * (math.pi * y).tanh(),
        lambda x, y: x * (math.pi * x).cos() * (math.pi * y).tanh() - y * (math.pi * x).sin(),
    ],
    "square": [lambda x, y: (x - y) * (x + y)],
}

# Binary exponents of both parts: where every curve has most of its turns.
_LOW, _HIGH = -12.0, 6.0

# Pairs of numbers tried for a change of sign between them, for each point asked for.
_TRIED = 24

# Halvings of an interval; no root is below 2**_LOW, so this is to the last digit of a double.
_HALVINGS = 80


def _roots(fn: Callable[[Tensor, Tensor], Tensor], n: int, g: torch.Generator) -> Points:
    """Fixed numbers, and a root of fn(fixed, .) for each; at most n where so many are found."""
    fixed = log2_uniform(_TRIED * n, g, _LOW, _HIGH).float().double()
    sign = signs(_TRIED * n, g)
    a, b = (sign * uniform(_TRIED * n, g, _LOW, _HIGH).exp2() for _ in range(2))
    across = (fn(fixed, a).sign() * fn(fixed, b).sign() < 0).nonzero().flatten()[:n]
    fixed, a, b = (part[across] for part in (fixed, a, b))
    above = fn(fixed, a) > 0
    for _ in range(_HALVINGS):
        middle = a / 2 + b / 2
        same = (fn(fixed, middle) > 0) == above
        a, b = torch.where(same, middle, a), torch.where(same, b, middle)
    return fixed, a


def points(function: str, n: int, g: torch.Generator, dtype: torch.dtype) -> Points:
    """Points near the curves of a function, off by 8 ulp to 1/8 of the root in one part.

    The other part is a float32 number, which the point then has exactly.
    """
    found: list[Tensor] = []
    for curve in CURVES[function]:
        x, y = _roots(curve, n, g)
        found.append(torch.stack([x, _beside(y, g, dtype)]))
        y, x = _roots(lambda y, x, curve=curve: curve(x, y), n, g)  # type: ignore[misc]
        found.append(torch.stack([_beside(x, g, dtype), y]))
    every = torch.cat(found, dim=1)
    chosen = torch.randperm(every.shape[1], generator=g)[:n]
    return every[0, chosen], every[1, chosen]


def _beside(root: Tensor, g: torch.Generator, dtype: torch.dtype) -> Tensor:
    _, _, half_ulp = exponents(dtype)
    return root * (1 + log2_uniform(len(root), g, half_ulp + 4, -3))
