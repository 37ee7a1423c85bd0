"""Products of complex matrices with parts in bfloat16, as real products with twice the terms.

The left operand becomes [re, im]; the right one [re; -im] for the real part of the result, and
[im; re] for the imaginary one. The library accumulates a real product of bfloat16 in float32 and
rounds it once, so the difference and the sum inside a complex product are rounded once too, which
four products of parts could not do without results in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from torch_complex_subclass.decompositions.registry import Pair
from torch_complex_subclass.torch_compat import multiplies_bfloat16

aten = torch.ops.aten


def is_expandable(part: Tensor) -> bool:
    """True where real products of this dtype beat those of float32: matrix units for bfloat16."""
    return part.dtype == torch.bfloat16 and multiplies_bfloat16(part.device.type)


def _lies_by_columns(t: Tensor) -> bool:
    """True where numbers of one column are closer in memory than those of one row."""
    rows, columns = t.stride()[-2:]
    return isinstance(rows, int) and isinstance(columns, int) and rows < columns


def _join(parts: Sequence[Tensor], dim: int) -> Tensor:
    """Concatenate matrices along dimension -1 or -2; those that lie by columns, by columns."""
    if _lies_by_columns(parts[0]):
        return torch.cat([part.mT for part in parts], -3 - dim).mT
    return torch.cat(list(parts), dim)


def _in_turn(first: Tensor, second: Tensor) -> Tensor:
    """Return (..., 2k, m): the rows of two matrices (..., k, m) in turn."""
    *batch, k, m = first.shape
    return torch.cat([first, second], -1).view(*batch, 2 * k, m)


def product(op: Callable[[Tensor, Tensor], Tensor], a: Pair | Tensor, b: Pair | Tensor) -> Pair:
    """Matrix product of (..., n, k) and (..., k, m) by real products `op`."""
    if isinstance(a, Tensor):
        assert isinstance(b, Pair)
        return Pair(op(a, b.re), op(a, b.im))
    if isinstance(b, Tensor):
        return Pair(op(a.re, b), op(a.im, b))
    left, by_re, by_im = _expand(a, b)
    return Pair(op(left, by_re), op(left, by_im))


def _expand(a: Pair, b: Pair) -> tuple[Tensor, Tensor, Tensor]:
    """Return [re, im] (..., n, 2k) of a, and [re; -im] and [im; re] (..., 2k, m) of b.

    Terms may come in any order, the same in all three. Where the numbers of one term lie together
    in both operands, as in the gradient of a weight, those of re and im alternate: a.mT then lies
    as [re, im], the left operand of a product that a.mT enters too, and need not be made twice.
    """
    if _lies_by_columns(a.re) and not _lies_by_columns(b.re):
        return _in_turn(a.re.mT, a.im.mT).mT, _in_turn(b.re, -b.im), _in_turn(b.im, b.re)
    return _join(a, -1), _join([b.re, -b.im], -2), _join([b.im, b.re], -2)


def affine_product(
    op: Callable[..., Tensor], z: Pair, a: Pair, b: Pair, beta: float, alpha: float
) -> Pair:
    """Return beta z + alpha a b by real calls of `op`, which round the sum once too.

    Shapes: z broadcasts to the product (..., n, m) of (..., n, k) and (..., k, m).
    """
    left, by_re, by_im = _expand(a, b)
    re = op(z.re, left, by_re, beta=beta, alpha=alpha)
    return Pair(re, op(z.im, left, by_im, beta=beta, alpha=alpha))
