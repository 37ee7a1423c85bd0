"""Real values `(..., 2)` that a graph puts together from two parts and takes apart again.

A ComplexTensor that is traced has its parts moved into one block where eager would: in conversions,
and before a view. As nodes of a graph that is a copy in memory, which nothing has to make where the
parts are known.
"""

from __future__ import annotations

import functools
import operator
from typing import Any, cast

import torch
from torch import fx
from torch._ops import OpOverload

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.decompositions.registry import Pair
from torch_complex_subclass.inductor_lowering.ops import NAMESPACE, edge_op
from torch_complex_subclass.recorder import Recorder

aten = torch.ops.aten
prims = torch.ops.prims

# Computed number by number, so that parts of the result are results of the parts.
_NUMBER_BY_NUMBER = (
    aten.alias.default,
    aten.neg.default,
    prims.convert_element_type.default,
)

# Libraries whose ops see numbers, but for those that are told places in memory.
_KNOWN = ("aten", "prims", NAMESPACE)


class Joined:
    """Parts of the joined values of one graph."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._known: dict[fx.Node, Pair | None] = {}

    def parts(self, node: fx.Node) -> Pair | None:
        """Return nodes of both parts of a real `(..., 2)` value, or None where they are not known.

        New nodes go where the recorder inserts them.
        """
        if node not in self._known:
            self._known[node] = self._found(node)
        return self._known[node]

    def shorter(self, node: fx.Node) -> fx.Node | None:
        """Return a node that has the value of `node` with fewer steps, or None."""
        if shows_memory(node):
            return None
        return self._before_permutations(node) or self._part(node)

    @staticmethod
    def _before_permutations(node: fx.Node) -> fx.Node | None:
        """Return what two permutations that undo each other start from."""
        if node.target is not aten.permute.default:
            return None
        base, dims = cast("tuple[fx.Node, list[int]]", node.args)
        if base.target is not aten.permute.default:
            return None
        start, first = cast("tuple[fx.Node, list[int]]", base.args)
        return start if [first[dim] for dim in dims] == list(range(len(dims))) else None

    def _part(self, node: fx.Node) -> fx.Node | None:
        """Return what a selection of one part of a joined value gives; None for other nodes.

        Strides may be half of those that views of it were traced with, no others.
        """
        if node.target is not aten.select.int:
            return None
        base, dim, i = node.args
        last = base.meta["val"].dim() - 1  # type: ignore[union-attr]
        if dim not in (-1, last) or i not in (0, 1):
            return None
        pair = self.parts(base)  # type: ignore[arg-type]
        if pair is None:
            return None
        part = pair[i]  # type: ignore[index]
        old, new = node.meta["val"], part.meta["val"]
        scaled = any(compat.same_geometry(new, old, factor) for factor in (1, 2))
        return part if old.dtype == new.dtype and scaled else None

    def _found(self, node: fx.Node) -> Pair | None:
        joined = pieces(node)
        if joined is not None:
            return Pair(*map(self._piece, joined))
        args: Any = node.args
        if node.target is edge_op("interleave"):
            return Pair(*args)
        if node.target is edge_op("as_real"):
            return Pair(*(self._recorder.emit(aten.select.int, node, -1, i) for i in (0, 1)))
        if node.target in _NUMBER_BY_NUMBER:
            return self._on_parts(node.target, self.parts(args[0]), *args[1:])
        if node.target is aten.permute.default and _keeps_last(args[1]):
            return self._on_parts(node.target, self.parts(args[0]), list(args[1][:-1]))
        return self._gradient(node, args)

    def _gradient(self, node: fx.Node, args: Any) -> Pair | None:
        """Parts of a sum of parts put into zeros, as the gradients of both make it."""
        if _replaces_part(node):
            base, part, _, i = args
            pair = self.parts(base)
            other = pair[1 - i] if pair else self._recorder.emit(aten.select.int, base, -1, 1 - i)
            return Pair(part, other) if i == 0 else Pair(other, part)
        if node.target is aten.full.default and _is_pair(node):
            zeros = self._recorder.emit(aten.full.default, args[0][:-1], args[1], **node.kwargs)
            return Pair(zeros, zeros)
        if node.target is aten.add.Tensor and not node.kwargs and _are_of_one_shape(node, *args):
            one, other = map(self.parts, args)
            if one and other:
                emit = functools.partial(self._recorder.emit, node.target)
                return Pair(emit(one.re, other.re), emit(one.im, other.im))
        return None

    def _on_parts(self, op: Any, pair: Pair | None, *rest: Any) -> Pair | None:
        if pair is None:
            return None
        return Pair(*(self._recorder.emit(op, part, *rest) for part in pair))

    def _piece(self, piece: fx.Node) -> fx.Node:
        """Drop the last dimension, of size one."""
        last = piece.meta["val"].dim() - 1
        if piece.target is aten.unsqueeze.default and piece.args[1] in (-1, last):
            return piece.args[0]  # type: ignore[return-value]
        return self._recorder.emit(aten.select.int, piece, -1, 0)


def shows_memory(node: fx.Node) -> bool:
    """True where strides, or what shares the memory, matter: to a result, or to an op.

    Such an op is told places in memory, or is not known: another library's, or a region.
    """
    return any(
        user.op == "output"
        or _may_ask_for_memory(user)
        or ((user.target is operator.getitem or viewed(user) is node) and shows_memory(user))
        for user in node.users
    )


def _may_ask_for_memory(user: fx.Node) -> bool:
    if user.target is operator.getitem:
        return False
    op = user.target
    if not isinstance(op, OpOverload) or op.namespace not in _KNOWN:
        return True
    return takes_geometry(op)


def takes_geometry(op: OpOverload) -> bool:
    """True when the op is told size, stride and storage offset of what it sees."""
    return any(a.name == "storage_offset" for a in op._schema.arguments)


def viewed(node: fx.Node) -> fx.Node | None:
    """Return what `node` is a view of, or None; `node` may be one of several views.

    `_unsafe_view` gives a view too, though its schema does not say so. Of an input it counts as a
    copy: it is one for what keeps track of writes to inputs.
    """
    call: Any = node.args[0] if node.target is operator.getitem else node
    if not isinstance(call.target, OpOverload):
        return None
    base = call.args[0] if call.args else None
    if not isinstance(base, fx.Node):
        return None
    unsafe = call.target is aten._unsafe_view.default and not _is_of_input(base)
    return base if unsafe or compat.returns_view(call.target) else None


def _is_of_input(node: fx.Node) -> bool:
    base = viewed(node)
    return node.op == "placeholder" if base is None else _is_of_input(base)


def _is_pair(node: fx.Node) -> bool:
    size = node.meta["val"].shape[-1:]
    return len(size) == 1 and isinstance(size[0], int) and size[0] == 2


def _are_of_one_shape(*nodes: Any) -> bool:
    if not all(isinstance(node, fx.Node) for node in nodes):
        return False
    first, *others = (node.meta["val"].shape for node in nodes)
    return all(compat.same_sizes(first, other) for other in others)


def _keeps_last(dims: Any) -> bool:
    return len(dims) > 1 and dims[-1] in (-1, len(dims) - 1)


def _replaces_part(joined: fx.Node) -> bool:
    """True for a node that replaces one part, as the gradient of a real part does in zeros."""
    if joined.target is not aten.select_scatter.default or not _is_pair(joined):
        return False
    base, part, dim, i = joined.args[:4]
    same = base.meta["val"].dtype == part.meta["val"].dtype  # type: ignore[union-attr]
    return same and dim in (-1, joined.meta["val"].dim() - 1) and i in (0, 1)


def pieces(joined: fx.Node) -> tuple[fx.Node, fx.Node] | None:
    """The two tensors of shape `(..., 1)` that a node joins along its last dimension."""
    if joined.target is not aten.cat.default or len(joined.args) != 2:
        return None
    args: Any = joined.args
    found, dim = args
    if len(found) != 2 or dim not in (-1, joined.meta["val"].dim() - 1):
        return None
    re, im = found
    sizes = [p.meta["val"].shape for p in (re, im)]
    dtypes = {n.meta["val"].dtype for n in (re, im, joined)}
    same = len(dtypes) == 1 and all(isinstance(s[-1], int) and s[-1] == 1 for s in sizes)
    return (re, im) if same else None
