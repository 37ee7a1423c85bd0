"""Every unary rule against mpmath, part by part and region by region, in ulp."""

from __future__ import annotations

from typing import Any

import mpmath
import pytest
import torch
from mpmath import mp
from torch import Tensor

from torch_complex_subclass.decompositions import TABLE, Kind, Rule
from torch_complex_subclass.testing import plane

DTYPES = [torch.float32, torch.float64]

RULES = [
    rule for rule in TABLE.values() if rule.kind is Kind.UNARY and not rule.op._schema.is_mutable
]

# Boolean results; tests of those ops compare them with eager.
PREDICATES = {"isinf", "isnan", "isfinite", "isposinf", "isneginf", "signbit"}

# (op, region): reason. A line that is no longer true fails.
MISSES_ITS_BOUND = {
    ("exp2", "everywhere"): "y ln 2 is not known to a fraction of a turn for |y| beyond 1/eps",
    ("exp2", "near_overflow"): "y ln 2 is not known to a fraction of a turn for |y| beyond 1/eps",
}


def referenced(rule: Rule) -> bool:
    return plane.op_name(rule) in plane.REFERENCES


def cases() -> list[Any]:
    found = []
    for rule in RULES:
        name = plane.op_name(rule)
        for region in plane.REGIONS if referenced(rule) else ():
            reason = MISSES_ITS_BOUND.get((name, region))
            marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
            found.append(pytest.param(rule, region, marks=marks, id=f"{name}-{region}"))
    return found


def check(rule: Rule, region: str, dtype: torch.dtype, got: list[Tensor], how: str) -> None:
    name = plane.op_name(rule)
    want = plane.reference(name, region, dtype)
    unit = plane.normwise_unit(want, dtype) if rule.normwise else None
    assert rule.max_ulp is not None
    assert len(got) == len(want)
    for part, a, b in zip(("re", "im"), got, want, strict=False):
        assert a.dtype == dtype
        label = f"{how} {name} on {region} in {dtype}"
        at = plane.samples(region, dtype)
        plane.assert_ulp(a, b, rule.max_ulp, at=at, part=part, label=label, unit=unit)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(("rule", "region"), cases())
def test_within_stated_ulp(rule: Rule, region: str, dtype: torch.dtype) -> None:
    assert rule.fn is not None
    check(rule, region, dtype, plane.parts_of(rule.fn(*plane.samples(region, dtype))), "eager rule")


@pytest.mark.parametrize("rule", RULES, ids=plane.op_name)
def test_has_a_reference(rule: Rule) -> None:
    name = plane.op_name(rule)
    assert referenced(rule) or name in PREDICATES, f"plane.REFERENCES lacks {name}"


def test_named_misses_exist() -> None:
    names = {plane.op_name(rule) for rule in RULES}
    for name, region in MISSES_ITS_BOUND:
        assert name in names
        assert region in plane.REGIONS


COMPILED = [
    "exp",
    "expm1",
    "log",
    "log1p",
    "sqrt",
    "cosh",
    "tanh",
    "asin",
    "atanh",
    "sigmoid",
    "sinc",
    "reciprocal",
]
COMPILED_REGIONS = ("unit", "near_zero", "unit_circle", "shifted_circle", "poles", "exp_range")


def test_compiled_within_stated_ulp() -> None:
    """One compiled function for all rules. Lengths differ so that each rule is its own kernel."""
    rules = [plane.rules_by_name()[name] for name in COMPILED]
    regions = [plane.samples(region, torch.float32) for region in COMPILED_REGIONS]
    x, y = (torch.cat([region[part] for region in regions]) for part in (0, 1))

    def every(x: Tensor, y: Tensor) -> list[Any]:
        functions = [rule.fn for rule in rules if rule.fn is not None]
        return [fn(x.repeat(n), y.repeat(n)) for n, fn in enumerate(functions, 1)]

    torch._dynamo.reset()
    results = torch.compile(every, fullgraph=True)(x, y)
    for rule, result in zip(rules, results, strict=True):
        parts = [part[: len(x)].chunk(len(COMPILED_REGIONS)) for part in result]
        for region, *chunk in zip(COMPILED_REGIONS, *parts, strict=True):
            check(rule, region, torch.float32, chunk, "compiled rule")


# ---------------------------------------------------------------- the instruments themselves


def test_references_agree_with_mpmath() -> None:
    """The formulas of plane.REFERENCES are ours; mpmath's own functions check them."""
    points = [(0.3, 0.7), (-1.4, 0.2), (2.5, 1.5), (-0.6, 1.9), (1e-3, 1e-3)]
    own = {
        "sinc": mp.sincpi,
        "log2": lambda z: mp.log(z) / mp.ln2,
        "exp2": lambda z: mp.mpf(2) ** z,
    }
    own |= {"log1p": lambda z: mp.log(1 + z), "rsqrt": lambda z: 1 / mp.sqrt(z)}
    own |= {"sigmoid": lambda z: 1 / (1 + mp.exp(-z)), "silu": lambda z: z / (1 + mp.exp(-z))}
    own |= {"reciprocal": lambda z: 1 / z, "square": lambda z: z * z, "abs": abs}
    own |= {"expm1": lambda z: mp.exp(z) - 1, "sgn": mp.sign, "neg": lambda z: -z}
    own |= {"positive": lambda z: z, "_neg_view_copy": lambda z: -z}
    own |= dict.fromkeys(("_conj", "_conj_copy", "_conj_physical", "conj_physical"), mp.conj)
    with mpmath.workprec(120):
        for name, fn in plane.REFERENCES.items():
            theirs = own.get(name) or getattr(mp, {"angle": "arg"}.get(name, name))
            for x, y in points:
                re, im = fn(mp.mpf(x), mp.mpf(y))
                want = mp.mpc(theirs(mp.mpc(x, y)))
                got = mp.mpc(im if name == "angle" else re, 0 if name == "angle" else im)
                assert abs(got - want) <= mp.mpf(2) ** -100 * abs(want), (name, x, y)


def test_ulp_distance() -> None:
    one = torch.tensor([1.0])
    zero = torch.zeros(1, dtype=torch.float64)
    next_up = torch.nextafter(one, torch.tensor([2.0]))
    top = torch.tensor([torch.finfo(torch.float32).max])
    inf = torch.tensor([torch.inf])
    assert plane.ulp_error(next_up, (one.double(), zero)) == 1
    assert plane.ulp_error(inf, (top.double(), zero)) == 1
    assert plane.ulp_error(inf, (top.double() * 4, zero)) == 0
    assert plane.ulp_error(-inf, (top.double(), zero)) > 1e7
    assert plane.ulp_error(torch.tensor([torch.nan]), (one.double(), zero)) == torch.inf
    assert plane.ulp_error(torch.tensor([1e-45]), (zero, zero)) == 1


def test_failure_names_the_worst_point() -> None:
    x = torch.tensor([1.0, 2.0])
    want = (x.double(), torch.zeros(2, dtype=torch.float64))
    got = torch.tensor([1.0, 2.5])
    with pytest.raises(AssertionError, match=r"op on unit: re is 2\.097e\+06 ulp off, .*x=2\.0"):
        plane.assert_ulp(got, want, 4, at=(x, x), part="re", label="op on unit")
