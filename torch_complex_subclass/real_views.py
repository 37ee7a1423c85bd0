"""Real views `(..., 2)` of complex values that are in no memory while only parts are read."""

from __future__ import annotations

from typing import Any

import torch
from torch import fx

from torch_complex_subclass.decompositions.registry import Pair
from torch_complex_subclass.joined import shows_memory
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
        # By a view in memory that shows one part beside zeros: both parts.
        self._beside_zeros: dict[fx.Node, Pair] = {}

    def add(self, view: fx.Node, source: fx.Node | None, parts: Pair) -> None:
        """Let `view`, of the traced value `source` if there is one, stay without memory."""
        self._views[view] = source, parts

    def reading(self, node: fx.Node) -> fx.Node | Pair | None:
        """Return what a node is that reads one part of a view, or negates both; None for others."""
        base: Any = node.args[0] if node.args else None
        if base in self._beside_zeros:
            return self._part(node, self._beside_zeros[base])
        if base not in self._views:
            return None
        _, parts = self._views[base]
        if _index_of_part(node) is not None:
            return self._part(node, parts)
        if node.target is aten._neg_view.default and not self._is_shown(node):
            return Pair(*(self._recorder.emit(aten.neg.default, part) for part in parts))
        return None

    def _part(self, node: fx.Node, parts: Pair) -> fx.Node | None:
        """Return the part that a node selects, unless that is to be a view of memory."""
        index = _index_of_part(node)
        if index is None or self._lies_as_traced(node):
            return None
        part: fx.Node = parts[index]
        return part

    def _lies_as_traced(self, part: fx.Node) -> bool:
        """True where a result, or an op that is told places in memory, sees how a part lies."""
        return part in self._seen or shows_memory(part)

    def store_read_by(self, node: fx.Node) -> None:
        """Put views that `node` reads into memory."""
        for view in node.all_input_nodes:
            if view in self._views:
                view.replace_all_uses_with(self._stored(view, *self._views.pop(view)))

    def _is_shown(self, node: fx.Node) -> bool:
        if node in self._shared or any(user.op == "output" for user in node.users):
            return True
        *_, owner = owners_of(node)
        return node in self._seen and owner.op == "placeholder"

    def _stored(self, view: fx.Node, source: fx.Node | None, parts: Pair) -> fx.Node:
        seen = self._only_part_seen(view)
        if seen is not None and (source is None or self._is_in_no_memory(source)):
            shown = self._with_zeros(parts, seen)
            memory = self._values.join_as(*shown, memory=view.meta["val"])
            self._beside_zeros[memory] = parts
            return memory
        if source is not None:
            return self._values.interleaved(source)
        return self._values.join_as(*parts, memory=view.meta["val"])

    def _only_part_seen(self, view: fx.Node) -> int | None:
        """Return which part it is where results show one part of a view, and nothing else does.

        A part that no result shows is read from no memory.
        """
        indices = {user: _index_of_part(user) for user in view.users}
        seen = {i for user, i in indices.items() if i is None or self._lies_as_traced(user)}
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
