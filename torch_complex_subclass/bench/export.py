"""Measurements as JSON."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from torch_complex_subclass.bench import limits, machine
from torch_complex_subclass.bench.rows import Row, Settings, cold_seconds, peak
from torch_complex_subclass.bench.text import dtype_name, means


def _limits(dtype: torch.dtype) -> dict[str, float]:
    return {
        "triad_bytes_per_second": limits.bandwidth(),
        "product_operations_per_second": limits.product_rate(dtype.to_real()),
    }


def _row(row: Row) -> dict[str, Any]:
    others = [who for who in row.outcomes if who != "ours"]
    return {
        "case": row.case.name,
        "group": row.case.group,
        "library": row.case.library,
        "size": row.size,
        "shape": row.case.shapes[row.size],
        "dtype": dtype_name(row.dtype),
        "mode": row.mode,
        "least_bytes": row.traffic,
        "least_seconds": row.least_seconds,
        "candidates": {name: dataclasses.asdict(o) for name, o in row.outcomes.items()},
        "ratios": {who: row.ratio(who) for who in others},
        "memory_ratios": {who: row.ratio(who, peak) for who in others},
        "compile_ratio": row.ratio("ours", cold_seconds, "hand"),
    }


def _means(rows: Sequence[Row], settings: Settings) -> dict[str, Any]:
    """Times of the others over ours; their peaks over ours; our compile time over `hand`'s."""
    others = [who for who in settings.candidates if who != "ours"]
    return {
        **{who: _both(means(rows, who)) for who in others},
        "memory": {who: _both(means(rows, who, peak)) for who in others},
        "compile": _both(means(rows, "ours", cold_seconds, "hand")),
    }


def _both(pair: tuple[float | None, float | None]) -> dict[str, float | None]:
    return dict(zip(("all", "without_library"), pair, strict=True))


def as_json(rows: Sequence[Row], settings: Settings) -> str:
    """All that is known: machine, limits, settings, rows, geometric means; times in seconds."""
    document = {
        "machine": machine.description(),
        "limits": _limits(settings.dtype),
        "settings": {"compile_mode": settings.compile_mode, "rounds": settings.rounds},
        "rows": [_row(row) for row in rows],
        "geometric_means": _means(rows, settings),
    }
    return json.dumps(document, indent=1) + "\n"


def write(rows: Sequence[Row], settings: Settings, file: Path) -> None:
    """Write the document in one step, so that a run that ends here leaves a whole one."""
    part = file.with_name(f"{file.name}.part")
    part.write_text(as_json(rows, settings))
    os.replace(part, file)
