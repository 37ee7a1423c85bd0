"""How loops over complex values are put together.

Both parts of a value are computed in one loop.
Inductor fuses two loops that read or write the same elements. The parts of `a + b` share no
element: one reads and writes the even ones, the other the odd ones of the same memory, which as two
loops goes through the cache twice and is never accessed by whole vectors. Here loops that write the
two parts of one interleaved buffer count as sharing what they write, and those that read the two
parts of the same numbers as sharing what they read.

Loops that are fused over rows, and keep a row for themselves in between, go over one row at a time.
Inductor fuses them also where a loop takes several rows at once in a vector, and each overwrites
what the row before it kept: the gradient of a softmax over moduli read with stride two is wrong in
stock torch 2.13. Such loops are not fused here.

A loop over all elements at once is fused with one over rows and columns by taking it apart. Before
torch 2.13 Inductor finds out in the middle of that whether both then go over the same rows, and
raises where they do not; here that is found out beforehand, as newer versions do.

An upstream score that counts cache lines instead of elements, and a check of the tiled loops, would
make this file unnecessary. Applies only to graphs with complex values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy
from torch._inductor import scheduler
from torch._inductor.codegen import cpp
from torch._inductor.dependencies import MemoryDep
from torch._inductor.virtualized import V

from torch_complex_subclass.inductor_lowering import interleaved


def _parts_written(node: Any) -> dict[str, int]:
    """Interleaved buffers of which a loop writes one part, and that part."""
    known = interleaved.of(V.graph).parts
    return dict(known[name] for name in node.get_buffer_names() if name in known)


def _write_one_value(node1: Any, node2: Any) -> bool:
    """True for loops that write the two parts of a value."""
    if node1.is_reduction() or node2.is_reduction():
        return False
    ours, theirs = _parts_written(node1), _parts_written(node2)
    return any(ours[root] != theirs[root] for root in ours.keys() & theirs.keys())


def _parts_read(node: Any) -> dict[tuple[Any, ...], MemoryDep]:
    """What a loop reads of pairs, by memory, address of the real part, and sizes."""
    found = {}
    for dep in node.read_writes.reads:
        if isinstance(dep, MemoryDep) and _is_interleaved(dep.name):
            split = interleaved.split_parity(dep.index)
            if split is not None:
                found[dep.name, split[0], dep.size] = dep
    return found


def _is_interleaved(name: str) -> bool:
    return name in interleaved.of(V.graph).buffers or interleaved.holds_pairs(V.graph, name)


def _bytes_shared(self: Any, node1: Any, node2: Any) -> int:
    """Bytes that two loops write side by side, and read side by side."""
    written = node1.read_writes.writes if _write_one_value(node1, node2) else ()
    ours, theirs = _parts_read(node1), _parts_read(node2)
    read = [dep for pair, dep in ours.items() if pair in theirs and theirs[pair] != dep]
    return sum(self.dep_size_hint(dep) for dep in (*written, *read))


def _score(stock: Callable[..., Any]) -> Callable[..., Any]:
    def score_fusion_memory(self: Any, node1: Any, node2: Any, *args: Any, **kwargs: Any) -> Any:
        score = stock(self, node1, node2, *args, **kwargs)
        if not interleaved.has_complex_values(V.graph):
            return score
        shared = _bytes_shared(self, node1, node2)
        return (score[0] + shared, *score[1:]) if isinstance(score, tuple) else score + shared

    return score_fusion_memory


def _pairs_of_writers(nodes: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Loops that write the two parts of a value, in the order that they run in."""
    writers: dict[str, list[Any]] = {}
    for node in nodes:
        for root in _parts_written(node):
            writers.setdefault(root, []).append(node)
    return [(pair[0], pair[1]) for pair in writers.values() if len(pair) == 2]


def _with_writers(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Also try loops that read nothing in common, as those of `torch.complex(x, y)` do."""

    def get_possible_fusions(self: Any, nodes: Sequence[Any], *args: Any) -> Any:
        found = stock(self, nodes, *args)
        if not interleaved.has_complex_values(V.graph):
            return found
        known = set(found)
        more = [
            pair
            for pair in _pairs_of_writers(nodes)
            if pair not in known
            and self.can_fuse(*pair, *args)
            and not self.get_backend(pair[0].get_device()).get_fusion_pair_priority(*pair)
        ]
        return found + more

    return get_possible_fusions


def takes_rows_at_once(proxies: Any, depth: int) -> bool:
    """True where one of the first `depth` loops of a kernel advances by more than one."""
    outer = (loop for proxy in proxies for loop in (proxy.loop_nest.loops or ())[:depth])
    return any(loop.steps != sympy.S.One for loop in outer)


def _one_row_at_a_time(stock: Callable[..., bool]) -> Callable[..., bool]:
    def check_outer_fusion_loop_level_attr(self: Any, proxies: Any, depth: int) -> bool:
        if interleaved.has_complex_values(V.graph) and takes_rows_at_once(proxies, depth):
            return False
        return stock(self, proxies, depth)

    return check_outer_fusion_loop_level_attr


_LOOP_STATE = "_body", "_sizes", "group", "read_writes", "unmet_dependencies"


def _ranges_and_addresses(node: Any) -> tuple[Any, list[Any]]:
    """What another loop must be taken apart by to match these: ranges, and addresses in them."""
    bodies = [loop.node.get_default_sizes_body()[1] for loop in node.get_nodes()]
    addresses = (address for body in bodies for address in body.indexing_exprs.values())
    return bodies[0].var_ranges, list(dict.fromkeys(addresses))


def _align(node: Any, other: Any) -> bool:
    """Take apart the loop with fewer ranges, then the other; True when they have the same."""
    flat, reference = sorted((node, other), key=lambda n: len(n.group[1][0]))
    flat.recompute_size_and_body(extra_indexing_constraints=_ranges_and_addresses(reference))
    if flat.group[1][0] != reference.group[1][0]:
        constraints = _ranges_and_addresses(flat)
        for loop in reference.get_nodes():
            loop.recompute_size_and_body(extra_indexing_constraints=constraints)
    return bool(flat.group[1][0] == reference.group[1][0])


def _tried_out(stock: Callable[..., bool]) -> Callable[..., bool]:
    def _can_fuse_nodes_with_compatible_ranges(self: Any, node1: Any, node2: Any) -> bool:
        fusible = stock(self, node1, node2)
        if not fusible or not interleaved.has_complex_values(V.graph):
            return fusible
        loops = [*node1.get_nodes(), *node2.get_nodes()]
        before = [{name: getattr(loop, name) for name in _LOOP_STATE} for loop in loops]
        try:
            return _align(node1, node2)
        finally:
            for loop, state in zip(loops, before, strict=True):
                vars(loop).update(state)
                loop.pointwise_read_writes.clear_cache(loop)

    return _can_fuse_nodes_with_compatible_ranges


def _aligned_beforehand() -> list[tuple[Any, str, Any]]:
    name, owner = "_can_fuse_nodes_with_compatible_ranges", cpp.CppScheduling
    if hasattr(owner, "_align_compatible_range_nodes"):
        return []
    return [(owner, name, _tried_out(getattr(owner, name)))]


def replacements() -> list[tuple[Any, str, Any]]:
    """Object, attribute and new value of every edit."""
    owner, rows = scheduler.Scheduler, cpp.OuterLoopFusedSchedulerNode
    check = "check_outer_fusion_loop_level_attr"
    return [
        *_aligned_beforehand(),
        (owner, "score_fusion_memory", _score(owner.score_fusion_memory)),
        (owner, "get_possible_fusions", _with_writers(owner.get_possible_fusions)),
        (rows, check, _one_row_at_a_time(getattr(rows, check))),
    ]
