"""What elementwise rules need to know of an operand: its parts, and whether it has two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.decompositions.registry import Operand, Pair


def as_pair(value: Operand) -> Pair:
    """Return `value` as a pair; a real value gets a zero imaginary part of its own shape."""
    if isinstance(value, Pair):
        return value
    if isinstance(value, Tensor):
        return Pair(value, torch.zeros_like(value))
    return Pair(value, 0.0)


def on_parts(fn: Callable[[Tensor], Tensor], z: Pair | Tensor) -> Pair | Tensor:
    """Apply a function that moves elements to a real tensor, or to both parts of a complex one."""
    return Pair(fn(z.re), fn(z.im)) if isinstance(z, Pair) else fn(z)


def is_number(value: object) -> bool:
    """True for a Python number and for a pair of them."""
    if isinstance(value, Pair):
        return not isinstance(value.re, Tensor)
    return not isinstance(value, Tensor)


def broadcast(re: Any, im: Any) -> Pair:
    """Give both parts their common shape; they differ where an operand without one was added."""
    if not isinstance(re, Tensor):
        return Pair(re, im)
    if not isinstance(im, Tensor):
        return Pair(re, torch.full_like(re, im))
    if re.shape != im.shape:
        re, im = torch.broadcast_tensors(re, im)
        return Pair(re.clone(), im.clone())
    return Pair(re, im)
