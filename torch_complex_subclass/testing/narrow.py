"""Compares each overload on bcomplex32 with complex64 on the same values, rounded once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from torch_complex_subclass import ComplexTensor, bcomplex32, dispatch, dtype_of, to_bcomplex32
from torch_complex_subclass.decompositions.registry import Kind

ULPS = 2
"""Bound, in bfloat16 ulps of the larger part."""

SUMS = 2.0**-18
"""What float32 sums in another order may differ by, relative to the largest element."""

# Values of these are not decided by values of the operands.
_UNDECIDED = (torch.Tag.nondeterministic_seeded, torch.Tag.inplace_view)

_DTYPES = {torch.complex32: torch.complex64, torch.bfloat16: torch.float32}


def narrow(value: Any) -> Any:
    """Round a complex64 or float32 tensor, or name the dtype, half as wide."""
    if isinstance(value, torch.dtype):
        return {wide: half for half, wide in _DTYPES.items()}.get(value, value)
    if not isinstance(value, Tensor):
        return value
    leaf = value.detach()
    if leaf.is_complex():
        leaf = to_bcomplex32(leaf)
    elif leaf.is_floating_point():
        leaf = leaf.to(torch.bfloat16)
    return leaf.requires_grad_(value.requires_grad)


def widen(value: Any) -> Any:
    """Copy a tensor to a plain one of twice the width, or name the dtype twice as wide."""
    if not isinstance(value, Tensor):
        return _DTYPES.get(value, value) if isinstance(value, torch.dtype) else value
    if isinstance(value, ComplexTensor):
        return value.to_complex().detach().clone()
    return value.detach().clone().to(_DTYPES.get(value.dtype, value.dtype))


def is_bcomplex32(value: Any) -> bool:
    """True for a ComplexTensor with bfloat16 parts."""
    return isinstance(value, ComplexTensor) and dtype_of(value) is bcomplex32


def _is_inexact(t: Tensor) -> bool:
    return t.is_complex() or t.is_floating_point()


def _is_narrow(t: Tensor) -> bool:
    return is_bcomplex32(t) or t.dtype == torch.bfloat16


def _parts(t: Any) -> Tensor:
    """Parts in float64, of shape `(..., 2)` or `(..., 1)`."""
    if isinstance(t, ComplexTensor):
        return t.as_interleaved().detach().double()
    t = torch.view_as_real(t.resolve_conj()) if t.is_complex() else t.unsqueeze(-1)
    return cast(Tensor, t.double())


def excess(got: Tensor, want: Tensor) -> float:
    """Largest error by what is allowed; `want` is complex64 or float32."""
    found, exact = _parts(got), _parts(want)
    if not exact.numel():
        return 0.0
    size = exact.abs().amax(-1, keepdim=True)
    tiny = torch.finfo(torch.bfloat16).tiny
    ulp = torch.exp2(torch.floor(torch.log2(size.clamp(min=tiny))) - 7)
    finite = size.isfinite()
    largest = torch.where(finite, size, 0.0).amax()
    allowed = torch.where(finite, ULPS * ulp + SUMS * largest, 0.0)
    rounded = exact.to(torch.float32).to(torch.bfloat16).double()
    same = (found == rounded) | (found.isnan() & rounded.isnan())
    return float(torch.where(same, 0.0, (found - rounded).abs() / allowed).amax())


class RoundedOnce(TorchDispatchMode):
    """Compares every call of an overload with a rule; `worst` has the largest excess of each."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.worst: dict[OpOverload, float] = {}
        self.kinds: dict[OpOverload, str] = {}

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if not self._is_compared(func, args, kwargs):
            return func(*args, **kwargs)
        wide_args, wide_kwargs = pytree.tree_map(widen, (args, kwargs))
        want = func(*wide_args, **wide_kwargs)
        result = func(*args, **kwargs)
        for got, exact in zip(pytree.tree_leaves(result), pytree.tree_leaves(want), strict=True):
            if isinstance(got, Tensor):
                self._record(func, got, exact)
        return result

    def _is_compared(self, func: OpOverload, args: Any, kwargs: dict[str, Any]) -> bool:
        rule = dispatch.lookup(func)
        if rule is None or rule.kind in (Kind.MEMORY, Kind.UNSUPPORTED):
            return False
        if any(tag in func.tags for tag in _UNDECIDED) or "empty" in str(func):
            return False
        if kwargs.get("dtype") not in (None, *_DTYPES):
            return False
        found = pytree.tree_leaves((args, kwargs))
        tensors = [t for t in found if isinstance(t, Tensor) and _is_inexact(t)]
        return any(map(is_bcomplex32, tensors)) and all(map(_is_narrow, tensors))

    def _record(self, func: OpOverload, got: Tensor, want: Tensor) -> None:
        kinds = {torch.complex64: bcomplex32, torch.float32: torch.bfloat16}
        wanted = kinds.get(want.dtype, want.dtype)
        if dtype_of(got) != wanted or got.shape != want.shape:
            self.kinds[func] = f"{dtype_of(got)}{list(got.shape)}, not {wanted}{list(want.shape)}"
        elif _is_inexact(got):
            self.worst[func] = max(self.worst.get(func, 0.0), excess(got, want))
        elif not torch.equal(got, want):
            self.worst[func] = float("inf")
