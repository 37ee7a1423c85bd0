"""Complex convolutions, each as one real convolution with twice the channels.

Torch splits a complex convolution into three real ones, of both parts and of their sums, before a
subclass is asked, and rounds each. Here the parts of the input are channels of their own, in front
of [[re, -im], [im, re]] of the weights, so the library accumulates both products and rounds once.

Those of bcomplex32 always are: bfloat16 is accumulated in float32. Those of other dtypes are in a
compiled graph where they have few channels: the fourth product costs less there than to add up
parts before and after three. Where channels are few was measured: docs/performance.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.conversion import to_bcomplex32
from torch_complex_subclass.tensor import ComplexTensor

_TENSORS = ("input", "weight", "bias")

# Where the functions and ops of torch have `groups` among the arguments, of all convolutions alike.
_GROUPS = 6

# Few are this many pairs of a given and a resulting channel, and more pairs of few results.
_FEW_PAIRS = 128
_FEW_RESULTS, _PAIRS_OF_FEW_RESULTS = 8, 512

aten = torch.ops.aten


class Geometry(NamedTuple):
    """What kind of convolution an op is: its spatial dimensions, and whether it is transposed."""

    dims: int
    transposed: bool


TRACED = {
    aten.conv1d.default: Geometry(1, False),
    aten.conv1d.padding: Geometry(1, False),
    aten.conv2d.default: Geometry(2, False),
    aten.conv2d.padding: Geometry(2, False),
    aten.conv3d.default: Geometry(3, False),
    aten.conv3d.padding: Geometry(3, False),
    aten.conv_transpose1d.default: Geometry(1, True),
    aten.conv_transpose2d.input: Geometry(2, True),
    aten.conv_transpose3d.input: Geometry(3, True),
}
"""The ops that torch's functions call."""

_Parts = tuple[Tensor, Tensor]


class _Call(NamedTuple):
    """The arguments of a convolution; what follows the tensors is as it was given."""

    z: Tensor
    weight: Tensor
    bias: Tensor | None
    rest: Sequence[Any]
    options: dict[str, Any]

    @classmethod
    def of(cls, args: Sequence[Any], kwargs: dict[str, Any]) -> _Call:
        tensors: list[Any] = [
            t if i >= len(args) else args[i] for i, t in enumerate(map(kwargs.get, _TENSORS))
        ]
        options = {name: value for name, value in kwargs.items() if name not in _TENSORS}
        z, weight, bias = tensors
        return cls(z, weight, bias, args[len(_TENSORS) :], options)

    @property
    def groups(self) -> int:
        place = _GROUPS - len(_TENSORS)
        groups: int = self.rest[place] if len(self.rest) > place else self.options.get("groups", 1)
        return groups

    def narrow(self) -> _Call:
        """Return the call with its tensors rounded to bcomplex32."""
        bias = None if self.bias is None else to_bcomplex32(self.bias)
        return self._replace(z=to_bcomplex32(self.z), weight=to_bcomplex32(self.weight), bias=bias)


def convolve(
    fn: Callable[..., Tensor], transposed: bool, args: Sequence[Any], kwargs: dict[str, Any]
) -> ComplexTensor:
    """Compute `fn(*args, **kwargs)`, a convolution of torch.nn.functional, in bcomplex32.

    Shapes and arguments are those of `fn`. Input, weight and bias, of any complex dtype, are
    rounded to bcomplex32; gradients have the dtype of their tensor.

    Raises:
        TypeError: input, weight or bias is real.
    """
    return ComplexTensor.from_parts(*_doubled(fn, transposed, _Call.of(args, kwargs).narrow()))


def traced(geometry: Geometry, stock: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return the convolution that graphs are traced with in the place of `stock`, one of torch's.

    Shapes, strides, arguments, errors and gradients are those of `stock`. Each part of a complex
    result is one sum of real products, with the rounding error of the library's real convolution;
    that of torch's three convolutions is twice as large.
    """

    def convolution(*args: Any, **kwargs: Any) -> Tensor:
        call = _Call.of(args, kwargs)
        if _is_concerned(call) and _can_be_doubled(call, geometry) and _is_faster(call, geometry):
            return torch.complex(*_doubled(stock, geometry.transposed, call))
        return stock(*args, **kwargs)

    return convolution


def _is_concerned(call: _Call) -> bool:
    """True for plain complex tensors of one dtype on a CPU, without groups, where it is traced."""
    given = [t for t in (call.z, call.weight, call.bias) if t is not None]
    return (
        compat.has_python_dispatcher()
        and call.groups == 1
        and all(t.is_complex() and t.dtype == call.z.dtype for t in given)
        and all(t.device.type == "cpu" and not compat.is_made_of_tensors(t) for t in given)
    )


def _can_be_doubled(call: _Call, geometry: Geometry) -> bool:
    """True for tensors that fit, of known channels and torch's strides; torch takes the others."""
    z, weight, bias = call.z, call.weight, call.bias
    axis = -1 - geometry.dims
    if weight.dim() != geometry.dims + 2 or z.dim() not in (-axis, 1 - axis):
        return False
    if bias is not None and bias.dim() != 1:
        return False
    sizes = z.shape[axis], *weight.shape, *(() if bias is None else bias.shape)
    # To compare symbols would be a guard, or an error where they have no value yet.
    if not all(isinstance(n, int) for n in sizes):
        return False
    given, results = weight.shape[1 - geometry.transposed], weight.shape[geometry.transposed]
    if z.shape[axis] != given or (bias is not None and bias.shape[0] != results):
        return False
    # The result lies as the weights do, and `cat` puts those of one dimension in rows.
    return geometry.dims > 1 or weight.is_contiguous()


def _is_faster(call: _Call, geometry: Geometry) -> bool:
    """True for the few channels of which a CPU convolves twice as many in less time."""
    channels = call.weight.shape[:2]
    few_results = channels[geometry.transposed] <= _FEW_RESULTS
    return math.prod(channels) <= (_PAIRS_OF_FEW_RESULTS if few_results else _FEW_PAIRS)


def _doubled(fn: Callable[..., Tensor], transposed: bool, call: _Call) -> _Parts:
    """Compute both parts of a convolution `fn` by one real one."""
    groups = call.groups
    channels = call.z.dim() + 1 - call.weight.dim()
    result = fn(
        _join(_parts(call.z), channels, groups),
        _real_weight(*_parts(call.weight), transposed, groups),
        None if call.bias is None else _join(_parts(call.bias), 0, groups),
        *call.rest,
        **call.options,
    )
    return _split(result, channels, groups)


def _parts(z: Tensor) -> _Parts:
    return z.real, z.imag


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


def _split(t: Tensor, dim: int, groups: int) -> _Parts:
    """Take apart what `_join` made."""
    if groups == 1:
        re, im = t.chunk(2, dim)
    else:
        re, im = (h.flatten(dim, dim + 1) for h in t.unflatten(dim, (groups, -1)).chunk(2, dim + 1))
    return re, im
