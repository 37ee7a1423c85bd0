"""Keeps Inductor from expanding an expression once for every use of it.

Inductor inlines pointwise values into their users and decides on reuse by the number of distinct
operations; evaluating the nested functions takes time in the number of paths, which doubles with
every value used twice. Error-free sums use each value two or three times. A value with many paths
is therefore marked as a buffer; the scheduler fuses it with its users, so that it stays in a
register.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import fx
from torch._ops import OpOverload
from torch.utils import _pytree as pytree

from torch_complex_subclass import torch_compat as compat

# Operations on the paths to a value that is used more than once.
MAX_PATHS = 12


def bound_expansion(graph: fx.Graph, made: Iterable[fx.Node]) -> None:
    """Mark those of the nodes `made` whose expression would be expanded too often."""
    candidates = set(made)
    paths: dict[fx.Node, int] = {}
    for node in graph.nodes:
        paths[node] = _paths(node, paths)
        if node in candidates and len(node.users) > 1 and paths[node] > MAX_PATHS:
            node.meta[compat.REALIZE] = True
            paths[node] = 1


def _paths(node: fx.Node, paths: dict[fx.Node, int]) -> int:
    if not isinstance(node.target, OpOverload):
        return 0
    is_view = compat.returns_view(node.target)
    if not is_view and torch.Tag.pointwise not in node.target.tags:
        return 0
    inputs = (arg for arg in pytree.arg_tree_leaves(*node.args, **node.kwargs))
    return (not is_view) + sum(paths[arg] for arg in inputs if isinstance(arg, fx.Node))
