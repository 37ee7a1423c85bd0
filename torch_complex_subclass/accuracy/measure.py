"""Errors of implementations on the samples of `testing.plane`, by region."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from torch_complex_subclass.accuracy.implementations import IMPLEMENTATIONS, Parts
from torch_complex_subclass.testing import plane
from torch_complex_subclass.testing.exact import reference, values
from torch_complex_subclass.testing.ulp import Exact, normwise_unit, ulp_error
from torch_complex_subclass.testing.unary import rules_by_name

PARTS = ("re", "im")


@dataclass(frozen=True)
class Points:
    """Where a function is measured: points with the exact parts, by name of the region."""

    function: str
    x: Tensor
    y: Tensor
    exact: list[Exact]
    regions: dict[str, slice]

    @property
    def dtype(self) -> torch.dtype:
        """Real dtype of the parts."""
        return self.x.dtype


@dataclass(frozen=True)
class Errors:
    """Errors in ulp at the points, shape (parts, points), of the values got."""

    points: Points
    got: Parts
    ulp: Tensor

    @property
    def larger(self) -> Tensor:
        """Error of the worse part at each point."""
        return self.ulp.amax(0)

    @property
    def normwise(self) -> Tensor:
        """Errors in ulp of the larger part of the exact value, shape (parts, points)."""
        exact = self.points.exact
        unit = normwise_unit(exact, self.points.dtype)
        return torch.stack([ulp_error(a, b, unit) for a, b in zip(self.got, exact, strict=True)])


def shares(error: Tensor, steps: tuple[float, ...]) -> list[float]:
    """Share in percent of the points whose error is within each step."""
    return [100.0 * float((error <= step).double().mean()) for step in steps]


def points_of(function: str, dtype: torch.dtype, n: int) -> Points:
    """Take n points of each region of a function."""
    regions = plane.regions(function)
    drawn = [plane.samples(region, dtype, n, function) for region in regions]
    parts = zip(*(reference(function, region, dtype, n) for region in regions), strict=True)
    return Points(
        function,
        torch.cat([x for x, _ in drawn]),
        torch.cat([y for _, y in drawn]),
        [_joined(part) for part in parts],
        {region: slice(i * n, (i + 1) * n) for i, region in enumerate(regions)},
    )


def points_at(function: str, label: str, x: Tensor, y: Tensor) -> Points:
    """Take the given points as one region."""
    return Points(function, x, y, values(function, label, x, y), {label: slice(0, len(x))})


def _joined(parts: tuple[Exact, ...]) -> Exact:
    return torch.cat([head for head, _ in parts]), torch.cat([rest for _, rest in parts])


def measure(points: Points, who: str) -> Errors | None:
    """Errors of an implementation in the unit of the function's bound; None if it lacks it."""
    got = IMPLEMENTATIONS[who].compute(points.function, points.x, points.y)
    if got is None:
        return None
    rule = rules_by_name()[points.function]
    unit = normwise_unit(points.exact, points.dtype) if rule.normwise else None
    errors = [ulp_error(a, b, unit) for a, b in zip(got, points.exact, strict=True)]
    return Errors(points, got, torch.stack(errors))
