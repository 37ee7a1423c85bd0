"""What became of the complex nodes of a graph."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import fx

from torch_complex_subclass import torch_compat as compat


@dataclass(frozen=True, slots=True)
class Entry:
    """One complex node: its op, how it was lowered, why, and the user's line it came from."""

    op: str
    how: str
    """`fused`: real arithmetic; `native`: the complex kernel, on purpose; `fallback`: no rule."""
    reason: str
    source: str
    backward: bool = False
    """Only a gradient needs it; `source` is the line that it is the gradient of."""


@dataclass
class Report:
    """The entries of one graph, in order."""

    entries: list[Entry] = field(default_factory=list)

    def add(self, node: fx.Node, how: str, reason: str) -> None:
        """Record what became of `node`."""
        backward = compat.is_of_backward(node)
        self.entries.append(Entry(str(node.target), how, reason, _source_line(node), backward))


_FRAME = re.compile(r'^\s*File "(?P<file>.+)", line (?P<line>\d+)', re.MULTILINE)
_TORCH = os.path.dirname(torch.__file__) + os.sep


def _source_line(node: fx.Node) -> str:
    """The innermost line of a node's stack trace outside torch, as `file:line`; else within."""
    frames = _FRAME.findall(node.meta.get("stack_trace") or "")
    own = [frame for frame in frames if not frame[0].startswith(_TORCH)]
    return ":".join((own or frames)[-1]) if frames else ""


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
