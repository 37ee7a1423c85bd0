"""In-place and `out=` forms of ops, computed by their functional form and written back."""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch._ops import OpOverload

from torch_complex_subclass.decompositions.registry import Pair


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


def write_back(target: Any, value: Any) -> None:
    """Copy `value` into `target`, both pairs, tensors or lists of them."""
    if isinstance(target, list | tuple) and not isinstance(target, Pair):
        for t, v in zip(target, value, strict=True):
            write_back(t, v)
    elif isinstance(target, Pair):
        target.re.copy_(value.re if isinstance(value, Pair) else value)
        target.im.copy_(value.im) if isinstance(value, Pair) else target.im.zero_()
    else:
        target.copy_(value)
