"""Measurements as text for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch
from tabulate import tabulate

from torch_complex_subclass.bench.rows import Outcome, Row


def geometric_mean(values: Iterable[float]) -> float | None:
    """The geometric mean of positive numbers; None where there are none."""
    logs = [math.log(value) for value in values]
    return math.exp(math.fsum(logs) / len(logs)) if logs else None


def means(rows: Sequence[Row], who: str) -> tuple[float | None, float | None]:
    """Geometric means of the ratios to ours: of all rows, and of those without `library`."""
    known = [(row.case.library, ratio) for row in rows if (ratio := row.ratio(who)) is not None]
    every = geometric_mean(ratio for _, ratio in known)
    return every, geometric_mean(ratio for library, ratio in known if not library)


def dtype_name(dtype: torch.dtype) -> str:
    """The name that the command line takes."""
    return str(dtype).removeprefix("torch.")


def _number(value: float | None, unit: float = 1.0) -> str:
    """About three digits, or a dash."""
    if value is None:
        return "-"
    scaled = value / unit
    return f"{scaled:.3g}" if scaled < 100 else f"{scaled:.0f}"


def _name(row: Row) -> list[str]:
    return [row.case.name, row.size, dtype_name(row.dtype), row.mode]


_NAME = ["case", "size", "dtype", "mode"]


def _ratios(rows: Sequence[Row]) -> list[str]:
    """Candidates whose time is given as a multiple of ours."""
    names = rows[0].outcomes
    return [name for name in names if name != "ours"] if "ours" in names else []


def times(rows: Sequence[Row]) -> str:
    """Milliseconds of each candidate, and ratios to ours with their geometric means."""
    names, others = list(rows[0].outcomes), _ratios(rows)
    table = []
    for row in rows:
        timings = [row.outcomes[name].timing for name in names]
        table.append(
            _name(row)
            + [_number(timing.median if timing else None, 1e-3) for timing in timings]
            + [_number(row.ratio(who)) for who in others]
        )
    blank = [""] * len(names)
    pairs = [means(rows, who) for who in others]
    if pairs:
        table.append(["geometric mean", "", "", "", *blank, *(_number(m) for m, _ in pairs)])
        table.append(["  without library", "", "", "", *blank, *(_number(m) for _, m in pairs)])
    titles = _NAME + [f"{name} ms" for name in names] + [f"{who}/ours" for who in others]
    return _table(table, titles)


_DETAILS = ("stock", "ours")


def details(rows: Sequence[Row]) -> str:
    """What was generated, how long that took, the time of a call on tiny inputs, the limit."""
    names = [name for name in _DETAILS if name in rows[0].outcomes]
    if not names:
        return ""
    table = []
    for row in rows:
        cells = _name(row)
        for name in names:
            cells += _detail(row.outcomes[name])
        cells.append(_number(_share_of_limit(row), 0.01))
        table.append(cells)
    parts = ("kernels", "fallbacks", "compile s", "tiny call us")
    titles = _NAME + [f"{name} {part}" for name in names for part in parts] + ["% of limit"]
    return _table(table, [title.replace(" ", "\n", 1) for title in titles])


def _share_of_limit(row: Row) -> float | None:
    ours = row.outcomes.get("ours", Outcome()).timing
    return row.least_seconds / ours.median if ours and row.least_seconds is not None else None


def _detail(outcome: Outcome) -> list[str]:
    if outcome.compile_seconds is None:
        return ["-"] * 4
    return [
        str(outcome.kernels),
        str(sum(outcome.fallbacks.values())),
        _number(outcome.compile_seconds),
        _number(outcome.overhead_seconds, 1e-6),
    ]


def _table(rows: list[list[str]], titles: list[str]) -> str:
    """Lay out cells that are text already, numbers to the right."""
    alignment = ("left",) * len(_NAME) + ("right",) * (len(titles) - len(_NAME))
    text: str = tabulate(rows, headers=titles, colalign=alignment, disable_numparse=True)
    return text


def problems(rows: Sequence[Row]) -> list[str]:
    """A line for each candidate that has no time."""
    return [
        f"{' '.join(_name(row))}: {name}: {outcome.problem}"
        for row in rows
        for name, outcome in row.outcomes.items()
        if outcome.problem is not None
    ]
