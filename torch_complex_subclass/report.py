"""What became of the complex nodes of a graph."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from torch import fx


@dataclass(frozen=True, slots=True)
class Entry:
    """One complex node: its op, how it was lowered, why, and the user's line it came from."""

    op: str
    how: str
    """`fused`: real arithmetic; `native`: the complex kernel, on purpose; `fallback`: no rule."""
    reason: str
    source: str


@dataclass
class Report:
    """The entries of one graph, in order."""

    entries: list[Entry] = field(default_factory=list)

    def add(self, node: fx.Node, how: str, reason: str) -> None:
        """Record what became of `node`."""
        self.entries.append(Entry(str(node.target), how, reason, _source_line(node)))


def _source_line(node: fx.Node) -> str:
    """The innermost line of the user's code in a node's stack trace, as `file:line`."""
    trace = node.meta.get("stack_trace") or ""
    lines = [line for line in trace.splitlines() if line.lstrip().startswith("File ")]
    if not lines:
        return ""
    parts = lines[-1].split('"')
    number = parts[2].split("line ")[-1].split(",")[0] if len(parts) > 2 else "?"
    return f"{parts[1]}:{number}"


_listeners: list[list[Report]] = []


@contextmanager
def collected() -> Iterator[list[Report]]:
    """Collect the report of every graph that is rewritten inside the block."""
    reports: list[Report] = []
    _listeners.append(reports)
    try:
        yield reports
    finally:
        _listeners[:] = [found for found in _listeners if found is not reports]


def publish(report: Report) -> None:
    """Hand a finished report to whoever collects."""
    for reports in _listeners:
        reports.append(report)
