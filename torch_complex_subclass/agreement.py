"""Whether a rule gives what was traced: the last step before it replaces a node."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.decompositions.registry import Pair
from torch_complex_subclass.dtypes import real_dtype


def as_tensors(result: Any, traced: Any) -> Any:
    """Turn a pair of numbers, the result of an op on a Python literal, into tensors."""
    if isinstance(result, Pair) and not isinstance(result.re, Tensor):
        like = {"dtype": real_dtype(traced.dtype), "device": traced.device}
        return Pair(*(torch.full((), part, **like) for part in result))
    return result


def difference(result: Any, traced: Any) -> str:
    """Say how a rule's result differs in kind from the traced value; empty when it does not."""
    if result is NotImplemented:
        return "the rule does not cover these arguments"
    if isinstance(traced, list | tuple):
        if not isinstance(result, list | tuple) or isinstance(result, Pair):
            return "the rule gave one result for several"
        found = (difference(r, t) for r, t in zip(result, traced, strict=True))
        return next(filter(None, found), "")
    if not isinstance(traced, Tensor):
        return "the result is not a tensor"
    parts = result if isinstance(result, Pair) else (result,)
    if isinstance(result, Pair) != traced.is_complex():
        return "the rule gave a real result for a complex one or the reverse"
    wanted = real_dtype(traced.dtype)
    for part in parts:
        if part.dtype != wanted or part.dim() != traced.dim() or not _same_size(part, traced):
            return f"the rule gave {part.dtype}{list(part.shape)}, not {list(traced.shape)}"
    return ""


def _same_size(a: Tensor, b: Tensor) -> bool:
    """True when no dimension is known to differ."""
    pairs = zip(a.shape, b.shape, strict=True)
    return all(m == n for m, n in pairs if isinstance(m, int) and isinstance(n, int))
