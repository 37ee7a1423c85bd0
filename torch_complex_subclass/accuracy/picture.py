"""The error over the complex plane as a picture: a row for each part, a column for each."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.accuracy.implementations import IMPLEMENTATIONS
from torch_complex_subclass.accuracy.measure import Errors, Points, measure, points_at
from torch_complex_subclass.progress import progress

# Cells along each axis, and the binary exponents between which both parts' sizes are drawn.
CELLS = 192
_LOW, _HIGH = -12.0, 12.0

# Between these the error has one colour; the last but one before red is the usual bound.
_STEPS = (0.0, 0.5, 1.0, 2.0, 4.0, 16.0, 256.0, 65536.0, float("inf"))
_COLOURS = ("#f7fbff", "#d6e6f4", "#abd0e6", "#6aaed6", "#fdd49e", "#fc8d59", "#d7301f", "#67000d")
_TITLES = ("error of the real part", "error of the imaginary part")


def _along(cells: int, g: torch.Generator) -> Tensor:
    """A random number in each cell of a square, which are equal steps of the signed exponent."""
    half = cells // 2
    drawn = torch.rand(cells, cells, generator=g, dtype=torch.float64)
    signed = (torch.arange(cells) - half + drawn) * ((_HIGH - _LOW) / half)
    return torch.copysign(torch.exp2(_LOW + signed.abs()), signed)


def grid(function: str, dtype: torch.dtype) -> Points:
    """Points of the picture, row by row from the lowest imaginary part up."""
    g = torch.Generator().manual_seed(0)
    x, y = _along(CELLS, g), _along(CELLS, g).T
    return points_at(function, "grid", x.flatten().to(dtype), y.flatten().to(dtype))


def measure_grid(function: str, dtype: torch.dtype, who: list[str]) -> dict[str, Errors]:
    """Errors on the grid, of those who have the function."""
    points = grid(function, dtype)
    found = {name: measure(points, name) for name in progress(who, f"{function}, picture")}
    return {name: errors for name, errors in found.items() if errors is not None}


def _ticks(axes: Any, cells: int) -> None:
    """Label both axes at powers of two, in units of cells."""
    half, exponents = cells / 2, (-8, 0, 8)
    at = [half * (e - _LOW) / (_HIGH - _LOW) for e in exponents]
    places = [half - a for a in reversed(at)] + [half + a for a in at]
    labels = [f"$-2^{{{e}}}$" for e in reversed(exponents)] + [f"$2^{{{e}}}$" for e in exponents]
    axes.set_xticks(places, labels)
    axes.set_yticks(places, labels)
    axes.axhline(half, color="black", linewidth=0.5)
    axes.axvline(half, color="black", linewidth=0.5)
    axes.tick_params(labelsize=8)
    axes.label_outer()


def draw(function: str, dtype: torch.dtype, measured: Mapping[str, Errors], file: Path) -> None:
    """Write the picture of errors that were measured on the grid."""
    from matplotlib.figure import Figure

    first = next(iter(measured.values()))
    rows, columns, cells = len(first.ulp), len(measured), round(len(first.points.x) ** 0.5)
    figure = Figure(figsize=(2.9 * columns + 1.2, 2.8 * rows + 0.7), layout="constrained", dpi=100)
    panels = figure.subplots(rows, columns, squeeze=False)
    for column, (who, errors) in zip(panels.T, measured.items(), strict=True):
        column[0].set_title(IMPLEMENTATIONS[who].title, fontsize=10)
        for axes, error in zip(column, errors.ulp, strict=True):
            image = _panel(axes, error, cells)
    for axes, title in zip(panels[:, 0], _TITLES if rows > 1 else ("error",), strict=True):
        axes.set_ylabel(f"{title}\n\nIm z", fontsize=9)
    for axes in panels[-1]:
        axes.set_xlabel("Re z", fontsize=9)
    bar = figure.colorbar(image, ax=panels, ticks=range(len(_STEPS) - 1), pad=0.01)
    bar.ax.set_yticklabels([f"{step:g}" for step in _STEPS[:-1]], fontsize=8)
    bar.set_label("ulp", fontsize=9)
    digits = "complex64" if dtype == torch.float32 else "complex128"
    figure.suptitle(f"{function}, {digits}", fontsize=12)
    _write(figure, file)


def _panel(axes: Any, error: Tensor, cells: int) -> Any:
    from matplotlib.colors import BoundaryNorm, ListedColormap

    # An error that is a step exactly belongs below it.
    step = torch.bucketize(error, torch.tensor(_STEPS[1:-1], dtype=error.dtype))
    image = axes.imshow(
        (step + 0.5).reshape(cells, cells).tolist(),
        origin="lower",
        extent=(0, cells, 0, cells),
        interpolation="nearest",
        cmap=ListedColormap(_COLOURS),
        norm=BoundaryNorm(range(len(_STEPS)), len(_COLOURS)),
    )
    _ticks(axes, cells)
    return image


def _write(figure: Any, file: Path) -> None:
    """Write a PNG of few colours, which is several times smaller than one of all."""
    from PIL import Image

    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    Image.open(drawn).convert("RGB").quantize(32).save(file, format="png", optimize=True)
