"""Makes docs/workloads.md, and a picture for each system, of exported figures.

`python -m torch_complex_subclass.bench.workloads.page FILE.json docs`
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from torch_complex_subclass.bench.picture import draw_ratios
from torch_complex_subclass.bench.workloads import SYSTEMS, System

Rows = list[dict[str, Any]]

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


def _table(system: System, rows: Rows) -> list[str]:
    if not rows:
        return ["Not in this run."]
    titles = ["case", "size", "mode", *(f"{name} ms" for name in _CANDIDATES)]
    titles += ["eager/ours", "published", "memory saved"]
    head = [f"| {' | '.join(titles)} |", f"|{' --- |' * len(titles)}"]
    return [*head, *(_row(system, row) for row in rows)]


def _rows_of(system: System, rows: Rows) -> Rows:
    return [row for row in rows if row["group"] == system.name]


def _picture(system: System) -> str:
    return f"workloads_{system.name}.png"


def _section(system: System, rows: Rows) -> list[str]:
    lines = [f"## {system.name.upper()}: {system.title}", "", system.about, ""]
    own = _rows_of(system, rows)
    lines += _table(system, own)
    if own:
        lines += ["", f"![Time of each candidate over ours]({_picture(system)})"]
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


def draw_pictures(document: dict[str, Any], folder: Path) -> None:
    """Draw how many times as long others take, a picture for each system that has figures."""
    for system in SYSTEMS:
        rows = _rows_of(system, document["rows"])
        if not rows:
            continue
        labels = [f"{row['case']} {row['size']} {row['mode']}" for row in rows]
        candidates = {
            name: [row["ratios"].get(name) for row in rows]
            for name in _CANDIDATES
            if name != "ours"
        }
        draw_ratios(labels, candidates, folder / _picture(system))


def main(figures: Path, folder: Path) -> None:
    """Write the page and its pictures."""
    document = json.loads(figures.read_text())
    (folder / "workloads.md").write_text(as_markdown(document))
    draw_pictures(document, folder)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
