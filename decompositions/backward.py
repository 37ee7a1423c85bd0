"""Ops that occur only in backward formulas."""

from __future__ import annotations

import torch
from torch import Tensor

from torch_complex_subclass.decompositions.arithmetic import add, mul, sub
from torch_complex_subclass.decompositions.operands import as_pair
from torch_complex_subclass.decompositions.registry import (
    Operand,
    Pair,
    componentwise,
    elementwise,
)

aten = torch.ops.aten

# Scatters a gradient into zeros.
componentwise(
    aten.diagonal_backward.default,
    aten.masked_scatter_backward.default,
    aten.select_backward.default,
    aten.slice_backward.default,
    data=("grad_output", "grad"),
)
# The same, where several elements may meet in one.
componentwise(
    aten.index_select_backward.default,
    aten.unfold_backward.default,
    data=("grad", "grad_in"),
    sums=True,
)
componentwise(
    aten.reflection_pad1d_backward.default,
    aten.reflection_pad2d_backward.default,
    aten.reflection_pad3d_backward.default,
    aten.replication_pad1d_backward.default,
    aten.replication_pad2d_backward.default,
    aten.replication_pad3d_backward.default,
    data=("grad_output", "self"),
    sums=True,
)
componentwise(
    aten.reflection_pad1d.default,
    aten.reflection_pad2d.default,
    aten.reflection_pad3d.default,
    aten.replication_pad1d.default,
    aten.replication_pad2d.default,
    aten.replication_pad3d.default,
)


def _conj(z: Operand) -> Pair:
    re, im = as_pair(z)
    return Pair(re, -im if isinstance(im, Tensor) else im)


@elementwise(aten.tanh_backward.default, data=("grad_output", "output"))
def tanh_backward(grad: Operand, output: Operand) -> Pair:
    """Gradient grad * conj((1 - output) * (1 + output)).

    The factor 1 - output is exact near 1, where 1 - output^2 would add the rounding of the square.
    What output lost when it was rounded to 1 is lost, as in the real function.
    """
    return mul(grad, _conj(mul(sub(1.0, output), add(1.0, output))))


@elementwise(aten.sigmoid_backward.default, data=("grad_output", "output"))
def sigmoid_backward(grad: Operand, output: Operand) -> Pair:
    """Gradient grad * conj((1 - output) * output)."""
    return mul(grad, _conj(mul(sub(1.0, output), output)))
