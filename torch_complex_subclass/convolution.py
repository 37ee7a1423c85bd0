"""Convolutions of bcomplex32, each as one real convolution of bfloat16 with twice the channels.

Torch splits a complex convolution into real ones of the parts before a subclass is asked, and
rounds each. Here the parts of the input are channels of their own, in front of [[re, -im],
[im, re]] of the weights, so the library accumulates both products in float32 and rounds once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.conversion import to_bcomplex32
from torch_complex_subclass.tensor import ComplexTensor

_TENSORS = ("input", "weight", "bias")

# Where torch.nn.functional has `groups` among the arguments, of all convolutions alike.
_GROUPS = 6


def convolve(
    fn: Callable[..., Tensor], transposed: bool, args: Sequence[Any], kwargs: dict[str, Any]
) -> ComplexTensor:
    """Compute `fn(*args, **kwargs)`, a convolution of torch.nn.functional, in bcomplex32.

    Shapes and arguments are those of `fn`. Input, weight and bias, of any complex dtype, are
    rounded to bcomplex32; gradients have the dtype of their tensor.

    Raises:
        TypeError: input, weight or bias is real.
    """
    tensors: list[Any] = [
        t if i >= len(args) else args[i] for i, t in enumerate(map(kwargs.get, _TENSORS))
    ]
    options = {name: value for name, value in kwargs.items() if name not in _TENSORS}
    groups = args[_GROUPS] if len(args) > _GROUPS else options.get("groups", 1)
    z, weight = map(_parts, tensors[:2])
    bias = None if tensors[2] is None else _join(_parts(tensors[2]), 0, groups)
    channels = z[0].dim() + 1 - weight[0].dim()
    result = fn(
        _join(z, channels, groups),
        _real_weight(*weight, transposed, groups),
        bias,
        *args[len(_TENSORS) :],
        **options,
    )
    return ComplexTensor.from_parts(*_split(result, channels, groups))


def _parts(z: Tensor) -> tuple[Tensor, Tensor]:
    narrow = to_bcomplex32(z)
    return narrow.real, narrow.imag


def _real_weight(re: Tensor, im: Tensor, transposed: bool, groups: int) -> Tensor:
    """Real weights `(2 out, 2 in / groups, ...)`; of a transposed one, in and out swap."""
    across = im if transposed else -im
    return _join([torch.cat([re, across], 1), torch.cat([-across, re], 1)], 0, groups)


def _join(parts: Sequence[Tensor], dim: int, groups: int) -> Tensor:
    """Put the channels of both parts, in dimension `dim`, one after the other in each group."""
    if groups == 1:
        return torch.cat(list(parts), dim)
    grouped = [part.unflatten(dim, (groups, -1)) for part in parts]
    return torch.cat(grouped, dim + 1).flatten(dim, dim + 1)


def _split(t: Tensor, dim: int, groups: int) -> tuple[Tensor, Tensor]:
    """Take apart what `_join` made."""
    if groups == 1:
        re, im = t.chunk(2, dim)
    else:
        re, im = (h.flatten(dim, dim + 1) for h in t.unflatten(dim, (groups, -1)).chunk(2, dim + 1))
    return re, im
