"""ComplexTensor: a tensor of a complex dtype that holds its real and imaginary part."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import torch
from torch import Tensor
from torch._ops import OpOverload

from torch_complex_subclass import (
    bfloat16_parts,
    config,
    dispatch,
    errors,
    layouts,
    printing,
    storage,
)
from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.decompositions.registry import Interleaved, Kind, Pair, Rule
from torch_complex_subclass.dtypes import BComplex32, complex_dtype, torch_dtype

aten = torch.ops.aten


class ComplexTensor(torch.Tensor):
    """A complex tensor stored as two real tensors of the same shape, dtype and strides.

    Args:
        re: real part, of any shape `(...)`; float16, bfloat16, float32 or float64.
        im: imaginary part, with the shape, dtype and device of `re`.

    The result has complex32, complex64 or complex128 as its dtype and takes part in autograd,
    `torch.func` and `torch.compile` as a plain complex tensor does. With parts in bfloat16 it is
    a `tcs.bcomplex32`, whose dtype torch shows as complex32. Parts that already lie in one
    allocation with equal strides are used in place; others are copied into one, so that
    `torch.view_as_real`, and with it every optimizer, sees the memory itself.

    The constructor cuts the graph of its parts; `from_parts` keeps it.

    Raises:
        TypeError: a part is not a real floating-point tensor.
        ValueError: the parts differ in shape, dtype or device, or require gradients.

    Example:
        >>> z = ComplexTensor(torch.tensor([3.0]), torch.tensor([4.0]))
        >>> z.abs()
        tensor([5.])
    """

    re: Tensor
    im: Tensor
    _block: Tensor | None
    _is_whole: bool = False
    _is_narrow = property(lambda z: z.re.dtype == torch.bfloat16)  # a constant where Dynamo traces

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]
    _stable_hash_for_caching = layouts.cache_key  # torch's name, from 2.13 on

    @staticmethod
    def __new__(cls, re: Tensor, im: Tensor) -> ComplexTensor:
        storage.check_parts(re, im)
        if re.requires_grad or im.requires_grad:
            raise ValueError(
                "ComplexTensor(re, im) cuts the graph of parts that require gradients; "
                "use ComplexTensor.from_parts(re, im) to keep it, or detach them first"
            )
        return cls._wrap_block(storage.block_of(re, im))

    @classmethod
    def _wrap(cls, re: Tensor, im: Tensor, strides: Any = None) -> ComplexTensor:
        """Make a tensor of parts as they are; neither checked nor moved."""
        self: ComplexTensor = torch.Tensor._make_wrapper_subclass(
            cls,
            re.shape,
            strides=storage.complex_strides(re) if strides is None else strides,
            storage_offset=re.storage_offset() // storage.step(re),
            dtype=torch_dtype(complex_dtype(re.dtype)),
            device=re.device,
        )
        self.re, self.im, self._block = re, im, None
        return self

    @classmethod
    def _wrap_block(cls, block: Tensor, strides: Any = None) -> ComplexTensor:
        """Make a tensor on real memory of shape `(..., 2)`."""
        self = cls._wrap(block.select(-1, 0), block.select(-1, 1), strides)
        self._block, self._is_whole = block, True
        return self

    @property
    def block(self) -> Tensor:
        """The memory as a real tensor `(..., 2)`, outside autograd.

        Parts that lie apart, as results of ops do, are moved together first. No alias of them
        exists then: an op that returns a view asks for the block before it makes one.
        """
        if self._block is None:
            self._block = storage.existing_block(self.re, self.im)
        if self._block is None:
            self._block = storage.new_block(self.re, self.im)
            self.re, self.im = self._block.select(-1, 0), self._block.select(-1, 1)
        return self._block

    # Ways in and out; differentiable.

    @staticmethod
    def from_parts(re: Tensor, im: Tensor) -> ComplexTensor:
        """Join real tensors of shape `(...)` to a complex one; gradients flow to both parts.

        Raises:
            TypeError: a part is not a real floating-point tensor.
            ValueError: the parts differ in shape, dtype or device.
        """
        from torch_complex_subclass.autograd import from_parts

        storage.check_parts(re, im)
        return cast(ComplexTensor, from_parts(re, im))

    @staticmethod
    def from_interleaved(t: Tensor) -> ComplexTensor:
        """View a real tensor of shape `(..., 2)` as complex `(...)`, without a copy.

        The result has complex32, bcomplex32, complex64 or complex128 for float16, bfloat16,
        float32 or float64.

        Raises:
            TypeError: `t` has another dtype.
            ValueError: `t` is no tensor of shape `(..., 2)`.
        """
        from torch_complex_subclass.autograd import from_interleaved

        if not isinstance(t, Tensor) or t.dim() == 0 or t.shape[-1] != 2:
            raise ValueError(f"expected a tensor of shape (..., 2), got {errors.describe([t])}")
        storage.check_part_dtype(t)
        return cast(ComplexTensor, from_interleaved(t))

    @staticmethod
    def from_complex(z: Tensor) -> ComplexTensor:
        """View a plain complex tensor `(...)` as a ComplexTensor of the same shape and dtype.

        Copies only to resolve a conj or neg bit; returns a ComplexTensor as it is.

        Raises:
            TypeError: `z` is no complex tensor.
        """
        from torch_complex_subclass.autograd import from_complex

        if isinstance(z, ComplexTensor):
            return z
        if not isinstance(z, Tensor) or not z.is_complex():
            raise TypeError(f"expected a complex tensor, got {errors.describe([z])}")
        return cast(ComplexTensor, from_complex(z))

    def as_interleaved(self) -> Tensor:
        """Return the parts as a real tensor of shape `(..., 2)`.

        It shares memory with this tensor, as `real` and `imag` do. Where this tensor is a result
        of compiled code, prefer these to the functions `torch.view_as_real`, `torch.real` and
        `torch.imag`: their gradient is a plain tensor, which compiled code refuses.
        """
        from torch_complex_subclass.autograd import as_interleaved

        return as_interleaved(self)

    @property
    def real(self) -> Tensor:
        """The real part; shares memory with this tensor."""
        return self.as_interleaved().select(-1, 0)

    @real.setter
    def real(self, value: Any) -> None:
        self.real.copy_(value)

    @property
    def imag(self) -> Tensor:
        """The imaginary part; shares memory with this tensor."""
        return self.as_interleaved().select(-1, 1)

    @imag.setter
    def imag(self, value: Any) -> None:
        self.imag.copy_(value)

    def to_complex(self) -> Tensor:
        """Return the values as a plain complex tensor; a view where the memory allows it.

        A copy in forward-mode differentiation, and one in complex64 for bcomplex32.
        """
        from torch_complex_subclass.autograd import to_complex

        return to_complex(self)

    # The protocol of tensor subclasses.

    def __tensor_flatten__(self) -> tuple[list[str], str]:
        layout = layouts.layout_of(self)
        return layouts.ATTRIBUTES[layout], layout

    @staticmethod
    def __tensor_unflatten__(
        inner: dict[str, Tensor], layout: str, outer_size: Any, outer_stride: Any
    ) -> ComplexTensor:
        strides = compat.strides_given(outer_stride)
        if layout == layouts.BLOCK:
            return ComplexTensor._wrap_block(inner["_block"], strides)
        return ComplexTensor._wrap(inner["re"], inner["im"], strides)

    def _view_func_unsafe(self, base: Tensor, sizes: Any = None, *tensors: Any) -> Any:
        """Make this view on another base; tracers and compiled code do, by torch's name.

        A tracer would have the numbers of each step, as the start of a slice, be symbols that come
        from nowhere, and fail where a guard needs one: they stay numbers.
        """
        from torch_complex_subclass.autograd import replaying_views

        with replaying_views():
            return super()._view_func_unsafe(base, None, *tensors)

    def __coerce_same_metadata_as_tangent__(self, layout: str, other: Any = None) -> Any:
        """Lay a gradient out as compiled code expects it; None where that has another class."""
        return None if other is not None else layouts.relaid(self, layout)

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        return printing.text(self)

    def to(self, *args: Any, **kwargs: Any) -> Tensor:
        """Convert as `torch.Tensor.to` does; the dtype may be `tcs.bcomplex32` too."""
        from torch_complex_subclass.conversion import convert

        z, args, kwargs = convert(self, args, kwargs)
        return super(ComplexTensor, z).to(*args, **kwargs) if args or kwargs else z

    def tolist(self) -> Any:
        """Return the values as nested lists of Python complex numbers."""
        return self.to_complex().tolist()

    def numpy(self, *, force: bool = False) -> Any:
        """Return the values as a NumPy array; it shares memory where `to_complex` does."""
        bfloat16_parts.check_foreign_dtype(self, "NumPy")
        return self.to_complex().numpy(force=force)

    def __dlpack__(self, **options: Any) -> Any:
        bfloat16_parts.check_foreign_dtype(self, "DLPack")
        return super().__dlpack__(**options)

    @classmethod
    @compat.untraced
    def __torch_dispatch__(  # type: ignore[override]
        cls,
        func: OpOverload,
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        with compat.lazy_conjugation():
            return _dispatch(func, args, kwargs or {})


def to_pair(value: Any) -> Any:
    """Give the parts of a complex tensor of either class; leave everything else."""
    if isinstance(value, ComplexTensor):
        bfloat16_parts.mark_gradient(value)
        return Pair(value.re, value.im)
    if isinstance(value, Tensor) and value.is_complex():
        bfloat16_parts.mark_gradient(value)
        constant = compat.traced_constant(value)
        if constant is not None:
            return Pair(constant.real, constant.imag)
        parts = torch.view_as_real(value.resolve_conj())
        return Pair(parts.select(-1, 0), parts.select(-1, 1))
    return value


def _from_pair(value: Any) -> Any:
    return ComplexTensor._wrap(value.re, value.im) if isinstance(value, Pair) else value


def _from_pair_in_block(value: Any) -> Any:
    return ComplexTensor._wrap_block(storage.block_of(*value)) if isinstance(value, Pair) else value


def _settle(value: Any) -> None:
    """Move the parts together, so that views made from now on share their memory."""
    if isinstance(value, ComplexTensor) and compat.has_plain_storage(value.re):
        _ = value.block


def to_plain(value: Any) -> Any:
    if isinstance(value, ComplexTensor):
        bfloat16_parts.mark_gradient(value)
        return storage.to_plain(value.re, value.im)
    return bfloat16_parts.COMPUTED_IN if isinstance(value, BComplex32) else value


def _narrow(value: Any) -> Any:
    """Round what a complex kernel computed for bcomplex32 operands."""
    if isinstance(value, Tensor) and value.is_complex():
        return Pair(*(part.bfloat16() for part in to_pair(value)))
    is_real = isinstance(value, Tensor) and value.is_floating_point()
    return value.bfloat16() if is_real else value


def _narrow_formula_operand(value: Any) -> Any:
    return _from_pair(_narrow(value)) if bfloat16_parts.is_made_by_formula(value) else value


def _from_plain(value: Any) -> Any:
    return _from_pair(to_pair(value))


def _dispatch(func: OpOverload, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    rule = dispatch.lookup(func)
    if rule is not None and rule.kind is Kind.UNSUPPORTED:
        raise errors.unsupported(func, rule.reason, args, advice=errors.ADVICE_ORDER)
    if func is aten.view_as_real.default:
        return aten.alias.default(args[0].block)
    if compat.returns_view(func):
        dispatch.tree_map(_settle, args)
    if func is aten.as_strided.default:
        return ComplexTensor._wrap(*storage.as_strided(*args, **kwargs))
    if rule is not None and rule.kind is Kind.COMPOSITE:
        return _compose(rule, args, kwargs)
    if bfloat16_parts.has_formula_operand(args):
        args = tuple(map(_narrow_formula_operand, args))
    named, named_kwargs = bfloat16_parts.name_own_dtype(args, kwargs)
    if rule is not None and rule.kind is Kind.MEMORY and _lies_as_complex(args[0]):
        return _reinterpret(rule, named, named_kwargs)
    if rule is not None and dispatch.has_function(rule):
        result = _run_kernel(rule, named, named_kwargs)
        if result is not NotImplemented:
            return result
        result = dispatch.apply(
            rule, dispatch.tree_map(to_pair, named), dispatch.tree_map(to_pair, named_kwargs)
        )
        if result is not NotImplemented:
            home = rule.kind is Kind.CREATION and not compat.returns_view(func)
            return dispatch.tree_map(_from_pair_in_block if home else _from_pair, result)
    decomposed = func.decompose(*args, **kwargs)
    if decomposed is not NotImplemented:
        return decomposed
    if func._schema.is_mutable:
        from torch_complex_subclass.inplace import mutate

        return mutate(func, args, kwargs)
    return _call_native(func, named, named_kwargs)


def _run_kernel(rule: Rule, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if not config.eager_kernels:
        return NotImplemented
    from torch_complex_subclass import eager_kernels

    return eager_kernels.run(rule, args, kwargs)


def _compose(rule: Rule, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Apply a rule made of other ops; one with a single result in complex64 for bcomplex32."""
    assert rule.fn is not None
    is_single = [str(r.type) for r in rule.op._schema.returns] == ["Tensor"]
    if not is_single or not bfloat16_parts.is_narrow_result(
        *dispatch.tree_map(to_pair, (args, kwargs))
    ):
        return rule.fn(*args, **kwargs)
    plain_args, plain_kwargs = dispatch.tree_map(to_plain, (args, kwargs))
    return _from_pair(_narrow(rule.fn(*plain_args, **plain_kwargs)))


def _lies_as_complex(z: Any) -> bool:
    """True when the memory could be that of a plain complex tensor."""
    if not isinstance(z, ComplexTensor):
        return False
    return z.block.stride(-1) == 1 and z.block.storage_offset() == 2 * z.storage_offset()


def _to_interleaved(value: Any) -> Any:
    is_complex = isinstance(value, Tensor) and value.is_complex()
    return Interleaved(ComplexTensor.from_complex(value).block) if is_complex else value


def _reinterpret(rule: Rule, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Apply a rule on interleaved memory."""
    assert rule.fn is not None
    result = rule.fn(*map(_to_interleaved, args), **kwargs)
    if isinstance(result, Interleaved):
        return ComplexTensor._wrap_block(result.memory)
    return _call_native(rule.op, args, kwargs) if result is NotImplemented else result


def _call_native(func: OpOverload, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Compute with the complex kernel on plain tensors."""
    if compat.returns_view(func):
        raise errors.unsupported(func, "its result would have to alias both parts", args)
    plain_args, plain_kwargs = dispatch.tree_map(to_plain, (args, kwargs))
    result = func(*plain_args, **plain_kwargs)
    if bfloat16_parts.is_narrow_result(*dispatch.tree_map(to_pair, (args, kwargs))):
        return dispatch.tree_map(_from_pair, dispatch.tree_map(_narrow, result))
    return dispatch.tree_map(_from_plain, result)
