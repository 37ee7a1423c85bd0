"""Overlapping windows are added by reading them, not by atomic additions.

`unfold_backward`, which adds the frames of an inverse short-time Fourier transform, is a scatter in
Inductor's decomposition: one atomic addition for each number of each frame, in an order that may
change from run to run. Here each number of the result is the sum of the few frames that hold it, in
the order in which eager adds them: it fuses with what is around, uses vectors, and rounds as eager
does. Used for real tensors too; the gradient of a complex `unfold` is taken by parts.

An upstream decomposition of this form would make this file unnecessary.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

aten = torch.ops.aten

MOST_FRAMES = 16
"""Largest number of frames over one number of the result that are added by reading."""


def _covers(grad: Tensor, sizes: Sequence[Any], dim: int, size: int, step: int) -> bool:
    """True where each axis of the frames belongs to one of the result, or is broadcast to it."""
    expected = [*sizes, size]
    expected[dim] = (sizes[dim] - size) // step + 1
    given = list(grad.shape)
    return len(given) == len(expected) and all(
        isinstance(n, int) and (n == m or (n == 1 and axis not in (dim, len(sizes))))
        for axis, (n, m) in enumerate(zip(given, expected, strict=True))
    )


def _placed(block: Tensor, before: int, after: int) -> Tensor:
    """Blocks `(..., frames, step)` with zero blocks before and after."""
    return aten.constant_pad_nd.default(block, [0, 0, before, after])


def overlap_add(grad: Tensor, sizes: Sequence[int], dim: int, size: int, step: int) -> Tensor:
    """Add frames `(..., size)`, of which each starts `step` after the one before along `dim`.

    Returns a tensor of `sizes`; what no frame covers is zero.
    """
    frames = grad.movedim(dim, -2)
    overlap = -(-size // step)
    frames = aten.constant_pad_nd.default(frames, [0, overlap * step - size])
    blocks = frames.unflatten(-1, (overlap, step))
    # Eager adds frames in order, so the last block of the earliest frame comes first.
    terms = (_placed(blocks[..., k, :], k, overlap - 1 - k) for k in reversed(range(overlap)))
    total = functools.reduce(torch.add, terms).flatten(-2)
    n = sizes[dim]
    total = aten.constant_pad_nd.default(total, [0, n - total.shape[-1]])
    return total.movedim(-1, dim).expand(sizes)


def decomposition(stock: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Use `overlap_add` where it applies, and Inductor's `stock` decomposition elsewhere."""

    @functools.wraps(stock)
    def unfold_backward(grad: Tensor, input_size: Any, dim: int, size: int, step: int) -> Tensor:
        rank = len(input_size)
        axis = dim % rank if rank else 0
        known = rank and all(isinstance(n, int) for n in (size, step))
        overlaps = known and step < size <= MOST_FRAMES * step
        if overlaps and _covers(grad, input_size, axis, size, step):
            return overlap_add(grad, input_size, axis, size, step).contiguous()
        return stock(grad, input_size, dim, size, step)

    return unfold_backward
