"""Every mode of `torch.compile`, the C++ wrapper, freezing and autotuned products."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._inductor import config, list_mode_options

import torch_complex_subclass as tcs
from torch_complex_subclass.testing.compare import assert_compiles


class Network(nn.Module):
    """A complex layer, a library transform and a real layer behind a modulus."""

    def __init__(self, dtype: torch.dtype = torch.complex64) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(8, 8, dtype=dtype))
        self.shift = nn.Parameter(torch.randn(8, dtype=dtype))
        self.linear = nn.Linear(8, 8, dtype=self.weight.real.dtype)

    def forward(self, z: Tensor) -> tuple[Tensor, ...]:
        y = (z @ self.weight + self.shift) * (1 + 2j)
        return self.linear((y / 8).tanh().abs()), torch.fft.fft(y).conj(), y.sum()


def check(fn: Any, *args: Tensor, gradient: bool = True, **options: Any) -> None:
    with tcs.enabled(), config.patch(options):
        assert_compiles(fn, *args, backend="inductor", gradient=gradient)


def number(*shape: int, dtype: torch.dtype = torch.complex64) -> Tensor:
    return torch.randn(shape, dtype=dtype)


@pytest.mark.parametrize("mode", sorted(list_mode_options()))
def test_mode(mode: str) -> None:
    check(Network(), number(4, 8), **list_mode_options(mode))


def test_freezing() -> None:
    network = Network().eval()
    with torch.no_grad():
        check(network, number(4, 8), gradient=False, freezing=True)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=str)
def test_cpp_wrapper_117370(dtype: torch.dtype) -> None:
    check(Network(dtype), number(4, 8, dtype=dtype), cpp_wrapper=True)


@pytest.mark.slow
def test_cpp_wrapper_of_half_117370() -> None:
    z = number(16).to(torch.complex32)
    check(lambda t: t * 0.5 + 1j, z, cpp_wrapper=True, gradient=False)


@pytest.mark.slow
def test_frozen_with_cpp_wrapper() -> None:
    with torch.no_grad():
        check(Network().eval(), number(4, 8), gradient=False, freezing=True, cpp_wrapper=True)


def attention(q: Tensor, k: Tensor, v: Tensor, freqs: Tensor) -> Tensor:
    def rotate(x: Tensor) -> Tensor:
        z = torch.view_as_complex(x.unflatten(-1, (-1, 2)))
        return torch.view_as_real(z * freqs).flatten(-2)

    return torch.softmax(rotate(q) @ rotate(k).mT, -1) @ v


@pytest.mark.slow
def test_autotuned_products_beside_a_rotation_185405() -> None:
    operands = [torch.randn(2, 2, 16, 8) for _ in range(3)]
    products = {"max_autotune": True, "max_autotune_gemm_backends": "CPP,ATEN"}
    check(attention, *operands, torch.polar(torch.ones(16, 4), torch.randn(16, 4)), **products)
