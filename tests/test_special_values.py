"""Signed zeros, infinities and NaN of every unary function: tables of C23 Annex G and our own."""

from __future__ import annotations

import math

import pytest
import torch

from torch_complex_subclass.testing import unary
from torch_complex_subclass.testing.annex_g import ANNEX_G
from torch_complex_subclass.testing.axis_limits import limits
from torch_complex_subclass.testing.own_values import OWN
from torch_complex_subclass.testing.special_rows import (
    Case,
    Part,
    cases,
    conjugate,
    mirror,
    negate,
)
from torch_complex_subclass.testing.special_values import (
    TABLES,
    both_parts,
    check,
    columns,
    fits,
    rule,
)

DTYPES = [torch.float32, torch.float64]
each_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=str)
FUNCTIONS = sorted(unary.rules_by_name())
NAN, INF = math.nan, math.inf

# The functions of complex.h that torch has; C23 has more, such as cproj.
IN_COMPLEX_H = {
    "abs", "acos", "acosh", "angle", "asin", "asinh", "atan", "atanh", "cos", "cosh", "exp",
    "log", "sin", "sinh", "sqrt", "tan", "tanh",
}  # fmt: skip


@each_dtype
@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_at_special_points(name: str, dtype: torch.dtype) -> None:
    listed = TABLES[name]
    check(name, listed, both_parts(rule(name)(*columns(listed, dtype))))


@each_dtype
@pytest.mark.parametrize("name", FUNCTIONS)
def test_signs_of_zero_on_the_axes(name: str, dtype: torch.dtype) -> None:
    """Both sides of every cut are among them."""
    listed = limits(name)
    check(name, listed, both_parts(rule(name)(*columns(listed, dtype))))


def test_every_function_has_one_table() -> None:
    assert set(ANNEX_G) == IN_COMPLEX_H
    assert not set(ANNEX_G) & set(OWN)
    assert set(TABLES) == set(FUNCTIONS)


SPECIAL = [0.0, -0.0, 1.0, -1.0, INF, -INF, NAN]
ANYWHERE = {f"{x} {y}" for x in SPECIAL for y in SPECIAL if not math.isfinite(x + y)}


@pytest.mark.parametrize("name", sorted(TABLES))
def test_tables_are_complete(name: str) -> None:
    """Every point with an infinite or NaN part, and the four zeros."""
    found = {f"{case.x} {case.y}" for case in TABLES[name]}
    missing = (ANYWHERE | {"0.0 0.0", "-0.0 0.0", "0.0 -0.0", "-0.0 -0.0"}) - found
    assert not missing, sorted(missing)


# ---------------------------------------------------------------- the instruments themselves

SYMMETRIES = {
    "conjugate": (conjugate, set(FUNCTIONS) - {"angle", "abs"}),
    "odd": (
        negate,
        {"asin", "asinh", "atan", "atanh", "sin", "sinh", "tan", "tanh", "sgn", "neg"},
    ),
    "even": (mirror, {"cos", "cosh", "sinc", "square", "abs"}),
}


@pytest.mark.parametrize("symmetry", SYMMETRIES)
def test_tables_have_the_symmetries(symmetry: str) -> None:
    """Of turned tables too, which state none."""
    turned, names = SYMMETRIES[symmetry]
    for name in names:
        table = {f"{case.x} {case.y}": case for case in TABLES[name]}
        for case in map(turned, TABLES[name]):
            same = table[f"{case.x} {case.y}"]
            for a, b in zip((case.re, case.im), (same.re, same.im), strict=True):
                assert fits(a.value, b, 0, 0.0), (name, case, same)


def test_rows_stand_for_several_points() -> None:
    (zero,) = cases("+0 nan : nan +-0", ())
    assert zero == Case(0.0, zero.y, zero.re, Part(0.0, signed=False))
    assert len(cases("+-0 +-inf : +inf nan", ())) == 4
    listed = {case.y: case.im.value for case in cases("-inf positive : 0*cos(y) 0*sin(2y)", ())}
    assert math.copysign(1, listed[1.0]) == 1
    assert math.copysign(1, listed[2.0]) == -1


def test_rows_that_disagree_are_refused() -> None:
    with pytest.raises(ValueError, match="two rows disagree"):
        cases("+0 +0 : 1 +0\n +-0 +0 : 1 -0", ())
    with pytest.raises(ValueError, match="two rows disagree"):
        cases("+0 +0 : 1 +0", (mirror, conjugate, negate))


def test_a_wrong_sign_or_part_does_not_fit() -> None:
    eps = torch.finfo(torch.float32).eps
    assert fits(0.0, Part(0.0), 4, eps)
    assert not fits(-0.0, Part(0.0), 4, eps)
    assert fits(-0.0, Part(0.0, signed=False), 4, eps)
    assert not fits(INF, Part(-INF), 4, eps)
    assert not fits(NAN, Part(1.0), 4, eps)
    assert not fits(1.0, Part(NAN), 4, eps)
    assert fits(1 + 4 * eps, Part(1.0), 4, eps)
    assert not fits(1 + 5 * eps, Part(1.0), 4, eps)


def test_a_wrong_value_fails() -> None:
    listed = TABLES["tanh"]
    re, im = (torch.tensor([getattr(case, part).value for case in listed]) for part in ("re", "im"))
    check("tanh", listed, (re, im))
    with pytest.raises(AssertionError, match="tanh"):
        check("tanh", listed, (re, -im))
