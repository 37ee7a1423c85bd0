"""Real inputs with the neg bit: their memory holds the negated values."""

from __future__ import annotations

import torch
from torch import fx

from torch_complex_subclass.inductor_lowering.ops import edge_op
from torch_complex_subclass.recorder import Recorder
from torch_complex_subclass.values import owners_of

aten = torch.ops.aten


class NegatedInputs:
    """The inputs of one graph that have the neg bit."""

    def __init__(self, graph: fx.Graph, recorder: Recorder) -> None:
        self._recorder = recorder
        # By the node that has an input's values: the input, and its memory.
        self._memory: dict[fx.Node, tuple[fx.Node, fx.Node]] = {}
        # Results that are views of an input, by this input, and what is returned for them.
        self._views: dict[fx.Node, list[fx.Node]] = {}
        self._returned: dict[fx.Node, fx.Node] = {}
        for result in graph.output_node().all_input_nodes:
            *views, owner = owners_of(result)
            if views and result.meta["val"].is_neg():
                self._views.setdefault(owner, []).append(result)

    def enter(self, node: fx.Node) -> None:
        """Have what reads an input read the negated memory."""
        memory = self._recorder.emit(edge_op("negated_memory"), node)
        negated = self._recorder.emit(aten.neg.default, memory)
        node.replace_all_uses_with(negated, delete_user_cb=lambda user: user is not memory)
        self._memory[negated] = node, memory
        for view in self._views.get(node, ()):
            self._returned[view] = self._shown(view, node, memory)

    def _shown(self, view: fx.Node, of: fx.Node, memory: fx.Node) -> fx.Node:
        """View the memory as `view` does the input, with the neg bit."""
        seen, base = view.meta["val"], of.meta["val"]
        shift = seen.storage_offset() - base.storage_offset()
        place = list(seen.shape), list(seen.stride()), shift
        shown = self._recorder.emit(edge_op("strided_view"), memory, *place)
        return self._recorder.emit(edge_op("negated_memory"), shown)

    def write(self, node: fx.Node) -> bool:
        """Replace a write to an input: its memory takes the negated values."""
        if node.target is not aten.copy_.default or node.args[0] not in self._memory:
            return False
        target, memory = self._memory[node.args[0]]  # type: ignore[index]
        source: fx.Node = node.args[1]  # type: ignore[assignment]
        negated = self._recorder.emit(aten.neg.default, source)
        self._recorder.emit_write(edge_op("write_memory"), target, memory, negated)
        node.replace_all_uses_with(source)
        return True

    def show(self, output: fx.Node) -> None:
        """Return views of inputs as views."""
        output.args = fx.map_arg(output.args, lambda n: self._returned.get(n, n))
