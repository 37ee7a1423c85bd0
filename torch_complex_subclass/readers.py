"""What reads a complex value: loops, which take its parts, or calls that need complex memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import fx
from torch._ops import OpOverload

from torch_complex_subclass import dispatch, routes
from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.decompositions.registry import Kind
from torch_complex_subclass.values import owners_of

aten = torch.ops.aten

# Their results may lie in the memory of the operand; schemas tell of the other views.
_HANDED_ON = (aten._unsafe_view.default, aten.clone.default)

IsWritten = Callable[[fx.Node, fx.Node], bool]


def is_read_by_loops(node: fx.Node, is_written: IsWritten = routes.is_elementwise) -> bool:
    """True when no result and no library call needs the value of `node` in complex memory.

    `is_written` tells of the factors of a product whether loops compute it.
    """
    return all(_is_loop(user, node, is_written) for user in node.users)


def _is_loop(user: fx.Node, operand: fx.Node, is_written: IsWritten) -> bool:
    op = user.target
    if not isinstance(op, OpOverload) or not dispatch.has_function(dispatch.lookup(op)):
        return False
    if routes.is_product(user):
        factors: Any = user.args[-2:]
        return operand not in factors or is_written(*factors)
    hands_on = op in _HANDED_ON or compat.returns_view(op)
    return not hands_on or is_read_by_loops(user, is_written)


def is_computed_by_loops(node: fx.Node) -> bool:
    """True for a value, or a view or copy of one, that a rule computes element by element."""
    *_, owner = owners_of(node)
    if owner.target is aten.clone.default:
        return is_computed_by_loops(owner.all_input_nodes[0])
    rule = dispatch.lookup(owner.target)
    return rule is not None and rule.kind in (Kind.UNARY, Kind.ELEMENTWISE)
