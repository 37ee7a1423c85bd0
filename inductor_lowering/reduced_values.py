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

import enum
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, fx
from torch._inductor import config, ir
from torch._inductor.lowering import needs_realized_inputs
from torch._inductor.virtualized import V
from torch._ops import OpOverload

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.inductor_lowering import interleaved
from torch_complex_subclass.inductor_lowering.ops import NAMESPACE, edge_op
from torch_complex_subclass.recorder import INNER

aten = torch.ops.aten

_IN_ONE_PASS = frozenset(
    (
        *(aten.sum.default, aten.sum.dim_IntList, aten.mean.default, aten.mean.dim),
        *(aten.amax.default, aten.amin.default),
    )
)
"""Reductions that read each element once. A variance may be two sums."""

Views = tuple[tuple[Any, ...], ...]
"""Views of views: op, further arguments and named ones of each."""

_OF_MEMORY = frozenset((aten.as_strided.default, aten.view.dtype))
"""Views that are of memory only, as those of our own ops are."""

FARTHEST_END = 128
"""Values to look at on the way to a reduction or a complex result."""

MOST_OPERATIONS = 500
"""Operations of one element beyond which a value is stored all the same."""

MOST_BUFFERS = 32
"""Buffers read beyond which a value is stored all the same, which frees them."""

SHORTEST_ROW = 16
"""Below, a loop over what a reduction keeps has no whole vectors; one over all elements has."""


def is_view(node: fx.Node) -> bool:
    """True for a call whose result may share memory with what it reads."""
    return isinstance(node.target, OpOverload) and compat.returns_view(node.target)


def _is_read_once(seen: Any, by: fx.Node) -> bool:
    """True where a node is a view, or a loop over elements, that reads few elements twice."""
    if not isinstance(by.target, OpOverload) or by.target in needs_realized_inputs:
        return False
    if by.target in _OF_MEMORY or by.target.namespace == NAMESPACE:
        return False
    in_loops = torch.Tag.pointwise in by.target.tags or INNER in by.meta
    if not in_loops and not is_view(by):
        return False
    made = by.meta.get("val")  # a list of views where a tensor is split
    return isinstance(made, Tensor) and compat.is_never_more(made.numel(), seen.numel())


def _is_long(value: Any, reduced: Any) -> bool:
    """True where a reduction is a loop, as those over few elements are not, and rows are long."""
    if not isinstance(reduced, Tensor):
        return False
    threshold = config.unroll_reductions_threshold
    rows = value.dim() > 0 and compat.is_never_more(SHORTEST_ROW, value.shape[-1])
    return rows and compat.is_never_more(threshold * reduced.numel(), value.numel())


class _Reads(enum.Enum):
    """How a node reads a value."""

    LAST = enum.auto()  # for a complex result, or a reduction that is a loop
    ONCE = enum.auto()  # in a loop over elements, or for a view
    OTHERWISE = enum.auto()


def _reads(value: fx.Node, user: fx.Node) -> _Reads:
    made = value.meta.get("val")
    if not isinstance(made, Tensor):
        return _Reads.OTHERWISE
    if user.target is edge_op("interleave"):
        return _Reads.LAST
    if user.target in _IN_ONE_PASS and _is_long(made, user.meta.get("val")):
        return _Reads.LAST
    return _Reads.ONCE if _is_read_once(made, user) else _Reads.OTHERWISE


def _place_in(value: Views, user: fx.Node) -> Views:
    """Views of the beginning through which a reader of a value reads it."""
    return (*value, (user.target, user.args[1:], user.kwargs)) if is_view(user) else value


def end_of(values: Sequence[fx.Node]) -> fx.Node | None:
    """Return the reduction or join that alone reads what is made of `values`, each element once.

    What is read through different views on the way there would be computed for each.
    """
    ends: set[fx.Node] = set()
    places: dict[fx.Node, Views] = dict.fromkeys(values, ())
    left = list(values)
    while left and len(places) <= FARTHEST_END and len(ends) <= 1:
        value = left.pop()
        if not value.users:
            return None
        for user in value.users:
            found = _reads(value, user)
            place, is_new = _place_in(places[value], user), user not in places
            if found is _Reads.OTHERWISE or places.setdefault(user, place) != place:
                return None
            if found is _Reads.LAST:
                ends.add(user)
            elif is_new:
                left.append(user)
    return ends.pop() if not left and len(ends) == 1 else None


def _results_beside(node: fx.Node) -> set[fx.Node]:
    """Other results of the rule that `node` is a result of, which share its computation."""
    inside: set[fx.Node] = set()
    left = [node]
    while left:
        near = left.pop()
        around = (*near.all_input_nodes, *(near.users if near is not node else ()))
        found = {n for n in around if INNER in n.meta} - inside
        inside |= found
        left.extend(found)
    readers = {user for n in inside for user in n.users}
    return {user for user in readers if INNER not in user.meta} - {node}


def end_of_all(node: fx.Node) -> fx.Node | None:
    """Return what alone reads a value and what is computed along with it."""
    return end_of([node, *_results_beside(node)])


def _end_of_all(node: fx.Node) -> fx.Node | None:
    """Answer that, once for each node of the graph that is being lowered."""
    known = interleaved.of(V.graph).ends
    if node not in known:
        known[node] = end_of_all(node)
    return known[node]


def most_buffers(end: fx.Node) -> int:
    """Buffers read beyond which a value is stored, for complex results where Inductor does so."""
    if end.target in _IN_ONE_PASS:
        return MOST_BUFFERS
    most: int | None = config.realize_acc_reads_threshold
    return config.realize_cpu_acc_reads_threshold if most is None else most


def _is_moderate(value: Any, end: fx.Node) -> bool:
    if not isinstance(value, ir.Pointwise) or value.get_device_or_error().type != "cpu":
        return False
    if value.inner_fn_opcount().num_ops > MOST_OPERATIONS:
        return False
    return value.num_reads() <= most_buffers(end)


def node_of(value: Any) -> fx.Node | None:
    """Node whose value it is: the one being lowered, or one that it reads.

    Views and nodes that read a value many times, such as an unfold, ask whether it is stored.
    """
    origin = value.get_origin_node() if isinstance(value, ir.IRNode) else None
    return origin or getattr(V.graph, "current_node", None)


def computed_in_loops(stock: Callable[..., bool]) -> Callable[..., bool]:
    """Answer whether a value is to be stored for its size or its readers alone."""

    def decide(self: Any, *args: Any, **kwargs: Any) -> bool:
        if not stock(self, *args, **kwargs):
            return False
        value = self.data if isinstance(self, ir.StorageBox) else self
        node = node_of(value)
        if node is None or not interleaved.has_complex_values(V.graph):
            return True
        end = _end_of_all(node)
        return end is None or not _is_moderate(value, end)

    return decide
