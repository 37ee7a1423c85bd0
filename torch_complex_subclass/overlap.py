"""Which tensors have elements in common."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from torch import Tensor

from torch_complex_subclass import torch_compat as compat


class _Places(NamedTuple):
    """Where the bytes of a tensor are: the first one, its steps, and how many follow each place."""

    offset: int
    steps: list[tuple[int, int]]
    width: int

    @property
    def end(self) -> int:
        return self.offset + sum((size - 1) * step for size, step in self.steps) + self.width


def overlapping(tensors: Sequence[Tensor]) -> Iterator[tuple[int, int]]:
    """Yield the pairs of plain tensors that may have a byte in common, by their indices.

    Told apart are other memory, other ranges of it, and other columns, also where columns take
    turns. What is neither is said to overlap: deciding that in general is a search. Symbolic sizes
    count as they are now.
    """
    placed = [(compat.storage_id(t), _places(t), i) for i, t in enumerate(tensors)]
    full = [item for item in placed if all(size for size, _ in item[1].steps)]
    full.sort(key=lambda item: (item[0], item[1].offset))
    for k, (memory, a, i) in enumerate(full):
        for other, b, j in itertools.islice(full, k + 1, None):
            if other != memory or b.offset >= a.end:
                break
            if not _apart(a, b):
                yield i, j


def _places(t: Tensor) -> _Places:
    width = t.element_size()
    sizes, strides = map(compat.hint, t.shape), map(compat.hint, t.stride())
    steps = [(size, stride * width) for size, stride in zip(sizes, strides, strict=True)]
    offset = compat.hint(t.storage_offset()) * width
    return _Places(offset, [(size, step) for size, step in steps if size != 1], width)


def _apart(a: _Places, b: _Places) -> bool:
    """True when the places modulo some period lie in ranges that do not meet."""
    steps = [step for _, step in (*a.steps, *b.steps)]
    return any(_apart_in(a, b, period) for period in {*steps, math.gcd(*steps)} - {0})


def _apart_in(a: _Places, b: _Places, period: int) -> bool:
    (begin, end), (first, last) = _range(a, period), _range(b, period)
    return max(end, last) <= period and (end <= first or last <= begin)


def _range(places: _Places, period: int) -> tuple[int, int]:
    begin = places.offset % period
    length = sum((size - 1) * step for size, step in places.steps if step % period)
    return begin, begin + length + places.width
