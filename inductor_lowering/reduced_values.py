"""Values that end in one reduction, or in one complex result, are computed in the loop of that.

Inductor stores a value that reads more than a few buffers or takes many operations, so that several
readers need not compute it again. A reduction whose order of loops is another cannot be joined to
the loop that stores: the value costs a pass out to memory and one back, for nothing where the
reduction is its only reader and reads each element once. The same holds for the two parts of a
complex result: a loop that stores them row by row, after a reduction of each row, is not joined to
one that copies all elements to where the result lies.

Applies only to graphs with complex values, whose rules reach those limits early, and on the CPU:
elsewhere it was not measured.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, fx
from torch._inductor import config, ir
from torch._inductor.virtualized import V
from torch._ops import OpOverload

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.inductor_lowering import interleaved
from torch_complex_subclass.inductor_lowering.ops import edge_op
from torch_complex_subclass.recorder import INNER

aten = torch.ops.aten

_IN_ONE_PASS = frozenset(
    (
        *(aten.sum.default, aten.sum.dim_IntList, aten.mean.default, aten.mean.dim),
        *(aten.amax.default, aten.amin.default),
    )
)
"""Reductions that read each element once. A variance may be two sums."""

FARTHEST_END = 128
"""Values to look at on the way to a reduction or a complex result."""

MOST_OPERATIONS = 500
"""Operations of one element beyond which a value is stored all the same."""

MOST_BUFFERS = 32
"""Buffers read beyond which a value is stored all the same, which frees them."""

SHORTEST_ROW = 16
"""Below, a loop over what a reduction keeps has no whole vectors; one over all elements has."""


def _is_read_once(seen: Any, by: fx.Node) -> bool:
    """True where a node is a view, or a loop over elements, that reads few elements twice."""
    if not isinstance(by.target, OpOverload):
        return False
    in_loops = torch.Tag.pointwise in by.target.tags or INNER in by.meta
    if not in_loops and not compat.returns_view(by.target):
        return False
    made = by.meta.get("val")  # a list of views where a tensor is split
    return isinstance(made, Tensor) and compat.is_never_more(made.numel(), seen.numel())


def _is_long(value: Any, reduced: Any) -> bool:
    """True where a reduction is a loop, as those over few elements are not, and rows are long."""
    threshold = config.unroll_reductions_threshold
    rows = value.dim() > 0 and compat.is_never_more(SHORTEST_ROW, value.shape[-1])
    return rows and compat.is_never_more(threshold * reduced.numel(), value.numel())


def _is_end(value: Any, user: fx.Node) -> bool:
    """True for a complex result, and for a reduction that is a loop."""
    if user.target in _IN_ONE_PASS:
        return _is_long(value, user.meta["val"])
    return user.target is edge_op("interleave")


def end_of(node: fx.Node) -> fx.Node | None:
    """Return the reduction or join that alone reads what is made of `node`, each element once."""
    ends: set[fx.Node] = set()
    known, left = {node}, [node]
    while left and len(known) <= FARTHEST_END:
        value = left.pop()
        made = value.meta.get("val")
        if not isinstance(made, Tensor) or not value.users:
            return None
        ends.update(user for user in value.users if _is_end(made, user))
        readers = value.users.keys() - ends
        if len(ends) > 1 or not all(_is_read_once(made, user) for user in readers):
            return None
        left.extend(readers - known)
        known |= readers
    return None if left else ends.pop()


def _results_beside(node: fx.Node) -> set[fx.Node]:
    """Other results of the rule that `node` is a result of, which share its computation."""
    inside: set[fx.Node] = set()
    left = [node]
    while left:
        found = {n for n in left.pop().all_input_nodes if INNER in n.meta} - inside
        inside |= found
        left.extend(found)
    readers = {user for n in inside for user in n.users}
    return {user for user in readers if INNER not in user.meta} - {node}


def ends_at_one_place(node: fx.Node) -> bool:
    """True where one reduction, or join, alone reads a value and what is computed along with it."""
    end = end_of(node)
    return end is not None and all(end_of(other) is end for other in _results_beside(node))


def _is_moderate(value: Any) -> bool:
    if not isinstance(value, ir.Pointwise) or value.get_device_or_error().type != "cpu":
        return False
    operations = value.inner_fn_opcount().num_ops
    return operations <= MOST_OPERATIONS and value.num_reads() <= MOST_BUFFERS


def computed_in_loops(stock: Callable[..., bool]) -> Callable[..., bool]:
    """Answer whether the value that is being lowered is to be stored for its size alone."""

    def decide(self: Any, *args: Any, **kwargs: Any) -> bool:
        if not stock(self, *args, **kwargs):
            return False
        node = getattr(V.graph, "current_node", None)
        if node is None or not interleaved.has_complex_values(V.graph):
            return True
        value = self.data if isinstance(self, ir.StorageBox) else self
        return not (_is_moderate(value) and ends_at_one_place(node))

    return decide
