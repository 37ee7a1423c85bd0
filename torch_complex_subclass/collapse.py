"""Operands of an elementwise kernel with as few dimensions as their shapes and strides allow.

One kernel then serves many shapes: operands of one shape that lie alike in memory become vectors,
and broadcasting keeps one dimension for each change between sizes that are there and sizes of one.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

# For each dimension of a kernel: whether the operand has the size of the result there, not one.
Pattern: TypeAlias = tuple[bool, ...]

_VECTOR: Pattern = (True,)


class Memory(NamedTuple):
    """An operand `(...)` as real memory."""

    tensor: Tensor
    """Of shape `(...)`, or `(..., 2)` with the parts of a complex operand side by side."""
    tail: int
    """Number of dimensions behind `(...)`: 1 for a complex operand, 0 for a real one."""

    @property
    def shape(self) -> torch.Size:
        """Shape of the operand."""
        return self.tensor.shape[:-1] if self.tail else self.tensor.shape

    def reshaped(self, shape: Sequence[int]) -> Tensor:
        """Return the memory with another shape of the operand; a view where it can be."""
        if len(shape) == self.tensor.dim() - self.tail == 1:
            return self.tensor
        return self.tensor.reshape(*shape, 2) if self.tail else self.tensor.reshape(shape)

    def ordered(self, order: Sequence[int]) -> Memory:
        """Return the operand with leading dimensions added and all of them in `order`."""
        missing = len(order) - len(self.shape)
        memory = self.tensor[(None,) * missing]
        permutation = [*order, len(order)] if self.tail else [*order]
        return Memory(memory.permute(permutation), self.tail)


class Collapsed(NamedTuple):
    """Operands as a kernel takes them, and what makes its result that of the op."""

    operands: list[Tensor]
    patterns: tuple[Pattern, ...]
    shape: list[int]
    """Shape of the result in `order`."""
    order: list[int] | None
    """Dimensions of the result from the slowest to the fastest; None for the usual order."""

    def restore(self, result: Tensor, tail: int) -> Tensor:
        """View the memory of a kernel's result in the shape and strides of the op's result."""
        if len(self.shape) != 1:
            result = result.view(*self.shape, 2) if tail else result.view(self.shape)
        if self.order is None:
            return result
        back = [self.order.index(dim) for dim in range(len(self.order))]
        return result.permute([*back, len(back)] if tail else back)


def collapse(operands: Sequence[Memory]) -> Collapsed | None:
    """Merge dimensions, of operands of which at least one has any.

    Returns None where there is nothing for a kernel: for shapes that do not fit together, and for
    results of fewer than two elements.
    """
    shaped = [m for m in operands if m.shape]
    shape = shaped[0].shape
    if any(0 in m.shape for m in shaped):
        return None
    if all(m.shape == shape and m.tensor.is_contiguous() for m in shaped):
        collapsed = _vectors(operands, shape)
    else:
        try:
            result = torch.broadcast_shapes(*(m.shape for m in shaped))
        except RuntimeError:  # eager says it with the name of the op
            return None
        collapsed = _general(operands, result)
    return collapsed if _count(collapsed.shape) > 1 else None


def _count(shape: Sequence[int]) -> int:
    return torch.Size(shape).numel()


def _vectors(operands: Sequence[Memory], shape: torch.Size) -> Collapsed:
    memories = [m.reshaped((-1,)) if m.shape else m.tensor for m in operands]
    return Collapsed(memories, tuple(_VECTOR if m.shape else () for m in operands), [*shape], None)


def _general(operands: Sequence[Memory], result: torch.Size) -> Collapsed:
    """Bring dimensions into the order of the first whole operand, and merge what can be."""
    order = _order(max(operands, key=lambda m: _count(m.shape)), len(result))
    shape = [result[dim] for dim in order]
    ordered = [m.ordered(order) if m.shape else m for m in operands]
    present = [[n > 1 for n in m.shape] if m.shape else [False] * len(shape) for m in ordered]
    groups = _groups(list(zip(*present, strict=True)))
    memories, patterns = [], []
    for m, has in zip(ordered, present, strict=True):
        if m.shape:
            sizes = [_count([m.shape[dim] for dim in group]) for group in groups]
            m = Memory(m.reshaped(sizes).contiguous(), m.tail)
        memories.append(m.tensor)
        patterns.append(tuple(has[group[0]] for group in groups) if m.shape else ())
    return Collapsed(memories, tuple(patterns), shape, None if order == sorted(order) else order)


def _order(leader: Memory, dims: int) -> list[int]:
    """Dimensions from the slowest to the fastest, as `leader` lies in memory."""
    strides = leader.ordered(range(dims)).tensor.stride()[:dims]
    if 0 in strides:  # expanded, which says nothing
        return list(range(dims))
    return sorted(range(dims), key=lambda dim: -strides[dim])


def _groups(columns: list[tuple[bool, ...]]) -> list[list[int]]:
    """Runs of dimensions in which the same operands have a size of more than one."""
    dims = [dim for dim, column in enumerate(columns) if any(column)]
    return [list(group) for _, group in itertools.groupby(dims, key=lambda dim: columns[dim])]
