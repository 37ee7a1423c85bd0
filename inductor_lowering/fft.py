"""Fourier transforms: what a device does for them, by one interface.

A transform keeps its library call, on interleaved memory. What can be gained lies around it: a
library copies operands that it cannot read as they lie, and may scale in a pass of its own. A
`Transforms` object writes the three ops that torch's functions are made of in terms of other ops (a
custom op among them, if it has a library of its own), and the copies and scales that it spells out
fuse with what is around. Register one for a device type by `register`.

Used while a program is traced, after autograd, so gradients are torch's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

aten = torch.ops.aten

SCALES: dict[int, float] = {0: 0.0, 1: -0.5, 2: -1.0}
"""Power of the number of points that torch's `normalization` scales by: none, 1/sqrt(n), 1/n."""


class Transforms:
    """The transforms of a device; each method may return NotImplemented to leave the op as it is.

    `dims` lists the transformed axes, `normalization` is a key of `SCALES`, a forward transform has
    exponent -1. The result has the shape, dtype and strides of the op's. `version` is part of the
    identity of what is compiled: change it when a method changes, and caches will not serve code of
    the method before.
    """

    version: str = ""

    def c2c(self, z: Tensor, dims: Sequence[int], normalization: int, forward: bool) -> Any:
        """Transform complex `(..., n)` to complex `(..., n)`."""
        return NotImplemented

    def r2c(self, x: Tensor, dims: Sequence[int], normalization: int, onesided: bool) -> Any:
        """Transform real `(..., n)` to complex, of the last of `dims` n // 2 + 1 if onesided."""
        return NotImplemented

    def c2r(self, z: Tensor, dims: Sequence[int], normalization: int, last_size: int) -> Any:
        """Transform Hermitian `(..., last_size // 2 + 1)` back to real `(..., last_size)`."""
        return NotImplemented


LEAST_COPIED = 2**14
"""Elements from which a copy is spelled out; a kernel costs some microseconds."""


def _is_copied(z: Tensor) -> bool:
    """True for a large dense tensor of known sizes, so that what follows needs no guard."""
    known = all(isinstance(n, int) for n in z.shape)
    return known and z.numel() >= LEAST_COPIED and z.is_contiguous()


class CpuTransforms(Transforms):
    """Spells out the copies that ATen makes of operands which its library cannot read.

    Scales stay with the library, which applies them within its last pass.
    """

    version = "1"

    def c2c(self, z: Tensor, dims: Sequence[int], normalization: int, forward: bool) -> Any:
        """Put transformed axes last where axes on both sides of them are not transformed.

        ATen takes the other axes together as one batch, and copies an operand in which they do not
        lie so.
        """
        axes = sorted(dim % z.dim() for dim in dims)
        others = [k for k in range(z.dim()) if k not in axes]
        is_apart = others and axes and others != list(range(others[0], others[-1] + 1))
        if not is_apart or len(axes) > 3 or not _is_copied(z):
            return NotImplemented
        order = others + axes
        moved = z.permute(order).clone(memory_format=torch.contiguous_format)
        last = list(range(len(others), z.dim()))
        found = aten._fft_c2c.default(moved, last, normalization, forward)
        return found.permute([order.index(k) for k in range(z.dim())])

    def c2r(self, z: Tensor, dims: Sequence[int], normalization: int, last_size: int) -> Any:
        """Transform the last axis by itself, as ATen does, and copy to where it reads it from."""
        axes = [dim % z.dim() for dim in dims]
        trailing = list(range(z.dim() - len(axes), z.dim()))
        if len(axes) < 2 or axes != trailing or not _is_copied(z):
            return NotImplemented
        rest = self.c2c(z, axes[:-1], normalization, False)
        if rest is NotImplemented:
            rest = aten._fft_c2c.default(z, axes[:-1], normalization, False)
        dense = rest.clone(memory_format=torch.contiguous_format)
        return aten._fft_c2r.default(dense, axes[-1:], normalization, last_size)


class ScalingTransforms(Transforms):
    """Takes the scale out of the library call, for libraries that scale in a pass of their own.

    The product fuses with what reads the result. cuFFT's transforms are unscaled, and torch
    multiplies by a kernel of its own.
    """

    version = "1"

    def c2c(self, z: Tensor, dims: Sequence[int], normalization: int, forward: bool) -> Any:
        """Scale a transform without normalization."""
        points = math.prod(z.shape[dim] for dim in dims)
        return _scaled(aten._fft_c2c.default, z, dims, normalization, forward, points)

    def r2c(self, x: Tensor, dims: Sequence[int], normalization: int, onesided: bool) -> Any:
        """Scale a transform without normalization."""
        points = math.prod(x.shape[dim] for dim in dims)
        return _scaled(aten._fft_r2c.default, x, dims, normalization, onesided, points)

    def c2r(self, z: Tensor, dims: Sequence[int], normalization: int, last_size: int) -> Any:
        """Scale a transform without normalization."""
        points = math.prod(z.shape[dim] for dim in dims[:-1]) * last_size
        return _scaled(aten._fft_c2r.default, z, dims, normalization, last_size, points)


def _scaled(
    op: Any, z: Tensor, dims: Sequence[int], normalization: int, last: Any, points: Any
) -> Any:
    if normalization == 0:
        return NotImplemented
    return op(z, dims, 0, last) * points ** SCALES[normalization]


CPU = CpuTransforms()
_BY_DEVICE: dict[str, Transforms] = {"cpu": CPU, "cuda": ScalingTransforms()}


@contextmanager
def registered(device_type: str, transforms: Transforms) -> Iterator[None]:
    """Register inside a `with` block; afterwards the device has what it had before."""
    before = _BY_DEVICE.get(device_type)
    register(device_type, transforms)
    try:
        yield
    finally:
        if before is None:
            del _BY_DEVICE[device_type]
        else:
            _BY_DEVICE[device_type] = before


def register(device_type: str, transforms: Transforms) -> None:
    """Let `transforms` write the transforms of tensors on devices of a type, such as "cuda".

    It takes the place of what was registered for the type; functions that were compiled before keep
    their code.

    Raises:
        TypeError: `device_type` is no string, or `transforms` no `Transforms` object.
    """
    if not isinstance(device_type, str):
        raise TypeError(f"device_type must be a string such as 'cuda', got {device_type!r}")
    if not isinstance(transforms, Transforms):
        raise TypeError(
            f"transforms must be an object of a subclass of Transforms, got {transforms!r}"
        )
    _BY_DEVICE[device_type] = transforms


def identity() -> tuple[tuple[str, str, str], ...]:
    """What is registered, for cache keys: device, class and version."""
    return tuple(
        (device, f"{type(t).__module__}.{type(t).__qualname__}", t.version)
        for device, t in sorted(_BY_DEVICE.items())
    )


def _decomposition(name: str) -> Callable[..., Any]:
    def decompose(z: Tensor, *args: Any, **kwargs: Any) -> Any:
        transforms = _BY_DEVICE.get(z.device.type)
        if transforms is None:
            return NotImplemented
        return getattr(transforms, name)(z, *args, **kwargs)

    return decompose


def table() -> dict[Any, Callable[..., Any]]:
    """The entries for Inductor's tables of decompositions."""
    return {
        aten._fft_c2c.default: _decomposition("c2c"),
        aten._fft_r2c.default: _decomposition("r2c"),
        aten._fft_c2r.default: _decomposition("c2r"),
    }
