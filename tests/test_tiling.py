"""Which loops become loops over vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._inductor.codegen import cpp
from torch._inductor.utils import run_and_get_code

import torch_complex_subclass as tcs

THRESHOLD = getattr(getattr(cpp, "KernelOpStats", None), "OVERHEAD_RATIO_THRESHOLD", None)


def vortices(points: Tensor, centers: Tensor, charges: Tensor) -> Tensor:
    """Coordinates lie in rows of three, so most operands have stride three."""
    offset = points[:, None, :] - centers
    theta = torch.atan2(offset[..., 1], offset[..., 0])
    core = torch.tanh(torch.linalg.vector_norm(offset, dim=-1) / 0.1)
    return (core * torch.exp(1j * charges * theta)).prod(dim=-1)


def code_of(fn: Callable[..., Any], *args: Tensor) -> str:
    """Compile afresh, compare with eager, and return the generated code."""
    torch._dynamo.reset()
    got, code = run_and_get_code(torch.compile(fn, fullgraph=True), *args)
    torch.testing.assert_close(got, fn(*args))
    return "".join(code)


POINTS, CENTERS, CHARGES = torch.randn(64, 3), torch.randn(10, 3), torch.ones(10)


@pytest.mark.skipif(
    THRESHOLD is None, reason="before torch 2.13 the threshold is no name that can be changed"
)
def test_slow_functions_are_vectors_whatever_the_strides() -> None:
    with tcs.enabled():
        code = code_of(vortices, POINTS, CENTERS, CHARGES)
    assert "std::tanh" not in code
    assert "std::atan2" not in code
    assert cpp.KernelOpStats.OVERHEAD_RATIO_THRESHOLD == THRESHOLD


def test_real_programs_are_left_to_the_heuristic_of_inductor() -> None:
    def angles(points: Tensor, centers: Tensor) -> Tensor:
        offset = points[:, None, :] - centers
        return torch.atan2(offset[..., 1], offset[..., 0])

    stock = code_of(angles, POINTS, CENTERS)
    with tcs.enabled():
        ours = code_of(angles, POINTS, CENTERS)
    assert stock.count("std::atan2") == ours.count("std::atan2")
