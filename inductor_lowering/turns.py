"""Cosines and sines that stand for an exponential are stored where the exponential would be.

Inductor stores a value that is read more than once where exponentials, logarithms or hyperbolic
tangents are computed on the way, but not for cosine and sine. The exponential of an imaginary
number is these (`imaginary.py`), and a table of phases that many loops read, as each shifted
otherwise, would be computed again for each. A table too large for a core's own cache is: to write
and to read it takes longer than its cosines and sines.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import fx
from torch._inductor import ir
from torch._inductor.utils import sympy_product
from torch._inductor.virtualized import V

from torch_complex_subclass.inductor_lowering import interleaved
from torch_complex_subclass.recorder import INNER, RULE

aten = torch.ops.aten

LARGEST = 2 << 20
"""Bytes of a part that is stored."""


def _is_turn(node: fx.Node) -> bool:
    """True for a part that the rule of the exponential gives as it is."""
    if node.target not in (aten.cos.default, aten.sin.default) or INNER in node.meta:
        return False
    return RULE in node.meta and node.meta[RULE][1] is aten.exp.default


def _is_of_turn(value: Any) -> bool:
    """True for a loop on the CPU that computes such a part on the way, unless it is large."""
    if not isinstance(value, ir.Pointwise) or value.get_device_or_error().type != "cpu":
        return False
    if not interleaved.has_complex_values(V.graph) or not any(map(_is_turn, value.origins)):
        return False
    elements = V.graph.sizevars.optimization_hint(sympy_product(value.get_size()))
    return bool(elements * value.get_dtype().itemsize <= LARGEST)


def stored(stock: Callable[..., bool]) -> Callable[..., bool]:
    """Answer whether a value is stored because it is used more than once."""

    def should_realize_on_reuse(self: Any, users: int, **kwargs: Any) -> bool:
        return stock(self, users, **kwargs) or (users > 1 and _is_of_turn(self.data))

    return should_realize_on_reuse
