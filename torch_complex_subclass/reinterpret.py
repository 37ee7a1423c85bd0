"""Rules that reinterpret memory, applied in a graph.

They need the memory of an operand with the strides that the graph was traced with. An op that is
given strides and an offset sees past the views its operand was made by, to the tensor that owns
the memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, fx

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.decompositions.memory import as_strided
from torch_complex_subclass.decompositions.registry import Interleaved, Rule
from torch_complex_subclass.joined import takes_geometry, viewed
from torch_complex_subclass.recorder import Recorder
from torch_complex_subclass.values import Values, owners_of

aten = torch.ops.aten

ELSEWHERE = "the memory it reinterprets is not that of one dense value of the graph"


def owner(node: fx.Node, holds: Callable[[fx.Node], bool]) -> fx.Node:
    """The node whose memory `node` is a view of."""
    base = viewed(node)
    while base is not None and holds(base):
        node, base = base, viewed(base)
    return node


def shared(graph: fx.Graph) -> set[fx.Node]:
    """Values that several results are views of, or one of and another is, and these views."""
    paths = [list(owners_of(result)) for result in graph.output_node().all_input_nodes]
    owners = [path[-1] for path in paths]
    return {node for path in paths if owners.count(path[-1]) > 1 for node in path}


def _is_whole_memory(value: Tensor) -> bool:
    """True when every element of the memory belongs to the value, in the order of its strides."""
    offset = value.storage_offset()
    starts = isinstance(offset, int) and offset == 0
    return starts and compat.is_dense(value) and not value.is_conj() and not value.is_neg()


def _arguments(node: fx.Node, geometry: bool) -> list[Any]:
    """Arguments with the storage offset filled in: that of the operand, unless one is given."""
    args = list(node.args)
    if geometry:
        names = [a.name for a in node.target._schema.arguments]  # type: ignore[union-attr]
        place = names.index("storage_offset")
        args += [None] * (place + 1 - len(args))
        if args[place] is None:
            args[place] = node.args[0].meta["val"].storage_offset()  # type: ignore[union-attr]
    return args


def apply(node: fx.Node, rule: Rule, values: Values, recorder: Recorder) -> Any:
    """Record what the rule does to `node`'s operands.

    Returns the nodes of the results, complex ones as `Interleaved`, or a string that says why the
    complex kernel has to be kept.
    """
    geometry = takes_geometry(rule.op)
    args = _arguments(node, geometry)
    for i, arg in enumerate(args):
        if not isinstance(arg, fx.Node):
            continue
        if not values.holds(arg):
            args[i] = recorder.value(arg)
            continue
        source = owner(arg, values.holds) if geometry and i == 0 else arg
        value = source.meta["val"]
        if arg.meta["val"].is_conj() or (geometry and i == 0 and not _is_whole_memory(value)):
            return ELSEWHERE
        args[i] = Interleaved(recorder.value(values.interleaved(source)))
    assert rule.fn is not None
    with recorder:
        result = rule.fn(*args, **node.kwargs)
    if result is NotImplemented:
        return rule.reason or ELSEWHERE
    if not isinstance(result, Interleaved):
        return recorder.node_of(result)
    operand: Any = node.args[0]
    if rule.op is aten.as_strided_scatter.default and owner(operand, values.holds) is not operand:
        seen = operand.meta["val"]
        with recorder:
            result = as_strided(result, seen.shape, seen.stride(), seen.storage_offset())
    return Interleaved(recorder.node_of(result.memory))  # type: ignore[arg-type]
