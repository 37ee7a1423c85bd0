"""Products, quotients and powers of zeros, infinities and NaN: C23 G.5.1, G.5.2 and our policy."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from torch_complex_subclass.decompositions import arithmetic, power
from torch_complex_subclass.decompositions.registry import Pair

INF, NAN = math.inf, math.nan
PARTS = [0.0, -0.0, 1.0, -2.0, INF, -INF, NAN]
VALUES = [(x, y) for y in PARTS for x in PARTS]
PAIRS = [(z, w) for w in VALUES for z in VALUES]

# G.5.1 and G.5.2: (kind of z, kind of w) -> kind of the result. An infinity has an infinite
# part, whatever the other one is; a pair that is not here is not settled.
PRODUCTS = {
    ("infinity", "infinity"): "infinity",
    ("infinity", "finite"): "infinity",
    ("finite", "infinity"): "infinity",
}
QUOTIENTS = {
    ("infinity", "finite"): "infinity",
    ("infinity", "zero"): "infinity",
    ("finite", "infinity"): "zero",
    ("zero", "infinity"): "zero",
    ("finite", "zero"): "infinity",
}


def kind(re: float, im: float) -> str:
    if math.isinf(re) or math.isinf(im):
        return "infinity"
    if math.isnan(re) or math.isnan(im):
        return "nan"
    return "zero" if re == im == 0 else "finite"


def formula(z: tuple[float, float], w: tuple[float, float]) -> tuple[float, float]:
    """Product as eager forms it, in Python's numbers."""
    return z[0] * w[0] - z[1] * w[1], z[0] * w[1] + z[1] * w[0]


def operands(dtype: torch.dtype) -> tuple[Pair, Pair]:
    z, w = (
        Pair(*(torch.tensor([pair[i][part] for pair in PAIRS], dtype=dtype) for part in (0, 1)))
        for i in (0, 1)
    )
    return z, w


def listed(value: Pair) -> list[tuple[float, float]]:
    return list(zip(value.re.tolist(), value.im.tolist(), strict=True))


def same(a: float, b: float) -> bool:
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return a == b and math.copysign(1, a) == math.copysign(1, b)


each_dtype = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)


@each_dtype
def test_products_are_by_the_formula(dtype: torch.dtype) -> None:
    """Signs of zero included."""
    for (z, w), got in zip(PAIRS, listed(arithmetic.mul(*operands(dtype))), strict=True):
        want = formula(z, w)
        assert same(got[0], want[0]), (z, w, got, want)
        assert same(got[1], want[1]), (z, w, got, want)


@each_dtype
def test_products_deviate_from_annex_g_where_the_formula_has_only_nan(dtype: torch.dtype) -> None:
    deviations = 0
    for (z, w), got in zip(PAIRS, listed(arithmetic.mul(*operands(dtype))), strict=True):
        want = PRODUCTS.get((kind(*z), kind(*w)))
        lost = all(map(math.isnan, formula(z, w)))
        if want is not None:
            assert (kind(*got) == want) != lost, (z, w, got)
            deviations += lost
    assert deviations == 400


@each_dtype
def test_quotients_deviate_from_annex_g_where_the_product_does(dtype: torch.dtype) -> None:
    """Infinite over finite, where the product by the conjugate divisor has only NaN."""
    deviations = 0
    for (z, w), got in zip(PAIRS, listed(arithmetic.div(*operands(dtype))), strict=True):
        want = QUOTIENTS.get((kind(*z), kind(*w)))
        lost = want == "infinity" and all(map(math.isnan, formula(z, (w[0], -w[1]))))
        lost = lost and kind(*w) == "finite"
        if want is not None:
            assert (kind(*got) == want) != lost, (z, w, got)
            deviations += lost
    assert deviations == 80


@each_dtype
def test_quotients_are_eagers_but_for_infinite_divisors(dtype: torch.dtype) -> None:
    z, w = operands(dtype)
    eager = torch.complex(*z) / torch.complex(*w)
    theirs = listed(Pair(eager.real, eager.imag))
    for (a, b), got, want in zip(PAIRS, listed(arithmetic.div(z, w)), theirs, strict=True):
        if kind(*b) == "infinity" and kind(*want) == "nan" and kind(*a) in ("finite", "zero"):
            assert kind(*got) == "zero", (a, b, got)
        else:
            assert kind(*got) == kind(*want), (a, b, got, want)


# Where C23 leaves cpow open. (base, exponent) -> value; a word stands for values of its kind.
POWERS = [
    ("any", (0.0, 0.0), (1.0, 0.0)),
    ("zero", (2.0, 0.0), (0.0, 0.0)),
    ("zero", (0.5, 0.0), (0.0, 0.0)),
    ("zero", (1.5, 1.0), (0.0, 0.0)),
    ("zero", (-1.0, 0.0), (INF, NAN)),
    ("zero", (-1.5, 1.0), (INF, NAN)),
    ("zero", (0.0, 1.0), (NAN, NAN)),
]


@each_dtype
@pytest.mark.parametrize("tensor", [False, True], ids=["number", "tensor"])
@pytest.mark.parametrize(("word", "w", "want"), POWERS, ids=str)
def test_powers(
    word: str, w: tuple[float, float], want: tuple[float, float], tensor: bool, dtype: torch.dtype
) -> None:
    bases = [z for z in VALUES if word in ("any", kind(*z))]
    z = Pair(*(torch.tensor([base[part] for base in bases], dtype=dtype) for part in (0, 1)))
    number = w[0] if w[1] == 0 else Pair(*w)
    exponent = Pair(*(torch.full_like(z.re, part) for part in w)) if tensor else number
    for base, got in zip(bases, listed(power.pow(z, exponent)), strict=True):
        # The sign of a zero follows the base for integer exponents, and is free.
        assert same(abs(got[0]), abs(want[0])), (base, w, got)
        assert same(abs(got[1]), abs(want[1])), (base, w, got)


def test_compiled_products_and_quotients() -> None:
    """Bit for bit those of the rules, in the tail of the loop as well."""
    rules: list[Callable[[Pair, Pair], Pair]] = [arithmetic.mul, arithmetic.div]
    z, w = operands(torch.float32)
    want = [rule(z, w) for rule in rules]

    def both(z: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
        return z * w, z / w

    compiled = torch.compile(both, fullgraph=True, backend="inductor_complex", dynamic=False)
    # 15 elements are beyond the last whole vector of 16; rotation brings each pair there.
    order = torch.cat([torch.arange(len(PAIRS)), torch.arange(14)])
    assert len(order) % 16 == 15
    a, b = torch.complex(*z), torch.complex(*w)
    for start in range(0, len(PAIRS), 15):
        turn = order.roll(-start)
        for got, exact in zip(compiled(a[turn], b[turn]), want, strict=True):
            for part, value in zip((got.real, got.imag), exact, strict=True):
                value = value[turn]
                equal = (part == value) & (part.signbit() == value.signbit())
                assert (equal | (part.isnan() & value.isnan())).all()
