"""The table for tracers: `make_fx(decomposition_table=)` and `ExportedProgram`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass import dispatch
from torch_complex_subclass.decompositions.registry import Pair, Rule


def decomposition(rule: Rule) -> Callable[..., Any]:
    """Return a function on plain tensors that computes `rule.op` by its rule.

    Complex operands are read as real views and complex results are joined from their parts; for
    arguments without a complex tensor, or that the rule does not cover, it returns
    NotImplemented and the tracer keeps the op.
    """

    def decompose(*args: Any, **kwargs: Any) -> Any:
        pairs = [dispatch.tree_map(_split, tree) for tree in (args, kwargs)]
        if not any(isinstance(leaf, Pair) for leaf in dispatch.leaves(pairs)):
            return NotImplemented
        result = dispatch.apply(rule, *pairs)
        return result if result is NotImplemented else dispatch.tree_map(_join, result)

    return decompose


def _split(value: Any) -> Any:
    if isinstance(value, Tensor) and value.is_complex():
        parts = torch.view_as_real(value.resolve_conj())
        return Pair(parts.select(-1, 0), parts.select(-1, 1))
    return value


def _join(value: Any) -> Any:
    return torch.complex(value.re, value.im) if isinstance(value, Pair) else value
