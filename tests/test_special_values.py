"""Signed zeros, infinities and NaN: rows of C23 Annex G, and eager over a grid."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from torch_complex_subclass.decompositions import arithmetic
from torch_complex_subclass.decompositions.registry import Pair
from torch_complex_subclass.testing import unary

INF, NAN, PI = math.inf, math.nan, math.pi
DTYPES = [torch.float32, torch.float64]
Value = tuple[float, float]

# C23 Annex G, G.6.1 to G.6.4, for y not negative; conjugates follow. ((x, y), (re, im)).
ANNEX_G: dict[str, list[tuple[Value, Value]]] = {
    "acos": [
        ((0.0, 0.0), (PI / 2, -0.0)),
        ((-0.0, 0.0), (PI / 2, -0.0)),
        ((0.0, NAN), (PI / 2, NAN)),
        ((2.0, INF), (PI / 2, -INF)),
        ((-INF, 2.0), (PI, -INF)),
        ((INF, 2.0), (0.0, -INF)),
        ((-INF, INF), (3 * PI / 4, -INF)),
        ((INF, INF), (PI / 4, -INF)),
        ((NAN, INF), (NAN, -INF)),
        ((NAN, NAN), (NAN, NAN)),
    ],
    "acosh": [
        ((0.0, 0.0), (0.0, PI / 2)),
        ((-0.0, 0.0), (0.0, PI / 2)),
        ((2.0, INF), (INF, PI / 2)),
        ((0.0, NAN), (NAN, PI / 2)),
        ((2.0, NAN), (NAN, NAN)),
        ((-INF, 2.0), (INF, PI)),
        ((INF, 2.0), (INF, 0.0)),
        ((-INF, INF), (INF, 3 * PI / 4)),
        ((INF, INF), (INF, PI / 4)),
        ((INF, NAN), (INF, NAN)),
        ((NAN, INF), (INF, NAN)),
    ],
    "asinh": [
        ((0.0, 0.0), (0.0, 0.0)),
        ((-0.0, 0.0), (-0.0, 0.0)),
        ((2.0, INF), (INF, PI / 2)),
        ((2.0, NAN), (NAN, NAN)),
        ((INF, 2.0), (INF, 0.0)),
        ((INF, INF), (INF, PI / 4)),
        ((INF, NAN), (INF, NAN)),
        ((NAN, 0.0), (NAN, 0.0)),
        ((NAN, INF), (INF, NAN)),
    ],
    "atanh": [
        ((0.0, 0.0), (0.0, 0.0)),
        ((-0.0, 0.0), (-0.0, 0.0)),
        ((0.0, NAN), (0.0, NAN)),
        ((1.0, 0.0), (INF, 0.0)),
        ((2.0, INF), (0.0, PI / 2)),
        ((INF, 2.0), (0.0, PI / 2)),
        ((INF, INF), (0.0, PI / 2)),
        ((INF, NAN), (0.0, NAN)),
        ((NAN, 2.0), (NAN, NAN)),
        ((NAN, INF), (0.0, PI / 2)),
    ],
    "cosh": [
        ((0.0, 0.0), (1.0, 0.0)),
        ((2.0, INF), (NAN, NAN)),
        ((INF, 0.0), (INF, 0.0)),
        ((INF, 2.0), (-INF, INF)),
        ((INF, INF), (INF, NAN)),
        ((INF, NAN), (INF, NAN)),
        ((NAN, 2.0), (NAN, NAN)),
    ],
    "exp": [
        ((0.0, 0.0), (1.0, 0.0)),
        ((-0.0, 0.0), (1.0, 0.0)),
        ((2.0, INF), (NAN, NAN)),
        ((INF, 0.0), (INF, 0.0)),
        ((-INF, 2.0), (-0.0, 0.0)),
        ((INF, 2.0), (-INF, INF)),
        ((-INF, INF), (0.0, 0.0)),
        ((INF, INF), (INF, NAN)),
        ((-INF, NAN), (0.0, 0.0)),
        ((INF, NAN), (INF, NAN)),
        ((NAN, 0.0), (NAN, 0.0)),
        ((NAN, 2.0), (NAN, NAN)),
    ],
    "log": [
        ((-0.0, 0.0), (-INF, PI)),
        ((0.0, 0.0), (-INF, 0.0)),
        ((2.0, INF), (INF, PI / 2)),
        ((2.0, NAN), (NAN, NAN)),
        ((-INF, 2.0), (INF, PI)),
        ((INF, 2.0), (INF, 0.0)),
        ((-INF, INF), (INF, 3 * PI / 4)),
        ((INF, INF), (INF, PI / 4)),
        ((-INF, NAN), (INF, NAN)),
        ((NAN, INF), (INF, NAN)),
        ((1.0, 0.0), (0.0, 0.0)),
        ((-1.0, 0.0), (0.0, PI)),
    ],
    "sinh": [
        ((0.0, 0.0), (0.0, 0.0)),
        ((-0.0, 0.0), (-0.0, 0.0)),
        ((0.0, INF), (0.0, NAN)),
        ((INF, 0.0), (INF, 0.0)),
        ((INF, 2.0), (-INF, INF)),
        ((INF, INF), (INF, NAN)),
        ((NAN, 0.0), (NAN, 0.0)),
    ],
    "sqrt": [
        ((0.0, 0.0), (0.0, 0.0)),
        ((-0.0, 0.0), (0.0, 0.0)),
        ((-4.0, 0.0), (0.0, 2.0)),
        ((2.0, INF), (INF, INF)),
        ((NAN, INF), (INF, INF)),
        ((-INF, 2.0), (0.0, INF)),
        ((INF, 2.0), (INF, 0.0)),
        ((-INF, NAN), (NAN, INF)),
        ((INF, NAN), (INF, NAN)),
    ],
    "tanh": [
        ((0.0, 0.0), (0.0, 0.0)),
        ((-0.0, 0.0), (-0.0, 0.0)),
        ((0.0, INF), (0.0, NAN)),
        ((2.0, INF), (NAN, NAN)),
        ((INF, 2.0), (1.0, -0.0)),
        ((INF, INF), (1.0, 0.0)),
        ((NAN, 0.0), (NAN, 0.0)),
        ((NAN, 2.0), (NAN, NAN)),
    ],
}


class Deviation(NamedTuple):
    """Where a rule's special values are not eager's, and why."""

    where: Callable[[Tensor, Tensor], Tensor]
    reason: str


def _never_finite(x: Tensor, y: Tensor) -> Tensor:
    return ~x.isfinite() | ~y.isfinite()


DEVIATES_FROM_EAGER: dict[str, Deviation] = {
    "neg": Deviation(lambda x, y: (x == 0) | (y == 0), "eager subtracts from 0, which loses -0"),
    "expm1": Deviation(_never_finite, "eager multiplies by cos and sin of y even where y is 0"),
    "log1p": Deviation(lambda x, y: x.isnan() | y.isnan(), "an infinite part settles the modulus"),
    "reciprocal": Deviation(
        lambda x, y: x.isinf() | y.isinf() | (x == 0) | (y == 0),
        "the limit at infinity is 0, eager gives NaN; 1 / conj(z) is conj(1 / z) for zeros too",
    ),
    "rsqrt": Deviation(
        lambda x, y: x.isinf() | y.isinf() | (y == 0),
        "the limit at infinity is 0, eager gives NaN; the real part is >= 0, eager's is -0",
    ),
    "sigmoid": Deviation(
        lambda x, y: (x == -INF) | (y == 0),
        "the limit is 0, eager gives NaN; f(conj z) = conj f(z) for zeros too",
    ),
    "silu": Deviation(lambda x, y: (x == 0) | (y == 0), "signs of zero; eager loses that of -0"),
    "sin": Deviation(lambda x, y: y == -INF, "sign of infinity unspecified in C23; ours is odd"),
    "sinc": Deviation(
        lambda x, y: _never_finite(x, y) | (y == 0) | (x == 0),
        "exact zeros at integers; limits at infinite y; imaginary part +0 on both axes",
    ),
    "sinh": Deviation(lambda x, y: x == -INF, "sign of infinity unspecified in C23; ours is odd"),
}
DEVIATES_FROM_EAGER["_neg_view_copy"] = DEVIATES_FROM_EAGER["neg"]


def same(got: Tensor, want: Tensor) -> Tensor:
    """Equal with the sign of zero, both NaN, or finite and close."""
    equal = (got == want) & (got.signbit() == want.signbit())
    near = (got - want).abs() <= 16 * torch.finfo(got.dtype).eps * want.abs()
    return equal | (got.isnan() & want.isnan()) | (near & want.isfinite() & (want != 0))


def column(values: list[float], dtype: torch.dtype) -> Tensor:
    return torch.tensor(values, dtype=dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", list(ANNEX_G))
def test_annex_g(name: str, dtype: torch.dtype) -> None:
    fn = unary.rules_by_name()[name].fn
    assert fn is not None
    rows = ANNEX_G[name]
    x, y = (column([point[i] for point, _ in rows], dtype) for i in (0, 1))
    re, im = (column([value[i] for _, value in rows], dtype) for i in (0, 1))
    # Both signs are allowed here, so only the size of the imaginary part is settled.
    unsigned = y.isnan() | ~(x.isfinite() | y.isfinite())
    for sign in (1.0, -1.0):
        got = fn(x, y * sign)
        ok = same(got[0], re)
        ok &= same(got[1], im * sign) | (unsigned & same(got[1].abs(), im.abs()))
        for i in (~ok).nonzero().flatten().tolist():
            pytest.fail(f"{name}({x[i]}, {y[i] * sign}) is {got[0][i]}, {got[1][i]}")


GRID = [-INF, -2.0, -1.0, -0.0, 0.0, 1.0, 2.0, INF, NAN]


# Signs of zero where eager's float32 and float64 kernels disagree with each other.
EAGER_DISAGREES_WITH_ITSELF = {"acos": lambda x, y: ((x.abs() == 1) | (x == 0)) & (y == 0)}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", list(unary.rules_by_name()))
def test_as_eager(name: str, dtype: torch.dtype) -> None:
    rule = unary.rules_by_name()[name]
    assert rule.fn is not None
    x, y = column(GRID, dtype).repeat(len(GRID)), column(GRID, dtype).repeat_interleave(len(GRID))
    got = unary.parts_of(rule.fn(x, y))
    want = unary.parts_of(rule.op(torch.complex(x, y)))
    differs = torch.zeros_like(x, dtype=torch.bool)
    finite = x.isfinite() & y.isfinite()
    for a, b in zip(got, want, strict=True):
        # Signs of zeros that come from infinities and NaN are not specified.
        differs |= ~(same(a, b) | (~finite & (a == b)))
    known = DEVIATES_FROM_EAGER.get(name)
    if known is not None:
        allowed = known.where(x, y)
        assert (differs & allowed).any(), f"{name} no longer deviates: {known.reason}"
        differs &= ~allowed
    if name in EAGER_DISAGREES_WITH_ITSELF:
        differs &= ~EAGER_DISAGREES_WITH_ITSELF[name](x, y)
    for i in differs.nonzero().flatten().tolist():
        ours, theirs = ([part[i].item() for part in parts] for parts in (got, want))
        pytest.fail(f"{name}({x[i]}, {y[i]}) is {ours}, eager's {theirs}")


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_quotient_of_special_values(dtype: torch.dtype) -> None:
    """Zero and infinite operands divide as in eager; both infinite is NaN in both."""
    operands = [(1.0, 2.0), (0.0, 0.0), (INF, 1.0), (2.0, -INF), (NAN, 1.0)]
    pairs = [(z, w) for z in operands for w in operands]
    a, b = (column([z[i] for z, _ in pairs], dtype) for i in (0, 1))
    c, d = (column([w[i] for _, w in pairs], dtype) for i in (0, 1))
    got = arithmetic.div(Pair(a, b), Pair(c, d))
    want = torch.complex(a, b) / torch.complex(c, d)
    for part, exact in zip(got, (want.real, want.imag), strict=True):
        assert ((part == exact) | (part.isnan() & exact.isnan())).all(), (pairs, part, exact)


def test_cut_follows_the_sign_of_zero() -> None:
    """Both sides of every cut, as limits."""
    cuts = {"sqrt": -4.0, "log": -4.0, "rsqrt": -4.0, "log1p": -4.0, "acosh": 0.5, "angle": -4.0}
    cuts |= {"asin": 3.0, "acos": -3.0, "atanh": 3.0, "log2": -4.0, "log10": -4.0}
    for name, point in cuts.items():
        fn = unary.rules_by_name()[name].fn
        assert fn is not None
        x = torch.full((2,), point, dtype=torch.float64)
        on = unary.parts_of(fn(x, torch.tensor([0.0, -0.0], dtype=torch.float64)))
        beside = unary.parts_of(fn(x, torch.tensor([1e-300, -1e-300], dtype=torch.float64)))
        for a, b in zip(on, beside, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-200)
    for name in ("asinh", "atan"):
        fn = unary.rules_by_name()[name].fn
        assert fn is not None
        y = torch.full((2,), 3.0, dtype=torch.float64)
        on = fn(torch.tensor([0.0, -0.0], dtype=torch.float64), y)
        beside = fn(torch.tensor([1e-300, -1e-300], dtype=torch.float64), y)
        for a, b in zip(on, beside, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-200)
