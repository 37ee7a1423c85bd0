"""The language of the tables of special values: rows of text, made into points and values.

A row is `x y : re im`. The words for a part of the argument stand for several numbers:

    +0 -0 +inf -inf nan 1 0.5 ...   that number
    +-0, +-inf                      both signs
    finite                          any finite number, zeros included
    plus                            a finite number with a positive sign, +0 included
    nonzero, positive               finite and not 0; finite and above 0
    number                          not NaN and not 0; infinities included
    any                             anything

The words for a part of the value:

    +0 -0 +inf -inf nan 1 pi/2 ...  that number, with its sign
    +-0, +-inf, +-pi/2              of either sign: the standard leaves it free
    0*cos(y), inf*sin(y)            a zero or an infinity of that sign; also of sin(2y), cos(yln2)
    x, y, -y                        that part of the argument
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import mpmath
from mpmath import mp

INF, NAN = math.inf, math.nan

# Both signs of cos(y), sin(y) and sin(2y); poles and branch points; exact in float32.
_POSITIVE = (2.0**-100, 0.5, 1.0, 2.0, 4.0, 6.0, 2.0**100)
_NONZERO = (*_POSITIVE, *(-a for a in _POSITIVE))

_WORDS: dict[str, tuple[float, ...]] = {
    "+-0": (0.0, -0.0),
    "+-inf": (INF, -INF),
    "finite": (0.0, -0.0, *_NONZERO),
    "plus": (0.0, *_POSITIVE),
    "nonzero": _NONZERO,
    "positive": _POSITIVE,
    "number": (*_NONZERO, INF, -INF),
    "any": (0.0, -0.0, *_NONZERO, INF, -INF, NAN),
}

_ANGLES = {"pi": math.pi, "pi/2": math.pi / 2, "pi/4": math.pi / 4, "3pi/4": 3 * math.pi / 4}


class Part(NamedTuple):
    """One part of a value: a number, and whether its sign is prescribed."""

    value: float
    signed: bool = True

    def __neg__(self) -> Part:
        return Part(-self.value, self.signed)


class Case(NamedTuple):
    """A point and the value there."""

    x: float
    y: float
    re: Part
    im: Part


Map = Callable[[Case], Case]


def conjugate(case: Case) -> Case:
    """The case that f(conj z) = conj f(z) gives."""
    return Case(case.x, -case.y, case.re, -case.im)


def reflect(case: Case) -> Case:
    """The case that f(conj z) = -f(z) gives, for a real f."""
    return Case(case.x, -case.y, -case.re, case.im)


def negate(case: Case) -> Case:
    """The case that f(-z) = -f(z) gives."""
    return Case(-case.x, -case.y, -case.re, -case.im)


def mirror(case: Case) -> Case:
    """The case that f(-z) = f(z) gives."""
    return Case(-case.x, -case.y, case.re, case.im)


def turn_odd(case: Case) -> Case:
    """The case of g(z) = -i f(iz) that a case of f gives."""
    return Case(case.y, -case.x, case.im, -case.re)


def turn_even(case: Case) -> Case:
    """The case of g(z) = f(iz) that a case of f gives."""
    return Case(case.y, -case.x, case.re, case.im)


def _circular(word: str, y: float) -> float:
    """Number of the sign of sin(y), cos(y), sin(2y) and the like; a zero where they are."""
    function, argument = word.removesuffix(")").split("(")
    if y == 0:
        return y if function == "sin" else 1.0
    with mpmath.workprec(300):
        angle = y * {"y": mp.one, "2y": 2, "yln2": mp.ln2}[argument]
        return float(mp.sign(getattr(mp, function)(angle)))


def _value(word: str, x: float, y: float, angle: float) -> Part:
    if word.startswith("+-"):
        return Part(_value(word[2:], x, y, angle).value, signed=False)
    if word.startswith("-"):
        return -_value(word[1:], x, y, angle)
    if "*" in word:
        return Part(math.copysign(float(word.split("*")[0]), _circular(word.split("*")[1], y)))
    if word in ("x", "y"):
        return Part(x if word == "x" else y)
    return Part(_ANGLES[word] * angle if word in _ANGLES else float(word))


def _row(line: str, angle: float) -> Iterable[Case]:
    point, value = line.split(":")
    (first, second), (re, im) = point.split(), value.split()
    for x in _WORDS.get(first) or (float(first),):
        for y in _WORDS.get(second) or (float(second),):
            yield Case(x, y, _value(re, x, y, angle), _value(im, x, y, angle))


def _key(x: float) -> str:
    return repr(abs(x)) if math.isnan(x) else repr(x)


def _merge(a: Case, b: Case) -> Case:
    """One case of two at a point: a sign is free where one of them leaves it free."""
    merged = []
    for p, q in ((a.re, b.re), (a.im, b.im)):
        free = not (p.signed and q.signed)
        if _key(abs(p.value) if free else p.value) != _key(abs(q.value) if free else q.value):
            raise ValueError(f"two rows disagree: {a} and {b}")
        merged.append(q if p.signed else p)
    return Case(a.x, a.y, *merged)


@functools.cache
def cases(text: str, symmetries: tuple[Map, ...], angle: float = 1.0) -> tuple[Case, ...]:
    """Every case of a table, those that its symmetries give included; each point once.

    `angle` is a factor of every multiple of pi, for logarithms to another base. Raises
    ValueError when two rows give different values at a point, as a symmetry then does not hold.
    """
    found: dict[tuple[str, str], Case] = {}
    lines = [line.strip() for line in text.strip().splitlines()]
    listed = [case for line in lines for case in _row(line, angle)]
    for symmetry in symmetries:
        listed += [symmetry(case) for case in listed]
    for case in listed:
        key = _key(case.x), _key(case.y)
        found[key] = _merge(found[key], case) if key in found else case
    return tuple(found.values())
