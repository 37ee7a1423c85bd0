"""Real values that lie otherwise in memory than they did when the graph was traced.

A part of a computed value is dense, where eager has a view with gaps, and may have another order
of dimensions. Loops do not care. Where somebody does, because the value is a result or an op is
told places in memory, the value is stored as it was traced.
"""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch import Tensor, fx
from torch._ops import OpOverload
from torch.utils import _pytree as pytree

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.decompositions.registry import Pair
from torch_complex_subclass.inductor_lowering.ops import edge_op
from torch_complex_subclass.joined import shows_memory, viewed
from torch_complex_subclass.recorder import Recorder

aten = torch.ops.aten

_SIZES_ONLY = (aten.view.default, aten._unsafe_view.default)


class TracedStrides:
    """The real values of one graph whose strides are others than traced."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._moved: set[fx.Node] = set()

    def settle(self, node: fx.Node, now: fx.Node) -> fx.Node:
        """Return what is to stand for the real `node`, whose value `now` has.

        Sizes that data decide have symbols that may be unknown here, so such a value is left as
        it is.
        """
        traced = node.meta.get("val")
        if not isinstance(traced, Tensor) or self._is_as_traced(now, traced):
            return now
        if compat.has_data_decided_size(traced):
            return now
        if shows_memory(node):
            return self._recorder.emit(edge_op("placed"), now, list(traced.stride()))
        self._moved.add(now)
        return now

    def without_overlap(self, node: fx.Node, pair: Pair) -> Pair:
        """Copy parts whose elements overlap where those of the computed value do not.

        An op can hand on a part of its operand, as `x + 1` does with the imaginary part. Torch's
        kernels that replace elements keep overlaps, and would change others too.
        """
        if viewed(node) is not None or not compat.is_dense(node.meta["val"]):
            return pair
        return Pair(*map(self._copied_if_it_overlaps, pair))

    def _copied_if_it_overlaps(self, part: fx.Node) -> fx.Node:
        overlaps = compat.overlaps(part.meta["val"])
        return self._recorder.emit(aten.clone.default, part) if overlaps else part

    def follow(self, node: fx.Node) -> None:
        """See where the value of a node lies that is left as it is, after its operands moved."""
        if self._moved.isdisjoint(node.all_input_nodes) or not _is_functional(node):
            return
        traced = node.meta.get("val")
        now = self._value_on_moved(node)
        node.meta["val"] = now
        if not isinstance(traced, Tensor):
            self._moved.add(node)  # each of several values is looked at where it is taken
        elif not compat.same_geometry(now, traced):
            self._put_back(node, traced)

    def _put_back(self, node: fx.Node, traced: Tensor) -> None:
        if viewed(node) is not None or not shows_memory(node):
            self._moved.add(node)
            return
        with node.graph.inserting_after(node):
            placed = self._recorder.emit(edge_op("placed"), node, list(traced.stride()))
        node.replace_all_uses_with(placed, delete_user_cb=lambda user: user is not placed)

    def _value_on_moved(self, node: fx.Node) -> Any:
        if node.target is operator.getitem:
            several, i = node.args
            return several.meta["val"][i]  # type: ignore[union-attr]
        try:
            return self._called(node)
        except (RuntimeError, ValueError):
            if node.target not in _SIZES_ONLY:
                raise
        source: Any = node.args[0]
        contiguous = {"memory_format": torch.contiguous_format}
        copy = self._recorder.emit(aten.clone.default, source, **contiguous)
        node.args = (copy, *node.args[1:])
        return self._called(node)

    def _called(self, node: fx.Node) -> Any:
        args, kwargs = fx.map_arg((node.args, node.kwargs), self._recorder.value)
        return node.target(*args, **kwargs)  # type: ignore[operator]

    def _is_as_traced(self, now: fx.Node, traced: Tensor) -> bool:
        return now not in self._moved and compat.same_geometry(now.meta["val"], traced)


def _is_functional(node: fx.Node) -> bool:
    """True for a call that computes tensors and sizes that are known from its operands."""
    value = node.meta.get("val")
    tensors = [t for t in pytree.tree_leaves(value) if isinstance(t, Tensor)]
    if not tensors or any(map(compat.has_data_decided_size, tensors)):
        return False
    op = node.target
    return op is operator.getitem or (isinstance(op, OpOverload) and not op._schema.is_mutable)
