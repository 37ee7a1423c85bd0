"""Which loop of a nest is vectorised: over interleaved memory, and with slow operations."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import sympy
from torch._inductor import dependencies
from torch._inductor.codegen import cpp as stock_cpp
from torch._inductor.virtualized import V

from torch_complex_subclass.inductor_lowering import broadcasts, interleaved, pieces, quads

# Inductor's module is edited and read past what it exports.
cpp: Any = stock_cpp


@contextlib.contextmanager
def _are_contiguous(*strides: int) -> Iterator[None]:
    stock = cpp.stride_at_vec_range

    def stride(index: sympy.Expr, var: sympy.Symbol, vec_length: int | None = None) -> Any:
        index = pieces.merged(index)
        found = stock(index, var, vec_length)
        is_broken = not found.is_number and pieces.slope(index, var, vec_length or 1) == 2
        return sympy.S.One if found in strides or is_broken else found

    cpp.stride_at_vec_range = stride
    try:
        yield
    finally:
        cpp.stride_at_vec_range = stock


def _touches_interleaved(fn_list: Any) -> bool:
    known = interleaved.of(V.graph)
    for body in cpp._get_loop_body(fn_list):
        for block in (body.root_block, *body.subblocks.values()):
            for node in block.graph.nodes:
                if node.target in ("load", "store"):
                    name = interleaved.real_name(node.args[1])
                    if name in known.buffers or name in known.parts:
                        return True
                    if node.target == "load" and interleaved.holds_pairs(V.graph, name):
                        return True
    return False


def _reads_quads(fn_list: Any, var_sizes_list: Any) -> bool:
    """Whether accesses to every other number, if any, are such as quads.py has code for."""
    bodies = zip(fn_list, var_sizes_list, strict=True)
    found = [dependencies.extract_read_writes(fn, *sizes) for fn, sizes in bodies]
    reads = [dep for each in found for dep in each.reads]
    writes = [dep for each in found for dep in each.writes]
    return quads.are_all_loads(V.graph, reads, writes)


def _has_slow_operations(fn_list: Any) -> bool:
    return any(
        node.target in broadcasts.SLOW
        for body in cpp._get_loop_body(fn_list)
        for block in (body.root_block, *body.subblocks.values())
        for node in block.graph.nodes
    )


@contextlib.contextmanager
def _strides_do_not_count() -> Iterator[None]:
    """Let no share of accesses by number keep vectors out; before torch 2.13 nothing is changed."""
    name = "OVERHEAD_RATIO_THRESHOLD"
    stats = getattr(cpp, "KernelOpStats", None)
    stock = getattr(stats, name, None)
    if stock is None:
        yield
        return
    setattr(stats, name, math.inf)
    try:
        yield
    finally:
        setattr(stats, name, stock)


class InterleavedTiling(stock_cpp.TilingSelect):
    """Chooses the vectorised loop with interleaved accesses counted as contiguous.

    In a graph with complex values, accesses of other strides speak against vectors only where each
    operation is quick: a vector of sines takes less than two of them one by one.
    """

    def select_tiling(self, fn_list: Any, var_sizes_list: Any) -> Any:
        if not interleaved.has_complex_values(V.graph) or not _has_slow_operations(fn_list):
            return self._select(fn_list, var_sizes_list)
        with _strides_do_not_count():
            chosen = self._select(fn_list, var_sizes_list)
        for stats in chosen[2:]:
            stats.non_contig_indexing_op_counter.clear()  # nor in the tail of the loop
        return chosen

    def _select(self, fn_list: Any, var_sizes_list: Any) -> Any:
        if not _touches_interleaved(fn_list):
            return super().select_tiling(fn_list, var_sizes_list)
        strides = (2, -2, quads.SIZE) if _reads_quads(fn_list, var_sizes_list) else (2, -2)
        with _are_contiguous(*strides):
            chosen = super().select_tiling(fn_list, var_sizes_list)
        # From torch 2.13 on masks speak against vectors in the tail of a loop; ours are cheap.
        for stats in chosen[2:]:
            if hasattr(stats, "mask_op_count"):
                stats.mask_op_count = 0
        return chosen
