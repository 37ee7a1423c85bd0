"""Makes docs/workloads.md of exported figures.

`python -m torch_complex_subclass.bench.workloads.page FILE.json > docs/workloads.md`
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from torch_complex_subclass.bench.workloads import SYSTEMS, System

_CANDIDATES = ("eager", "stock", "hand", "jax", "ours")


def _milliseconds(candidate: dict[str, Any] | None) -> str:
    timing = (candidate or {}).get("timing")
    return f"{timing['median'] * 1e3:.3g}" if timing else "-"


def _saved(row: dict[str, Any]) -> str:
    ratio = row["memory_ratios"].get("eager")
    return f"{100 * (1 - 1 / ratio):.0f} %" if ratio else "-"


def _row(system: System, row: dict[str, Any]) -> str:
    times = [_milliseconds(row["candidates"].get(name)) for name in _CANDIDATES]
    ratio, published = row["ratios"].get("eager"), system.published.get(row["case"])
    cells = [row["case"], row["size"], row["mode"], *times]
    cells += [f"{value:.2f}" if value else "-" for value in (ratio, published)]
    return f"| {' | '.join([*cells, _saved(row)])} |"


def _table(system: System, rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return ["Not in this run."]
    titles = ["case", "size", "mode", *(f"{name} ms" for name in _CANDIDATES)]
    titles += ["eager/ours", "published", "memory saved"]
    head = [f"| {' | '.join(titles)} |", f"|{' --- |' * len(titles)}"]
    return [*head, *(_row(system, row) for row in rows)]


def _section(system: System, rows: list[dict[str, Any]]) -> list[str]:
    lines = [f"## {system.name.upper()}: {system.title}", "", system.about, ""]
    lines += _table(system, [row for row in rows if row["group"] == system.name])
    lines += ["", system.source, "", "```"]
    lines += [f"python -m torch_complex_subclass bench --suite workloads {system.name}"]
    return [*lines, *system.commands, "```", ""]


def as_markdown(document: dict[str, Any]) -> str:
    """The page of what `bench --suite workloads --export` has written."""
    about = document["machine"]
    lines = [
        "# Workloads",
        "",
        "The systems this package is for. Times are medians; a ratio above 1 says that compiled",
        "code of this package is faster than eager. Memory is what a call allocates at its peak.",
        "",
        f"{about['processor']}, {about['threads']} of {about['cores']} cores, torch "
        f"{about['torch']}, {about['date'][:10]}.",
        "",
    ]
    for system in SYSTEMS:
        lines += _section(system, document["rows"])
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(as_markdown(json.loads(Path(sys.argv[1]).read_text())))
