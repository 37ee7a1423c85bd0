"""Products of many rows with few columns, or the reverse, that loops compute.

A library call computes blocks of more columns than there are, and copies a real or an imaginary
part of complex memory first. Loops read the long factor in the order of memory, fuse with what
computes the factors and with what reads the result. Only in graphs: op by op, the products of all
pairs of rows and columns would be stored.
"""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, fx

from torch_complex_subclass import routes
from torch_complex_subclass.decompositions.linalg import few_columns, rows_are_summed
from torch_complex_subclass.decompositions.registry import Rule

LARGEST_WIDTH = 10
"""Most columns, or rows, of the small factor where one factor is real."""

LARGEST_COMPLEX_WIDTH = 3
"""The same where both factors are complex."""

FEWEST_OF_LONG_SIDE = 16
"""Fewest rows that such columns are multiplied by, and fewest terms of sums taken in vectors."""

LONGEST_BY_COLUMNS = 4096
"""Number of terms up to which loops over sums that lie side by side do without blocks."""


def is_written_out(node: fx.Node, has_real_factor: bool) -> bool:
    """True for a product of few columns, or few rows, whose factors loops go through in order.

    These are factors whose terms lie in one piece each, of which vectors are summed, and a long
    factor whose rows lie side by side, of which vectors of sums are taken. Measured on CPUs and in
    single precision, and for those only; in double precision sums of terms are slower.
    """
    if not routes.is_plain_product(node) or routes.is_elementwise(*node.args):  # type: ignore[arg-type]
        return False
    a, b = (factor.meta["val"] for factor in node.args)  # type: ignore[union-attr]
    is_measured = a.device.type == "cpu" and a.dtype == torch.complex64
    if not is_measured or not all(isinstance(n, int) for n in _numbers(a, b)):
        return False
    if b.shape[-1] > a.shape[-2]:
        a, b = b.mT, a.mT
    widest = LARGEST_WIDTH if has_real_factor else LARGEST_COMPLEX_WIDTH
    (rows, terms), columns = a.shape[-2:], b.shape[-1]
    if rows < FEWEST_OF_LONG_SIDE or not 1 < columns <= widest:
        return False
    if rows_are_summed(a, b):
        return bool(terms >= FEWEST_OF_LONG_SIDE)
    return bool(a.stride(-2) < a.stride(-1) and terms <= LONGEST_BY_COLUMNS)


def _numbers(*values: Tensor) -> list[int | torch.SymInt]:
    return [n for t in values for n in (*t.shape, *t.stride())]


def written_out(rule: Rule | None) -> Rule:
    """Return the rule of a product with its sums spelled out."""
    assert rule is not None
    return dataclasses.replace(rule, fn=few_columns, narrow=None)
