"""In-place and `out=` forms of ops, computed by their functional form and written back."""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload


def _signature(op: OpOverload) -> tuple[tuple[str, str], ...]:
    return tuple(
        (a.name, str(a.type))
        for a in op._schema.arguments
        if not (a.is_out or (a.kwarg_only and a.alias_info is not None))
    )


@functools.cache
def functional_form(op: OpOverload) -> OpOverload | None:
    """Return the overload that computes what `op` writes, or None.

    aten.add_.Tensor and aten.add.out both give aten.add.Tensor.
    """
    name = op._schema.name.split("::")[1]
    packet = getattr(torch.ops.aten, name.removesuffix("_"), None)
    if packet is None:
        return None
    for overload in packet.overloads():
        candidate: OpOverload = getattr(packet, overload)
        if not candidate._schema.is_mutable and _signature(candidate) == _signature(op):
            return candidate
    return None


def written_arguments(op: OpOverload) -> list[str]:
    """Names of the arguments that `op` writes to, in order."""
    return [
        a.name for a in op._schema.arguments if a.alias_info is not None and a.alias_info.is_write
    ]


def bind(op: OpOverload, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments given, by name."""
    names = [a.name for a in op._schema.arguments]
    return dict(zip(names, args, strict=False)) | kwargs


def check_writable(op: OpOverload, target: Tensor, value: Tensor) -> None:
    """Raise RuntimeError when `value` cannot be written to `target`.

    A complex value does not fit a real target, nor a value of another shape: an `out=` tensor is
    not resized.
    """
    if value.is_complex() and not target.is_complex():
        raise RuntimeError(
            f"{op}: result type {value.dtype} can't be cast to the desired output type "
            f"{target.dtype}"
        )
    if value.shape != target.shape:
        raise RuntimeError(
            f"{op}: the result has shape {list(value.shape)}, but the tensor to write to has "
            f"shape {list(target.shape)}"
        )
