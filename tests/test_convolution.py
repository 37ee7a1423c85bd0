"""Convolutions in bcomplex32, against those of complex128."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import torch_complex_subclass as tcs
from torch_complex_subclass import bcomplex32

WIDE, EXACT = torch.complex64, torch.complex128

# Function, shapes of input, weight and bias, options.
CASES: dict[str, tuple[Callable[..., Tensor], list[tuple[int, ...]], dict[str, Any]]] = {
    "1d": (F.conv1d, [(2, 3, 9), (4, 3, 3), (4,)], {"padding": "same"}),
    "no batch": (F.conv1d, [(3, 9), (4, 3, 3), (4,)], {"stride": 2}),
    "2d": (F.conv2d, [(2, 3, 8, 7), (5, 3, 3, 2), (5,)], {"padding": 1, "dilation": 2}),
    "groups": (F.conv2d, [(2, 4, 6, 6), (6, 2, 3, 3), (6,)], {"groups": 2}),
    "depthwise": (F.conv2d, [(2, 4, 6, 6), (4, 1, 3, 3)], {"groups": 4}),
    "3d": (F.conv3d, [(1, 2, 4, 4, 4), (3, 2, 2, 2, 2), (3,)], {}),
    "transposed 1d": (F.conv_transpose1d, [(2, 3, 5), (3, 4, 3), (4,)], {"stride": 2}),
    "transposed groups": (
        F.conv_transpose2d,
        [(2, 4, 5, 5), (4, 3, 3, 3), (6,)],
        {"groups": 2, "stride": 2, "output_padding": 1},
    ),
}


def operands(shapes: list[tuple[int, ...]]) -> list[Tensor]:
    """Leaves that bcomplex32 represents, so that only the result and the gradients round."""
    made = [tcs.randn(shape, dtype=bcomplex32).to_complex() for shape in shapes]
    return [t.requires_grad_() for t in made]


def assert_near(found: Tensor, wanted: Tensor, ulps: float) -> None:
    atol = ulps * 2**-8 * wanted.abs().max().item()
    torch.testing.assert_close(found.to(EXACT), wanted, rtol=0, atol=atol)


@pytest.mark.parametrize("name", CASES)
def test_value_and_gradients(name: str) -> None:
    fn, shapes, options = CASES[name]
    tensors = operands(shapes)
    exact = [t.detach().to(EXACT).requires_grad_() for t in tensors]
    with tcs.autocast("cpu"):
        found = fn(*tensors, **options)
    wanted = fn(*exact, **options)
    assert tcs.dtype_of(found) is bcomplex32
    assert_near(found.to_complex(), wanted, 1.01)  # rounded once, but for float32's own roundings
    weights = tcs.randn_like(found).to_complex()
    gradients = torch.autograd.grad(found, tensors, tcs.to_bcomplex32(weights))
    for ours, theirs in zip(
        gradients, torch.autograd.grad(wanted, exact, weights.to(EXACT)), strict=True
    ):
        assert ours.dtype == WIDE
        assert_near(ours, theirs, 2)


def test_positional_arguments() -> None:
    z, w = tcs.randn(1, 4, 6, dtype=WIDE), tcs.randn(4, 2, 3, dtype=WIDE)
    with tcs.autocast("cpu"):
        by_position = F.conv1d(z, w, None, 2, 1, 1, 2)
        by_name = F.conv1d(input=z, weight=w, stride=2, padding=1, groups=2)
    assert torch.equal(by_position, by_name)


def test_modules() -> None:
    """Their parameters stay in complex64, and get gradients in it."""
    net = torch.nn.Sequential(
        torch.nn.Conv2d(2, 4, 3, padding=1, padding_mode="circular", dtype=WIDE),
        torch.nn.ConvTranspose2d(4, 2, 3, dtype=WIDE),
    )
    with tcs.autocast("cpu"):
        net(torch.randn(1, 2, 6, 6, dtype=WIDE)).abs().sum().backward()
    assert all(p.grad is not None and p.grad.dtype == WIDE for p in net.parameters())


def test_real_operand() -> None:
    with tcs.autocast("cpu"), pytest.raises(TypeError, match="expected a complex tensor"):
        F.conv1d(torch.randn(1, 2, 5, dtype=WIDE), torch.randn(2, 2, 3))
