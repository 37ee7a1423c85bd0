"""Reported upstream: wrong values, promotion and refused ops, by pytorch issue number."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from torch_complex_subclass.testing.compare import Case
from torch_complex_subclass.testing.interpret import interpreted
from torch_complex_subclass.testing.normal import C64, C128, r, z


def added_reductions(a: Tensor) -> tuple[Tensor, ...]:
    return a.sum() + a.mean(), a.prod() + a.sum(), a.sum() - a[0, 0]


def added_scalar_tensors(x: Tensor) -> Tensor:
    s = torch.scalar_tensor(1 + 2j, dtype=C64)
    return s + s + x.sum()


def added_constant(a: Tensor) -> Tensor:
    one = torch.ones(1, dtype=C64)
    return (one + one) + a * 0


def constant_and_real(x: Tensor) -> Tensor:
    return torch.tensor([1 + 2j, 3 - 1j, 0.5j]) * x


def comparisons(a: Tensor, b: Tensor) -> tuple[Tensor, ...]:
    nan = torch.full_like(a, complex(0, float("nan")))
    return (
        torch.isclose(a, b),
        torch.isclose(a, a + 1e-9),
        torch.isclose(nan, nan),
        torch.isclose(nan, nan, equal_nan=True),
        torch.eq(a, b),
        a != b,
    )


def promoted(a: Tensor, x: Tensor, s: Tensor, t: Tensor) -> tuple[Tensor, ...]:
    return a * s, x * t, x + t, a.sum() * x.double(), s * t, x.sum() * a


def half_and_scalars(x: Tensor, y: Tensor) -> tuple[Tensor, ...]:
    return x * 2j, y * 1j, x + torch.tensor(1j)


def halves(h: Tensor) -> tuple[Tensor, ...]:
    return h * h, h + 1j, h.real, h.abs()


def indexing(a: Tensor, b: Tensor, mask: Tensor, index: Tensor) -> tuple[Tensor, ...]:
    return (
        torch.where(mask, a, b),
        a.masked_fill(mask, 1j),
        a.index_put((index,), b[:2], accumulate=True),
        a.scatter_add(0, index[:, None].expand(2, 4), b[:2]),
        a.gather(0, index[:, None].expand(2, 4)),
        torch.cat([a, b]),
        a.roll(1, 0),
        a.flip(1),
        F.pad(a, (1, 2)),
        a.index_select(1, index),
    )


def mathematics(a: Tensor) -> tuple[Tensor, ...]:
    return (
        a.cumprod(1),
        a.logcumsumexp(1),
        a.exp(),
        a.log(),
        a.pow(2.5),
        a**3,
        a.sqrt(),
        a.acos(),
        a.asin(),
        a.atan(),
        a.sinh(),
        a.atanh(),
        a.rsqrt(),
        a.sgn(),
    )


def large_phases(x: Tensor) -> Tensor:
    return torch.exp(1j * x * 1e4)


def reductions(a: Tensor) -> tuple[Tensor, ...]:
    return a.var(), a.std(1), a.mean(0), a.prod(1), a.var(1, correction=0), *torch.var_mean(a, 1)


def extremes(a: Tensor) -> tuple[Tensor, ...]:
    return a.abs(), 1 / a, a / a, a.log(), a.sqrt()


def differentiable_rest(a: Tensor) -> tuple[Tensor, ...]:
    spd = a @ a.mH + 3 * torch.eye(3)
    factor = torch.linalg.cholesky(spd)
    return a.sigmoid(), torch.linalg.det(a), *torch.var_mean(a), torch.cholesky_inverse(factor)


def angles_of_signed_zeros(x: Tensor, y: Tensor) -> Tensor:
    made = torch.zeros(2, dtype=C64)
    made[0] = complex(-0.0, 0.0)
    made[1] = complex(-0.0, -0.0)
    return torch.cat([torch.angle(made), torch.angle(torch.complex(x, y))])


def write_signed_zero(a: Tensor) -> Tensor:
    a[0] = complex(-0.0, 0.0)
    return torch.angle(a)


def constructors(x: Tensor, y: Tensor) -> tuple[Tensor, ...]:
    return torch.polar(x, y), torch.complex(x, y), torch.polar(x.abs(), y).log()


def documented_sample(a: Tensor) -> Tensor:
    return torch.sin(a) / torch.cos(a) + torch.atan(a)


SIGNED = torch.tensor([-0.0, -0.0, 0.0, -1.0, -1.0]), torch.tensor([0.0, -0.0, -0.0, 0.0, -0.0])
HUGE = torch.tensor([1e30 + 1e30j, -1e25 + 1e30j, 1e-30 + 1e-32j, 1e38 + 1e38j])
LARGE_REAL_PART = torch.tensor([100 + 1j, 88 + 0.1j, 45 - 3j, 5 + 7j])

CASES = {
    "105267": Case(lambda a: (a * a.conj()).real + a.imag, lambda: (z(3),)),
    "144029": Case(lambda a, b: torch.logaddexp(a, b), lambda: (z(5), z(5))),
    "160663": Case(added_reductions, lambda: (z(3, 4),)),
    "163984": Case(
        lambda a, b: (torch.linalg.solve(a, b), a.inverse() @ b, torch.matrix_exp(a)),
        lambda: (z(3, 3), z(3, 3)),
    ),
    "172073": Case(added_scalar_tensors, lambda: (r(3),)),
    "174891": Case(added_constant, lambda: (z(3),)),
    "190275": Case(
        lambda a: a.nan_to_num(),
        lambda: (torch.tensor([complex("nan+1j"), complex("inf-infj")], dtype=C128),),
        gradient=False,
    ),
    "191330": Case(constant_and_real, lambda: (r(2, 3),)),
    "192315": Case(constructors, lambda: (r(5), r(5))),
    "194061": Case(documented_sample, lambda: (z(5),)),
    "197586": Case(angles_of_signed_zeros, lambda: SIGNED, gradient=False),
    "197586_mutate": Case(write_signed_zero, lambda: (z(3),), gradient=False),
    "35487": Case(lambda a: a.to(torch.float32), lambda: (z(3),)),
    "4099_torch_xpu_ops": Case(
        half_and_scalars, lambda: (r(4).bfloat16(), r(4).half()), gradient=False
    ),
    "60159": Case(differentiable_rest, lambda: (z(3, 3, dtype=C128),)),
    "63571": Case(comparisons, lambda: (z(4), z(4)), gradient=False),
    "71680": Case(halves, lambda: (z(4).to(torch.complex32),), gradient=False),
    "76803": Case(
        promoted,
        lambda: (z(3), r(3), torch.tensor(2.0, dtype=torch.float64), torch.tensor(1j, dtype=C128)),
    ),
    "95484_extreme": Case(extremes, lambda: (HUGE,), gradient=False),
    "95484_index": Case(
        indexing,
        lambda: (z(3, 4), z(3, 4), r(3, 4) > 0, torch.tensor([2, 0])),
    ),
    "95484_math": Case(mathematics, lambda: (z(3, 4, dtype=C128),)),
    "95484_phases": Case(large_phases, lambda: (r(5),), gradient=False),
    "95484_reduce": Case(reductions, lambda: (z(3, 4),)),
    "95484_tanh": Case(lambda a: (a.tanh(), a.sigmoid()), lambda: (LARGE_REAL_PART,)),
    "98161": Case(lambda a, b: a + b, lambda: (z(3, dtype=C128), z(3, dtype=C128))),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore:Casting complex values to real:UserWarning")
def test_graph(name: str) -> None:
    CASES[name].check(interpreted, inference=False, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore:Casting complex values to real:UserWarning")
def test_inductor(name: str) -> None:
    CASES[name].check("inductor_complex", rtol=2e-5, atol=2e-5)


# Eager rounds each of the two gradients and their sum, Inductor the sum once.
@pytest.mark.parametrize(
    ("backend", "roundings"),
    [(interpreted, 3), ("inductor_complex", 1)],
)
def test_gradients_of_reduced_precision(backend: Any, roundings: int) -> None:
    compiled = torch.compile(half_and_scalars, fullgraph=True, backend=backend)
    x, y = r(64).bfloat16().requires_grad_(), r(64).half().requires_grad_()
    seeds = [z(64), z(64).to(torch.complex32), z(64)]
    found = torch.autograd.grad(compiled(x, y), (x, y), seeds)

    terms = torch.stack([2 * seeds[0].imag, seeds[2].real]).double()
    error = (found[0] - terms.sum(0)).abs()
    unit = torch.finfo(torch.bfloat16).eps / 2
    assert (error <= 1.001 * roundings * unit * terms.abs().sum(0)).all()
    torch.testing.assert_close(found[1], seeds[1].imag)
