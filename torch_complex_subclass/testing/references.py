"""Complex functions in mpmath, at whatever precision is set, as functions of the two parts."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from mpmath import mp

Point = tuple[Any, Any]
Reference = Callable[[Any, Any], Point]

# Each takes exact x >= 0 or any x, and y >= 0, and returns both parts at the current precision.
# Sums of inputs are exact, so a zero in a result is a true one.


def _add(*terms: Any) -> Any:
    total = mp.zero
    for term in terms:
        total = mp.fadd(total, term, exact=True)
    return total


def _mul(*factors: Any) -> Any:
    product = mp.one
    for factor in factors:
        product = mp.fmul(product, factor, exact=True)
    return product


def _square_sum(x: Any, y: Any) -> Any:
    return _add(_mul(x, x), _mul(y, y))


def _log_of_square(square: Any, excess: Any) -> Any:
    """Half of the logarithm of `square`, which is 1 + excess."""
    if square == 0:
        return mp.ninf
    return mp.log1p(excess) / 2 if abs(excess) < 0.5 else mp.log(square) / 2


def _angle(x: Any, y: Any) -> Any:
    return mp.pi if y == 0 and x < 0 else mp.atan2(y, x)


def _log(x: Any, y: Any) -> Point:
    square = _square_sum(x, y)
    return _log_of_square(square, _add(square, -1)), _angle(x, y)


def _log1p(x: Any, y: Any) -> Point:
    excess = _add(_mul(2, x), _square_sum(x, y))
    return _log_of_square(_add(1, excess), excess), _angle(_add(1, x), y)


def _log_to_base(base: int, x: Any, y: Any) -> Point:
    re, im = _log(x, y)
    return re / mp.log(base), im / mp.log(base)


def _exp(x: Any, y: Any) -> Point:
    return mp.exp(x) * mp.cos(y), mp.exp(x) * mp.sin(y)


def _exp2(x: Any, y: Any) -> Point:
    return _exp(x * mp.ln2, y * mp.ln2)


def _expm1(x: Any, y: Any) -> Point:
    return mp.expm1(x) * mp.cos(y) - 2 * mp.sin(y / 2) ** 2, mp.exp(x) * mp.sin(y)


def _sqrt(x: Any, y: Any) -> Point:
    u = mp.sqrt((mp.sqrt(_square_sum(x, y)) + abs(x)) / 2)
    v = y / (2 * u) if u else mp.zero
    return (u, v) if x >= 0 else (v, u)


def _rsqrt(x: Any, y: Any) -> Point:
    re, im = _sqrt(x, y)
    size = mp.sqrt(_square_sum(x, y))
    return re / size, -im / size


def _sinh(x: Any, y: Any) -> Point:
    return mp.sinh(x) * mp.cos(y), mp.cosh(x) * mp.sin(y)


def _cosh(x: Any, y: Any) -> Point:
    return mp.cosh(x) * mp.cos(y), mp.sinh(x) * mp.sin(y)


def _tanh(x: Any, y: Any) -> Point:
    s, c = mp.sinh(x), mp.cos(y)
    size = s * s + c * c
    return s * mp.cosh(x) / size, mp.sin(y) * c / size


def _inverse_sine(x: Any, y: Any) -> tuple[Any, Any, Any]:
    """For x, y >= 0: Re asin, Re acos and Im asin by the sums of Hull, Fairgrieve and Tang."""
    xp, xm, yy = _add(x, 1), abs(_add(x, -1)), _mul(y, y)
    r, s = mp.sqrt(_square_sum(xp, y)), mp.sqrt(_square_sum(xm, y))
    upper = yy / (r + xp)
    lower = yy / (s + xm) if yy else mp.zero
    excess = (upper + lower) / 2 + (xm if x > 1 else 0)
    gap = (upper + lower) / 2 if x > 1 else (upper + s + xm) / 2
    d = mp.sqrt(gap * (gap + 2 * x))
    return mp.atan2(x, d), mp.atan2(d, x), mp.log1p(excess + mp.sqrt(excess * (excess + 2)))


def _asin(x: Any, y: Any) -> Point:
    re, _, im = _inverse_sine(x, y)
    return re, im


def _asinh(x: Any, y: Any) -> Point:
    im, _, re = _inverse_sine(y, x)
    return re, im


def _acosh(x: Any, y: Any) -> Point:
    _, im, re = _inverse_sine(abs(x), y)
    return re, (mp.pi - im if x < 0 else im)


def _acos(x: Any, y: Any) -> Point:
    im, re = _acosh(x, y)
    return re, -im


def _atanh(x: Any, y: Any) -> Point:
    gap = _square_sum(_add(1, -x), y)
    re = mp.inf if gap == 0 else mp.log1p(_mul(4, x) / gap) / 4
    across = _add(1, _mul(-1, x, x), _mul(-1, y, y))
    return re, _angle(across, _mul(2, y)) / 2


def _sigmoid(x: Any, y: Any) -> Point:
    e, rise = mp.exp(-abs(x)), -mp.expm1(-abs(x))
    k = mp.cos(y / 2) ** 2
    denominator = rise**2 + 4 * e * k
    re = e * (e + mp.cos(y)) if x < 0 else rise + 2 * e * k
    return re / denominator, e * mp.sin(y) / denominator


def _silu(x: Any, y: Any) -> Point:
    re, im = _sigmoid(x, y)
    return x * re - y * im, x * im + y * re


def _sinc(x: Any, y: Any) -> Point:
    if x == 0 and y == 0:
        return mp.one, mp.zero
    if x == 0 or y == 0:
        return (mp.sinh(mp.pi * y) / (mp.pi * y) if x == 0 else mp.sincpi(x)), mp.zero
    # Near 0 the terms of the imaginary part agree in their first |z|^2 digits.
    lost = max(0, -2 * max(mp.mag(x), mp.mag(y)))
    with mp.extraprec(lost):
        re, im = mp.sinpi(x) * mp.cosh(mp.pi * y), mp.cospi(x) * mp.sinh(mp.pi * y)
        size = mp.pi * _square_sum(x, y)
        return (re * x + im * y) / size, (im * x - re * y) / size


def _sgn(x: Any, y: Any) -> Point:
    size = mp.sqrt(_square_sum(x, y))
    return (x / size, y / size) if size else (x, y)


def _reciprocal(x: Any, y: Any) -> Point:
    size = _square_sum(x, y)
    return x / size, -y / size


def _odd(fn: Reference) -> Reference:
    """Extend a reference on x >= 0 to an odd function."""

    def extended(x: Any, y: Any) -> Point:
        re, im = fn(abs(x), y)
        return (-re if x < 0 else re), im

    return extended


def _turned(fn: Reference) -> Reference:
    """Make f(iz) / i of an odd f with f(conj z) = conj f(z), given on x, y >= 0."""

    def turned(x: Any, y: Any) -> Point:
        im, re = fn(y, x)
        return re, im

    return turned


# Values for y >= 0 (on a cut: the limit from above). All satisfy f(conj z) = conj f(z).
REFERENCES: dict[str, Reference] = {
    "abs": lambda x, y: (mp.sqrt(_square_sum(x, y)), mp.zero),
    "acos": _acos,
    "acosh": _acosh,
    "angle": lambda x, y: (mp.zero, _angle(x, y)),
    "asin": _odd(_asin),
    "asinh": _odd(_asinh),
    "atan": _odd(_turned(_atanh)),
    "atanh": _odd(_atanh),
    "cos": lambda x, y: (mp.cos(x) * mp.cosh(y), -mp.sin(x) * mp.sinh(y)),
    "cosh": _cosh,
    "exp": _exp,
    "exp2": _exp2,
    "expm1": _expm1,
    "log": _log,
    "log10": functools.partial(_log_to_base, 10),
    "log1p": _log1p,
    "log2": functools.partial(_log_to_base, 2),
    "neg": lambda x, y: (-x, -y),
    "positive": lambda x, y: (x, y),
    "reciprocal": _reciprocal,
    "rsqrt": _rsqrt,
    "sgn": _sgn,
    "sigmoid": _sigmoid,
    "silu": _silu,
    "sin": lambda x, y: (mp.sin(x) * mp.cosh(y), mp.cos(x) * mp.sinh(y)),
    "sinc": _sinc,
    "sinh": _sinh,
    "sqrt": _sqrt,
    "square": lambda x, y: (_mul(_add(x, y), _add(x, -y)), _mul(2, x, y)),
    "tan": _odd(_turned(_tanh)),
    "tanh": _tanh,
}
REFERENCES["_neg_view_copy"] = REFERENCES["neg"]
for name in ("_conj", "_conj_copy", "_conj_physical", "conj_physical"):
    REFERENCES[name] = lambda x, y: (x, -y)
