"""Samples of the complex plane, references to any precision, and distances in ulp.

    python -m torch_complex_subclass.testing.plane sqrt --dtype float32 --against eager

prints the share of points at 0, 1, 2, 3, 4 and more ulp by region. References come from mpmath,
one point at a time, and are kept for the life of the process.
"""

from __future__ import annotations

import argparse
import functools
import math
import zlib
from collections.abc import Callable
from typing import Any

import mpmath
import torch
from mpmath import mp
from torch import Tensor

from torch_complex_subclass.decompositions import TABLE, Rule
from torch_complex_subclass.testing.references import REFERENCES as REFERENCES
from torch_complex_subclass.testing.references import Point, Reference

# ---------------------------------------------------------------- samples


def _signs(n: int, g: torch.Generator) -> Tensor:
    return torch.randint(0, 2, (n,), generator=g, dtype=torch.float64) * 2 - 1


def _uniform(n: int, g: torch.Generator, low: float, high: float) -> Tensor:
    return low + (high - low) * torch.rand(n, generator=g, dtype=torch.float64)


def _log2_uniform(n: int, g: torch.Generator, low: float, high: float) -> Tensor:
    """Values of either sign whose sizes are log-uniform in [2**low, 2**high]."""
    return _signs(n, g) * torch.exp2(_uniform(n, g, low, high))


def _exponents(dtype: torch.dtype) -> tuple[float, float, float]:
    """Binary exponents of the smallest normal, the largest number, and half an ulp of 1."""
    fi = torch.finfo(dtype)
    return math.log2(fi.tiny), math.log2(fi.max) - 1e-9, math.log2(fi.eps) - 1


def _everywhere(n: int, g: torch.Generator, dtype: torch.dtype) -> Point:
    low, high, _ = _exponents(dtype)
    return _log2_uniform(n, g, low, high), _log2_uniform(n, g, low, high)


def _unit(n: int, g: torch.Generator, dtype: torch.dtype) -> Point:
    return _log2_uniform(n, g, -4, 3), _log2_uniform(n, g, -4, 3)


def _moderate(n: int, g: torch.Generator, dtype: torch.dtype) -> Point:
    return _log2_uniform(n, g, -20, 12), _log2_uniform(n, g, -20, 12)


def _near_zero(n: int, g: torch.Generator, dtype: torch.dtype) -> Point:
    low, _, _ = _exponents(dtype)
    return _log2_uniform(n, g, low, -8), _log2_uniform(n, g, low, -8)


def _subnormal(n: int, g: torch.Generator, dtype: torch.dtype) -> Point:
    low, _, eps = _exponents(dtype)
    return _log2_uniform(n, g, low + eps, low + 2), _log2_uniform(n, g, low + eps, low + 2)


def _near_overflow(n: int, g: torch.Generator, dtype: torch.dtype) -> Point:
    _, high, _ = _exponents(dtype)
    return _log2_uniform(n, g, high - 4, high), _log2_uniform(n, g, high - 4, high)


def _unit_circle(n: int, g: torch.Generator, dtype: torch.dtype) -> Point:
    _, _, eps = _exponents(dtype)
    radius, phi = 1 + _log2_uniform(n, g, eps, -3), _uniform(n, g, -math.pi, math.pi)
    return radius * phi.cos(), radius * phi.sin()


def _shifted_circle(n: int, g: torch.Generator, dtype: torch.dtype) -> Point:
    """Points near |z + 1| = 1, half of them near 0."""
    _, _, eps = _exponents(dtype)
    excess = _log2_uniform(n, g, 2 * eps, -3)
    y = _log2_uniform(n, g, eps, 0).to(dtype).double()
    side = torch.where(_signs(n, g) > 0, 1.0, -1.0)
    root = torch.sqrt(torch.clamp(1 - y * y, min=0))
    near_zero = excess / 2 - y * y / (1 + root)
    return torch.where(side > 0, near_zero, -1 - root + excess), y


def _branch_points(n: int, g: torch.Generator, dtype: torch.dtype) -> Point:
    """Points near 1, -1, i and -i, in each direction from one ulp to 1/8."""
    low, _, eps = _exponents(dtype)
    along = _signs(n, g) * (1 + _log2_uniform(n, g, eps, -3))
    along = torch.where(torch.rand(n, generator=g) < 0.2, along.round(), along)
    across = _log2_uniform(n, g, low / 2 if low < -200 else low, -3)
    close = _log2_uniform(n, g, eps, -3)
    across = torch.where(torch.rand(n, generator=g) < 0.5, close, across)
    turn = torch.rand(n, generator=g) < 0.5
    return torch.where(turn, across, along), torch.where(turn, along, across)


def _axes(n: int, g: torch.Generator, dtype: torch.dtype) -> Point:
    """Points on an axis: the other part is a zero of either sign."""
    along, zero = _log2_uniform(n, g, -12, 6), _signs(n, g) * 0.0
    turn = torch.rand(n, generator=g) < 0.5
    return torch.where(turn, zero, along), torch.where(turn, along, zero)


def _near_axes(n: int, g: torch.Generator, dtype: torch.dtype) -> Point:
    low, _, _ = _exponents(dtype)
    along, across = _log2_uniform(n, g, -8, 6), _log2_uniform(n, g, low, -8)
    turn = torch.rand(n, generator=g) < 0.5
    return torch.where(turn, across, along), torch.where(turn, along, across)


def _exp_range(n: int, g: torch.Generator, dtype: torch.dtype) -> Point:
    """Points where an exponential of one part is near overflow or underflow."""
    high = math.log(torch.finfo(dtype).max)
    large = _signs(n, g) * high * _uniform(n, g, 0.4, 1.2)
    small = _log2_uniform(n, g, -30, 4)
    turn = torch.rand(n, generator=g) < 0.5
    return torch.where(turn, small, large), torch.where(turn, large, small)


def _poles(n: int, g: torch.Generator, dtype: torch.dtype) -> Point:
    """Points near multiples of i pi/2 and of pi/2: zeros and poles of the periodic functions."""
    _, _, eps = _exponents(dtype)
    multiple = torch.randint(-6, 7, (n,), generator=g).double() * (math.pi / 2)
    along = multiple + _log2_uniform(n, g, eps, -3)
    across = _log2_uniform(n, g, 2 * eps, -3)
    turn = torch.rand(n, generator=g) < 0.5
    return torch.where(turn, across, along), torch.where(turn, along, across)


REGIONS: dict[str, Callable[[int, torch.Generator, torch.dtype], Point]] = {
    "unit": _unit,
    "moderate": _moderate,
    "everywhere": _everywhere,
    "near_zero": _near_zero,
    "subnormal": _subnormal,
    "near_overflow": _near_overflow,
    "unit_circle": _unit_circle,
    "shifted_circle": _shifted_circle,
    "branch_points": _branch_points,
    "axes": _axes,
    "near_axes": _near_axes,
    "exp_range": _exp_range,
    "poles": _poles,
}


@functools.cache
def samples(region: str, dtype: torch.dtype, n: int = 64) -> tuple[Tensor, Tensor]:
    """Return n points of a region as real and imaginary parts; the same ones at every call."""
    g = torch.Generator().manual_seed(zlib.crc32(f"{region} {dtype}".encode()))
    x, y = REGIONS[region](n, g, dtype)
    return x.to(dtype), y.to(dtype)


# ---------------------------------------------------------------- references

# Real results: the reference part that the rule returns alone.
_REAL_PART = {"abs": 0, "angle": 1}


def op_name(rule: Rule) -> str:
    """Name of the rule's op without namespace and overload."""
    return rule.op._schema.name.split("::")[1]


def _settled(fn: Reference, x: Any, y: Any, bits: int) -> Point:
    """Value of fn with both parts to `bits` bits: the precision grows until two runs agree."""
    before: Point | None = None
    for precision in (bits + 20, bits + 60, 400, 1300, 2700, 5000):
        with mpmath.workprec(precision):
            now = fn(x, y)
            if before is not None and all(
                a == b or abs(a - b) <= abs(b) * mp.mpf(2) ** -bits
                for a, b in zip(before, now, strict=True)
            ):
                return now
            before = now
    raise ArithmeticError(f"no settled value at {x}, {y}")


def _double(value: Any) -> float:
    """Nearest double; overflow gives infinity."""
    return float(value)


def evaluate(fn: Reference, x: Tensor, y: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Both parts of fn at the points, each as a double and the rest the double leaves out."""
    bits = 40 if x.dtype == torch.float32 else 70
    rows: list[list[float]] = []
    for a, b in zip(x.tolist(), y.tolist(), strict=True):
        re, im = _settled(fn, mp.mpf(a), mp.mpf(abs(b)), bits)
        if math.copysign(1.0, b) < 0:
            im = -im
        if a == 0 and math.copysign(1.0, a) < 0:
            re, im = _at_minus_zero(fn, re, im)
        row = []
        for part in (re, im):
            head = _double(part)
            with mpmath.workprec(bits + 60):
                row += [head, _double(part - head) if math.isfinite(head) else 0.0]
        rows.append(row)
    columns = torch.tensor(rows, dtype=torch.float64).T
    return [(columns[0], columns[1]), (columns[2], columns[3])]


# Cut along the imaginary axis: the value at -0 is the limit from the left.
_CUT_BY_X = {REFERENCES["asinh"], REFERENCES["atan"]}


def _at_minus_zero(fn: Reference, re: Any, im: Any) -> Point:
    return (-re, im) if fn in _CUT_BY_X else (re, im)


@functools.cache
def reference(name: str, region: str, dtype: torch.dtype, n: int = 64) -> Any:
    """Values of a function on the samples of a region; see `evaluate`."""
    parts = evaluate(REFERENCES[name], *samples(region, dtype, n))
    return [parts[_REAL_PART[name]]] if name in _REAL_PART else parts


# ---------------------------------------------------------------- distances


def ulp(value: Tensor, dtype: torch.dtype) -> Tensor:
    """Distance of neighbouring numbers of `dtype` at a double; that at tiny below it."""
    fi = torch.finfo(dtype)
    size = value.abs().clamp(fi.tiny, fi.max)
    _, exponent = torch.frexp(size)
    return torch.ldexp(torch.full_like(size, fi.eps / 2), exponent)


def ulp_error(got: Tensor, want: tuple[Tensor, Tensor], unit: Tensor | None = None) -> Tensor:
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


def normwise_unit(want: list[tuple[Tensor, Tensor]], dtype: torch.dtype) -> Tensor:
    """Ulp of the larger part of each value."""
    return functools.reduce(torch.maximum, [ulp(head, dtype) for head, _ in want])


def assert_ulp(
    got: Tensor,
    want: tuple[Tensor, Tensor],
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


# ---------------------------------------------------------------- command line


def rules_by_name() -> dict[str, Rule]:
    """Rules that have a reference, by op name."""
    found = {op_name(rule): rule for rule in TABLE.values() if rule.kind == "unary"}
    return {name: rule for name, rule in sorted(found.items()) if name in REFERENCES}


def parts_of(result: Any) -> list[Tensor]:
    """Parts of a rule's or an op's result."""
    if isinstance(result, tuple):
        return list(result)
    return [result.real, result.imag] if result.is_complex() else [result]


def _shares(error: Tensor) -> str:
    steps = torch.bucketize(error, torch.tensor([0.5, 1.5, 2.5, 3.5, 4.0], dtype=error.dtype))
    share = torch.bincount(steps, minlength=6)[:6] * 100.0 / len(error)
    return " ".join(f"{value:6.2f}" for value in share.tolist()) + f" {error.max():10.3g}"


def main() -> None:
    """Print the accuracy of one rule by region, beside eager's when asked."""
    parser = argparse.ArgumentParser(prog="python -m torch_complex_subclass.testing.plane")
    parser.add_argument("op", choices=list(rules_by_name()))
    parser.add_argument("--dtype", choices=["float32", "float64"], default="float32")
    parser.add_argument("--against", choices=["eager"])
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--normwise", action="store_true", help="in ulp of the larger part")
    chosen = parser.parse_args()
    rule, dtype = rules_by_name()[chosen.op], getattr(torch, chosen.dtype)
    print(f"{'region':15} part who   " + "".join(f"{h:>7}" for h in "01234") + "     >4      worst")
    for region in REGIONS:
        x, y = samples(region, dtype, chosen.n)
        want = reference(chosen.op, region, dtype, chosen.n)
        assert rule.fn is not None
        results = {"rule": parts_of(rule.fn(x, y))}
        if chosen.against:
            results["eager"] = parts_of(rule.op(torch.complex(x, y)))
        unit = normwise_unit(want, dtype) if chosen.normwise else None
        for i, (part, value) in enumerate(zip(("re", "im"), want, strict=False)):
            for who, got in results.items():
                print(f"{region:15} {part:4} {who:5} ", _shares(ulp_error(got[i], value, unit)))


if __name__ == "__main__":
    main()
