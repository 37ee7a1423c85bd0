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
from torch_complex_subclass.overlap import overlapping
from torch_complex_subclass.tensor import ComplexTensor

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
    known = compat.is_input(info) or info.view_meta_sequence is not None
    if not known or not isinstance(place, tuple):
        return {}
    index, view = place
    return {"view_meta_sequence": compat.after_views(inner[index], view, info.view_meta_sequence)}


def with_graph_breaks(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Say which inputs cannot be merged, so that Dynamo can break the graph there.

    Stock code fails with an assertion where they have other dtypes, and does not see the memory of
    a ComplexTensor: the other input would keep its values from before the write.
    """

    @functools.wraps(stock)
    def merge_view_inputs(
        config: Any, inputs: Sequence[Any], descriptions: Any, infos: Sequence[Any], **kwargs: Any
    ) -> Any:
        written = [info.mutates_data for info in infos]
        pair = _on_memory_of_a_subclass(inputs, written)
        if pair is not None:
            names = [compat.name_of_input(config, i) for i in pair]
            raise compat.cannot_merge(_SUBCLASS.format(*names))
        try:
            return stock(config, inputs, descriptions, infos, **kwargs)
        except AssertionError as error:
            if "does not yet handle" not in str(error):
                raise
            raise compat.cannot_merge(f"{error} {_ADVICE}") from error

    return merge_view_inputs


# Dynamo puts a full stop after it.
_ADVICE = "Pass one of them, and make the other of it inside the compiled function"
_SUBCLASS = (
    "{} is written to and shares memory with {}, and one of them is a ComplexTensor, "
    f"whose memory AOTAutograd does not see. {_ADVICE}"
)


def _on_memory_of_a_subclass(
    inputs: Sequence[Any], written: Sequence[bool]
) -> tuple[int, int] | None:
    """The places of an input that is written to and of another on its memory, if there are."""
    if not any(written) or not any(isinstance(t, ComplexTensor) for t in inputs):
        return None
    owners = [(i, memory) for i, t in enumerate(inputs) for memory in _memory(t)]
    for a, b in overlapping([memory for _, memory in owners]):
        i, j = owners[a][0], owners[b][0]
        hidden = isinstance(inputs[i], ComplexTensor) or isinstance(inputs[j], ComplexTensor)
        if i != j and hidden and (written[i] or written[j]):
            return (i, j) if written[i] else (j, i)
    return None


def _memory(t: Any) -> tuple[Tensor, ...]:
    if isinstance(t, ComplexTensor):
        return t.re, t.im
    return (t,) if isinstance(t, Tensor) else ()
