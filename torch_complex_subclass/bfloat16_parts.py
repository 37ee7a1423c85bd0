"""What dispatch has to know of tensors with bfloat16 parts beyond the table of rules.

Torch knows such a tensor as complex32, whose parts would be float16. So an op that is given
complex32 as a dtype says the same of two dtypes, and this module tells them apart: on a tensor
with bfloat16 parts it means bcomplex32, and so it does where a backward pass converts a gradient
to the dtype of a tensor with bfloat16 parts.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass import dispatch
from torch_complex_subclass.decompositions.registry import Pair
from torch_complex_subclass.dtypes import (
    OUTER,
    BComplex32,
    Dtype,
    bcomplex32,
    complex_dtype,
    result_dtype,
)
from torch_complex_subclass.torch_compat import backward_destinations, leaf_of

NAME = repr(bcomplex32)

# Complex kernels of the library take and return this dtype.
COMPUTED_IN = torch.complex64

# Key in the metadata of autograd nodes: the dtype that gradients arriving there are to have.
_MARK = "torch_complex_subclass.dtype"


def has_bfloat16_parts(value: object) -> bool:
    """True for a complex tensor whose parts are bfloat16."""
    return getattr(value, "_is_narrow", False)


def dtype_of(t: Tensor) -> Dtype:
    """Return the dtype of a tensor: `tcs.bcomplex32`, or what `t.dtype` says.

    Raises:
        TypeError: `t` is no tensor.
    """
    if not isinstance(t, Tensor):
        raise TypeError(f"expected a tensor, got {type(t).__name__}: {t!r}")
    if t.dtype != OUTER:
        return t.dtype
    with torch.no_grad():
        # The wrappers of `torch.func` have no parts of their own to look at.
        return complex_dtype(torch.real(t).dtype)


def mark_gradient(z: Tensor) -> None:
    """Note in the autograd node of an operand which of the two dtypes its gradient has."""
    if z.requires_grad and z.dtype == OUTER and z.grad_fn is not None:
        node: Any = z.grad_fn  # annotated as having a method where it has a dict
        node.metadata[_MARK] = bcomplex32 if has_bfloat16_parts(z) else OUTER


def _gradient_dtype(node: Any) -> Dtype:
    leaf = leaf_of(node)
    if leaf is not None:
        return bcomplex32 if has_bfloat16_parts(leaf) else leaf.dtype
    # Operands under `torch.func` have no node to mark; float16 parts could overflow there.
    return node.metadata.get(_MARK, bcomplex32)  # type: ignore[no-any-return]


def _is_gradient() -> bool:
    """True inside a backward node that sends a gradient to a tensor with bfloat16 parts."""
    nodes = backward_destinations(OUTER)
    return any(isinstance(_gradient_dtype(node), BComplex32) for node in nodes)


def _means_own_dtype(args: tuple[Any, ...]) -> bool:
    operands = [value for value in dispatch.leaves(args) if isinstance(value, Tensor)]
    return any(map(has_bfloat16_parts, operands)) or _is_gradient()


def name_own_dtype(
    args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Replace complex32 by bcomplex32 among the arguments of an op that means it."""
    given = any(v is OUTER for v in args) or any(v is OUTER for v in kwargs.values())
    if not given or not _means_own_dtype(args):
        return args, kwargs

    def name(value: Any) -> Any:
        return bcomplex32 if value is OUTER else value

    return tuple(map(name, args)), {key: name(value) for key, value in kwargs.items()}


def is_made_by_formula(value: object) -> bool:
    """True for a plain complex32 tensor with dimensions, such as zeros that a formula starts from.

    One that a user gave would have made the op go on in complex64.
    """
    is_plain = isinstance(value, Tensor) and not hasattr(value, "re")
    return is_plain and value.dtype == OUTER and value.dim() > 0  # type: ignore[attr-defined]


def has_formula_operand(args: tuple[Any, ...]) -> bool:
    """True inside the gradient of a bcomplex32 whose formula has made an operand by its dtype."""
    if not any(map(is_made_by_formula, args)) or not any(map(has_bfloat16_parts, args)):
        return False
    return _is_gradient()


def is_narrow_result(args: Any, kwargs: dict[str, Any]) -> bool:
    """True when a complex kernel's result on these operands, pairs, is to be rounded."""
    dtype = kwargs.get("dtype")
    if dtype is not None:
        return isinstance(dtype, BComplex32)
    operands = [v for v in dispatch.leaves((args, kwargs)) if isinstance(v, Pair | Tensor)]
    return bool(operands) and isinstance(result_dtype(operands), BComplex32)


def check_foreign_dtype(z: Tensor, receiver: str) -> None:
    """Raise TypeError for a tensor with bfloat16 parts, which `receiver` has no dtype for."""
    if has_bfloat16_parts(z):
        raise TypeError(
            f"{receiver} has no dtype for {NAME}; convert it with z.to(torch.complex64) first"
        )
