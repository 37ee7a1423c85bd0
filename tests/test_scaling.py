"""Powers of two from exponent bits: exact, in range at every exponent, undone by their roots."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from torch_complex_subclass.decompositions.scaling import (
    SquareScale,
    edge_scale,
    is_infinite,
    modulus,
    scaled,
)

each_dtype = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)


def every_exponent(dtype: torch.dtype) -> Tensor:
    """Smallest, a middle and the largest number of each binade, and all powers below them."""
    fi = torch.finfo(dtype)
    powers = [2.0**k for k in range(-1074, 1024)]
    normal = torch.tensor([p for p in powers if fi.tiny <= p <= fi.max], dtype=dtype)
    subnormal = torch.tensor([p for p in powers if fi.tiny * fi.eps <= p < fi.tiny], dtype=dtype)
    return torch.cat([subnormal, normal, normal * 1.3, normal * (2 - fi.eps)])


def is_power_of_two(value: Tensor) -> bool:
    return bool((torch.frexp(value).mantissa == 0.5).all())


@each_dtype
def test_squares_are_in_range_at_every_exponent(dtype: torch.dtype) -> None:
    fi = torch.finfo(dtype)
    m = every_exponent(dtype)
    scale = SquareScale(m)
    product = m * scale.factor
    usual = (m >= fi.tiny) & (m <= fi.max / 2)
    assert ((product >= 0.5) & (product < 2))[usual].all()
    assert (product < 4).all()
    assert (product * product > fi.tiny).all()
    assert (scale.factor == 1)[(m >= 0.5) & (m < 2)].all()
    torch.testing.assert_close(product / scale.factor, m, rtol=0, atol=0)


@each_dtype
def test_factor_root_and_exponent_belong_together(dtype: torch.dtype) -> None:
    scale = SquareScale(every_exponent(dtype))
    factor = scale.factor
    assert is_power_of_two(factor)
    assert is_power_of_two(scale.unroot)
    assert (factor * scale.unroot * scale.unroot == 1).all()
    assert (torch.log2(factor) == scale.exponent).all()
    assert (scale.exponent % 2 == 0).all()


@each_dtype
def test_scale_is_that_of_the_larger_part_of_either_sign(dtype: torch.dtype) -> None:
    large, small = (
        torch.tensor([-3e9, 5e-9], dtype=dtype),
        torch.tensor([1e-30, -1e-31], dtype=dtype),
    )
    for x, y in ((large, small), (small, large)):
        sx, sy, scale = scaled(x, y)
        assert (scale.factor == SquareScale(large.abs()).factor).all()
        assert (sx == x * scale.factor).all()
        assert (sy == y * scale.factor).all()


@each_dtype
def test_edges_are_moved_and_nothing_else(dtype: torch.dtype) -> None:
    fi = torch.finfo(dtype)
    m = every_exponent(dtype)
    factor, inverse = edge_scale(m, torch.zeros_like(m))
    assert is_power_of_two(factor)
    assert (factor * inverse == 1).all()
    product = m * factor
    assert (product <= fi.max / 16).all()
    assert (product >= fi.tiny**0.5 * fi.eps).all()
    assert (factor == 1)[(m > 2 * fi.tiny**0.5) & (m < fi.max / 32)].all()


@each_dtype
def test_infinity_beside_anything(dtype: torch.dtype) -> None:
    inf, nan = torch.inf, torch.nan
    x = torch.tensor([inf, -inf, 1, nan, nan, 1, -0.0], dtype=dtype)
    y = torch.tensor([nan, 1, inf, -inf, 1, nan, 0.0], dtype=dtype)
    assert is_infinite(x, y).tolist() == [True] * 4 + [False] * 3
    torch.testing.assert_close(
        modulus(x, y),
        torch.tensor([inf] * 4 + [nan] * 2 + [0.0], dtype=dtype),
        equal_nan=True,
        rtol=0,
        atol=0,
    )
