"""Frames that overlap are added by reading them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import torch_complex_subclass as tcs
from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.inductor_lowering.overlap_add import decomposition
from torch_complex_subclass.testing.compare import assert_compiles

aten = torch.ops.aten


def refused(*args: Any) -> Tensor:
    raise RuntimeError(f"left to Inductor: {args[1:]}")


unfold_backward = decomposition(refused)

# Sizes of the result, axis, length of a frame, distance of two frames.
OVERLAPS = [
    ((12,), 0, 4, 2),
    ((13,), 0, 4, 2),
    ((2, 19), 1, 7, 3),
    ((19, 2), -2, 7, 3),
    ((3, 5, 4), 1, 5, 1),
    ((4,), 0, 4, 1),
    ((2, 64), 1, 32, 2),
]


@pytest.mark.parametrize(("sizes", "dim", "size", "step"), OVERLAPS, ids=str)
def test_values_are_those_of_eager(sizes: tuple[int, ...], dim: int, size: int, step: int) -> None:
    grad = torch.randn(sizes).unfold(dim, size, step).contiguous()
    exact = aten.unfold_backward(grad, sizes, dim, size, step)
    found = unfold_backward(grad, list(sizes), dim, size, step)
    assert found.is_contiguous()
    torch.testing.assert_close(found, exact, rtol=0, atol=0)


def test_frames_of_one_signal_are_broadcast_to_all() -> None:
    grad = torch.randn(1, 5, 4)
    exact = aten.unfold_backward(grad.expand(3, 5, 4), (3, 12), 1, 4, 2)
    torch.testing.assert_close(unfold_backward(grad, [3, 12], 1, 4, 2), exact, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("sizes", "dim", "size", "step"),
    [((12,), 0, 3, 3), ((12,), 0, 2, 5), ((100,), 0, 34, 2), ((), 0, 1, 1)],
    ids=["side by side", "with gaps", "more than 16 over a number", "no dimension"],
)
def test_what_else_there_is_keeps_the_stock_form(
    sizes: tuple[int, ...], dim: int, size: int, step: int
) -> None:
    grad = torch.randn(sizes).unfold(dim, size, step) if sizes else torch.randn(1)
    with pytest.raises(RuntimeError, match="left to Inductor"):
        unfold_backward(grad, list(sizes), dim, size, step)


def masked(x: Tensor, window: Tensor, mask: Tensor) -> Tensor:
    n = window.shape[0]
    spectrum = torch.stft(x, n, n // 4, window=window, return_complex=True)
    return torch.istft(spectrum * mask, n, n // 4, window=window, length=x.shape[-1])


def operands() -> tuple[Tensor, Tensor, Tensor]:
    return torch.randn(2, 96), torch.hann_window(16), torch.randn(9, 25, dtype=torch.complex64)


def test_masked_transform_and_its_gradient() -> None:
    assert_compiles(masked, *operands(), backend="inductor_complex", rtol=1e-4, atol=1e-4)


def test_masked_transform_has_neither_atomic_additions_nor_addresses_in_its_vector_loops() -> None:
    from torch._inductor.utils import run_and_get_code

    with tcs.enabled(), compat.without_caches():
        _, code = run_and_get_code(torch.compile(masked, fullgraph=True), *operands())
    assert "atomic_add" not in code[0]
    # The signal is stored with its reflections, by the one loop that computes addresses.
    assert code[0].count("std::abs(") == 2
