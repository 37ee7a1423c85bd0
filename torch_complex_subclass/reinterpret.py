"""Rules that reinterpret memory, applied in a graph.

They need the memory of an operand with the strides that the graph was traced with. An op that is
given strides and an offset sees past the views its operand was made by, to the tensor that owns
the memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import fx

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.decompositions.memory import as_strided
from torch_complex_subclass.decompositions.registry import Interleaved, Rule
from torch_complex_subclass.inductor_lowering.ops import edge_op
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


def _is_computed(node: fx.Node) -> bool:
    *_, top = owners_of(node)
    return top.op != "placeholder"


def _is_whole_memory(node: fx.Node) -> bool:
    """True when every element of the memory belongs to the value, in the order of its strides."""
    value, start = node.meta["val"], _start(node)
    starts = isinstance(start, int) and start == 0
    return starts and compat.is_dense(value) and not value.is_conj() and not value.is_neg()


def _is_owner(node: fx.Node, values: Values) -> bool:
    """True when an op that is told places in memory is given the value itself."""
    return owner(node, values.holds) is node and _is_whole_memory(node)


def _arguments(node: fx.Node, geometry: bool) -> list[Any]:
    """Arguments with the storage offset filled in: that of the operand, unless one is given."""
    args = list(node.args)
    if geometry:
        names = [a.name for a in node.target._schema.arguments]  # type: ignore[union-attr]
        place = names.index("storage_offset")
        args += [None] * (place + 1 - len(args))
        if args[place] is None:
            operand: Any = node.args[0]
            args[place] = _start(operand) // _elements(operand)
    return args


# Their kernels copy the memory of the first operand from its start, with what lies in gaps.
_COPIES_WITH_GAPS = (
    aten.diagonal_scatter.default,
    aten.select_scatter.default,
    aten.slice_scatter.default,
)


def _memory(node: fx.Node, values: Values, recorder: Recorder) -> fx.Node | None:
    """Return the real elements of all memory behind `node`, or None where they are not known.

    Those of a copy with gaps are those of the value and, between and before them, of the memory
    that was copied.
    """
    *_, top = owners_of(node)
    value = top.meta["val"]
    length = _length(top)
    if length is None or not (value.is_complex() or value.shape[-1:] == (2,)):
        return None
    if top.op == "placeholder" and value.is_complex():
        flat = recorder.emit(aten.as_strided.default, values.stored(top), [length // 2], [1], 0)
        return recorder.emit(edge_op("as_real"), flat)
    if top.target not in _COPIES_WITH_GAPS:
        return None
    below = _memory(top.args[0], values, recorder)  # type: ignore[arg-type]
    if below is None:
        return None
    numbers = values.interleaved(top) if value.is_complex() else top
    flat = recorder.emit(aten.as_strided.default, below, [length], [1], 0)
    return recorder.emit(aten.as_strided_scatter.default, flat, numbers, *_place(top))


def _start(node: fx.Node) -> Any:
    """Real elements from the start of the memory behind `node` to its first.

    Kernels that copy gaps copy what lies before the first element too. The tracer's, for some of
    them, do not.
    """
    *_, top = owners_of(node)
    first, base = (_elements(n) * n.meta["val"].storage_offset() for n in (node, top))
    copied: Any = top.args[0] if top.target in _COPIES_WITH_GAPS else None
    return first if copied is None else first - base + _start(copied)


def _elements(node: fx.Node) -> int:
    return 2 if node.meta["val"].is_complex() else 1


def _place(node: fx.Node) -> tuple[list[Any], list[Any], Any]:
    """Size, strides and start of a value in real elements."""
    value = node.meta["val"]
    size, stride = list(value.shape), list(value.stride())
    if value.is_complex():
        size, stride = [*size, 2], [*(2 * s for s in stride), 1]
    return size, stride, _start(node)


def _length(node: fx.Node) -> int | None:
    """Real elements from the start of the memory behind `node` to its last."""
    value, (size, stride, start) = node.meta["val"], _place(node)
    if value.is_conj() or value.is_neg():
        return None
    if not all(isinstance(n, int) for n in (*size, *stride, start)):
        return None
    return int(start + 1 + sum((n - 1) * s for n, s in zip(size, stride, strict=True)))


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
        if arg.meta["val"].is_conj():
            return ELSEWHERE
        if geometry and i == 0 and not _is_whole_memory(source):
            # What is stored, as a result that this one shares its memory with, stays there.
            computed = _is_computed(source) and not values.is_stored(source)
            memory = _memory(source, values, recorder) if computed else None
            if memory is None:
                return ELSEWHERE
            args[i] = Interleaved(recorder.value(memory))
            continue
        args[i] = Interleaved(recorder.value(values.interleaved(source)))
    assert rule.fn is not None
    with recorder:
        result = rule.fn(*args, **node.kwargs)
    if result is NotImplemented:
        return rule.reason or ELSEWHERE
    if not isinstance(result, Interleaved):
        return recorder.node_of(result)
    operand: Any = node.args[0]
    if rule.op is aten.as_strided_scatter.default and not _is_owner(operand, values):
        seen, place = operand.meta["val"], _start(operand) // _elements(operand)
        with recorder:
            result = as_strided(result, seen.shape, seen.stride(), place)
    return Interleaved(recorder.node_of(result.memory))  # type: ignore[arg-type]
