"""Selections whose size the data decide, in a graph.

Torch gives each such op a symbol for its size. Both parts have to get the same one, so the real
mask is turned into indices once, by a node that takes over the symbol of the complex one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, fx

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.decompositions.comparison import nonzero_mask
from torch_complex_subclass.decompositions.registry import Pair
from torch_complex_subclass.recorder import Recorder

aten = torch.ops.aten

# Each part would get a size of its own, which nothing says to be the same.
REASON = "the data decide its size or its place, once for both parts"

# The parts of a node as fake tensors.
Parts = Callable[[fx.Node], Pair]
Selection = Callable[[fx.Node, Recorder, Parts], Any]


def _indices(mask: fx.Node, node: fx.Node, recorder: Recorder, dim: int) -> fx.Node:
    """Append the indices of the true elements of `mask`; `dim` of `node`'s value counts them."""
    indices = node.graph.call_function(aten.nonzero.default, (mask,))
    value: Tensor = mask.meta["val"]
    count = node.meta["val"].shape[dim]
    (symbol,) = node.meta["unbacked_bindings"]
    indices.meta.update(recorder.inherited)
    indices.meta["val"] = torch.empty((count, value.dim()), dtype=torch.int64, device=value.device)
    indices.meta["unbacked_bindings"] = {symbol: compat.path_of_size(0)}
    return indices


def nonzero(node: fx.Node, recorder: Recorder, parts: Parts) -> Any:
    """Indices of elements that are not zero."""
    with recorder:
        mask = nonzero_mask(parts(node.args[0]))  # type: ignore[arg-type]
    return _indices(recorder.node_of(mask), node, recorder, 0)


def masked_select(node: fx.Node, recorder: Recorder, parts: Parts) -> Any:
    """Elements where a mask is true, in one dimension."""
    z, mask = parts(node.args[0]), recorder.value(node.args[1])  # type: ignore[arg-type]
    with recorder:
        re, im, mask = (t.reshape(-1) for t in torch.broadcast_tensors(*z, mask))
    rows = recorder.value(_indices(recorder.node_of(mask), node, recorder, 0))
    with recorder:
        index = rows.select(1, 0)
        return Pair(*(aten.index.Tensor(part, [index]) for part in (re, im)))


def index(node: fx.Node, recorder: Recorder, parts: Parts) -> Any:
    """Elements where a mask over some dimensions is true, with those before and after it."""
    given: Any = node.args[1]
    (place,) = (i for i, arg in enumerate(given) if arg is not None)
    rows = recorder.value(_indices(given[place], node, recorder, place))
    z = parts(node.args[0])  # type: ignore[arg-type]
    with recorder:
        columns = [None] * place + [rows.select(1, i) for i in range(rows.shape[1])]
        return Pair(*(aten.index.Tensor(part, columns) for part in z))


_SELECTIONS: dict[Any, Selection] = {
    aten.masked_select.default: masked_select,
    aten.nonzero.default: nonzero,
}


def _is_one_mask(node: fx.Node) -> bool:
    given: Any = [arg for arg in node.args[1] if arg is not None]  # type: ignore[union-attr]
    return len(given) == 1 and given[0].meta["val"].dtype == torch.bool


def _has_bounds_of_nonzero(node: fx.Node) -> bool:
    """True when torch gives a masked_select the bounds that it gives the indices of the mask.

    It bounds the one by the operand's size before it is broadcast, and leaves the other without
    a bound for up to two elements.
    """
    z, mask = (arg.meta["val"] for arg in node.args)  # type: ignore[union-attr]
    tiny = isinstance(z.numel(), int) and z.numel() <= 2
    return not tiny and compat.same_sizes(z.shape, torch.broadcast_shapes(z.shape, mask.shape))


def selection(node: fx.Node) -> Selection | None:
    """Return how to select by parts for this node, or None where the kernel has to do it."""
    if len(node.meta.get("unbacked_bindings") or ()) != 1:
        return None
    if node.target is aten.index.Tensor:
        return index if _is_one_mask(node) else None
    if node.target is aten.masked_select.default and not _has_bounds_of_nonzero(node):
        return None
    return _SELECTIONS.get(node.target)


def is_one(node: fx.Node) -> bool:
    """True when the data decide the size, the strides or the offset of what the node computes.

    A node without a symbol of its own can have that of an earlier one: torch remembers how many
    elements a mask selects.
    """
    if node.meta.get("unbacked_bindings"):
        return True
    sized = torch.Tag.dynamic_output_shape in getattr(node.target, "tags", ())
    value = node.meta.get("val")
    return sized and isinstance(value, Tensor) and compat.has_data_decided_size(value)
