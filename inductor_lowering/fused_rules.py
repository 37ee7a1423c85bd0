"""What the rules' own expressions need of Inductor: a fused multiply-add, and to stay in one loop.

Inductor stores a value that is used twice once computing it takes many operations or one slow one,
so that kernels that read it need not compute it again. The values inside a rule are read by the
rest of the rule only, in the same loop; stored, each would cost a pass over memory, and counting
the operations of each takes time in the square of their number. So none of them is stored; what the
rule returns is where Inductor thinks it worth while, but for what `reduced_values` and
`recomputed` keep in loops.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch._inductor import ir
from torch._inductor.lowering import make_pointwise
from torch._inductor.virtualized import V, ops
from torch.utils._ordered_set import OrderedSet

from torch_complex_subclass.inductor_lowering import narrow_sums, recomputed, reduced_values, turns
from torch_complex_subclass.recorder import INNER

DEEPEST_EXPRESSION = 20_000
"""Recursion limit of the interpreter while Inductor calls nested expressions."""


def product_error(a: ir.TensorBox, b: ir.TensorBox) -> ir.TensorBox:
    """Lower the error of a rounded product."""
    return make_pointwise(lambda x, y: ops.fma(x, y, ops.neg(ops.mul(x, y))))(a, b)


def _inside_rule() -> bool:
    node = getattr(V.graph, "current_node", None)
    return node is not None and INNER in node.meta


def _never_inside_rule(stock: Callable[..., bool]) -> Callable[..., bool]:
    def decide(self: Any, *args: Any, **kwargs: Any) -> bool:
        return not _inside_rule() and stock(self, *args, **kwargs)

    return decide


def _read_names(stock: Callable[..., OrderedSet[str]]) -> Callable[..., OrderedSet[str]]:
    """Buffers read, asked for to store a value before one of them changes: for the rule's result.

    The values inside have no other reader, and each answer takes time in the size of a value.
    """

    def get_read_names(self: Any) -> OrderedSet[str]:
        origin = self.get_origin_node()
        return OrderedSet() if origin is not None and INNER in origin.meta else stock(self)

    return get_read_names


def replacements() -> list[tuple[Any, str, Callable[..., Any]]]:
    """Object, attribute and new value of every edit."""
    box, reuse = ir.StorageBox, "should_realize_on_reuse"
    in_loops = reduced_values.computed_in_loops
    again = recomputed.computed_again(turns.stored(getattr(box, reuse)))
    questions: list[tuple[Any, str, Callable[..., bool]]] = [
        (box, reuse, narrow_sums.stored(in_loops(again))),
        (box, "has_exceeded_max_reads", in_loops(box.has_exceeded_max_reads)),
        (ir.Loops, "has_large_inner_fn", in_loops(ir.Loops.has_large_inner_fn)),
    ]
    decisions = [(owner, name, _never_inside_rule(stock)) for owner, name, stock in questions]
    return [*decisions, (ir.Loops, "get_read_names", _read_names(ir.Loops.get_read_names))]
