"""Squares of moduli and their gradients: which graphs lose the root, and what they compute."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, fx
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx

import torch_complex_subclass as tcs
from torch_complex_subclass.testing.interpret import interpreted, rewritten

Loss = Callable[[Tensor], Tensor]

WITHOUT_ROOT: dict[str, Loss] = {
    "power": lambda z: (z.abs() ** 2).sum(),
    "square": lambda z: (z - 1).abs().square().mean(),
    "product": lambda z: (z.abs() * z.abs()).sum(),
    "scaled": lambda z: ((3 * z.abs().pow(2.0)).neg().exp() * 2).sum(),
    "weighted": lambda z: (z.real.detach() * z.abs() ** 2 / 5).sum(),
    "intensity of intensity": lambda z: ((z.abs() ** 2) ** 2).sum(),
}
WITH_ROOT: dict[str, Loss] = {
    "modulus": lambda z: z.abs().sum(),
    "third power": lambda z: (z.abs() ** 3).sum(),
    "two moduli": lambda z: (z.abs() * (z + 1).abs()).sum(),
}


def step(loss: Loss) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """The loss and its gradient, as one function."""

    def both(z: Tensor) -> tuple[Tensor, Tensor]:
        z = z.detach().requires_grad_()
        value = loss(z)
        (gradient,) = torch.autograd.grad(value, z)
        return value.detach(), gradient

    return both


def text(fn: Callable[..., Any], *args: Tensor) -> str:
    with FakeTensorMode() as mode:
        module: fx.GraphModule = make_fx(fn)(*map(mode.from_tensor, args))
    with tcs.enabled():
        return rewritten(module)


@pytest.mark.parametrize("name", WITHOUT_ROOT)
def test_neither_square_nor_gradient_takes_a_root(name: str) -> None:
    assert "sqrt" not in text(step(WITHOUT_ROOT[name]), torch.zeros(3, 4, dtype=torch.complex64))


@pytest.mark.parametrize("name", WITH_ROOT)
def test_other_functions_of_moduli_keep_it(name: str) -> None:
    assert "sqrt" in text(step(WITH_ROOT[name]), torch.zeros(3, 4, dtype=torch.complex64))


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=str)
@pytest.mark.parametrize("name", [*WITHOUT_ROOT, *WITH_ROOT])
def test_values_and_gradients(name: str, dtype: torch.dtype) -> None:
    loss = {**WITHOUT_ROOT, **WITH_ROOT}[name]
    z = torch.randn(5, 7, dtype=dtype)
    z[0, 0] = 0
    given, wide = z.clone().requires_grad_(), z.to(torch.complex128).requires_grad_()
    value, want = torch.compile(loss, backend=interpreted, fullgraph=True)(given), loss(wide)
    value.backward()
    want.backward()
    bound = 16 * torch.finfo(dtype).eps
    torch.testing.assert_close(value.double(), want, rtol=bound, atol=0)
    assert given.grad is not None
    assert wide.grad is not None
    found = given.grad.to(torch.complex128)
    torch.testing.assert_close(found, wide.grad, rtol=bound, atol=bound)


def test_what_the_modulus_gives_for_parts_that_are_not_finite() -> None:
    inf, nan = math.inf, math.nan
    parts = [(inf, nan), (nan, -inf), (inf, 1.0), (nan, 1.0), (1e30, 1.0), (1e-30, 0.0)]
    z = torch.tensor([complex(*part) for part in parts], dtype=torch.complex64)
    found = torch.compile(lambda z: z.abs() ** 2, backend=interpreted)(z)
    expected = torch.tensor([inf, inf, inf, nan, inf, 0.0])
    torch.testing.assert_close(found, expected, rtol=0, atol=0, equal_nan=True)
    torch.testing.assert_close(found, z.abs() ** 2, rtol=0, atol=0, equal_nan=True)


def test_halves_are_rounded_as_the_program_says() -> None:
    assert "sqrt" in text(lambda z: z.abs() ** 2, torch.zeros(3, dtype=torch.complex32))


def test_strides_of_a_gradient_are_those_of_eager() -> None:
    gradients = []
    loss = WITHOUT_ROOT["power"]
    for fn in (loss, torch.compile(loss, backend=interpreted)):
        z = torch.randn(6, 4, dtype=torch.complex64).mT.requires_grad_()
        fn(z).backward()
        assert z.grad is not None
        gradients.append(z.grad.stride())
    assert gradients == [(1, 4), (1, 4)]


def test_the_order_of_a_product_is_kept() -> None:
    def large(z: Tensor, g: Tensor) -> Tensor:
        return z.abs() * g * g * z.sgn()

    def small(z: Tensor, g: Tensor) -> Tensor:
        return z.abs() * 1e-30 * 1e-30 * z.sgn() * g

    zero, top = torch.zeros(2, dtype=torch.complex64), torch.full((2,), 1e38, dtype=torch.complex64)
    found = torch.compile(large, backend=interpreted)(zero, torch.full((2,), 1e30))
    assert torch.equal(found, zero)
    found = torch.compile(small, backend=interpreted)(top, torch.ones(2))
    torch.testing.assert_close(found, torch.full_like(top, 1e-22), rtol=1e-5, atol=0)


def test_a_product_of_modulus_and_phase_is_a_new_value() -> None:
    z = torch.ones(2, dtype=torch.complex64)
    found = torch.compile(lambda z: z.abs() * z.sgn(), backend=interpreted)(z)
    found.add_(1)
    assert torch.equal(z, torch.ones_like(z))


def test_sizes_that_data_decide() -> None:
    def spread(z: Tensor, x: Tensor) -> Tensor:
        return z.sgn() * x.nonzero()[:, 0].float()

    z, x = torch.full((1,), 2j, dtype=torch.complex64), torch.tensor([0.0, 1.0, 1.0])
    with torch._dynamo.config.patch(capture_dynamic_output_shape_ops=True):
        found = torch.compile(spread, backend=interpreted, fullgraph=True)(z, x)
    assert torch.equal(found, torch.tensor([1j, 2j], dtype=torch.complex64))
