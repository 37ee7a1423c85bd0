"""Elementwise operations with their exact values and error bounds, unary and of several operands.

Tests and `scripts/random_bits.py` take an operation from `operations()` and ask it for its rule,
for what eager computes, for exact values to any precision, and for the bound that the rule states.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import mpmath
import torch
from mpmath import mp
from torch import Tensor

from torch_complex_subclass.decompositions import TABLE, power
from torch_complex_subclass.decompositions.registry import Operand, Pair
from torch_complex_subclass.testing import ulp, unary
from torch_complex_subclass.testing.exact import evaluate
from torch_complex_subclass.testing.references import REFERENCES, Point

aten = torch.ops.aten

Part = tuple[Tensor, Tensor]
"""A part of exact values: doubles, and what the doubles leave out."""


class Exact(NamedTuple):
    """Exact values of an operation at some points."""

    parts: list[Part]
    size: Tensor
    """What a normwise error is relative to: the larger part, or that of the largest term."""


@dataclass(frozen=True)
class Operation:
    """An elementwise function of `count` complex operands."""

    name: str
    count: int
    rule: Callable[..., Any]
    """Called with one pair for each operand."""
    eager: Callable[..., Tensor]
    """Called with one complex tensor for each operand."""
    exact: Callable[[Sequence[Pair]], Exact]
    bound: Callable[[Sequence[Pair]], Tensor]
    """Largest error in ulp, of the part or of `Exact.size`, by point."""
    normwise: bool
    plain: bool = False
    """True where the rule is eager's own formula, which can overflow on the way."""
    guess: Callable[..., Any] | None = None
    """Form of the rule that overflows less in double precision, where it is not the rule."""

    def __call__(self, *operands: Pair) -> list[Tensor]:
        """Parts of the result of the rule."""
        result = self.rule(*operands)
        return list(result) if isinstance(result, tuple) else [result]

    def compiled(self, *operands: Pair) -> list[Tensor]:
        """Parts of what the function gives on complex tensors, compiled with our backend."""
        kernel: Any = torch.compile(self.eager, fullgraph=True, backend="inductor_complex")
        return unary.parts_of(kernel(*(torch.complex(*z) for z in operands)))

    def unit(self, exact: Exact, dtype: torch.dtype) -> Tensor | None:
        """Unit of the bound; None where it is the ulp of each part."""
        return ulp.ulp(exact.size, dtype) if self.normwise else None

    def errors(self, got: Sequence[Tensor], exact: Exact) -> list[Tensor]:
        """Errors of computed parts in units of the bound."""
        unit = self.unit(exact, got[0].dtype)
        return [ulp.ulp_error(a, b, unit) for a, b in zip(got, exact.parts, strict=True)]


# ---------------------------------------------------------------- exact arithmetic on points


def _add(*terms: Point) -> Point:
    re, im = mp.zero, mp.zero
    for term in terms:
        re, im = mp.fadd(re, term[0], exact=True), mp.fadd(im, term[1], exact=True)
    return re, im


def _negative(z: Point) -> Point:
    return -z[0], -z[1]


def _mul(z: Point, w: Point) -> Point:
    product = functools.partial(mp.fmul, exact=True)
    (a, b), (c, d) = z, w
    return (
        mp.fsub(product(a, c), product(b, d), exact=True),
        mp.fadd(product(a, d), product(b, c), exact=True),
    )


def _quotient(z: Point, w: Point) -> Point:
    re, im = _mul(z, (w[0], -w[1]))
    square, _ = _mul(w, (w[0], -w[1]))
    return re / square, im / square


def _log(z: Point) -> Point:
    x, y = z
    square, _ = _mul(z, (x, -y))
    excess = mp.fsub(square, 1, exact=True)
    re = mp.log1p(excess) / 2 if abs(excess) < 0.5 else mp.log(square) / 2
    return re, mp.atan2(y, x) if x or y else mp.zero


def _exp(z: Point) -> Point:
    size = mp.exp(z[0])
    return size * mp.cos(z[1]), size * mp.sin(z[1])


# Each returns the value, and the terms whose size its error is relative to.
Terms = tuple[Point, Sequence[Point]]


def _product(z: Point, w: Point) -> Terms:
    value = _mul(z, w)
    return value, [value]


def _ratio(z: Point, w: Point) -> Terms:
    value = _quotient(z, w)
    return value, [value]


def _add_product(z: Point, u: Point, v: Point) -> Terms:
    term = _mul(u, v)
    return _add(z, term), [z, term]


def _add_ratio(z: Point, u: Point, v: Point) -> Terms:
    term = _quotient(u, v)
    square, _ = _mul(v, (v[0], -v[1]))
    top = _add(_mul(z, (square, mp.zero)), _mul(u, (v[0], -v[1])))
    return (top[0] / square, top[1] / square), [z, term]


def _between(start: Point, end: Point, weight: Point) -> Terms:
    step = _mul(weight, _add(end, _negative(start)))
    rest = _mul(_add((mp.one, mp.zero), _negative(weight)), _add(end, _negative(start)))
    near_start = mp.hypot(*weight) < 0.5
    return _add(start, step), [start, step] if near_start else [end, rest]


def _power(z: Point, w: Point) -> Terms:
    value = _exp(_mul(w, _log(z)))
    return value, [value]


def _log_of_sum(z: Point, w: Point) -> Terms:
    high, low = (z, w) if float(z[0]) >= float(w[0]) else (w, z)  # zeros of any sign are equal
    ratio = _exp(_add(low, _negative(high)))
    # Rounded sums: exactly, 1 and the smallest exponentials do not fit in memory.
    excess = 2 * ratio[0] + ratio[0] ** 2 + ratio[1] ** 2
    step = (mp.log1p(excess) / 2, mp.atan2(ratio[1], 1 + ratio[0]))
    value = (high[0] + step[0], high[1] + step[1])
    # Relative to the step its error is that of the difference of the operands, magnified.
    one_more = mp.hypot(1 + ratio[0], ratio[1])
    spread = mp.hypot(*_add(low, _negative(high)))
    magnified = mp.hypot(*ratio) * (1 + spread) / one_more if one_more else mp.inf
    return value, [high, step, (magnified, mp.zero)]


def _settled(fn: Callable[..., Terms], point: Sequence[Point], bits: int) -> tuple[Any, Any, Any]:
    """Both parts of fn to `bits` bits of the size, which comes third.

    The precision grows until two runs agree.
    """
    before = (mp.nan, mp.nan, mp.nan)
    for precision in (bits + 30, bits + 70, 400, 1300, 2700, 5000):
        with mpmath.workprec(precision):
            (re, im), terms = fn(*point)
            size = max(abs(part) for term in [(re, im), *terms] for part in term)
            now = (re, im, size)
            near = size * mp.mpf(2) ** -bits
            if all(abs(a - b) <= near for a, b in zip(before, now, strict=True)):
                return now
            before = now
    raise ArithmeticError(f"no settled value at {point}")


MINUS_ZERO = -(mp.mpf(2) ** -20_000)
"""Stands for -0: it picks the side of a cut, and no double is as small."""


def is_minus_zero(number: float) -> bool:
    """True for the zero with a sign."""
    return number == 0 and math.copysign(1.0, number) < 0


def exact_values(fn: Callable[..., Terms], operands: Sequence[Pair]) -> Exact:
    """Exact values of fn at the points that the operands hold."""
    bits = 40 if operands[0].re.dtype == torch.float32 else 70
    flat = [part.tolist() for operand in operands for part in operand]
    rows: list[list[float]] = []
    for numbers in zip(*flat, strict=True):
        parts = [MINUS_ZERO if is_minus_zero(number) else mp.mpf(number) for number in numbers]
        point = list(zip(parts[::2], parts[1::2], strict=True))
        re, im, size = _settled(fn, point, bits)
        row = [float(size)]
        for part in (re, im):
            head = float(part)
            with mpmath.workprec(bits + 60):
                row += [head, float(part - head) if abs(head) < mp.inf else 0.0]
        rows.append(row)
    size, *columns = torch.tensor(rows, dtype=torch.float64).reshape(-1, 5).T
    return Exact([(columns[0], columns[1]), (columns[2], columns[3])], size)


# ---------------------------------------------------------------- the operations


def _unary(name: str) -> Operation:
    rule = unary.rules_by_name()[name]
    assert rule.fn is not None
    assert rule.max_ulp is not None
    fn, max_ulp, op = rule.fn, rule.max_ulp, rule.op

    def exact(operands: Sequence[Pair]) -> Exact:
        parts = evaluate(REFERENCES[name], *operands[0])
        if name in ("abs", "angle"):
            parts = [parts[name == "angle"]]
        return Exact(parts, functools.reduce(torch.maximum, [head.abs() for head, _ in parts]))

    return Operation(
        name, 1, lambda z: fn(*z), op, exact, functools.partial(_constant, max_ulp), rule.normwise
    )


def _constant(max_ulp: float, operands: Sequence[Pair]) -> Tensor:
    return torch.full_like(operands[0].re, max_ulp, dtype=torch.float64)


def _of_table(
    name: str, count: int, op: Any, eager: Callable[..., Tensor], fn: Callable[..., Terms]
) -> Operation:
    rule = TABLE[op]
    assert rule.fn is not None
    assert rule.max_ulp is not None
    bound = functools.partial(_constant, rule.max_ulp)
    plain = name in PLAIN
    exact = functools.partial(exact_values, fn)
    return Operation(name, count, rule.fn, eager, exact, bound, rule.normwise, plain)


PLAIN = ("mul", "addcmul")
"""Operations that keep eager's formula."""

POWERS: dict[str, complex] = {
    f"pow({w})": w for w in (2, 3, -1, -2, 7, -5, 40, 0.5, -0.5, 0.3, 2.5, -2.75, 1.5 - 0.5j, 2j)
}
"""Exponents that are numbers, by the name of the operation."""


def _fixed_power(name: str) -> Operation:
    w = POWERS[name]
    number: Operand = Pair(w.real, w.imag) if isinstance(w, complex) else w
    return Operation(
        name,
        1,
        lambda z: power.pow(z, number),
        lambda z: torch.pow(z, w),
        functools.partial(exact_values, lambda z: _power(z, (mp.mpf(w.real), mp.mpf(w.imag)))),
        lambda operands: power.max_ulp(operands[0], number),
        True,
        guess=lambda z: power.pow(z, Pair(*(torch.full_like(z.re, p) for p in (w.real, w.imag)))),
    )


def _free_power() -> Operation:
    return Operation(
        "pow",
        2,
        power.pow,
        torch.pow,
        functools.partial(exact_values, _power),
        lambda operands: power.max_ulp(*operands),
        True,
    )


def _real_power() -> Operation:
    """Power with the real part of the second operand as a real tensor."""
    return Operation(
        "pow(real)",
        2,
        lambda z, w: power.pow(z, w.re),
        lambda z, w: torch.pow(z, w.real),
        functools.partial(exact_values, lambda z, w: _power(z, (w[0], mp.zero))),
        lambda operands: power.max_ulp(operands[0], operands[1].re),
        True,
    )


@functools.cache
def operations() -> dict[str, Operation]:
    """Every operation by name: unary ones with a reference, then those of several operands."""
    found = [_unary(name) for name in unary.rules_by_name()]
    found += [
        _of_table("mul", 2, aten.mul.Tensor, torch.mul, _product),
        _of_table("div", 2, aten.div.Tensor, torch.div, _ratio),
        _of_table("addcmul", 3, aten.addcmul.default, torch.addcmul, _add_product),
        _of_table("addcdiv", 3, aten.addcdiv.default, torch.addcdiv, _add_ratio),
        _of_table("lerp", 3, aten.lerp.Tensor, torch.lerp, _between),
        _of_table("logaddexp", 2, aten.logaddexp.default, torch.logaddexp, _log_of_sum),
        *map(_fixed_power, POWERS),
        _free_power(),
        _real_power(),
    ]
    return {operation.name: operation for operation in found}
