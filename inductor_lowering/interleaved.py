"""Which buffers of a graph hold interleaved complex memory, as the lowerings made them."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import Any

from torch._inductor.virtualized import NullHandler


@dataclass
class Interleaved:
    """Names of interleaved buffers of one graph."""

    buffers: set[str] = field(default_factory=set)
    """Buffers of shape `(..., 2)` whose last stride is one."""
    parts: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Buffers that are one part of an interleaved one: its name, and 0 or 1."""


_graphs: weakref.WeakKeyDictionary[Any, Interleaved] = weakref.WeakKeyDictionary()


def of(graph: Any) -> Interleaved:
    """Return the record of a graph under lowering."""
    return _graphs.setdefault(graph, Interleaved())


def has_complex_values(graph: Any) -> bool:
    """True for a graph in which some lowering made or found interleaved memory."""
    return not isinstance(graph, NullHandler) and graph in _graphs and bool(_graphs[graph].buffers)
