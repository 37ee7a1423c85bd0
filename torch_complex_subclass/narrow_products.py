"""Products of many rows with few columns, or the reverse, that loops compute.

A library call computes blocks of more columns than there are, and copies a real or an imaginary
part of complex memory first. Loops read the long factor in the order of memory, fuse with what
computes the factors and with what reads the result. Only in graphs: op by op, the products of all
pairs of rows and columns would be stored.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, fx

from torch_complex_subclass import routes
from torch_complex_subclass.decompositions.linalg import sums_of_columns, sums_of_rows
from torch_complex_subclass.decompositions.registry import Rule
from torch_complex_subclass.readers import is_computed_by_loops
from torch_complex_subclass.values import owners_of

aten = torch.ops.aten

LARGEST_WIDTH = 10
"""Most columns, or rows, of the small factor where one factor is real, and the long one stored."""

LARGEST_COMPLEX_WIDTH = 3
"""The same where both factors are complex, or loops compute the long one again for each column."""

FEWEST_OF_LONG_SIDE = 16
"""Fewest rows that such columns are multiplied by, and fewest terms of sums taken in vectors."""

LONGEST_SUM = 4096
"""Most terms; of longer ones the caches do not keep what is read for each column."""


def sums(node: fx.Node, has_real_factor: bool) -> Callable[..., Any] | None:
    """Return the sums that a product of few columns, or few rows, is to be; None for others.

    Factors whose terms lie in one piece each are summed in vectors of terms, and where the rows of
    the long factor lie side by side, vectors of sums are taken. Measured on CPUs and in single
    precision, and for those only; in double precision sums of terms are slower.
    """
    if not routes.is_plain_product(node) or routes.is_elementwise(*node.args):  # type: ignore[arg-type]
        return None
    left, right = node.args
    a, b = (factor.meta["val"] for factor in (left, right))  # type: ignore[union-attr]
    is_measured = a.device.type == "cpu" and a.dtype == torch.complex64
    if not is_measured or not all(isinstance(n, int) for n in _numbers(a, b)):
        return None
    long: Any = left
    if b.shape[-1] > a.shape[-2]:
        long, a, b = right, b.mT, a.mT
    may_be_wide = has_real_factor and not is_computed_by_loops(long)
    widest = LARGEST_WIDTH if may_be_wide else LARGEST_COMPLEX_WIDTH
    is_narrow = a.shape[-2] >= FEWEST_OF_LONG_SIDE and 1 < b.shape[-1] <= widest
    return _sums_along(a, b) if is_narrow and not _is_copy(long) else None


def _sums_along(a: Tensor, b: Tensor) -> Callable[..., Any] | None:
    """What loops sum of a long factor and a small one, by how they lie; None where neither."""
    terms = a.shape[-1]
    if terms > LONGEST_SUM:
        return None
    if a.stride(-1) == 1 and b.stride(-2) == 1 and terms >= FEWEST_OF_LONG_SIDE:
        return sums_of_rows
    return sums_of_columns if a.stride(-2) == 1 else None


def _is_copy(factor: fx.Node) -> bool:
    """True for a copy, or a view of one: loops read what is copied, which may lie in any order."""
    *_, owner = owners_of(factor)
    return owner.target is aten.clone.default


def _numbers(*values: Tensor) -> list[int | torch.SymInt]:
    return [n for t in values for n in (*t.shape, *t.stride())]


def written_out(rule: Rule | None, as_sums: Callable[..., Any]) -> Rule:
    """Return the rule of a product with its sums spelled out."""
    assert rule is not None
    return dataclasses.replace(rule, fn=as_sums, narrow=None)
