"""Errors as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from torch_complex_subclass.accuracy.measure import PARTS, Errors, shares
from torch_complex_subclass.decompositions import Rule

STEPS = (0.5, 1.0, 2.0, 4.0)


def number(error: float) -> str:
    """An error in ulp in few characters."""
    return f"{error:.2f}" if error < 100 else f"{error:.1e}"


def percent(share: float) -> str:
    """A share in percent, rounded down so that 100 means all."""
    return "100" if share == 100 else f"{int(share * 100) / 100:.2f}"


def bound(rule: Rule) -> str:
    """The bound that a rule states."""
    assert rule.max_ulp is not None
    return f"{rule.max_ulp:g}" + (" normwise" if rule.normwise else "")


def within(errors: Errors, rule: Rule) -> bool:
    """Whether no point is beyond the bound that the rule states."""
    assert rule.max_ulp is not None
    return float(errors.ulp.max()) <= rule.max_ulp


def _shares(error: Tensor) -> str:
    worst = number(float(error.max()))
    return "".join(f"{percent(share):>7}" for share in shares(error, STEPS)) + f"{worst:>10}"


_STEPS = "".join(f"{f'<={step:g}':>7}" for step in STEPS)


def summary_head(others: list[str]) -> str:
    """Heading of the lines that `summary_line` makes."""
    titles = "".join(f"{f'{who} <=4':>14}{'worst':>9}" for who in others)
    return (
        f"{'function':15}{'points':>8}{_STEPS}{'worst':>10}  {'bound':12}{'ok':4}{titles}".rstrip()
    )


def summary_line(rule: Rule, ours: Errors, others: Mapping[str, Errors | None]) -> str:
    """One function: shares of points at which both parts are within some ulp, and the worst."""
    error = ours.larger
    ok = "yes" if within(ours, rule) else "NO"
    line = f"{ours.points.function:15}{len(error):8,}{_shares(error)}  {bound(rule):12}{ok:4}"
    for theirs in others.values():
        if theirs is None:
            line += f"{'-':>14}{'-':>9}"
        else:
            (share,) = shares(theirs.larger, (4.0,))
            line += f"{percent(share):>14}{number(float(theirs.larger.max())):>9}"
    return line.rstrip()


def histogram(rule: Rule, measured: Mapping[str, Errors | None]) -> Iterator[str]:
    """Lines for one function: shares by region, part and implementation."""
    found = {who: errors for who, errors in measured.items() if errors is not None}
    first = next(iter(found.values()))
    points = first.points
    yield (
        f"{points.function}, parts in {str(points.dtype).removeprefix('torch.')}, "
        f"{len(points.x):,} points, bound {bound(rule)} ulp; share of points in percent"
    )
    yield f"{'region':15}{'part':5}{'who':9}{_STEPS}{'worst':>10}"
    for region, where in {**points.regions, "all": slice(None)}.items():
        for i, part in enumerate(PARTS[: len(first.ulp)]):
            for who, errors in found.items():
                yield f"{region:15}{part:5}{who:9}{_shares(errors.ulp[i, where])}"
    for who, errors in found.items():
        yield from _worst(who, errors)
    yield from (f"{who} lacks {points.function}" for who in measured if who not in found)


def _worst(who: str, errors: Errors) -> Iterator[str]:
    points = errors.points
    for part, error, got, (want, _) in zip(
        PARTS, errors.ulp, errors.got, points.exact, strict=False
    ):
        at = int(torch.argmax(error))
        region = next(name for name, where in points.regions.items() if at < where.stop)
        yield (
            f"worst {part} of {who}: {number(float(error[at]))} ulp on {region} at "
            f"x={points.x[at].item()!r}, y={points.y[at].item()!r}: "
            f"got {got[at].item()!r}, want {want[at].item()!r}"
        )
