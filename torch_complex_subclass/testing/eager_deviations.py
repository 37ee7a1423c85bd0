"""The points where a rule's special value is not eager's, as the table in docs/special_values.md.

Finite parts other than zeros count as equal, for the accuracy tests measure those; so do signs
that the tables leave free.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch

from torch_complex_subclass.testing import unary
from torch_complex_subclass.testing.annex_g import ANNEX_G
from torch_complex_subclass.testing.special_rows import Part
from torch_complex_subclass.testing.special_values import TABLES, both_parts, rule

_PARTS = [-math.inf, -2.0, -1.0, -0.0, 0.0, 1.0, 2.0, math.inf, math.nan]
_GRID = [(x, y) for y in _PARTS for x in _PARTS]
HEADER = "| function | at | here | eager | settled by |\n| --- | --- | --- | --- | --- |"


class Row(NamedTuple):
    """One value of a function here and in eager, where they differ; a part that agrees is `=`."""

    name: str
    here: str
    eager: str
    source: str


def _word(part: float, listed: Part | None = None) -> str:
    free = listed is not None and not listed.signed
    return "nan" if math.isnan(part) else f"+-{abs(part):.4g}" if free else f"{part:.4g}"


def _agree(a: float, b: float, listed: Part | None) -> bool:
    """True for equal parts; without their sign where the table leaves it free."""
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    if listed is not None and not listed.signed:
        a, b = abs(a), abs(b)
    regular = all(math.isfinite(part) and part != 0 for part in (a, b))
    return math.copysign(1, a) == math.copysign(1, b) and (regular or a == b)


def deviations(name: str, dtype: torch.dtype) -> Iterator[tuple[str, Row]]:
    """Points of the grid where the rule's value is not eager's, with both values."""
    op, cases = unary.rules_by_name()[name].op, {f"{c.x} {c.y}": c for c in TABLES[name]}
    x, y = (torch.tensor([point[i] for point in _GRID], dtype=dtype) for i in (0, 1))
    ours = zip(*(part.tolist() for part in both_parts(rule(name)(x, y))), strict=True)
    theirs = zip(*(part.tolist() for part in both_parts(op(torch.complex(x, y)))), strict=True)
    for point, here, eager in zip(_GRID, ours, theirs, strict=True):
        case = cases.get(f"{point[0]} {point[1]}")
        listed = case[2:] if case is not None else (None, None)
        agree = [_agree(*parts) for parts in zip(here, eager, listed, strict=True)]
        if not all(agree):
            ours_there, theirs_there = (
                ", ".join(
                    "=" if same else _word(part, free)
                    for part, same, free in zip(value, agree, listed, strict=True)
                )
                for value in (here, eager)
            )
            source = "Annex G" if name in ANNEX_G and case is not None else "limit"
            row = Row(name, ours_there, theirs_there, source)
            yield f"({_word(point[0])}, {_word(point[1])})", row


def table() -> str:
    """Every deviation, points of one value in one line."""
    lines: dict[tuple[Row, str], list[str]] = {}
    for name in unary.rules_by_name():
        if name.startswith("_"):
            continue  # the same rule as the name without
        narrow, wide = (list(deviations(name, dtype)) for dtype in (torch.float32, torch.float64))
        for point, row in narrow:
            lines.setdefault((row, "" if (point, row) in wide else " (complex64)"), []).append(
                point
            )
        for point, row in wide:
            if (point, row) not in narrow:
                lines.setdefault((row, " (complex128)"), []).append(point)
    return "\n".join(
        [HEADER]
        + [
            f"| {row.name}{dtype} | {' '.join(points)} | {row.here} | {row.eager} | {row.source} |"
            for (row, dtype), points in lines.items()
        ]
    )
