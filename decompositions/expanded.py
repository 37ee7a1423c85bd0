"""Products of complex matrices with parts in bfloat16, as real products with twice the terms.

The left operand becomes [re, im]; the right one [re; -im] for the real part of the result, and
[im; re] for the imaginary one. Where the right operand is the larger one, it becomes [re; im], and
the left one [re, -im] and [im, re]. The library accumulates a real product of bfloat16 in float32
and rounds it once, so the difference and the sum inside a complex product are rounded once too,
which four products of parts could not do without results in float32.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from torch_complex_subclass.decompositions.registry import Pair
from torch_complex_subclass.torch_compat import multiplies_bfloat16

aten = torch.ops.aten

Factors = tuple[Tensor, Tensor]


def is_expandable(part: Tensor) -> bool:
    """True where real products of this dtype beat those of float32: matrix units for bfloat16."""
    return part.dtype == torch.bfloat16 and multiplies_bfloat16(part.device.type)


def _lies_by_columns(t: Tensor) -> bool:
    """True where numbers of one column are closer in memory than those of one row."""
    rows, columns = t.stride()[-2:]
    return isinstance(rows, int) and isinstance(columns, int) and rows < columns


def _above(first: Tensor, second: Tensor) -> Tensor:
    """Return (..., 2k, m): the rows of one matrix (..., k, m) above those of another.

    Matrices that lie by columns are joined by columns.
    """
    if _lies_by_columns(first):
        return torch.cat([first.mT, second.mT], -1).mT
    return torch.cat([first, second], -2)


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
    for_re, for_im = _expand(a, b)
    return Pair(op(*for_re), op(*for_im))


def _expand(a: Pair, b: Pair) -> tuple[Factors, Factors]:
    """Return real factors (..., n, 2k) and (..., 2k, m) for the real part and the imaginary one.

    The larger operand is joined once, the other one twice. Terms may come in any order, the same
    in all. Where the numbers of one term lie together in both operands, as in the gradient of a
    weight, those of re and im alternate: a.mT then lies as [re, im], the left operand of a product
    that a.mT enters too, and need not be made twice.
    """
    in_turn = _lies_by_columns(a.re) and not _lies_by_columns(b.re)
    rows = _in_turn if in_turn else _above
    if _is_wider(b.re, a.re):
        right = rows(b.re, b.im)
        return (rows(a.re.mT, -a.im.mT).mT, right), (rows(a.im.mT, a.re.mT).mT, right)
    left = rows(a.re.mT, a.im.mT).mT
    return (left, rows(b.re, -b.im)), (left, rows(b.im, b.re))


def _is_wider(b: Tensor, a: Tensor) -> bool:
    """True where b (..., k, m) is known to have more numbers than a (..., n, k)."""
    m, n = b.shape[-1], a.shape[-2]
    return isinstance(m, int) and isinstance(n, int) and m > n


def affine_product(
    op: Callable[..., Tensor], z: Pair, a: Pair, b: Pair, beta: float, alpha: float
) -> Pair:
    """Return beta z + alpha a b by real calls of `op`, which round the sum once too.

    Shapes: z broadcasts to the product (..., n, m) of (..., n, k) and (..., k, m).
    """
    for_re, for_im = _expand(a, b)
    re = op(z.re, *for_re, beta=beta, alpha=alpha)
    return Pair(re, op(z.im, *for_im, beta=beta, alpha=alpha))
