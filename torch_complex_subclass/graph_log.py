"""What the pass makes of each graph, for whoever turns its logger on.

`TORCH_LOGS="torch_complex_subclass"` logs one line for each graph with complex values, and
`TORCH_LOGS="+torch_complex_subclass"` also the graph before and after the pass. Torch reads the
variable, sets the level, and gives the logger its handler, its format and `TORCH_LOGS_OUT`; so does
`torch._logging.set_logs(modules={"torch_complex_subclass": logging.DEBUG})`. Without either it is
a logger of Python's own as any other. A graph whose code is found in a cache does not reach the
pass, and is not logged.
"""

from __future__ import annotations

import logging
from collections import Counter

from torch import fx

from torch_complex_subclass.report import Report

log = logging.getLogger("torch_complex_subclass.graph")


def before(graph: fx.Graph) -> None:
    """Log the graph as AOTAutograd traced it."""
    if log.isEnabledFor(logging.DEBUG):
        log.debug("graph before the pass:\n%s", _text(graph))


def after(graph: fx.Graph, report: Report) -> None:
    """Log the rewritten graph, and what became of its complex nodes."""
    if not log.isEnabledFor(logging.INFO) or not report.entries:
        return
    if log.isEnabledFor(logging.DEBUG):
        log.debug("graph after the pass:\n%s", _text(graph))
    log.info("%s", summary(report))


def summary(report: Report) -> str:
    """One line: how many complex nodes are fused, and which keep their kernel."""
    kept = Counter((e.how, e.op) for e in report.entries if e.how != "fused")
    fused = len(report.entries) - kept.total()
    parts = [f"{fused} complex nodes fused"]
    parts += [f"{count} {how}: {op}" for (how, op), count in sorted(kept.items())]
    return ", ".join(parts)


def _text(graph: fx.Graph) -> str:
    return graph.python_code("self", verbose=True).src.strip()
