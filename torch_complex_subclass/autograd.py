"""Differentiable ways into and out of ComplexTensor.

Each is an op of torch's own (`view_as_complex`, `alias`, `complex`) whose result is put into the
other class below autograd. So autograd sees the op it knows: the result is a view of the argument
(in-place changes are tracked in both directions) and derivatives of every order and mode are
torch's own formulas.

A gradient of a complex tensor is the conjugate Wirtinger derivative, as everywhere in torch: its
real and imaginary part are the derivatives by the real and the imaginary part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode

from torch_complex_subclass import storage
from torch_complex_subclass.bfloat16_parts import dtype_of
from torch_complex_subclass.dtypes import bcomplex32, ready_to_round
from torch_complex_subclass.tensor import ComplexTensor
from torch_complex_subclass.torch_compat import allow_in_graph, in_forward_mode

aten = torch.ops.aten


class _Replace(TorchDispatchMode):
    """Computes one op by a function that returns the other class of complex tensor."""

    def __init__(self, op: OpOverload, fn: Callable[..., Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.op, self.fn = op, fn

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        return self.fn(*args) if func is self.op else func(*args, **(kwargs or {}))


def _wrap_interleaved(t: Tensor) -> Tensor:
    return ComplexTensor._wrap_block(t)


def _wrap_parts(re: Tensor, im: Tensor) -> Tensor:
    return ComplexTensor._wrap_block(storage.block_of(re, im))


def _unwrap(z: Tensor) -> Tensor:
    return storage.to_plain(z.re, z.im) if isinstance(z, ComplexTensor) else z


def _copy_out(z: Tensor) -> Tensor:
    return torch.complex(z.re, z.im) if isinstance(z, ComplexTensor) else z.clone()


@allow_in_graph
def from_interleaved(t: Tensor) -> Tensor:
    """View real `(..., 2)` as ComplexTensor `(...)`."""
    with replaying_views():
        return torch.view_as_complex(t)


def replaying_views() -> TorchDispatchMode:
    """Make a ComplexTensor where the views that made one are made again on another base."""
    return _Replace(aten.view_as_complex.default, _wrap_interleaved)


def from_complex(z: Tensor) -> Tensor:
    """View a plain complex tensor as ComplexTensor; a conj or neg bit is resolved by a copy.

    Through the real view, so that the gradient of the plain tensor is a plain one again.
    """
    return from_interleaved(torch.view_as_real(z.resolve_conj().resolve_neg()))


@allow_in_graph
def from_parts(re: Tensor, im: Tensor) -> Tensor:
    """Join real tensors re and im, both `(...)`, to ComplexTensor `(...)`."""
    with _Replace(aten.complex.default, _wrap_parts):
        return torch.complex(re, im)


def take_interleaved(t: Tensor) -> Tensor:
    """Make a ComplexTensor `(...)` of real `(..., 2)`, memory that nothing else refers to.

    The parts lie in one block, which is used in place. Unlike that of `from_interleaved`, the
    result is no view as autograd sees it: where one enters a compiled function, Dynamo makes it
    again from its real base, which torch cannot.
    """
    return from_parts(t.select(-1, 0), t.select(-1, 1))


@allow_in_graph
def to_complex(z: Tensor) -> Tensor:
    """View a ComplexTensor as a plain tensor where its memory allows it, else copy.

    Always copy in forward mode: the tangent of an alias is the argument's as it is, which would
    leave a plain tensor with a ComplexTensor for tangent, and fail where their layouts differ.
    """
    if dtype_of(z) is bcomplex32:
        t = as_interleaved(z).float()
        # The copy of an expanded view may lie in any order.
        return torch.view_as_complex(t if t.stride(-1) == 1 else t.contiguous())
    if in_forward_mode():
        with _Replace(aten.clone.default, _copy_out):
            return _splitting_gradient(aten.clone(z))
    with _Replace(aten.alias.default, _unwrap):
        return with_split_gradient(z)


@allow_in_graph
def with_split_gradient(z: Tensor) -> Tensor:
    """Return an alias of `z`, whose gradient reaches `z` as a ComplexTensor.

    Compiled code requires gradients of the class of its results; those of `view_as_real` and of
    a plain tensor are plain.
    """
    return _splitting_gradient(aten.alias(z))


@allow_in_graph
def as_interleaved(z: Tensor) -> Tensor:
    """View a ComplexTensor `(...)` as real `(..., 2)`."""
    result = torch.view_as_real(with_split_gradient(z))
    if result.requires_grad and result.dtype == torch.bfloat16:
        result.register_hook(_viewable_gradient)
    return result


class _ViewableGradient(torch.Tensor):
    """Real `(..., 2)` in bfloat16 whose complex view is a ComplexTensor.

    The derivative of `view_as_real` views its gradient as complex, which torch refuses for
    bfloat16 where no class of tensors answers.
    """

    memory: Tensor

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @staticmethod
    def wrap(memory: Tensor) -> _ViewableGradient:
        """Hold `memory`, made contiguous so that the view needs no copy."""
        memory = memory.contiguous()
        self: _ViewableGradient = torch.Tensor._make_wrapper_subclass(
            _ViewableGradient, memory.shape, dtype=memory.dtype, device=memory.device
        )
        self.memory = memory
        return self

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls,
        func: OpOverload,
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func is aten.view_as_complex.default:
            return ComplexTensor._wrap_block(args[0].memory)
        plain = [a.memory if isinstance(a, _ViewableGradient) else a for a in args]
        return func(*plain, **(kwargs or {}))


def _viewable_gradient(grad: Tensor) -> Tensor:
    with _Replace(aten.alias.default, _ViewableGradient.wrap):
        return aten.alias(grad)  # type: ignore[no-any-return]


def _rounded(t: Tensor) -> Tensor:
    return ready_to_round(t, torch.bfloat16).to(torch.bfloat16)


@allow_in_graph
def round_to_bfloat16(t: Tensor) -> Tensor:
    """Convert a real tensor to bfloat16, rounding once."""
    with _Replace(aten._to_copy.default, _rounded):
        return t.to(torch.bfloat16)


def _splitting_gradient(result: Tensor) -> Tensor:
    if result.requires_grad:
        result.register_hook(_split_gradient)
    return result


def _split_gradient(grad: Tensor | None) -> Tensor | None:
    return grad if grad is None or isinstance(grad, ComplexTensor) else from_complex(grad)
