"""Loops over complex values: which are fused, and that what they keep in between stays right."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import sympy
import torch
from torch import Tensor
from torch._inductor.codegen import cpp

import torch_complex_subclass as tcs
from torch_complex_subclass.inductor_lowering.scheduling import takes_rows_at_once
from torch_complex_subclass.testing.compare import assert_compiles
from torch_complex_subclass.testing.generated import generated_code


def kernel(*steps: int) -> Any:
    loops = [SimpleNamespace(steps=sympy.Integer(step)) for step in steps]
    return SimpleNamespace(loop_nest=SimpleNamespace(loops=loops))


@pytest.mark.parametrize(
    ("kernels", "depth", "several"),
    [
        ([kernel(1, 16)], 1, False),
        ([kernel(1, 16), kernel(16, 1)], 1, True),
        ([kernel(1, 16)], 2, True),
        ([SimpleNamespace(loop_nest=SimpleNamespace(loops=None))], 1, False),
    ],
)
def test_rows_taken_at_once(kernels: Any, depth: int, several: bool) -> None:
    assert takes_rows_at_once(kernels, depth) is several


def test_check_is_installed_and_restored() -> None:
    name = "check_outer_fusion_loop_level_attr"
    before = getattr(cpp.OuterLoopFusedSchedulerNode, name)
    with tcs.enabled():
        assert getattr(cpp.OuterLoopFusedSchedulerNode, name) is not before
    assert getattr(cpp.OuterLoopFusedSchedulerNode, name) is before


@pytest.mark.parametrize("stride", [2, 3])
def test_gradient_of_softmax_over_moduli(stride: int) -> None:
    def fn(x: Tensor) -> Tensor:
        weights = torch.complex(x[..., 0], x[..., 1]).abs().softmax(-1)
        return (weights * weights).sum()

    assert_compiles(fn, torch.randn(8, 256, stride), backend="inductor_complex")


def loops(fn: Any, *args: Any) -> int:
    """Loop nests in the generated C++."""
    return generated_code(fn, *args).count("for(int64_t x0")


def test_parts_that_read_nothing_in_common_are_written_in_one_loop() -> None:
    assert loops(torch.complex, torch.randn(64), torch.randn(64)) == 1


def test_parts_of_one_operand_are_read_in_one_loop() -> None:
    z = torch.randn(64, dtype=torch.complex64)
    assert loops(lambda z: (z.real * 2, z.imag * 3), z) == 1
