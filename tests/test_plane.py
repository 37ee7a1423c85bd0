"""Every unary rule against mpmath, part by part and region by region, in ulp."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from torch_complex_subclass.decompositions import TABLE, Kind, Rule
from torch_complex_subclass.testing import exact, plane, ulp, unary
from torch_complex_subclass.testing.references import REFERENCES

DTYPES = [torch.float32, torch.float64]

RULES = [
    rule for rule in TABLE.values() if rule.kind is Kind.UNARY and not rule.op._schema.is_mutable
]

# Boolean results; tests of those ops compare them with eager.
PREDICATES = {"isinf", "isnan", "isfinite", "isposinf", "isneginf", "signbit"}


def referenced(rule: Rule) -> bool:
    return unary.op_name(rule) in REFERENCES


REFERENCED = list(filter(referenced, RULES))


def cases() -> list[Any]:
    found = []
    for rule in REFERENCED:
        name = unary.op_name(rule)
        for region in plane.regions(name):
            found.append(pytest.param(rule, region, id=f"{name}-{region}"))
    return found


def check(rule: Rule, region: str, got: list[Tensor], how: str, n: int = 64) -> None:
    name, dtype = unary.op_name(rule), got[0].dtype
    want = exact.reference(name, region, dtype, n)
    unit = ulp.normwise_unit(want, dtype) if rule.normwise else None
    assert rule.max_ulp is not None
    assert len(got) == len(want)
    for part, a, b in zip(("re", "im"), got, want, strict=False):
        assert a.dtype == dtype
        label = f"{how} {name} on {region} in {dtype}"
        at = plane.samples(region, dtype, n, name)
        ulp.assert_ulp(a, b, rule.max_ulp, at=at, part=part, label=label, unit=unit)


def check_eager(rule: Rule, region: str, dtype: torch.dtype, n: int = 64) -> None:
    assert rule.fn is not None
    got = rule.fn(*plane.samples(region, dtype, n, unary.op_name(rule)))
    check(rule, region, unary.parts_of(got), "eager rule", n)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(("rule", "region"), cases())
def test_within_stated_ulp(rule: Rule, region: str, dtype: torch.dtype) -> None:
    check_eager(rule, region, dtype)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("rule", REFERENCED, ids=unary.op_name)
def test_within_stated_ulp_at_many_points(rule: Rule, dtype: torch.dtype) -> None:
    name = unary.op_name(rule)
    assert len(plane.regions(name)) * plane.MANY >= 20_000
    for region in plane.regions(name):
        check_eager(rule, region, dtype, plane.MANY)


@pytest.mark.parametrize("rule", RULES, ids=unary.op_name)
def test_has_a_reference(rule: Rule) -> None:
    name = unary.op_name(rule)
    assert referenced(rule) or name in PREDICATES, f"REFERENCES lacks {name}"


# ---------------------------------------------------------------- compiled


def check_compiled(rules: list[Rule], dtype: torch.dtype, n: int) -> None:
    """One compiled function for all rules. Lengths differ so that each rule is its own kernel."""
    inputs = []
    for times, rule in enumerate(rules, 1):
        name = unary.op_name(rule)
        drawn = [plane.samples(region, dtype, n, name) for region in plane.regions(name)]
        x, y = (torch.cat([xy[i] for xy in drawn]).repeat(times) for i in (0, 1))
        inputs.append(torch.complex(x, y))

    def every(inputs: list[Tensor]) -> list[Tensor]:
        return [rule.op(z) for rule, z in zip(rules, inputs, strict=True)]

    torch._dynamo.reset()
    results = torch.compile(every, fullgraph=True, backend="inductor_complex")(inputs)
    for rule, result in zip(rules, results, strict=True):
        name = unary.op_name(rule)
        split = [part[: len(plane.regions(name)) * n].split(n) for part in unary.parts_of(result)]
        for region, *parts in zip(plane.regions(name), *split, strict=True):
            check(rule, region, parts, "compiled", n)


def groups() -> list[Any]:
    """Rules to compile together: those of one file."""
    found: dict[str, list[Rule]] = {}
    for rule in REFERENCED:
        found.setdefault(Path(rule.location.rsplit(":", 1)[0]).stem, []).append(rule)
    return [pytest.param(rules, id=name) for name, rules in found.items()]


@pytest.mark.parametrize("n", [64, pytest.param(plane.MANY, marks=pytest.mark.slow)])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("rules", groups())
def test_compiled_within_stated_ulp(rules: list[Rule], dtype: torch.dtype, n: int) -> None:
    check_compiled(rules, dtype, n)
