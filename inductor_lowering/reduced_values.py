"""Values that end in one reduction, and nowhere else, are computed in its loop.

Inductor stores a value that reads more than a few buffers or takes many operations, lest several
readers compute it again or expressions nest too deeply. A reduction whose order of loops is
another cannot be joined to the loop that stores: the value costs a pass out to memory and one
back. A reduction reads each element once, so that nothing is computed again, and nested
expressions have room (`fused_rules.DEEPEST_EXPRESSION`).

Applies only to graphs with complex values, whose rules reach both limits early.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import fx
from torch._inductor.virtualized import V
from torch._ops import OpOverload

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.inductor_lowering import interleaved
from torch_complex_subclass.recorder import INNER

FARTHEST_REDUCTION = 64
"""Operations to look ahead for a reduction, which bounds what its loop has to compute."""


def _is_read_once(node: fx.Node, user: fx.Node) -> bool:
    """True where `user` is a view or a loop over elements that reads each element once at most."""
    if not isinstance(user.target, OpOverload):
        return False
    in_loops = torch.Tag.pointwise in user.target.tags or INNER in user.meta
    if not in_loops and not compat.returns_view(user.target):
        return False
    sizes = [n.meta["val"].numel() for n in (user, node)]
    return compat.is_never_more(*sizes)


def is_only_reduced(node: fx.Node) -> bool:
    """True where one reduction reads what is computed of the value of `node`, and nothing else."""
    for _ in range(FARTHEST_REDUCTION):
        if len(node.users) != 1:
            return False
        (user,) = node.users
        if torch.Tag.reduction in getattr(user.target, "tags", ()):
            return True
        if not _is_read_once(node, user):
            return False
        node = user
    return False


def computed_in_loops(stock: Callable[..., bool]) -> Callable[..., bool]:
    """Answer whether the value that is being lowered is to be stored for its size alone."""

    def decide(self: Any, *args: Any, **kwargs: Any) -> bool:
        node = getattr(V.graph, "current_node", None)
        if node is not None and is_only_reduced(node) and interleaved.has_complex_values(V.graph):
            return False
        return stock(self, *args, **kwargs)

    return decide
