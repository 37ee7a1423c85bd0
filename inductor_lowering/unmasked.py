"""Values under a mask that may as well be computed for every lane.

What `x[..., 1:].neg_()` leaves in x is read under a mask: stock code makes a function of it and
calls it at each use, where it loads again what the rest of the loop has loaded. Where every lane
may be read, and the arithmetic costs less than a branch, this computes all lanes in place, shares
loads and results with what is around, and takes those that the mask says.

Applies to vector code of graphs with complex values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from torch._inductor import ir
from torch._inductor.codegen import cpp as stock_cpp
from torch._inductor.loop_body import LoopBodyBlock
from torch._inductor.virtualized import V
from torch.utils._sympy.value_ranges import ValueRanges, bound_sympy

from torch_complex_subclass.inductor_lowering import interleaved

# Inductor's module is edited and read past what it exports.
cpp: Any = stock_cpp

_CHEAP = {"add", "constant", "get_index", "load", "mul", "neg", "output", "sub", "to_dtype"}
_AT_MOST = 24


def _is_there(name: str, index: sympy.Expr, ranges: dict[Any, ValueRanges[Any]]) -> bool:
    """Whether a buffer holds the index for all values of the loop's variables."""
    layout = getattr(V.graph.try_get_buffer(name), "layout", None)
    if not isinstance(layout, ir.Layout) or not index.free_symbols <= ranges.keys():
        return False
    size = sympy.sympify(layout.storage_size() - layout.offset)
    if not size.is_Integer:
        return False
    bounds = bound_sympy(index, ranges)
    return bool(bounds.lower >= 0 and bounds.upper < size)


def _serves_every_lane(kernel: Any, block: Any) -> bool:
    """Whether a block is cheap, and reads memory that is there with and without its mask."""
    nodes = [node for node in block.graph.nodes if node.op != "placeholder"]
    if len(nodes) > _AT_MOST or not {node.target for node in nodes} <= _CHEAP:
        return False
    ranges = {
        var: ValueRanges(0, length - 1)
        for var, length in zip(kernel.itervars, kernel.ranges, strict=True)
        if sympy.sympify(length).is_Integer
    }
    return all(
        _is_there(node.args[1], block.body.indexing[node.args[2].args[0]], ranges)
        for node in nodes
        if node.target == "load"
    )


def _masked(stock: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    def masked(mask: Any, body: Any, other: Any) -> Any:
        kernel = V.kernel
        if (
            not mask.is_vec
            or not isinstance(body, LoopBodyBlock)
            or not interleaved.has_complex_values(V.graph)
            or not _serves_every_lane(kernel, body)
        ):
            return stock(mask, body, other)
        value = body()
        return V.ops.where(mask, value, V.ops.constant(other, value.dtype))

    return masked


def replacements() -> list[tuple[Any, str, Any]]:
    """Object, attribute and new value of every edit."""
    overrides = cpp.CppVecOverrides
    return [(overrides, "masked", staticmethod(_masked(overrides.masked)))]
