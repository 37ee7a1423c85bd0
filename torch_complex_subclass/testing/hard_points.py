"""Points where gradients go wrong, and exact derivatives there.

A holomorphic function's gradient for a unit gradient of the result is the conjugate of its
derivative. The others state their gradient, in which the real and the imaginary part are the
derivatives by the real and the imaginary part.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import mpmath
import torch
from mpmath import mp, mpc
from torch import Tensor


def _around(size: float) -> list[complex]:
    """Points of that size: on the axes, off them, and beside 1 and -1."""
    a = size
    on_axes = [complex(a, 0.0), complex(-a, 0.0), complex(0.0, a)]
    return [
        *on_axes,
        complex(a, a),
        complex(-a, a / 2),
        complex(1, a),
        complex(a, 1),
        complex(-1, a),
    ]


_SIZES = (2.0**-140, 1e-38, 1e-30, 1e-20, 1.0, 2.0, 1e18, 1e20, 1e30, 3e38)
_LARGE = [s * a for a in (20.0, 50.0, 80.0, 200.0) for s in (1, -1)]
_BESIDE = [s * (1 + d) for s in (1, -1) for d in (0.0, 1.2e-7, -1.2e-7, 1e-3)]
_ACROSS = (0.0, 1e-30, 1e-10, 1e-6)

POINTS: list[complex] = (
    [0j]
    + [z for size in _SIZES for z in _around(size)]
    + [complex(a, b) for a in _LARGE for b in (0.0, 1.0, 3.0, -2.0)]
    + [complex(b, a) for a in _LARGE for b in (0.0, 1.0, 1.5, -2.0)]
    + [complex(a, b) for a in _BESIDE for b in _ACROSS]
    + [complex(b, a) for a in _BESIDE for b in _ACROSS]
)


class Differentiable(NamedTuple):
    """A function on tensors, and its derivative (or, for real results, gradient) in mpmath."""

    fn: Callable[[Tensor], Tensor]
    exact: Callable[[Any], Any]
    holomorphic: bool = True


def _near_one(z: Any) -> Any:
    return 1 / (mp.sqrt(1 - z) * mp.sqrt(1 + z))


def _sinc(z: Any) -> Any:
    return (mp.pi * z * mp.cos(mp.pi * z) - mp.sin(mp.pi * z)) / (mp.pi * z * z) if z else mp.zero


def _power(w: complex) -> Callable[[Any], Any]:
    """Derivative of z^w; 0^0 counts as 1 and 0 to an exponent in the right half plane as 0."""

    def exact(z: Any) -> Any:
        if z == 0 and complex(w).real > 1:
            return mp.zero
        return mpc(w) * (z ** (mpc(w) - 1) if w != 1 else 1) if w else mp.zero

    return exact


def _turned_sgn(z: Any) -> Any:
    """Gradient of Re(z / |z|)."""
    return mpc(z.imag**2, -z.real * z.imag) / abs(z) ** 3 if z else mp.zero


def _to_number(w: complex) -> Callable[[Tensor], Tensor]:
    return lambda z: z**w


def _to_tensor(w: complex) -> Callable[[Tensor], Tensor]:
    return lambda z: z ** torch.full_like(z, w)


D = Differentiable
FUNCTIONS: dict[str, Differentiable] = {
    "abs": D(torch.abs, lambda z: z / abs(z) if z else mp.zero, False),
    "angle": D(torch.angle, lambda z: mpc(0, 1) * z / abs(z) ** 2 if z else mp.zero, False),
    "sgn": D(lambda z: z.sgn().real, _turned_sgn, False),
    "square of abs": D(lambda z: (z * z.conj()).real, lambda z: 2 * z, False),
    "sqrt": D(torch.sqrt, lambda z: 1 / (2 * mp.sqrt(z))),
    "rsqrt": D(torch.rsqrt, lambda z: -1 / (2 * z * mp.sqrt(z))),
    "log": D(torch.log, lambda z: 1 / z),
    "log2": D(torch.log2, lambda z: 1 / (z * mp.ln2)),
    "log10": D(torch.log10, lambda z: 1 / (z * mp.ln10)),
    "log1p": D(torch.log1p, lambda z: 1 / (1 + z)),
    "exp": D(torch.exp, mp.exp),
    "exp2": D(torch.exp2, lambda z: mp.ln2 * mp.exp(z * mp.ln2)),
    "expm1": D(torch.expm1, mp.exp),
    "sin": D(torch.sin, mp.cos),
    "cos": D(torch.cos, lambda z: -mp.sin(z)),
    "tan": D(torch.tan, lambda z: 1 / mp.cos(z) ** 2),
    "sinh": D(torch.sinh, mp.cosh),
    "cosh": D(torch.cosh, mp.sinh),
    "tanh": D(torch.tanh, lambda z: 1 / mp.cosh(z) ** 2),
    "asin": D(torch.asin, _near_one),
    "acos": D(torch.acos, lambda z: -_near_one(z)),
    "atan": D(torch.atan, lambda z: 1 / (1 + z * z)),
    "asinh": D(torch.asinh, lambda z: _near_one(mpc(0, 1) * z)),
    "acosh": D(torch.acosh, lambda z: 1 / (mp.sqrt(z - 1) * mp.sqrt(z + 1))),
    "atanh": D(torch.atanh, lambda z: 1 / (1 - z * z)),
    "sigmoid": D(torch.sigmoid, lambda z: mp.exp(-z) / (1 + mp.exp(-z)) ** 2),
    "sinc": D(torch.sinc, _sinc),
    "reciprocal": D(torch.reciprocal, lambda z: -1 / (z * z)),
    "square": D(torch.square, lambda z: 2 * z),
    "product": D(lambda z: z * z, lambda z: 2 * z),
    "divisor": D(lambda z: (1 + 2j) / z, lambda z: -mpc(1, 2) / (z * z)),
    "dividend": D(lambda z: z / (3 + 4j), lambda z: 1 / mpc(3, 4)),
    "divisor like it": D(lambda z: z.detach() / z, lambda z: -1 / z),
    "dividend like it": D(lambda z: z / z.detach(), lambda z: 1 / z),
}
for _w in (0, 1, 2, 3, -1, 0.5, 1.5, 1.5 + 0.5j):
    FUNCTIONS[f"pow {_w}"] = D(_to_number(_w), _power(_w))
    FUNCTIONS[f"pow tensor {_w}"] = D(_to_tensor(_w), _power(_w))


def exact_gradient(name: str, z: complex, dtype: torch.dtype) -> complex | None:
    """Gradient at a point for a unit gradient of the result; None where it is not representable.

    A point on an axis stands for the points above or right of it: this settles the sides of cuts.
    """
    row = FUNCTIONS[name]
    with mpmath.workprec(4600):
        beside = mp.mpf(2) ** -2200 if z else mp.zero
        try:
            value = mpc(row.exact(mpc(z.real or beside, z.imag or beside)))
        except ZeroDivisionError:
            return None
        if not mp.isfinite(value.real + value.imag) or abs(value) > torch.finfo(dtype).max:
            return None
        found = complex(value)
    return found.conjugate() if row.holomorphic else found


def distance(got: complex, want: complex, dtype: torch.dtype) -> float:
    """Error in ulp of the size of the exact gradient; infinite where it is NaN or infinite."""
    if not (math.isfinite(got.real) and math.isfinite(got.imag)):
        return math.inf
    fi = torch.finfo(dtype)
    _, exponent = math.frexp(max(abs(want.real), abs(want.imag), fi.tiny))
    return abs(got - want) / fi.eps / math.ldexp(1.0, exponent - 1)
