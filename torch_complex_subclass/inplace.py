"""In-place and `out=` forms of ops, computed by their functional form and written back."""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload

from torch_complex_subclass import dispatch, errors, storage
from torch_complex_subclass.bfloat16_parts import dtype_of
from torch_complex_subclass.decompositions.operands import as_pair
from torch_complex_subclass.dtypes import ready_to_round
from torch_complex_subclass.tensor import ComplexTensor, to_pair, to_plain
from torch_complex_subclass.torch_compat import returns_view, without_subclass_dispatch


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
            f"{op}: result type {dtype_of(value)} can't be cast to the desired output type "
            f"{target.dtype}"
        )
    if value.shape != target.shape:
        raise RuntimeError(
            f"{op}: the result has shape {list(value.shape)}, but the tensor to write to has "
            f"shape {list(target.shape)}"
        )


def mutate(func: OpOverload, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Compute what `func` writes, and copy it to the arguments that it writes to."""
    if torch.Tag.inplace_view in func.tags:
        return _change_view(func, args, kwargs)
    bound = bind(func, args, kwargs)
    targets = [bound[name] for name in written_arguments(func) if bound.get(name) is not None]
    functional = functional_form(func)
    if functional is None:
        values = _write_to_copies(func, bound)
    else:
        named = {a.name for a in functional._schema.arguments}
        result = functional(**{k: v for k, v in bound.items() if k in named})
        values = [result] if len(targets) == 1 else list(result)
    for target, value in zip(targets, values, strict=True):
        _write(func, target, value)
    if not func._schema.returns:
        return None
    return targets[0] if len(func._schema.returns) == 1 else tuple(targets)


def _change_view(func: OpOverload, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Apply `t_`, `squeeze_` and their like: new views for parts, new sizes for the tensor."""
    functional, z = functional_form(func), args[0]
    if functional is None or not returns_view(functional) or not isinstance(z, ComplexTensor):
        raise errors.unsupported(func, "it changes the memory of a tensor in place", args)
    view = functional(*args, **kwargs)
    with without_subclass_dispatch():
        func(*args, **kwargs)
    z.re, z.im, z._block, z._is_whole = view.re, view.im, None, False
    return z


def _write_to_copies(func: OpOverload, bound: dict[str, Any]) -> list[Any]:
    """Let `func` write to plain copies; a random fill, for one, has no other form."""
    copies = {name: dispatch.tree_map(_plain_copy, value) for name, value in bound.items()}
    func(**copies)
    return [copies[name] for name in written_arguments(func) if copies.get(name) is not None]


def _write(func: OpOverload, target: Any, value: Any) -> None:
    """Copy `value` into `target`, both tensors or lists of them."""
    if isinstance(target, list | tuple):
        for t, v in zip(target, value, strict=True):
            _write(func, t, v)
        return
    check_writable(func, target, value)
    if not isinstance(target, ComplexTensor):
        target.copy_(to_plain(value))
    elif _are_blocks_of_one_dtype(target, value):
        target.block.copy_(value.block)  # both parts at once
    else:
        for part, new in zip((target.re, target.im), as_pair(to_pair(value)), strict=True):
            part.copy_(ready_to_round(new, part.dtype))


def _are_blocks_of_one_dtype(target: ComplexTensor, value: Any) -> bool:
    if not isinstance(value, ComplexTensor) or value._block is None or target._block is None:
        return False
    return value._block.dtype == target._block.dtype


def _plain_copy(value: Any) -> Any:
    return storage.plain_copy(value.re, value.im) if isinstance(value, ComplexTensor) else value
