"""The command line: `python -m torch_complex_subclass accuracy [FUNCTION]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

from torch_complex_subclass.command_line import (
    UsageError,
    check_known,
    exit_status,
    need,
    positive,
)

# Implementations to measure beside that are packages of their own.
_PACKAGES = ("numpy", "jax")

# Points of each region, of which a function has 15 or 16: at least 20,000 in all.
_POINTS = 1400

_EXTRA = "accuracy"

_EPILOG = """\
Errors are in ulp (units in the last place) of each part, against values of mpmath to more digits;
for a function whose bound is normwise, in ulp of the larger part. A share counts points at which
both parts are within so many ulp. Exact values are kept in ~/.cache/torch_complex_subclass, or
where TORCH_COMPLEX_SUBCLASS_CACHE says; with them a run is quick.

exit status: 0; 1 where a function of this package misses its bound; 2 for an error

examples:
  python -m torch_complex_subclass accuracy
  python -m torch_complex_subclass accuracy log1p --dtype complex128 --against eager
  python -m torch_complex_subclass accuracy sinc --against numpy --against jax --plot sinc.png
  python -m torch_complex_subclass accuracy --markdown > docs/accuracy.md
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "accuracy",
        help="print the error of each function, by region of the plane",
        description="Prints one line for each function, or the histogram of one by region.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "function", nargs="?", metavar="FUNCTION", help="name in torch; default: all"
    )
    parser.add_argument(
        "--dtype",
        choices=["complex64", "complex128"],
        default="complex64",
        help="default: complex64",
    )
    parser.add_argument(
        "--compiled", action="store_true", help="measure compiled code instead of the eager rules"
    )
    parser.add_argument(
        "--against",
        action="append",
        default=[],
        choices=["eager", "numpy", "jax", "subclass"],
        help="measure eager torch, NumPy, JAX, or the subclass inside torch too; can be repeated",
    )
    parser.add_argument(
        "--points",
        type=positive,
        default=_POINTS,
        metavar="N",
        help=f"points of each region; default: {_POINTS}",
    )
    parser.add_argument(
        "--plot", type=Path, metavar="FILE.png", help="draw the error over the plane"
    )
    parser.add_argument(
        "--markdown", action="store_true", help="print the page docs/accuracy.md instead"
    )
    parser.set_defaults(run=exit_status("accuracy", _run))


def _run(options: argparse.Namespace) -> int:
    need("mpmath", "accuracy", _EXTRA)
    from torch_complex_subclass.accuracy import page, report  # they import mpmath

    if options.markdown:
        sys.stdout.write(page.as_markdown(options.points))
        return 0
    for who in options.against:
        if who in _PACKAGES:
            need(who, f"--against {who}", _EXTRA)
    if options.plot is not None:
        if options.function is None:
            raise UsageError("--plot draws one function: accuracy FUNCTION --plot FILE.png")
        need("matplotlib", "--plot", _EXTRA)
    dtype = torch.float32 if options.dtype == "complex64" else torch.float64
    who = list(dict.fromkeys(["compiled" if options.compiled else "ours", *options.against]))
    if options.function is None:
        return 0 if report.summary(dtype, who, options.points) else 1
    check_known("function", options.function, report.functions())
    ok = report.one(options.function, dtype, who, options.points, options.plot)
    return 0 if ok else 1
