"""Which real nodes of a graph are zero in every element, whatever its inputs are.

The imaginary part of a real tensor that was converted to a complex dtype is one, and so is that
of the gradient of a real part.
"""

from __future__ import annotations

import torch
from torch import fx
from torch._ops import OpOverload

from torch_complex_subclass import torch_compat as compat

aten = torch.ops.aten

# Besides views, ops whose result is zero where their first argument is.
_KEEP_ZERO = frozenset(
    {
        aten._unsafe_view.default,
        aten.clone.default,
        aten.neg.default,
        torch.ops.prims.convert_element_type.default,
    }
)


def is_zero(node: fx.Node) -> bool:
    """True when every element is known to be zero, of either sign."""
    while isinstance(node.target, OpOverload):
        if node.target is aten.full.default:
            return bool(node.args[1:2] == (0,))
        if node.target not in _KEEP_ZERO and not _views_numbers(node.target):
            return False
        (node,) = node.all_input_nodes[:1]
    return False


def _views_numbers(op: OpOverload) -> bool:
    """True for a view that does not take the bits for another dtype, where -0.0 is no zero."""
    return op is not aten.view.dtype and compat.returns_view(op)
