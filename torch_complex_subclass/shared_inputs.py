"""Inputs that share memory, where one of them is written.

AOTAutograd takes the memory as one input, the base, and makes the others of it. What it forgets
there gives wrong values in stock torch, without a word: the conj bit of an input, and what a result
is a view of.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from torch_complex_subclass import torch_compat as compat

# Where an input lies: the index of its base, and how it views it; an index alone where it is none.
_Place = int | tuple[int, Tensor]


def with_conj_bit(stock: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Make views of shared memory with the conj bit of the inputs that they stand for.

    Stock code views the base by sizes and strides, so that a function that writes to z and reads
    w = z.conj() reads z. Views of results come with the sequence of views that led to them, or
    None; they are left as they are, since what stands for them here need not have their bit.
    """

    @functools.wraps(stock)
    def gen_alias_from_base(
        base: Tensor, target: Tensor, requires_grad: bool, *sequence: Any, **kwargs: Any
    ) -> Tensor:
        view = stock(base, target, requires_grad, *sequence, **kwargs)
        keeps = bool(sequence) or view.is_conj() == target.is_conj()
        return view if keeps else view.conj()

    return gen_alias_from_base


def with_bases_of_results(stock: Callable[..., tuple[Any, Any]]) -> Callable[..., tuple[Any, Any]]:
    """Say of each result that is a view what it is a view of.

    Where inputs are merged, stock code replays the views that led from one of them to a result on
    the base: a function that writes to z and returns w[0] of w = z[1:] gives z[0], or fails as the
    shapes differ (pytorch issue 198095). It also renumbers what other results are views of as if
    that were inputs, so that views of two intermediate values that need gradients are exchanged.
    """

    @functools.wraps(stock)
    def create_synthetic_base_metadata(
        metadata: Any, places: Sequence[_Place], outer: Any, inner: Sequence[Any], *rest: Any
    ) -> tuple[Any, Any]:
        merged, written = stock(metadata, places, outer, inner, *rest)
        for i, info in enumerate(metadata.output_info):
            known = _of_base(info, places, inner)
            merged.output_info[i] = dataclasses.replace(merged.output_info[i], **known)
        return merged, written

    return create_synthetic_base_metadata


def _of_base(info: Any, places: Sequence[_Place], inner: Sequence[Any]) -> dict[str, Any]:
    """What to change in the description of a result once inputs are merged."""
    if not compat.is_of_input(info):
        return {"base_idx": info.base_idx}
    place = places[info.base_idx]
    if info.view_meta_sequence is None or not isinstance(place, tuple):
        return {}
    index, view = place
    return {"view_meta_sequence": compat.after_views(inner[index], view, info.view_meta_sequence)}
