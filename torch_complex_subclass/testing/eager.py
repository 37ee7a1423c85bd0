"""Compares one overload on ComplexTensor with the same overload on plain complex tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from torch_complex_subclass import ComplexTensor, dispatch
from torch_complex_subclass.decompositions.registry import Pair
from torch_complex_subclass.testing.opinfo import assert_no_further, unwrap, widen, wrap

DTYPES = (torch.complex32, torch.complex64, torch.complex128)
each_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=str)

LAYOUTS: dict[str, Callable[[torch.dtype], Tensor]] = {
    "scalar": lambda dtype: random((), dtype),
    "empty": lambda dtype: random((0, 3), dtype),
    "matrix": lambda dtype: random((3, 3), dtype),
    "transposed": lambda dtype: random((3, 4), dtype).t(),
    "strided": lambda dtype: random((4, 6), dtype)[::2, 1::2],
    "expanded": lambda dtype: random((3, 1), dtype).expand(3, 4),
}
each_layout = pytest.mark.parametrize("layout", LAYOUTS)


def random(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """Normal values; made in double width, so that every dtype gets the same."""
    wide = torch.complex128 if dtype.is_complex else torch.float64
    return torch.randn(shape, dtype=wide).to(dtype)


def result_type(a: Any, b: Any) -> torch.dtype:
    """The dtype of torch's own result for two operands, which its kernels compute.

    From torch 2.14 on bfloat16 with a complex operand of less weight makes torch's own bcomplex32,
    in which torch stores numbers and computes nothing. Before, and here, that is complex64.
    """
    found = torch.result_type(a, b)
    return torch.complex64 if found is getattr(torch, "bcomplex32", None) else found


def planar(z: Tensor) -> ComplexTensor:
    """Return a ComplexTensor whose parts lie apart, as results of ops do."""
    z = z.resolve_conj()
    return ComplexTensor._wrap(z.real.clone(), z.imag.clone())


def is_half(tree: Any) -> bool:
    """True when a tensor in the tree is complex32."""
    leaves = pytree.tree_leaves(tree)
    return any(isinstance(t, Tensor) and t.dtype == torch.complex32 for t in leaves)


def _eager(op: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Eager's result; that of the wide operands, rounded, for complex32, which has few kernels."""
    if not is_half((args, kwargs)):
        return op(*args, **kwargs)
    narrow = {torch.complex64: torch.complex32, torch.float32: torch.float16}
    result = op(*widen(args), **widen(kwargs))
    return pytree.tree_map(lambda t: t.to(narrow.get(t.dtype, t.dtype)), result)


def _widened(value: Any) -> Any:
    # assert_close has no complex32 kernels to compare with.
    return widen(value) if is_half(value) else value


def assert_matches(op: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call `op` on plain tensors, on ComplexTensor, and on parts that lie apart; compare.

    Returns the result on ComplexTensor.
    """
    want = _eager(op, args, kwargs)
    apart = pytree.tree_map(lambda v: planar(v) if _is_complex(v) else v, (args, kwargs))
    result = None
    for new_args, new_kwargs in (apart, (wrap(args), wrap(kwargs))):
        result = op(*new_args, **new_kwargs)
        _compare(unwrap(result), want, lambda: op(*widen(args), **widen(kwargs)))
    return result


def _compare(got: Any, want: Any, reference: Callable[[], Any]) -> None:
    assert pytree.tree_map(_dtype, got) == pytree.tree_map(_dtype, want)
    if is_half(want):
        torch.testing.assert_close(
            _widened(got), _widened(want), rtol=4e-3, atol=4e-3, equal_nan=True
        )
    else:
        assert_no_further(got, want, reference)


def _dtype(value: Any) -> Any:
    return (value.dtype, value.shape) if isinstance(value, Tensor) else type(value)


def _is_complex(value: Any) -> bool:
    return isinstance(value, Tensor) and value.is_complex()


def assert_rule_matches(op: Any, *args: Any, **kwargs: Any) -> None:
    """Apply the rule of an overload that no ComplexTensor reaches, and compare with eager."""
    rule = dispatch.lookup(op)
    assert rule is not None
    pairs = pytree.tree_map(lambda v: split(v) if _is_complex(v) else v, (args, kwargs))
    got = dispatch.apply(rule, *pairs)
    assert got is not NotImplemented
    joined = dispatch.tree_map(
        lambda v: torch.complex(v.re, v.im) if isinstance(v, Pair) else v, got
    )
    torch.testing.assert_close(joined, op(*args, **kwargs))


def split(z: Tensor) -> Pair:
    """Parts of a plain complex tensor."""
    parts = torch.view_as_real(z.resolve_conj())
    return Pair(parts.select(-1, 0), parts.select(-1, 1))
