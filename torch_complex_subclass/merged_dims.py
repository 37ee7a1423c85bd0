"""Products whose operands had more dimensions before a view merged them, as those of einsum.

Generated code finds the place of an element in merged dimensions by division, and its loops over
them are not over memory. A product that is written out has no need of them: it is computed in the
dimensions as they were. A product that a library call computes is left as it is.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, fx

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.decompositions.linalg import split_product
from torch_complex_subclass.decompositions.operands import as_pair, on_parts
from torch_complex_subclass.decompositions.registry import Pair, Rule

aten = torch.ops.aten

# How often a factor is read for a copy of it to cost nothing.
_READ_OFTEN = 8

Sizes = tuple[int, ...]

# Ops that leave each element where it is.
_IN_PLACE = frozenset({aten._conj.default, aten.clone.default, aten.neg.default})

_VIEWS = frozenset({aten._unsafe_view.default, aten.view.default})


def split_rule(node: fx.Node, rule: Rule | None) -> Rule | None:
    """Return the rule for a product `node`, in split dimensions where its operands have them.

    Only vectors times matrices and outer products are taken apart.
    """
    if rule is None or node.target not in (aten.bmm.default, aten.mm.default):
        return rule
    left, right = node.all_input_nodes[0], node.all_input_nodes[-1]  # one node in z @ z
    if not _is_static(left, right):
        return rule
    (*_, rows, terms), (*_, terms_of_right, columns) = _sizes(left), _sizes(right)
    n, k, m = (math.prod(sizes) for sizes in (rows, terms, columns))
    if min(n, m) != 1 and k != 1:
        return rule
    terms = terms if n > m else terms_of_right
    if all(len(sizes) == 1 for sizes in (rows, terms, columns)):
        return rule
    split = functools.partial(split_product, rows=rows, terms=terms, columns=columns)

    def fn(a: Pair | Tensor, b: Pair | Tensor) -> Pair:
        return split(_in_order(a, n * k * m), _in_order(b, n * k * m))

    return dataclasses.replace(rule, fn=fn)


def _in_order(factor: Pair | Tensor, products: int) -> Pair | Tensor:
    """Put a factor that is read many times into contiguous memory first.

    A gradient can come transposed from a library call; Inductor has no copy that undoes it.
    """
    (*_, rows, columns) = as_pair(factor).re.shape
    small = rows * columns * _READ_OFTEN <= products
    return on_parts(compat.in_contiguous_memory, factor) if small else factor


def _is_static(*nodes: fx.Node) -> bool:
    return all(isinstance(n, int) for node in nodes for n in node.meta["val"].shape)


def _sizes(node: fx.Node) -> list[Sizes]:
    """For each dimension of `node`, the sizes of those that it was merged of; itself if none."""
    if node.target in _IN_PLACE:
        return _sizes(node.args[0])  # type: ignore[arg-type]
    if node.target is aten.transpose.int:
        sizes = _sizes(node.args[0])  # type: ignore[arg-type]
        i, j = node.args[1:]
        sizes[i], sizes[j] = sizes[j], sizes[i]  # type: ignore[index]
        return sizes
    if node.target is aten.permute.default:
        sizes = _sizes(node.args[0])  # type: ignore[arg-type]
        return [sizes[i] for i in node.args[1]]  # type: ignore[union-attr, index]
    shape = list(node.meta["val"].shape)
    if node.target in _VIEWS:
        return _groups(node.args[0].meta["val"].shape, shape)  # type: ignore[union-attr]
    return [(n,) for n in shape]


def _groups(before: Sequence[int], after: Sequence[int]) -> list[Sizes]:
    """The sizes in `before` that make up each size in `after`, or that size itself.

    Sizes of 1 do not count.
    """
    rest = [n for n in before if n != 1]
    groups: list[Sizes] = []
    for size in after:
        taken: list[int] = []
        while math.prod(taken) < size and rest:
            taken.append(rest.pop(0))
        if math.prod(taken) != size:
            return [(n,) for n in after]
        groups.append(tuple(taken) or (1,))
    return groups
