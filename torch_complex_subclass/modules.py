"""Whole modules in bcomplex32, and their states as tensors that every file format knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn

from torch_complex_subclass import errors
from torch_complex_subclass.bfloat16_parts import has_bfloat16_parts
from torch_complex_subclass.conversion import to_bcomplex32
from torch_complex_subclass.dtypes import BComplex32, Dtype
from torch_complex_subclass.tensor import ComplexTensor

Module = TypeVar("Module", bound=nn.Module)

_SUFFIX = ".bcomplex32"


def _converted(t: Tensor, dtype: Dtype) -> Tensor:
    if isinstance(dtype, BComplex32):
        return to_bcomplex32(t)
    return (t.to_complex() if isinstance(t, ComplexTensor) else t).to(dtype)


def _check_mapping(state: Any) -> None:
    if not isinstance(state, Mapping):
        raise TypeError(
            f"expected a mapping from names to tensors, got {type(state).__name__}; "
            "pass module.state_dict()"
        )


def module_to(module: Module, dtype: Dtype) -> Module:
    """Convert the complex parameters and buffers of a module, in place, and return it.

    To bcomplex32, each part is rounded once; to a complex dtype of torch, they become plain
    tensors. Real ones stay as they are. The parameters are new ones without gradients: make the
    optimizer afterwards. Those that are shared stay shared.

    Raises:
        TypeError: `module` is no module, or `dtype` no complex dtype.
    """
    if not isinstance(module, nn.Module):
        raise TypeError(f"expected a module, got {type(module).__name__}; tensors have .to(dtype)")
    if not isinstance(dtype, Dtype) or not dtype.is_complex:
        raise TypeError(f"expected a complex dtype, got {dtype!r}; module.to() converts to others")
    made: dict[Tensor, Tensor] = {}

    def convert(t: Tensor) -> Tensor:
        if t not in made:
            value = _converted(t.detach(), dtype)
            is_parameter = isinstance(t, nn.Parameter)
            made[t] = nn.Parameter(value, t.requires_grad) if is_parameter else value
        return made[t]

    for part in module.modules():
        for held in (part._parameters, part._buffers):
            for name, t in held.items():
                if t is not None and t.is_complex():
                    held[name] = convert(t)  # type: ignore[assignment]
    return module


def pack_state_dict(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a state without tensors of our class, for formats such as safetensors.

    A bcomplex32 tensor `(...)` named `weight` becomes a bfloat16 tensor `(..., 2)` named
    `weight.bcomplex32`; other ComplexTensors become plain complex tensors.

    Raises:
        TypeError: `state` is no mapping.
    """
    _check_mapping(state)
    packed = {}
    for name, t in state.items():
        z = cast(ComplexTensor, t.detach()) if isinstance(t, ComplexTensor) else None
        if z is None:
            packed[name] = t
        elif has_bfloat16_parts(z):
            packed[name + _SUFFIX] = z.as_interleaved().contiguous()
        else:
            packed[name] = z.to_complex()
    return packed


def unpack_state_dict(packed: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the state that `pack_state_dict` was given; bcomplex32 tensors share the memory.

    Raises:
        TypeError: `packed` is no mapping.
        ValueError: a tensor whose name says bcomplex32 is not bfloat16 of shape `(..., 2)`.
    """
    _check_mapping(packed)
    state = {}
    for name, t in packed.items():
        if not name.endswith(_SUFFIX):
            state[name] = t
            continue
        if t.dtype != torch.bfloat16 or t.dim() == 0 or t.shape[-1] != 2:
            raise ValueError(
                f"{name} must be bfloat16 of shape (..., 2), got {errors.describe([t])}"
            )
        state[name.removesuffix(_SUFFIX)] = ComplexTensor.from_interleaved(t)
    return state
