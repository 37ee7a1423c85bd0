"""Values of functions on samples to more digits than a double, by mpmath, kept on disk."""

from __future__ import annotations

import functools
import hashlib
import math
from pathlib import Path
from typing import Any

import mpmath
import torch
from mpmath import mp
from torch import Tensor

from torch_complex_subclass.testing import cache, references
from torch_complex_subclass.testing.plane import samples
from torch_complex_subclass.testing.references import REFERENCES, Point, Reference
from torch_complex_subclass.testing.ulp import Exact

# Real results: the reference part that the rule returns alone.
_REAL_PART = {"abs": 0, "angle": 1}

# Working precisions after the first two; the last has every bit of a double's square and more.
_PRECISIONS = (400, 1300, 2700, 5000)

# A zero counts from here on; below it may be what a difference of near numbers left.
_ZERO_FROM = 1300


def _agree(a: Any, b: Any, bits: int) -> bool:
    """Whether two runs give one value to `bits` bits; zero counts from `_ZERO_FROM` on."""
    if a == b:
        return bool(b != 0 or mp.prec >= _ZERO_FROM)
    return bool(abs(a - b) <= abs(b) * mp.mpf(2) ** -bits)


def _settled(fn: Reference, x: Any, y: Any, bits: int) -> Point:
    """Value of fn with both parts to `bits` bits: the precision grows until two runs agree."""
    before: Point | None = None
    for precision in (bits + 20, bits + 60, *_PRECISIONS):
        with mpmath.workprec(precision):
            now = fn(x, y)
            if before is not None and all(
                _agree(a, b, bits) for a, b in zip(before, now, strict=True)
            ):
                return now
            before = now
    raise ArithmeticError(f"no settled value at {x}, {y}")


# Cut along the imaginary axis: the value at -0 is the limit from the left.
_CUT_BY_X = {REFERENCES["asinh"], REFERENCES["atan"]}


def _at_minus_zero(fn: Reference, re: Any, im: Any) -> Point:
    return (-re, im) if fn in _CUT_BY_X else (re, im)


def evaluate(fn: Reference, x: Tensor, y: Tensor) -> list[Exact]:
    """Both parts of fn at the points, each as a double and the rest the double leaves out."""
    bits = 40 if x.dtype == torch.float32 else 70
    rows: list[list[float]] = []
    for a, b in zip(x.tolist(), y.tolist(), strict=True):
        re, im = _settled(fn, mp.mpf(a), mp.mpf(abs(b)), bits)
        if math.copysign(1.0, b) < 0:
            im = -im
        if a == 0 and math.copysign(1.0, a) < 0:
            re, im = _at_minus_zero(fn, re, im)
        row = []
        for part in (re, im):
            head = float(part)  # the nearest double; overflow gives infinity
            with mpmath.workprec(bits + 60):
                row += [head, float(part - head) if math.isfinite(head) else 0.0]
        rows.append(row)
    columns = torch.tensor(rows, dtype=torch.float64).T
    return [(columns[0], columns[1]), (columns[2], columns[3])]


@functools.cache
def _version() -> bytes:
    """Digest of the sources that make the values, and of the version of mpmath."""
    digest = hashlib.sha256(str(mpmath.__version__).encode())
    for source in (__file__, references.__file__):
        digest.update(Path(source).read_bytes())
    return digest.digest()


def values(function: str, label: str, x: Tensor, y: Tensor) -> list[Exact]:
    """Parts of a function at the points, one where it is real; kept on disk under the label."""
    points = torch.stack([x, y]).double()
    key = hashlib.sha256(repr(points.tolist()).encode()).digest() + _version()

    def make() -> Tensor:
        parts = evaluate(REFERENCES[function], x, y)
        return torch.stack([torch.stack(part) for part in parts])

    name = f"{function}-{label}-{str(x.dtype).removeprefix('torch.')}-{len(x)}"
    parts = [(part[0], part[1]) for part in cache.kept(name, key, make)]
    return [parts[_REAL_PART[function]]] if function in _REAL_PART else parts


@functools.cache
def reference(function: str, region: str, dtype: torch.dtype, n: int = 64) -> list[Exact]:
    """Values of a function on the samples of a region; see `evaluate`."""
    return values(function, region, *samples(region, dtype, n, function))
