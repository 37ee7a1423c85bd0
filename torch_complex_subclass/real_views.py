"""Real views `(..., 2)` of complex values that are in no memory while only parts are read."""

from __future__ import annotations

from typing import Any

import torch
from torch import fx

from torch_complex_subclass.decompositions.registry import Pair
from torch_complex_subclass.recorder import Recorder
from torch_complex_subclass.values import Values, owners_of

aten = torch.ops.aten


class RealViews:
    """The views of one graph that have no memory yet: what each shows, if traced, and its parts."""

    def __init__(
        self, graph: fx.Graph, values: Values, recorder: Recorder, shared: set[fx.Node]
    ) -> None:
        self._values = values
        self._recorder = recorder
        self._shared = shared
        # What results are, and what they are views of.
        results = graph.output_node().all_input_nodes
        self._seen = {node for result in results for node in owners_of(result)}
        self._views: dict[fx.Node, tuple[fx.Node | None, Pair]] = {}

    def add(self, view: fx.Node, source: fx.Node | None, parts: Pair) -> None:
        """Let `view`, of the traced value `source` if there is one, stay without memory."""
        self._views[view] = source, parts

    def reading(self, node: fx.Node) -> fx.Node | Pair | None:
        """Return what a node is that reads one part of a view, or negates both; None for others."""
        base: Any = node.args[0] if node.args else None
        if base not in self._views:
            return None
        _, parts = self._views[base]
        index = _index_of_part(node)
        if index is not None:
            part: fx.Node = parts[index]
            return None if node in self._seen else part  # a result has the strides of eager's view
        if node.target is aten._neg_view.default and not self._is_shown(node):
            return Pair(*(self._recorder.emit(aten.neg.default, part) for part in parts))
        return None

    def store_read_by(self, node: fx.Node) -> None:
        """Put views that `node` reads into memory."""
        for view in node.all_input_nodes:
            if view in self._views:
                view.replace_all_uses_with(self._stored(view, *self._views.pop(view)))

    def _is_shown(self, node: fx.Node) -> bool:
        return node in self._shared or any(user.op == "output" for user in node.users)

    def _stored(self, view: fx.Node, source: fx.Node | None, parts: Pair) -> fx.Node:
        seen = self._only_part_seen(view)
        if seen is not None and (source is None or self._is_in_no_memory(source)):
            parts = self._with_zeros(parts, seen)
        elif source is not None:
            return self._values.interleaved(source)
        return self._values.join_as(*parts, memory=view.meta["val"])

    def _only_part_seen(self, view: fx.Node) -> int | None:
        """Return which part it is where results show one part of a view, and nothing else does.

        A part that no result shows is read from no memory.
        """
        indices = {user: _index_of_part(user) for user in view.users}
        seen = {index for user, index in indices.items() if index is None or user in self._seen}
        return seen.pop() if len(seen) == 1 else None

    def _is_in_no_memory(self, source: fx.Node) -> bool:
        in_memory = self._values.is_shown_by_memory(source) or self._values.is_in_memory(source)
        return not in_memory and not self._is_shown(source)

    def _with_zeros(self, parts: Pair, seen: int) -> Pair:
        """Put zeros in place of the part that nobody sees, so that nothing computes it."""
        part = parts[seen]
        zeros = self._recorder.emit(aten.zeros_like.default, part)
        return Pair(part, zeros) if seen == 0 else Pair(zeros, part)


def _index_of_part(node: fx.Node) -> int | None:
    """Return which part a node selects of a real view; None for other nodes."""
    if node.target is not aten.select.int:
        return None
    view, dim, index = node.args
    last = view.meta["val"].dim() - 1  # type: ignore[union-attr]
    return index % 2 if dim in (-1, last) and isinstance(index, int) else None
