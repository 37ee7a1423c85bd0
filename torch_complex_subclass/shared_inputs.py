"""Inputs that share memory, where one of them is written."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from torch import Tensor


def with_conj_bit(stock: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Make views of shared memory with the conj bit of the inputs that they stand for.

    AOTAutograd takes the memory as one input and views it by sizes and strides, so that a function
    that writes to z and reads w = z.conj() reads z, in stock torch without a word. Views of results
    come with the sequence of views that led to them, or None; they are left as they are, since what
    stands for them here need not have their bit.
    """

    @functools.wraps(stock)
    def gen_alias_from_base(
        base: Tensor, target: Tensor, requires_grad: bool, *sequence: Any, **kwargs: Any
    ) -> Tensor:
        view = stock(base, target, requires_grad, *sequence, **kwargs)
        keeps = bool(sequence) or view.is_conj() == target.is_conj()
        return view if keeps else view.conj()

    return gen_alias_from_base
