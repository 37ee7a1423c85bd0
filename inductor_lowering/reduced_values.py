"""Values that only a reduction reads are computed in its loop.

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

aten = torch.ops.aten

_REPEATS_ELEMENTS = (aten.expand.default, aten.as_strided.default, aten.unfold.default)


def is_only_reduced(node: fx.Node) -> bool:
    """True where one reduction reads the value of `node`, or a view of it, and nothing else."""
    if len(node.users) != 1:
        return False
    (user,) = node.users
    if not isinstance(user.target, OpOverload) or user.target in _REPEATS_ELEMENTS:
        return False
    if compat.returns_view(user.target):
        return is_only_reduced(user)
    return torch.Tag.reduction in user.target.tags


def computed_in_loops(stock: Callable[..., bool]) -> Callable[..., bool]:
    """Answer whether the value that is being lowered is to be stored for its size alone."""

    def decide(self: Any, *args: Any, **kwargs: Any) -> bool:
        node = getattr(V.graph, "current_node", None)
        if node is not None and is_only_reduced(node) and interleaved.has_complex_values(V.graph):
            return False
        return stock(self, *args, **kwargs)

    return decide
