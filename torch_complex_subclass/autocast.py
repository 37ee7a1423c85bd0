"""Mixed precision: products in bcomplex32, what is delicate in complex64.

A `TorchFunctionMode` sees each call of torch before autograd does, in eager and where Dynamo traces
it, and converts the operands by the lists of `autocast_lists.py`. Values in complex64 stay plain
tensors; only those in bcomplex32 are of our class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from torch_complex_subclass import autocast_lists as lists
from torch_complex_subclass.bfloat16_parts import has_bfloat16_parts
from torch_complex_subclass.conversion import to_bcomplex32
from torch_complex_subclass.convolution import convolve
from torch_complex_subclass.dtypes import BComplex32, Dtype, bcomplex32
from torch_complex_subclass.tensor import ComplexTensor
from torch_complex_subclass.torch_compat import (
    constant_in_graphs,
    function_modes,
    set_function_modes,
)

# Dtypes that a bcomplex32 is widened by; see the promotion table in docs/bcomplex32.md.
_WIDER = (torch.float16, torch.float32, torch.float64, torch.complex64, torch.complex128)


@contextmanager
def autocast(device_type: str, dtype: Dtype = bcomplex32, enabled: bool = True) -> Iterator[None]:
    """Compute products of complex matrices in bcomplex32 inside the block, or in a function.

    What `torch.autocast` does for real tensors, for complex ones: operands in complex64 of matrix
    products, linear maps, convolutions and einsum are rounded to bcomplex32, and so is their
    result. Reductions, norms, Fourier transforms, exponentials and their relatives, factorisations
    and losses take bcomplex32 operands to complex64 first. Other functions compute in the dtype of
    their operands, a mixture in the widest. complex128 and real tensors are left alone: for the
    real part of a model, `torch.autocast` works beside it.

    Gradients have the dtype of the tensor they belong to, so that parameters and optimizer states
    stay in complex64. Wrap the forward pass and the loss, not the backward pass.

    Args:
        device_type: tensors on devices of this type are cast, such as "cpu" or "cuda".
        dtype: bcomplex32.
        enabled: False computes in the dtypes of the operands inside an enabled block.

    Raises:
        TypeError: `device_type` is no string, or `enabled` no bool.
        ValueError: `dtype` is another one, or torch has no autocast for `device_type`.

    Example:
        >>> with tcs.autocast("cpu"):
        ...     loss = net(z).abs().square().mean()
        >>> loss.backward()
    """
    _check(device_type, dtype, enabled)
    before = function_modes()
    others = [mode for mode in before if not _is_for(mode, device_type)]
    set_function_modes([*others, _Autocast(device_type)] if enabled else others)
    try:
        yield
    finally:
        set_function_modes(before)


@constant_in_graphs  # Dynamo of torch 2.11 does not trace torch's function
def _has_autocast(device_type: str) -> bool:
    try:
        return torch.amp.is_autocast_available(device_type)
    except RuntimeError:  # torch knows no such device
        return False


def _check(device_type: Any, dtype: Any, enabled: Any) -> None:
    if not isinstance(device_type, str):
        raise TypeError(f"device_type must be a string such as 'cpu', got {device_type!r}")
    if not isinstance(enabled, bool):
        raise TypeError(f"enabled must be True or False, got {enabled!r}")
    if not _has_autocast(device_type):
        raise ValueError(f"torch has no autocast for device_type {device_type!r}; use 'cpu'")
    if not isinstance(dtype, BComplex32):
        raise ValueError(
            f"autocast of complex tensors is to {bcomplex32}, got {dtype}; "
            "for real dtypes use torch.autocast beside it"
        )


class _Autocast(TorchFunctionMode):
    """Converts the operands of each call; at most one for a type of device is active."""

    def __init__(self, device_type: str) -> None:
        super().__init__()
        self.device_type = device_type

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if kwargs.get("out") is not None:
            return func(*args, **kwargs)
        if lists.list_of(func) == "CONVOLUTIONS" and self._is_narrowed(args, kwargs):
            return convolve(func, lists.is_transposed(func), args, kwargs)
        convert = self._conversion(func, args, kwargs)
        if convert is not None:
            args, kwargs = self._convert(convert, (args, kwargs))
        return func(*args, **kwargs)

    def _conversion(
        self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Callable[[Tensor], Tensor] | None:
        """What is done to each complex operand, if anything."""
        kind = lists.list_of(func)
        if kind == "NARROW":
            return to_bcomplex32 if self._is_narrowed(args, kwargs) else None
        if kind == "PROMOTED":
            return _widen if self._is_mixed(args, kwargs) else None
        if kind == "PROMOTED_IN_PLACE":
            return None if has_bfloat16_parts(args[0]) else _widen
        return _widen if kind == "WIDE" else None

    def _complex_operands(self, *trees: Any) -> list[Tensor]:
        return [t for t in _tensors(trees) if t.is_complex() and t.device.type == self.device_type]

    def _is_narrowed(self, *trees: Any) -> bool:
        """True for complex operands, none of them complex128."""
        operands = self._complex_operands(*trees)
        return len(operands) > 0 and all(t.dtype != torch.complex128 for t in operands)

    def _is_mixed(self, *trees: Any) -> bool:
        """True where a bcomplex32 meets an operand that widens it."""
        operands = _tensors(trees)
        narrow = [t for t in operands if has_bfloat16_parts(t)]
        if not narrow:
            return False
        shaped = all(t.dim() > 0 for t in narrow)
        return any(t.dtype in _WIDER and (t.dim() > 0 or not shaped) for t in operands)

    def _convert(self, fn: Callable[[Tensor], Tensor], tree: Any) -> Any:
        """Apply `fn` to the complex tensors of this type of device."""
        if isinstance(tree, Tensor):
            concerned = tree.is_complex() and tree.device.type == self.device_type
            return fn(tree) if concerned else tree
        if type(tree) in (list, tuple):
            return type(tree)([self._convert(fn, item) for item in tree])
        if type(tree) is dict:
            return {name: self._convert(fn, item) for name, item in tree.items()}
        return tree


def _is_for(mode: TorchFunctionMode, device_type: str) -> bool:
    return isinstance(mode, _Autocast) and mode.device_type == device_type


def _widen(z: Tensor) -> Tensor:
    """Take a bcomplex32 to a plain tensor in complex64."""
    return z.to_complex() if isinstance(z, ComplexTensor) and has_bfloat16_parts(z) else z


def _tensors(tree: Any) -> list[Tensor]:
    """Tensors among arguments, in lists and tuples too."""
    if isinstance(tree, Tensor):
        return [tree]
    if type(tree) is dict:
        return _tensors(list(tree.values()))
    if type(tree) in (list, tuple):
        return [t for item in tree for t in _tensors(item)]
    return []
