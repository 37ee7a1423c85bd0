"""Draws how many times as long others take."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch_complex_subclass.bench.rows import Row


def draw(rows: Sequence[Row], file: Path) -> None:
    """Draw a bar for each ratio to ours, by case, and write the picture."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    names = [name for name in rows[0].outcomes if name != "ours"]
    thickness = 0.8 / max(len(names), 1)
    figure = Figure(figsize=(9, 1.5 + 0.16 * len(rows) * (len(names) + 1)), layout="constrained")
    axes = figure.subplots()
    for i, who in enumerate(names):
        ratios = [row.ratio(who) for row in rows]
        places = [at + (i - (len(names) - 1) / 2) * thickness for at in range(len(rows))]
        known = [(at, ratio) for at, ratio in zip(places, ratios, strict=True) if ratio is not None]
        # From 1, so that a bar points to the faster side.
        axes.barh(
            [at for at, _ in known],
            [ratio - 1 for _, ratio in known],
            thickness,
            left=1,
            label=who,
        )
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_yticks(range(len(rows)), [f"{r.case.name} {r.size} {r.mode}" for r in rows])
    axes.invert_yaxis()
    axes.set_xlabel("time over ours; right of 1, ours is faster")
    axes.legend(loc="best")
    figure.savefig(file)
