"""Sums of which a result shows one part: written where that lies, with gaps between.

`torch.einsum(...).real` is a view of complex memory: every other number of it. Where a sum gives
the part, it writes there itself; a loop that copies it would cost a pass, a buffer and its
allocation. Nobody reads what lies between.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import fx
from torch._inductor import ir
from torch._inductor.utils import sympy_product
from torch._inductor.virtualized import V

aten = torch.ops.aten

_SUMS = (aten.sum.default, aten.sum.dim_IntList)
"""Ops whose lowering stores what nothing else has."""

_VIEWS = (
    *(aten._unsafe_view.default, aten.view.default, aten.reshape.default),
    *(aten.squeeze.dim, aten.squeeze.dims, aten.unsqueeze.default),
)
"""Views whose numbers are in the order of their operand's."""


def with_gaps(re: ir.TensorBox, node: fx.Node) -> ir.TensorBox | None:
    """Return memory `(..., 2)` whose first part `re`, a sum, writes.

    `node` interleaves `re` with another part. None where that is read, or `re` by anything else.
    """
    if not _shows_first_part_only(node) or not _is_only_reader(node):
        return None
    storage = _storage(re)
    if storage is None:
        return None
    buffer, sizes = storage.data, re.get_size()
    # What views of it were made were told where they lie, and are the value that is replaced here.
    buffer.layout = _doubled(buffer.layout, buffer.get_size(), [])
    return ir.TensorBox(
        ir.ReinterpretView(data=storage, layout=_doubled(buffer.layout, sizes, [2]))
    )


def _doubled(old: ir.Layout, sizes: Any, parts: list[int]) -> ir.FixedLayout:
    """Memory of `sizes`, and of `parts` next to each other, in twice the contiguous strides."""
    strides = [2 * stride for stride in ir.FlexibleLayout.contiguous_strides(sizes)]
    return ir.FixedLayout(old.device, old.dtype, [*sizes, *parts], [*strides, *([1] * len(parts))])


def _shows_first_part_only(node: fx.Node) -> bool:
    last = node.meta["val"].dim() - 1
    return all(
        user.target is aten.select.int and user.args[1] in (-1, last) and user.args[2] == 0
        for user in node.users
    )


def _is_only_reader(node: fx.Node) -> bool:
    """True where the first part is a sum, perhaps viewed, that nothing else reads."""
    part: Any = node.args[0]
    while len(part.users) == 1 and part.target in _VIEWS:
        part = part.args[0]
    return len(part.users) == 1 and part.target in _SUMS


def _storage(part: ir.TensorBox) -> Any:
    """Where a reduction stores a part, and nothing else, in order; None where none does."""
    view: Any = part.data
    if isinstance(view, ir.ReinterpretView):
        view = view.data if view.layout.is_contiguous() and view.layout.offset == 0 else None
    buffer = view.data if isinstance(view, ir.StorageBox) else None
    if not isinstance(buffer, ir.ComputedBuffer) or not isinstance(buffer.data, ir.Reduction):
        return None
    layout: Any = buffer.layout
    if not isinstance(layout, ir.FixedLayout | ir.FlexibleLayout) or not layout.is_contiguous():
        return None
    sizes = map(sympy_product, (layout.size, part.get_size()))
    return view if V.graph.sizevars.statically_known_equals(*sizes) else None
