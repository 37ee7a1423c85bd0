"""Ops on lists of tensors: each is the op on one tensor, for each of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.decompositions.registry import composite
from torch_complex_subclass.torch_compat import overloads_of_some_versions

aten = torch.ops.aten

# Called as `_foreach_NAME(tensors)`.
_UNARY = (
    "abs",
    "acos",
    "asin",
    "atan",
    "cos",
    "cosh",
    "exp",
    "expm1",
    "log",
    "log10",
    "log1p",
    "log2",
    "neg",
    "reciprocal",
    "rsqrt",
    "sigmoid",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
)

# Overloads differ in what else they take: a list, a number, numbers, or one tensor.
_OVERLOADS = {
    "add": ("List", "Scalar", "ScalarList", "Tensor"),
    "sub": ("List", "Scalar", "ScalarList"),
    "mul": ("List", "Scalar", "ScalarList", "Tensor"),
    "div": ("List", "Scalar", "ScalarList", "Tensor"),
    "pow": ("List", "Scalar", "ScalarList", "ScalarAndTensor"),
    "lerp": ("List", "Scalar", "ScalarList"),
    "addcmul": ("Scalar", "ScalarList"),
    "addcdiv": ("Scalar", "ScalarList"),
}


def for_each(single: Callable[..., Tensor]) -> Callable[..., list[Tensor]]:
    """Return `single` on the elements of its list arguments, which have one length."""

    def each(*args: Any, **kwargs: Any) -> list[Tensor]:
        given = [*args, *kwargs.values()]
        (length,) = {len(a) for a in given if isinstance(a, list | tuple)}

        def pick(value: Any, i: int) -> Any:
            return value[i] if isinstance(value, list | tuple) else value

        return [
            single(*(pick(a, i) for a in args), **{k: pick(a, i) for k, a in kwargs.items()})
            for i in range(length)
        ]

    each.__doc__ = f"{getattr(single, '__name__', 'The op')} of each tensor of a list."
    return each


def _addc(single: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Take `value` by position, as the lists' schema does."""

    def call(z: Tensor, u: Tensor, v: Tensor, value: Any = 1) -> Tensor:
        result: Tensor = single(z, u, v, value=value)
        return result

    return call


def _addcmul_tensor(z: Tensor, u: Tensor, v: Tensor, value: Tensor) -> Tensor:
    return z + value * u * v


def _addcdiv_tensor(z: Tensor, u: Tensor, v: Tensor, value: Tensor) -> Tensor:
    return z + value * u / v


def with_values(single: Callable[..., Tensor]) -> Callable[..., list[Tensor]]:
    """Return `single` on the elements of three lists and of a tensor of values."""

    def each(z: Any, u: Any, v: Any, scalars: Tensor) -> list[Tensor]:
        return for_each(single)(z, u, v, list(scalars.unbind()))

    each.__doc__ = "Three tensors and a value, for each of a list."
    return each


def _copy(target: Tensor, source: Tensor, non_blocking: bool = False) -> Tensor:
    copied: Tensor = aten.copy.default(target, source, non_blocking)
    return copied


def _vector_norm(z: Tensor, ord: Any = 2, dtype: torch.dtype | None = None) -> Tensor:
    norm: Tensor = torch.linalg.vector_norm(z, ord, dtype=dtype)
    return norm


def _register() -> None:
    for name in _UNARY:
        composite(getattr(aten, f"_foreach_{name}").default)(for_each(getattr(torch, name)))
    for name, overloads in _OVERLOADS.items():
        single = getattr(torch, name)
        each = for_each(_addc(single) if name.startswith("addc") else single)
        for overload in overloads:
            composite(getattr(getattr(aten, f"_foreach_{name}"), overload))(each)
    composite(aten._foreach_addcmul.Tensor)(with_values(_addcmul_tensor))
    composite(aten._foreach_addcdiv.Tensor)(with_values(_addcdiv_tensor))
    for op in overloads_of_some_versions("_foreach_clone.default"):
        composite(op)(for_each(torch.clone))
    composite(aten._foreach_copy.default)(for_each(_copy))
    composite(aten._foreach_zero.default)(for_each(torch.zeros_like))
    composite(aten._foreach_norm.Scalar)(for_each(_vector_norm))


_register()
