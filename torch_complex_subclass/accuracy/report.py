"""What the command prints: a line for each function, or the histogram of one."""

from __future__ import annotations

from pathlib import Path

import torch

from torch_complex_subclass.accuracy import picture, text
from torch_complex_subclass.accuracy.measure import measure, points_of
from torch_complex_subclass.progress import progress
from torch_complex_subclass.testing.unary import rules_by_name


def functions() -> list[str]:
    """Names of the functions that can be measured."""
    return list(rules_by_name())


def summary(dtype: torch.dtype, who: list[str], n: int) -> bool:
    """Print a line for each function; True when all are within their bounds."""
    ok = True
    print(text.summary_head(who[1:]))
    for function in functions():
        rule, points = rules_by_name()[function], points_of(function, dtype, n)
        ours, *theirs = (measure(points, name) for name in who)
        assert ours is not None
        ok &= text.within(ours, rule)
        print(text.summary_line(rule, ours, dict(zip(who[1:], theirs, strict=True))), flush=True)
    return ok


def one(function: str, dtype: torch.dtype, who: list[str], n: int, plot: Path | None) -> bool:
    """Print the histogram of a function, and draw it; True when ours is within its bound."""
    rule, points = rules_by_name()[function], points_of(function, dtype, n)
    measured = {name: measure(points, name) for name in progress(who, function)}
    print("\n".join(text.histogram(rule, measured)))
    if plot is not None:
        picture.draw(function, dtype, picture.measure_grid(function, dtype, who), plot)
        print(f"picture: {plot}")
    ours = measured[who[0]]
    return ours is not None and text.within(ours, rule)
