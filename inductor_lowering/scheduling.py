"""Both parts of a complex value are computed in one loop.

Inductor fuses two loops that read or write the same elements. The parts of `a + b` share no
element: one reads and writes the even ones, the other the odd ones of the same memory, which as two
loops goes through the cache twice and is never accessed by whole vectors. Here loops that write the
two parts of one interleaved buffer count as sharing what they write.

An upstream score that counts cache lines instead of elements would make this file unnecessary.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch._inductor import scheduler
from torch._inductor.virtualized import V

from torch_complex_subclass.inductor_lowering import interleaved


def _parts_written(node: Any) -> dict[str, int]:
    """Interleaved buffers of which a loop writes one part, and that part."""
    known = interleaved.of(V.graph).parts
    return dict(known[name] for name in node.get_buffer_names() if name in known)


def _bytes_shared(self: Any, node1: Any, node2: Any) -> int:
    """Bytes that two loops write side by side."""
    if node1.is_reduction() or node2.is_reduction():
        return 0
    ours, theirs = _parts_written(node1), _parts_written(node2)
    if not any(ours[root] != theirs[root] for root in ours.keys() & theirs.keys()):
        return 0
    return sum(self.dep_size_hint(dep) for dep in node1.read_writes.writes)


def _score(stock: Callable[..., Any]) -> Callable[..., Any]:
    def score_fusion_memory(self: Any, node1: Any, node2: Any, *args: Any, **kwargs: Any) -> Any:
        score = stock(self, node1, node2, *args, **kwargs)
        if not interleaved.has_complex_values(V.graph):
            return score
        shared = _bytes_shared(self, node1, node2)
        return (score[0] + shared, *score[1:]) if isinstance(score, tuple) else score + shared

    return score_fusion_memory


def replacements() -> list[tuple[Any, str, Any]]:
    """Object, attribute and new value of every edit."""
    owner = scheduler.Scheduler
    return [(owner, "score_fusion_memory", _score(owner.score_fusion_memory))]
