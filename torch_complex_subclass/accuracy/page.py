"""The page docs/accuracy.md: every function beside others' in both dtypes."""

from __future__ import annotations

import importlib.metadata
import inspect
from collections.abc import Iterable, Mapping

import torch

from torch_complex_subclass.accuracy import text
from torch_complex_subclass.accuracy.implementations import IMPLEMENTATIONS
from torch_complex_subclass.accuracy.measure import Errors, measure, points_of, shares
from torch_complex_subclass.accuracy.report import functions
from torch_complex_subclass.command_line import installed
from torch_complex_subclass.decompositions import Rule
from torch_complex_subclass.progress import progress
from torch_complex_subclass.testing import plane, vanishing
from torch_complex_subclass.testing.unary import rules_by_name

_DTYPES = {torch.float32: "complex64", torch.float64: "complex128"}

# Functions and the picture of each; the command that draws it is on the page.
PICTURES = {"log1p": "complex64", "sinc": "complex64"}

_PAGE = """\
# Accuracy

Made by `python -m torch_complex_subclass accuracy --markdown > docs/accuracy.md`, with {versions}.
Figures of another machine differ a little; the bounds hold on each.

## How it is measured

Each function is computed at {least:,} points or more, {n:,} from each region below, in both
dtypes. The exact values come from mpmath: its precision grows until two runs agree to more digits
than the dtype has. The error of a part is its distance from the exact part, in units in the last
place (ulp) of the exact part; below the smallest normal number, in the distance of subnormal
ones. Where the bound is *normwise*, both errors are in ulp of the larger part. Rounding an exact
result costs 0.5 ulp.

A cell is the share of points, in percent and rounded down, where both parts are within 4 ulp, and
the worst error in ulp. Infinity counts as the number after the largest; `inf` is NaN where a
number is due, or a difference that is no double. `-` is a function that the implementation lacks
or refuses.

JAX on a CPU takes subnormal numbers as zero, which counts here. The subclass inside
torch is `torch._subclasses.complex_tensor`; it computes on parts, in eager.

The histogram of one function by region, with the worst points, and its picture:

```
python -m torch_complex_subclass accuracy sinc --dtype complex128 --against eager
python -m torch_complex_subclass accuracy sinc --against eager --plot sinc.png
```

## Regions

| region | points |
| --- | --- |
{regions}"""


def _regions() -> str:
    rows = {name: fn.__doc__ or "" for name, fn in plane.REGIONS.items()}
    rows[plane.VANISHING] = inspect.getdoc(vanishing.points) or ""
    first = {name: " ".join(doc.split("\n\n")[0].split()) for name, doc in rows.items()}
    return "".join(
        f"| {name} | {line.rstrip('.').replace('|', '&#124;')} |\n" for name, line in first.items()
    )


def _versions(who: Iterable[str]) -> str:
    named = [name for name in ("torch", "numpy", "jax") if name == "torch" or name in who]
    found = [f"{name} {importlib.metadata.version(name).split('+')[0]}" for name in named]
    return f"{', '.join(found)}, on a CPU with {torch.backends.cpu.get_cpu_capability()}"


def _cell(errors: Errors | None) -> str:
    if errors is None:
        return "-"
    (share,) = shares(errors.larger, (4.0,))
    return f"{text.percent(share)}, {text.number(float(errors.larger.max()))}"


def _row(rule: Rule, measured: Mapping[str, Errors | None]) -> str:
    name = next(errors.points.function for errors in measured.values() if errors is not None)
    return f"| `{name}` | {text.bound(rule)} | {' | '.join(map(_cell, measured.values()))} |\n"


def _pictures(who: Iterable[str]) -> str:
    against = " ".join(f"--against {name}" for name in who if name in ("eager", "numpy", "jax"))
    return "".join(
        f"\n`python -m torch_complex_subclass accuracy {function} --dtype {dtype} {against} "
        f"--plot docs/accuracy_{function}.png`\n\n"
        f"![Error of {function} over the plane, ours beside others](accuracy_{function}.png)\n"
        for function, dtype in PICTURES.items()
    )


def as_markdown(n: int) -> str:
    """Measure all functions at n points of each region, and return the page."""
    who = [name for name in IMPLEMENTATIONS if name not in ("numpy", "jax") or installed(name)]
    named = [name for name in functions() if not name.startswith("_")]
    tables = dict.fromkeys(_DTYPES, "")
    for dtype, name in progress([(d, f) for d in _DTYPES for f in named], "functions"):
        points = points_of(name, dtype, n)
        tables[dtype] += _row(rules_by_name()[name], {one: measure(points, one) for one in who})
    titles = ["function", "bound", *(IMPLEMENTATIONS[one].title for one in who)]
    head = f"| {' | '.join(titles)} |\n|{' --- |' * len(titles)}\n"
    least = min(len(plane.regions(name)) for name in named) * n
    page = _PAGE.format(versions=_versions(who), least=least, n=n, regions=_regions())
    for dtype, title in _DTYPES.items():
        page += f"\n## {title}\n\n{head}{tables[dtype]}"
    return f"{page}\n## Pictures\n{_pictures(who)}"
