"""complex32 computes in float32 and rounds once: half an ulp of half, and the bound in float32."""

from __future__ import annotations

import functools
from typing import Any

import pytest
import torch
from torch import Tensor

from torch_complex_subclass import ComplexTensor
from torch_complex_subclass.decompositions.registry import Pair
from torch_complex_subclass.testing import plane, ulp
from torch_complex_subclass.testing.interpret import interpreted
from torch_complex_subclass.testing.operations import Exact, Operation, operations

HALF, SINGLE = torch.float16, torch.float32
REGIONS = ("unit", "moderate", "unit_circle", "axes", "near_axes")
COMPILED = ["exp", "log", "sqrt", "reciprocal", "mul", "div"]

# Conjugation and negation round nothing; powers have bounds that depend on the operands.
NAMES = [name for name in operations() if not name.startswith(("_conj", "conj", "_neg", "pow"))]


@functools.cache
def operands(name: str) -> tuple[Pair, ...]:
    """Points that half precision holds, as float32."""
    found = []
    for k in range(operations()[name].count):
        regions = REGIONS[k:] + REGIONS[:k]
        pools = [plane.samples(region, SINGLE) for region in regions]
        x, y = (torch.cat([pool[part] for pool in pools]).half().float() for part in (0, 1))
        found.append(Pair(x, y))
    keep = functools.reduce(torch.logical_and, [(z.re != 0) | (z.im != 0) for z in found])
    return tuple(Pair(z.re[keep], z.im[keep]) for z in found)


@functools.cache
def exact(name: str) -> Exact:
    return operations()[name].exact(operands(name))


def half_tensors(name: str) -> list[ComplexTensor]:
    return [ComplexTensor(z.re.half(), z.im.half()) for z in operands(name)]


def parts(result: Any) -> list[Tensor]:
    return [result.real, result.imag] if result.is_complex() else [result]


def check(operation: Operation, got: list[Tensor], how: str) -> None:
    """No part is further off than rounding to half and the bound of the rule in float32."""
    want = exact(operation.name)
    slack = operation.bound(operands(operation.name))
    for name, value, (head, rest) in zip(("re", "im"), got, want.parts, strict=False):
        assert value.dtype == HALF
        single = operation.unit(want, SINGLE)
        single = ulp.ulp(head, SINGLE) if single is None else single
        bound = 0.5 + slack * single / ulp.ulp(head, HALF)
        error = ulp.ulp_error(value, (head, rest))
        excess = torch.where(head.abs() <= torch.finfo(HALF).max, error - bound, 0.0)
        at = int(excess.argmax())
        assert excess[at] <= 0, (
            f"{how} {operation.name}: {name} is {error[at]} ulp off, bound {bound[at]}, at "
            f"{[(z.re[at].item(), z.im[at].item()) for z in operands(operation.name)]}"
        )


@pytest.mark.parametrize("name", NAMES)
def test_rounded_once(name: str) -> None:
    operation = operations()[name]
    result = operation.eager(*half_tensors(name))
    assert isinstance(result, ComplexTensor) == (name not in ("abs", "angle"))
    check(operation, parts(result), "eager")


CASES = [(name, interpreted) for name in NAMES] + [(name, "inductor_complex") for name in COMPILED]


@pytest.mark.parametrize(
    ("name", "backend"), CASES, ids=lambda value: getattr(value, "__name__", value)
)
def test_rounded_once_in_compiled_code(name: str, backend: Any) -> None:
    function = operations()[name].eager
    plain = [torch.view_as_complex(torch.stack(z, -1).half()) for z in operands(name)]

    def call(*values: Tensor) -> Tensor:
        return function(*values)

    result = torch.compile(call, fullgraph=True, backend=backend)(*plain)
    check(operations()[name], parts(result), "compiled")


def test_rounding_twice_is_noticed() -> None:
    """A square root of a rounded square is no modulus rounded once."""
    z = operands("abs")[0]
    twice = (z.re.half() * z.re.half() + z.im.half() * z.im.half()).sqrt()
    with pytest.raises(AssertionError, match="abs: re is"):
        check(operations()["abs"], [twice], "careless")
