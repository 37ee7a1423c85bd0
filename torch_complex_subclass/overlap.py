"""Whether two tensors have elements in common."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

from torch import Tensor

from torch_complex_subclass import torch_compat as compat


class _Places(NamedTuple):
    """Where the bytes of a tensor are: the first one, its steps, and how many follow each place."""

    offset: int
    steps: list[tuple[int, int]]
    width: int


def may_overlap(a: Tensor, b: Tensor) -> bool:
    """True unless two plain tensors have no byte in common; symbolic sizes count as they are now.

    Told apart are other memory, other ranges of it, and other columns, also where columns take
    turns. What is neither is said to overlap: deciding that in general is a search.
    """
    if a.untyped_storage()._cdata != b.untyped_storage()._cdata or 0 in (*a.shape, *b.shape):
        return False
    places = _places(a), _places(b)
    steps = [step for _, step in itertools.chain(*(p.steps for p in places))]
    # No period at all: then the whole ranges are compared.
    periods = {math.inf, *steps, math.gcd(*steps)} - {0}
    return not any(_apart(*places, period) for period in periods)


def _places(t: Tensor) -> _Places:
    width = t.element_size()
    sizes, strides = map(compat.hint, t.shape), map(compat.hint, t.stride())
    steps = [(size, stride * width) for size, stride in zip(sizes, strides, strict=True)]
    offset = compat.hint(t.storage_offset()) * width
    return _Places(offset, [(size, step) for size, step in steps if size > 1], width)


def _apart(a: _Places, b: _Places, period: float) -> bool:
    """True when the places modulo a period lie in ranges that do not meet."""
    (begin, end), (first, last) = _range(a, period), _range(b, period)
    return max(end, last) <= period and (end <= first or last <= begin)


def _range(places: _Places, period: float) -> tuple[float, float]:
    begin = places.offset % period
    length = sum((size - 1) * step for size, step in places.steps if step % period)
    return begin, begin + length + places.width
