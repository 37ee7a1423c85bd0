"""Draws how many times as long others take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch_complex_subclass.bench.rows import Row

Ratios = Sequence[float | None]
"""One for each row; None where there is none."""


def draw(rows: Sequence[Row], file: Path) -> None:
    """Draw a bar for each ratio to ours, by case, and write the picture."""
    names = [name for name in rows[0].outcomes if name != "ours"]
    labels = [f"{r.case.name} {r.size} {r.mode}" for r in rows]
    draw_ratios(labels, {who: [row.ratio(who) for row in rows] for who in names}, file)


def draw_ratios(labels: Sequence[str], ratios: Mapping[str, Ratios], file: Path) -> None:
    """Draw the bars of each candidate beside each label, and write the picture."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    count = len(ratios)
    thickness = 0.8 / max(count, 1)
    figure = Figure(figsize=(9, 1.5 + 0.16 * len(labels) * (count + 1)), layout="constrained")
    axes = figure.subplots()
    for i, (who, of_rows) in enumerate(ratios.items()):
        places = [at + (i - (count - 1) / 2) * thickness for at in range(len(labels))]
        known = [
            (at, ratio) for at, ratio in zip(places, of_rows, strict=True) if ratio is not None
        ]
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
    axes.set_yticks(range(len(labels)), labels)
    axes.invert_yaxis()
    axes.set_xlabel("time over ours; right of 1, ours is faster")
    axes.legend(loc="best")
    figure.savefig(file)
