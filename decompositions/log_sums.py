"""Logarithms of sums of exponentials."""

from __future__ import annotations

import torch

from torch_complex_subclass.decompositions.exponential import exp, log1p
from torch_complex_subclass.decompositions.operands import as_pair
from torch_complex_subclass.decompositions.registry import Operand, Pair, elementwise

aten = torch.ops.aten


@elementwise(aten.logaddexp.default, max_ulp=8, normwise=True)
def logaddexp(z: Operand, w: Operand) -> Pair:
    """Logarithm of exp(z) + exp(w); imaginary part not reduced to [-pi, pi].

    The operand of larger real part plus log1p(exp(difference)): neither exponential overflows.
    The error is in ulp of the larger of the result, the step added, and that step's derivative
    times the size of the difference of the operands: it is large where the exponentials cancel.
    Special values: equal operands of real part -inf or inf are returned, plus log 2.
    """
    z, w = as_pair(z), as_pair(w)
    swap = z.re < w.re
    high = Pair(torch.where(swap, w.re, z.re), torch.where(swap, w.im, z.im))
    low = Pair(torch.where(swap, z.re, w.re), torch.where(swap, z.im, w.im))
    gap = torch.where(high.re == low.re, 0.0, low.re - high.re)
    top = torch.finfo(gap.dtype).max
    turn = low.im - high.im
    # Of a difference out of range no digit counts, but NaN would.
    turn = torch.where(low.im.isinf() | high.im.isinf(), turn, turn.clamp(-top, top))
    step = log1p(*exp(gap, turn))
    return Pair(high.re + step.re, high.im + step.im)
