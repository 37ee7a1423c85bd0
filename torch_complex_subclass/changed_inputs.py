"""Inputs that are written to: values from before the write stay what they were."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import fx
from torch._ops import OpOverload
from torch.utils import _pytree as pytree
from torch.utils.checkpoint import CheckpointPolicy

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.inductor_lowering.ops import edge_op
from torch_complex_subclass.joined import viewed
from torch_complex_subclass.recorder import RULE, Recorder
from torch_complex_subclass.values import owners_of

aten = torch.ops.aten
prims = torch.ops.prims


def save_copies(graph: fx.Graph) -> None:
    """Have the partitioner save copies of inputs rather than make them anew in the backward graph.

    AOTAutograd copies an input that needs a gradient and is written to, and reads the copy only.
    The input has its new value by the time of the backward graph.
    """
    for node in graph.find_nodes(op="call_function", target=aten.clone.default):
        source = node.args[0]
        if source.op == "placeholder" and len(source.users) == 1:
            node.meta["recompute"] = CheckpointPolicy.MUST_SAVE


# What Inductor turns into a write to the first operand where nothing else needs its memory.
_WRITES_IN_PLACE = (aten.index_put.default, aten._unsafe_index_put.default)


def keep_complex_memory(graph: fx.Graph, recorder: Recorder) -> None:
    """Copy real views of complex memory before ops that Inductor would make write to them.

    It compares which views overlap by their places in elements, so that from the middle on the
    parts of a complex tensor seem to lie behind the tensor.
    """
    for op in _WRITES_IN_PLACE:
        for node in graph.find_nodes(op="call_function", target=op):
            operand: Any = node.args[0]
            if any(owner.meta["val"].is_complex() for owner in owners_of(operand)):
                with graph.inserting_before(node):
                    recorder.inherit(node)
                    copy = recorder.emit(edge_op("kept"), operand)
                node.args = (copy, *node.args[1:])


def _memory_behind(part: fx.Node | None) -> Iterator[fx.Node]:
    """`part`, what it is a view of, and so on; a conversion to the same dtype hands on a value."""
    while part is not None:
        *_, owner = path = list(owners_of(part))
        yield from path
        part = owner.args[0] if _changes_nothing(owner) else None  # type: ignore[assignment]


def _changes_nothing(node: fx.Node) -> bool:
    if node.target is not prims.convert_element_type.default:
        return False
    source: Any = node.args[0]
    return bool(source.meta["val"].dtype == node.meta["val"].dtype)


def _readers(node: fx.Node) -> Iterator[fx.Node]:
    """What computes from `node` or from views of it."""
    for user in node.users:
        if viewed(user) is node or _changes_nothing(user):
            yield from _readers(user)
        elif not (isinstance(user.target, OpOverload) and user.target._schema.is_mutable):
            yield user


class ChangedInputs:
    """The inputs that a graph writes to.

    The writes are the last that the traced graph does, and Inductor counts on it: it leaves out
    copies of what is not written to. So results are stored before, in the order of the trace. The
    backward graph reads what the forward graph saves after the writes.
    """

    def __init__(self, graph: fx.Graph, recorder: Recorder) -> None:
        writes = graph.find_nodes(op="call_function", target=aten.copy_.default)
        self._inputs = {node.args[0] for node in writes}
        self._recorder = recorder
        results = graph.output_node().all_input_nodes if writes else []
        # What the graph returns, and what that is a view of.
        self.stored_before = {node for result in results for node in owners_of(result)}

    def save_what_reads(self, graph: fx.Graph) -> None:
        """Keep the partitioner from computing anew in the backward graph what reads the inputs.

        It would save the input, where that is smaller, and the backward graph would read the new
        values, as in stock torch.
        """
        if not any(map(compat.is_tangent, graph.find_nodes(op="placeholder"))):
            return
        readers = {reader for node in self._inputs for reader in _readers(node)}
        rules = {node.meta[RULE][0] for node in readers if RULE in node.meta}
        for node in graph.nodes:
            if node in readers or (RULE in node.meta and node.meta[RULE][0] in rules):
                node.meta["recompute"] = CheckpointPolicy.MUST_SAVE

    def before(self, node: fx.Node, value: Any) -> Any:
        """Copy nodes of `value`, that of `node`, which are memory of a changed input.

        An op can hand on a part of its operand, as `x + 1` does with the imaginary part. What was
        traced as a view of the input is left as it is.
        """
        if not self._inputs or not self._inputs.isdisjoint(owners_of(node)):
            return value
        return pytree.tree_map_only(fx.Node, self._copied, value)

    def _copied(self, part: fx.Node) -> fx.Node:
        if self._inputs.isdisjoint(_memory_behind(part)):
            return part
        copy = self._recorder.emit(edge_op("kept"), part)
        copy.meta["recompute"] = CheckpointPolicy.MUST_SAVE
        return copy
