"""Exponentials of imaginary numbers: a cosine and a sine.

`exp(1j * x)` is how programs write a phase, a plane wave, a turn. The product has the real part
0 * x, which is NaN for an infinite x, and the rule of the exponential would take exp(0 * x) and
look for overflow. Where the real part is zero, exp(+-0) is 1; where it is NaN by an operand that
is not finite, the imaginary part is not finite either, so cosine and sine are the NaNs that the
exponential has (C23 G.6.3.1). So both give the same numbers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, fx

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.decompositions.registry import Pair, Rule
from torch_complex_subclass.known_zeros import is_zero

aten = torch.ops.aten

_PRODUCTS = (aten.mul.Tensor, aten.mul.Scalar)
_QUOTIENTS = (aten.div.Tensor, aten.div.Scalar)
_SUMS = (aten.add.Tensor, aten.sub.Tensor)
_MOVES = (
    *(aten._unsafe_view.default, aten.alias.default, aten.clone.default, aten.expand.default),
    *(aten.permute.default, aten.select.int, aten.slice.Tensor, torch.ops.prims.rev.default),
    *(aten.squeeze.dim, aten.squeeze.dims, aten.transpose.int, aten.unsqueeze.default),
    aten.view.default,
)
"""Views and copies whose elements are those of their operand, wherever it lies in memory."""

MOST_STEPS = 64
"""Values to look at on the way, lest each of many steps walks to the first."""


def shortened(node: fx.Node, rule: Rule, pair: Callable[[Any], Pair]) -> Rule:
    """Return the rule for a node, shorter for the exponential of an imaginary number."""
    if node.target is not aten.exp.default or node.kwargs:
        return rule
    if not is_imaginary(*pair(node.args[0])):
        return rule
    return dataclasses.replace(rule, fn=_turn, narrow=None)


def _turn(_: Tensor, y: Tensor) -> Pair:
    return Pair(torch.cos(y), torch.sin(y))


def is_imaginary(re: fx.Node, im: fx.Node) -> bool:
    """True where each number is known to have a real part of zero, or of NaN and no finite other.

    Both parts are followed to a product with zero and the operand of that. What leads there keeps
    this, should all that is multiplied, divided by or added be infinite or NaN itself.
    """
    if not _are_alike(re, im):
        return False
    left, seen = [(re, im)], set()
    while left:
        pair = _without_signs(*left.pop())
        if pair in seen or _is_multiple_of_zero(*pair):
            continue
        seen.add(pair)
        before = _operands(*pair)
        if len(seen) > MOST_STEPS or not (before or _is_always_zero(pair[0])):
            return False
        left.extend(before)
    return True


def _are_alike(re: fx.Node, im: fx.Node) -> bool:
    """True where places in one tensor are places in the other, and overflow is at one size."""
    one, other = (node.meta.get("val") for node in (re, im))
    if not isinstance(one, Tensor) or not isinstance(other, Tensor):
        return False
    return one.dtype == other.dtype and compat.same_sizes(one.shape, other.shape)


def _without_signs(*parts: fx.Node) -> tuple[fx.Node, fx.Node]:
    re, im = map(_without_sign, parts)
    return re, im


def _without_sign(node: fx.Node) -> fx.Node:
    while node.target is aten.neg.default and node.args:
        node = node.args[0]  # type: ignore[assignment]
    return node


def _is_always_zero(node: fx.Node) -> bool:
    """True for zeros, and for their products with numbers that are finite in their dtype."""
    while _is_finite_multiple(node):
        node = node.args[0]  # type: ignore[assignment]
    return is_zero(node)


def _is_finite_multiple(product: fx.Node) -> bool:
    """True for a product with a number that stays finite in the dtype of the product."""
    number = _number(product)
    if number is None or not product.meta["val"].is_floating_point():
        return False
    return abs(number) <= torch.finfo(product.meta["val"].dtype).max


def _number(node: fx.Node) -> int | float | None:
    """The number that a tensor is multiplied by; None where it is none, and for other nodes."""
    factors = node.args if node.target in _PRODUCTS and not node.kwargs else ()
    number = factors[1] if factors else None
    return number if isinstance(number, int | float) else None


def _is_multiple_of_zero(re: fx.Node, im: fx.Node) -> bool:
    """True for 0 * x beside x or a multiple of x by a number."""
    if _number(re) != 0 or not _are_alike(re, im):
        return False
    x = re.args[0]
    return im is x or (_number(im) is not None and im.args[0] is x)


def _operands(re: fx.Node, im: fx.Node) -> list[tuple[fx.Node, fx.Node]]:
    """Pairs that (re, im) is imaginary with, if all are; none where nothing is known."""
    if not _are_alike(re, im):
        return []
    if re.op != "call_function" or im.op != "call_function" or re.kwargs or im.kwargs:
        return []
    if re.target in _SUMS and im.target in _SUMS:
        pairs = list(zip(re.args, im.args, strict=True))
        nodes = all(isinstance(n, fx.Node) for pair in pairs for n in pair)
        return pairs if nodes else []  # type: ignore[return-value]
    if re.target is not im.target:
        return []
    (first, *rest), (other, *others) = re.args, im.args
    if re.target in _PRODUCTS and first is other:
        (first, *rest), (other, *others) = reversed(re.args), reversed(im.args)
    if rest != others or re.target not in (*_PRODUCTS, *_QUOTIENTS, *_MOVES):
        return []
    found = isinstance(first, fx.Node) and isinstance(other, fx.Node)
    return [(first, other)] if found else []  # type: ignore[list-item]
