"""Measurements as text for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch
from tabulate import tabulate

from torch_complex_subclass.bench.candidates import WAYS
from torch_complex_subclass.bench.rows import (
    Outcome,
    Quantity,
    Row,
    cold_seconds,
    peak,
    seconds,
    warm_seconds,
)


def geometric_mean(values: Iterable[float]) -> float | None:
    """The geometric mean of positive numbers; None where there are none."""
    logs = [math.log(value) for value in values]
    return math.exp(math.fsum(logs) / len(logs)) if logs else None


def means(
    rows: Sequence[Row], who: str, quantity: Quantity = seconds, to: str = "ours"
) -> tuple[float | None, float | None]:
    """Geometric means of the ratios `who`/`to`: of all rows, and of those without `library`."""
    ratios = [(row.case.library, row.ratio(who, quantity, to)) for row in rows]
    known = [(library, ratio) for library, ratio in ratios if ratio is not None]
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


def times(rows: Sequence[Row]) -> str:
    """Milliseconds of each candidate, and ratios to ours with their geometric means."""
    names = list(rows[0].outcomes)
    return _comparison(rows, names, [("ms", seconds, 1e-3)], _against_ours(names))


def memory(rows: Sequence[Row]) -> str:
    """MiB that a call allocates at its peak, and ratios to ours."""
    names = [name for name in rows[0].outcomes if name in WAYS]
    return _comparison(rows, names, [("peak MiB", peak, 2.0**20)], _against_ours(names))


def compilation(rows: Sequence[Row]) -> str:
    """Seconds of a cold and of a warm compilation, and how ours compares with hand-written code."""
    names = [name for name in rows[0].outcomes if name in WAYS and name != "eager"]
    pairs = [("ours", "hand")] if {"ours", "hand"} <= {*names} else []
    figures = [("cold s", cold_seconds, 1.0), ("warm s", warm_seconds, 1.0)]
    return _comparison(rows, names, figures, pairs)


def _against_ours(names: Sequence[str]) -> list[tuple[str, str]]:
    return [(name, "ours") for name in names if name != "ours"] if "ours" in names else []


def _comparison(
    rows: Sequence[Row],
    names: Sequence[str],
    figures: Sequence[tuple[str, Quantity, float]],
    pairs: Sequence[tuple[str, str]],
) -> str:
    """Figures of each candidate, with titles and units, and ratios of the first one by pairs."""
    columns = [(name, *figure) for name in names for figure in figures]
    first = figures[0][1]
    table = [
        _name(row)
        + [_number(quantity(row.outcomes[name]), unit) for name, _, quantity, unit in columns]
        + [_number(row.ratio(who, first, to)) for who, to in pairs]
        for row in rows
    ]
    if pairs:
        blank = [""] * (len(columns) + 3)
        both = [means(rows, who, first, to) for who, to in pairs]
        table.append(["geometric mean", *blank, *(_number(every) for every, _ in both)])
        table.append(["  without library", *blank, *(_number(rest) for _, rest in both)])
    titles = [f"{name} {title}" for name, title, _, _ in columns]
    return _table(table, _NAME + titles + [f"{who}/{to}" for who, to in pairs])


_DETAILS = ("stock", "ours")


def details(rows: Sequence[Row]) -> str:
    """What was generated, the time of a call on tiny inputs, the share of the limit."""
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
    parts = ("kernels", "fallbacks", "tiny call us")
    titles = _NAME + [f"{name} {part}" for name in names for part in parts] + ["% of limit"]
    return _table(table, [title.replace(" ", "\n", 1) for title in titles])


def _share_of_limit(row: Row) -> float | None:
    ours = seconds(row.outcomes.get("ours", Outcome()))
    return row.least_seconds / ours if ours and row.least_seconds is not None else None


def _detail(outcome: Outcome) -> list[str]:
    if outcome.kernels is None:
        return ["-"] * 3
    return [
        str(outcome.kernels),
        str(sum(outcome.fallbacks.values())),
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
