"""The forms in which the graph pass holds a complex value, and the ways between them.

A value is a pair of real nodes, a real node of shape `(..., 2)`, or a node with complex memory.
It starts in one form; another is made where it is first asked for, and kept.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, fx
from torch._ops import OpOverload

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.decompositions.registry import Pair
from torch_complex_subclass.inductor_lowering.ops import edge_op
from torch_complex_subclass.joined import Joined, takes_geometry, viewed
from torch_complex_subclass.recorder import Recorder

aten = torch.ops.aten


def owners_of(node: fx.Node | None) -> Iterator[fx.Node]:
    """`node`, what it is a view of, and so on to the value that owns the memory."""
    while node is not None:
        yield node
        node = viewed(node)


def _is_told_places(node: fx.Node) -> bool:
    return isinstance(node.target, OpOverload) and takes_geometry(node.target)


def without_bits(node: fx.Node, recorder: Recorder) -> fx.Node:
    """Clear a conj or neg bit that a value may have when the graph runs, other than when traced.

    Torch clears the bit of a tensor with gaps by a copy without gaps, and returns one without a bit
    as it is. Generated code reads one geometry, so such a value is always copied.
    """
    keeps_strides = compat.is_dense(node.meta["val"])
    return recorder.emit(edge_op("resolved" if keeps_strides else "cleared"), node)


class Values:
    """Complex values by the node that had them in the traced graph."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.joined = Joined(recorder)
        self._pairs: dict[fx.Node, Pair] = {}
        self._interleaved: dict[fx.Node, fx.Node] = {}
        self._stored: dict[fx.Node, fx.Node] = {}
        self._memory: dict[fx.Node, fx.Node] = {}
        self._in_rows: dict[fx.Node, fx.Node] = {}
        self._returned: dict[fx.Node, fx.Node] = {}
        self._may_be_conj: set[fx.Node] = set()

    def holds(self, node: fx.Node) -> bool:
        """True when `node` has a complex value."""
        return node in self._pairs or node in self._interleaved or node in self._stored

    def is_in_memory(self, node: fx.Node) -> bool:
        """True when the value lies in memory that a real view can show."""
        return node in self._interleaved or (
            node in self._stored and not node.meta["val"].is_conj()
        )

    def is_stored(self, node: fx.Node) -> bool:
        """True when the value lies in complex memory already."""
        return node in self._stored

    def set_pair(self, node: fx.Node, pair: Pair) -> None:
        """Give `node` a value held as a pair of real nodes."""
        self._pairs[node] = pair

    def set_interleaved(self, node: fx.Node, real: fx.Node) -> None:
        """Give `node` a value held by a real node of shape `(..., 2)`."""
        self._interleaved[node] = real

    def set_stored(self, node: fx.Node, memory: fx.Node, *, may_be_conj: bool = False) -> None:
        """Give `node` a value held in complex memory.

        `may_be_conj`: at run time it can have a conj bit that was not there when traced.
        """
        self._stored[node] = memory
        if may_be_conj:
            self._may_be_conj.add(node)

    def pair(self, node: fx.Node) -> Pair:
        """Return the value as real nodes."""
        if node not in self._pairs:
            conj = node not in self._interleaved and node.meta["val"].is_conj()
            memory = self._raw_memory(node)
            re, im = (self._recorder.emit(aten.select.int, memory, -1, i) for i in (0, 1))
            self._pairs[node] = Pair(re, self._recorder.emit(aten.neg.default, im) if conj else im)
        return self._pairs[node]

    def _raw_memory(self, node: fx.Node) -> fx.Node:
        """Real `(..., 2)` view of the memory, which holds the conjugate when val has the bit."""
        if node in self._interleaved:
            return self._interleaved[node]
        stored = self._stored[node]
        if stored not in self._memory:
            view = stored
            if stored.meta["val"].is_conj():
                view = self._recorder.emit(edge_op("conj_view"), stored)
            if node in self._may_be_conj:
                view = without_bits(view, self._recorder)
            self._memory[stored] = self._recorder.emit(edge_op("as_real"), view)
        return self._memory[stored]

    def interleaved(self, node: fx.Node) -> fx.Node:
        """Return the value as a real node of shape `(..., 2)` in the strides of the trace."""
        if node not in self._interleaved:
            shown = self.is_shown_by_memory(node)
            if shown:
                self.stored(node)
            if shown and (node not in self._may_be_conj or compat.is_dense(node.meta["val"])):
                self._interleaved[node] = self._raw_memory(node)
            else:
                self._interleaved[node] = self.join(*self.pair(node), like=node.meta["val"])
        return self._interleaved[node]

    def is_shown_by_memory(self, node: fx.Node) -> bool:
        """True when complex memory holds the value as it is, or a view of it would."""
        is_there = node in self._stored or self._has_stored_base(node)
        return is_there and not node.meta["val"].is_conj()

    def join(self, re: fx.Node, im: fx.Node, like: Tensor) -> fx.Node:
        """Return a real `(..., 2)` node of two parts, in the strides of `like`."""
        joined = self._joined(re, im, compat.stride_order(like))
        if compat.is_dense(like):
            return joined
        strides = [*(2 * stride for stride in like.stride()), 1]
        return self._recorder.emit(edge_op("placed"), joined, strides)

    def join_as(self, re: fx.Node, im: fx.Node, memory: Tensor) -> fx.Node:
        """Join parts in the order of a real value `(..., 2)`, whose strides are twice ours."""
        strides = [stride // 2 for stride in memory.stride()[:-1]]
        return self.join(re, im, like=memory.new_empty_strided(memory.shape[:-1], strides))

    def _joined(self, re: fx.Node, im: fx.Node, order: list[int]) -> fx.Node:
        if order == sorted(order):
            return self._recorder.emit(edge_op("interleave"), re, im)
        re, im = (self._recorder.emit(aten.permute.default, part, order) for part in (re, im))
        joined = self._recorder.emit(edge_op("interleave"), re, im)
        back = [order.index(dim) for dim in range(len(order))]
        return self._recorder.emit(aten.permute.default, joined, [*back, len(order)])

    def stored(self, node: fx.Node) -> fx.Node:
        """Return the value in complex memory, with the strides and the conj bit of the trace."""
        if node not in self._stored:
            if self._is_view_of_stored(node):
                self._stored[node] = self._view(node)
            elif node.meta["val"].is_conj():  # a kernel's choice, as of vdot
                self._stored[node] = self._conjugate_of_conjugate(node)
            else:
                real = self.interleaved(node)
                self._stored[node] = self._recorder.emit(edge_op("as_complex"), real)
        return self._stored[node]

    def _conjugate_of_conjugate(self, node: fx.Node) -> fx.Node:
        """Write the conjugate of the value, and view it with the conj bit."""
        re, im = self.pair(node)
        negated = self._recorder.emit(aten.neg.default, im)
        memory = self.join(re, negated, like=node.meta["val"])
        stored = self._recorder.emit(edge_op("as_complex"), memory)
        return self._recorder.emit(edge_op("conj_view"), stored)

    def resolved(self, node: fx.Node) -> fx.Node:
        """Return the value in complex memory, in the strides of the trace, without conj bit."""
        if not node.meta["val"].is_conj():
            return self.stored(node)
        return self._recorder.emit(edge_op("as_complex"), self.interleaved(node))

    def returned(self, node: fx.Node) -> fx.Node:
        """Return the value without conj bit, of tangents too; the same node each time.

        Two tensors on one memory would each be taken for the only one, and be added to in place.
        """
        if node not in self._returned:
            result = self.resolved(node)
            if node in self._may_be_conj:
                result = without_bits(result, self._recorder)
            self._returned[node] = result
        return self._returned[node]

    def in_rows(self, node: fx.Node) -> fx.Node:
        """Return a copy in complex memory, contiguous in the order of its dimensions."""
        if node not in self._in_rows:
            joined = self._recorder.emit(edge_op("interleave"), *self.pair(node))
            self._in_rows[node] = self._recorder.emit(edge_op("as_complex"), joined)
        return self._in_rows[node]

    def _view(self, node: fx.Node) -> fx.Node:
        """View the memory of the nearest stored base with the geometry and the conj bit of `node`.

        One step, however many views lead there.
        """
        base: Any = viewed(node)
        while base not in self._stored and self._is_view_of_stored(base):
            base = viewed(base)
        memory = self.stored(base)
        if base in self._may_be_conj:
            self._may_be_conj.add(node)
        traced, value, seen = base.meta["val"], node.meta["val"], memory.meta["val"]
        if compat.has_data_decided_size(value) or not compat.same_geometry(traced, seen):
            return self._same_view(node)
        # From where the base starts: its memory can be a copy, which starts elsewhere.
        shift = value.storage_offset() - traced.storage_offset()
        if shift != 0 or not compat.same_geometry(value, traced):
            place = list(value.shape), list(value.stride()), shift
            memory = self._recorder.emit(edge_op("strided_view"), memory, *place)
        if value.is_conj() != seen.is_conj():
            memory = self._recorder.emit(edge_op("conj_view"), memory)
        return memory

    def _same_view(self, node: fx.Node) -> fx.Node:
        """Record the op of a view anew, on the memory of its base."""
        several = node.target is operator.getitem
        call: Any = node.args[0] if several else node
        args = fx.map_arg(call.args, lambda n: self.stored(n) if self.holds(n) else n)
        if not several:
            return self._recorder.emit(call.target, *args, **call.kwargs)
        return self._recorder.emit(lambda *a: call.target(*a, **call.kwargs)[node.args[1]], *args)

    def _is_view_of_stored(self, node: fx.Node) -> bool:
        """True when viewing the memory of the base is right: no copy, or no other way.

        What is told places in memory is a view of more than its operand already.
        """
        base = self._base(node)
        if base is None or self._is_read_by_places(node):
            return False
        value = node.meta["val"]
        if value.is_conj() or base in self._stored or not compat.is_dense(value):
            return True
        return self._is_view_of_stored(base)

    def _has_stored_base(self, node: fx.Node) -> bool:
        """True when a value that `node` is a view of, however many views between, is in memory."""
        base = self._base(node)
        while base is not None and base not in self._stored:
            base = None if self._is_read_by_places(base) else self._base(base)
        return base is not None

    def _is_read_by_places(self, node: fx.Node) -> bool:
        return node in self._interleaved and _is_told_places(node)

    def _base(self, node: fx.Node) -> fx.Node | None:
        """Return the complex value of the same dtype that `node` is a view of, or None."""
        base = viewed(node)
        if base is None or not self.holds(base):
            return None
        return base if base.meta["val"].dtype == node.meta["val"].dtype else None

    def write(self, target: fx.Node, source: fx.Node) -> None:
        """Write a value into the memory of a complex input."""
        conj = target.meta["val"].is_conj()
        memory = self._raw_memory(target)
        if source not in self._pairs and not conj and not source.meta["val"].is_conj():
            joined = self.interleaved(source)
            self._recorder.emit_write(edge_op("write_memory"), target, memory, joined)
            return
        re, im = self.pair(source)
        im = self._recorder.emit(aten.neg.default, im) if conj else im
        self._recorder.emit_write(edge_op("write"), target, memory, re, im)
