"""The table for tracers: `make_fx(decomposition_table=)` and `ExportedProgram`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from torch_complex_subclass import dispatch
from torch_complex_subclass.decompositions.registry import Kind, Pair, Rule


def decomposition(rule: Rule) -> Callable[..., Any]:
    """Return a function on plain tensors that computes `rule.op` by its rule.

    Complex operands are read as real views and complex results are joined from their parts; for
    arguments without a complex tensor, or that the rule does not cover, it returns
    NotImplemented and the tracer keeps the op.
    """

    if rule.kind is Kind.COMPOSITE:
        return for_complex(rule)

    def decompose(*args: Any, **kwargs: Any) -> Any:
        pairs = [dispatch.tree_map(_split, tree) for tree in (args, kwargs)]
        if not any(isinstance(leaf, Pair) for leaf in dispatch.leaves(pairs)):
            return NotImplemented
        result = dispatch.apply(rule, *pairs)
        return result if result is NotImplemented else dispatch.tree_map(_join, result)

    return decompose


def for_complex(
    rule: Rule, otherwise: Callable[..., Any] = lambda *args, **kwargs: NotImplemented
) -> Callable[..., Any]:
    """Return a composite rule as a decomposition that leaves real arguments to `otherwise`."""
    assert rule.fn is not None
    fn = rule.fn

    def decompose(*args: Any, **kwargs: Any) -> Any:
        chosen = fn if any(map(is_complex, pytree.arg_tree_leaves(*args, **kwargs))) else otherwise
        return chosen(*args, **kwargs)

    return decompose


def is_complex(leaf: object) -> bool:
    """True for a complex tensor, number or dtype."""
    if isinstance(leaf, Tensor):
        return leaf.is_complex()
    return isinstance(leaf, complex) or (isinstance(leaf, torch.dtype) and leaf.is_complex)


def _split(value: Any) -> Any:
    if isinstance(value, Tensor) and value.is_complex():
        parts = torch.view_as_real(value.resolve_conj())
        return Pair(parts.select(-1, 0), parts.select(-1, 1))
    return value


def _join(value: Any) -> Any:
    return torch.complex(value.re, value.im) if isinstance(value, Pair) else value
