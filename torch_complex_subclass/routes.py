"""Which products a compiled graph gives to the library's complex kernels.

The complex GEMM of a CPU library runs near the machine's peak on interleaved memory and applies
conjugation and transposition for free, so products of two matrices go there. What is added to them
is fused into the kernels around. Products of a vector and a matrix, outer products, products of a
small matrix with long rows, such as that of a gate with a state vector, and of two long rows with
two long columns, as in its gradient, read each number about once: their rules write them out, and
they fuse. So do many small products whose matrices lie side by side, as weights of Fourier modes
do: they would be copied for the library. Products with few columns are for `narrow_products.py`.

A factor whose imaginary part is zero whatever the inputs are is a real one: two real products, of
which one is left where only one part of the result is read, do half or a quarter of the work.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import fx

from torch_complex_subclass.decompositions.linalg import is_row_times_matrix, is_written_out
from torch_complex_subclass.decompositions.registry import Kind, Rule

aten = torch.ops.aten

_PRODUCT_OF = {aten.addmm.default: aten.mm.default, aten.baddbmm.default: aten.bmm.default}
_PRODUCTS = frozenset(_PRODUCT_OF.values())

REASON = "the library's complex product"


class Affine(NamedTuple):
    """The pieces of beta * addend + alpha * op(left, right)."""

    op: Any
    left: fx.Node
    right: fx.Node
    addend: fx.Node
    beta: Any
    alpha: Any


def is_product(node: fx.Node) -> bool:
    """True for a product of matrices, with or without an addend."""
    return node.target in _PRODUCTS or node.target in _PRODUCT_OF


def is_plain_product(node: fx.Node) -> bool:
    """True for a product of matrices with nothing added."""
    return node.target in _PRODUCTS


def goes_to_library(op: object) -> bool:
    """True for an op whose product goes to the complex kernel, unless it is elementwise."""
    return op in _PRODUCTS or op in _PRODUCT_OF


def is_elementwise(left: fx.Node, right: fx.Node) -> bool:
    """True for a product that its rule writes out."""
    return is_written_out(left.meta["val"], right.meta["val"])


def keeps_library_call(node: fx.Node, rule: Rule) -> bool:
    """True for a product of complex factors that goes to the complex kernel as it is."""
    return (
        rule.kind is Kind.BILINEAR and is_plain_product(node) and not is_elementwise(*node.args)  # type: ignore[arg-type]
    )


def written_out(rule: Rule, sums: Callable[..., Any]) -> Rule:
    """Return the rule of a product that is computed by these sums."""
    return dataclasses.replace(rule, fn=sums, narrow=None)


def is_row_for_library(node: fx.Node) -> bool:
    """True for one row, complex, times a matrix of rows that are long for loops."""
    if not is_plain_product(node) or not node.meta["val"].is_complex():
        return False
    left, right = node.args
    values = left.meta["val"], right.meta["val"]  # type: ignore[union-attr]
    return is_row_times_matrix(*values) and not is_written_out(*values)


def split_affine(node: fx.Node) -> Affine | None:
    """Take a product with an addend apart, when its product goes to the complex kernel."""
    op = _PRODUCT_OF.get(node.target)  # type: ignore[call-overload]
    if op is None:
        return None
    addend, left, right = node.args[:3]
    if is_elementwise(left, right):  # type: ignore[arg-type]
        return None
    beta, alpha = (node.kwargs.get(name, 1) for name in ("beta", "alpha"))
    return Affine(op, left, right, addend, beta, alpha)  # type: ignore[arg-type]
