"""Views, joins and other movements of elements."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from torch_complex_subclass.decompositions.registry import (
    Pair,
    componentwise,
    creation,
)

aten = torch.ops.aten

# Moves elements only; no argument after the first can be complex.
componentwise(
    aten._lazy_clone.default,
    aten._reshape_copy.default,
    aten._stack.default,
    aten._unsafe_view.default,
    aten.alias.default,
    aten.alias_copy.default,
    aten.cat.default,
    aten.channel_shuffle.default,
    aten.detach.default,
    aten.detach_copy.default,
    aten.diag_embed.default,
    aten.diagonal.default,
    aten.diagonal_copy.default,
    aten.expand.default,
    aten.expand_copy.default,
    aten.flip.default,
    aten.lift.default,
    aten.lift_fresh.default,
    aten.lift_fresh_copy.default,
    aten.movedim.int,
    aten.movedim.intlist,
    aten.narrow.default,
    aten.narrow_copy.default,
    aten.permute.default,
    aten.permute_copy.default,
    aten.pixel_shuffle.default,
    aten.pixel_unshuffle.default,
    aten.repeat.default,
    aten.reshape.default,
    aten.roll.default,
    aten.rot90.default,
    aten.select.int,
    aten.select_copy.int,
    aten.slice.Tensor,
    aten.slice_copy.Tensor,
    aten.split.Tensor,
    aten.split_copy.Tensor,
    aten.split_with_sizes.default,
    aten.split_with_sizes_copy.default,
    aten.squeeze.default,
    aten.squeeze.dim,
    aten.squeeze.dims,
    aten.squeeze_copy.default,
    aten.squeeze_copy.dim,
    aten.squeeze_copy.dims,
    aten.stack.default,
    aten.t.default,
    aten.t_copy.default,
    aten.transpose.int,
    aten.transpose_copy.int,
    aten.tril.default,
    aten.triu.default,
    aten.unbind.int,
    aten.unbind_copy.int,
    aten.unfold.default,
    aten.unfold_copy.default,
    aten.unsqueeze.default,
    aten.unsqueeze_copy.default,
    aten.view.default,
    aten.view_copy.default,
)


@creation(aten._reshape_alias.default)
def reshape_alias(z: Pair, size: Sequence[int], stride: Sequence[int]) -> Pair:
    """View of shape `size`; the strides are those of complex memory and follow from it."""
    return Pair(z.re.view(size), z.im.view(size))


# `value` fills the real part with its real part and the imaginary one with the other.
componentwise(aten.constant_pad_nd.default, data=("self", "value"))
