"""Compares a compiled function with eager: values, metadata, mutation, and gradients."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils import _pytree as pytree


def duplicate(value: Any) -> Any:
    """Copy a tensor with its strides, conj and neg bits, and gradient flag."""
    if not isinstance(value, Tensor):
        return value
    plain = value.detach()
    conj, neg = plain.is_conj(), plain.is_neg()
    plain = plain.conj() if conj else plain
    plain = torch._neg_view(plain) if neg else plain
    storage = torch.empty(0, dtype=plain.dtype).set_(plain.untyped_storage().clone())
    copy = storage.as_strided(plain.shape, plain.stride(), plain.storage_offset())
    copy = torch._neg_view(copy) if neg else copy
    copy = copy.conj() if conj else copy
    return copy.requires_grad_(value.requires_grad)


def assert_same(actual: Any, expected: Any, **tolerance: Any) -> None:
    """Assert that two results agree in values, dtype, shape, strides and conj bit."""
    torch.testing.assert_close(actual, expected, equal_nan=True, **tolerance)
    pairs = zip(pytree.tree_leaves(actual), pytree.tree_leaves(expected), strict=True)
    for i, (got, want) in enumerate(pairs):
        if not isinstance(want, Tensor):
            continue
        if want.numel() > 1:
            sizes_above_one = [d for d in range(want.dim()) if want.shape[d] > 1]
            strides = [[t.stride(d) for d in sizes_above_one] for t in (got, want)]
            assert strides[0] == strides[1], f"strides of result {i}: {strides}"
        assert got.is_conj() == want.is_conj(), f"conj bit of result {i}"
        assert got.requires_grad == want.requires_grad, f"requires_grad of result {i}"


def gradients(outputs: Any, inputs: list[Tensor]) -> list[Tensor | None]:
    """Gradients of a fixed random functional of the outputs that need them."""
    roots = [t for t in pytree.tree_leaves(outputs) if isinstance(t, Tensor) and t.requires_grad]
    generator = torch.Generator().manual_seed(7)
    seeds = [
        torch.randn(t.shape, dtype=t.dtype, device=t.device, generator=generator) for t in roots
    ]
    return list(torch.autograd.grad(roots, inputs, seeds, allow_unused=True))


def assert_compiles(
    fn: Callable[..., Any],
    *args: Any,
    backend: Any,
    dynamic: bool | None = None,
    gradient: bool = True,
    inference: bool = True,
    **tolerance: Any,
) -> None:
    """Assert that `fn` compiled with `fullgraph=True` does what it does in eager.

    Compares results, in-place changes of the arguments and, where an argument is a complex or
    floating-point leaf and `gradient` is true, gradients as well. `inference` false leaves out the
    graph without gradients, where there is one with them.
    """
    compiled = torch.compile(fn, fullgraph=True, backend=backend, dynamic=dynamic)
    if inference or not gradient:
        _compare(fn, compiled, [duplicate(a) for a in args], tolerance)
    if gradient:
        leaves = [duplicate(a) for a in args]
        for leaf in leaves:
            if isinstance(leaf, Tensor) and (leaf.is_complex() or leaf.is_floating_point()):
                leaf.requires_grad_()
        _compare(fn, compiled, leaves, tolerance)


def _compare(
    fn: Callable[..., Any], compiled: Callable[..., Any], args: list[Any], tolerance: Any
) -> None:
    eager_args, compiled_args = ([duplicate(a) for a in args] for _ in range(2))
    expected, actual = fn(*eager_args), compiled(*compiled_args)
    assert_same(actual, expected, **tolerance)
    torch.testing.assert_close(compiled_args, eager_args, equal_nan=True, **tolerance)
    if any(isinstance(a, Tensor) and a.requires_grad for a in args):
        inputs = [
            [a for a in used if isinstance(a, Tensor) and a.requires_grad]
            for used in (compiled_args, eager_args)
        ]
        found, wanted = gradients(actual, inputs[0]), gradients(expected, inputs[1])
        torch.testing.assert_close(found, wanted, equal_nan=True, **tolerance)


class Case(NamedTuple):
    """A function, what makes its arguments, and how it is compiled."""

    fn: Callable[..., Any]
    make: Callable[[], tuple[Any, ...]]
    gradient: bool = True
    dynamic: bool | None = None

    def check(self, backend: Any, **options: Any) -> None:
        """Call `assert_compiles`, with more of its options."""
        assert_compiles(
            self.fn,
            *self.make(),
            backend=backend,
            dynamic=self.dynamic,
            gradient=self.gradient,
            **options,
        )


def assert_trains(
    module: torch.nn.Module,
    *args: Any,
    backend: Any,
    dynamic: bool | None = None,
    **tolerance: Any,
) -> None:
    """Assert that a module compiled with `fullgraph=True` trains as it does in eager.

    Compares results, buffers, and the gradients of parameters and of floating-point or complex
    arguments.
    """
    eager, ours = copy.deepcopy(module), copy.deepcopy(module)
    compiled = torch.compile(ours, fullgraph=True, backend=backend, dynamic=dynamic)
    found = []
    for model, call in ((eager, eager), (ours, compiled)):
        inputs = [duplicate(a) for a in args]
        leaves = [a for a in inputs if isinstance(a, Tensor) and a.dtype.is_floating_point]
        leaves += [a for a in inputs if isinstance(a, Tensor) and a.is_complex()]
        leaves = [a.requires_grad_() for a in leaves] + list(model.parameters())
        result = call(*inputs)
        found.append((result, gradients(result, leaves), list(model.buffers())))
    assert_same(found[1][0], found[0][0], **tolerance)
    torch.testing.assert_close(found[1][1:], found[0][1:], equal_nan=True, **tolerance)
