"""Runs what was asked for, and prints it."""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from tqdm import tqdm

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.bench import limits, machine, text
from torch_complex_subclass.bench.cases import Case
from torch_complex_subclass.bench.measure import measure
from torch_complex_subclass.bench.rows import Row, Settings


def run(
    cases: Sequence[Case],
    sizes: Sequence[str],
    modes: Sequence[bool],
    settings: Settings,
    keep: Callable[[Row], None],
) -> None:
    """Measure every case at every size in inference (False), training (True), or both.

    Each row is handed to `keep` as soon as it is there. Cases that cannot train are left out
    there, and cases of other dtypes or without the size everywhere. A bar on standard error shows
    the progress.
    """
    wanted = [
        (case, size, training)
        for case in cases
        for size in sizes
        for training in modes
        if settings.dtype in case.dtypes and size in case.shapes and (case.training or not training)
    ]
    # What the compiler remarks does not belong between the tables; what fails is said below them.
    with (
        tempfile.TemporaryDirectory() as folder,
        compat.cache_folder(Path(folder)),
        compat.quiet_compiler(),
        warnings.catch_warnings(action="ignore"),
        tqdm(wanted, desc="bench", unit="row", file=sys.stderr, disable=None) as bar,
    ):
        _measure_limits(settings)
        for case, size, training in bar:
            bar.set_postfix_str(f"{case.name} {size} {'training' if training else 'inference'}")
            keep(measure(case, size, training, settings))


def _measure_limits(settings: Settings) -> None:
    """Measure first, and keep the figures; the first compilation of all takes longer as well."""
    limits.bandwidth()
    limits.product_rate(settings.dtype.to_real())


def show(rows: Sequence[Row], cases: Sequence[Case], settings: Settings) -> None:
    """Print the machine, the tables, what has no time, and the cases that have no row."""
    about = machine.description()
    dtype = settings.dtype.to_real()
    print(
        f"{about['processor']}, {about['threads']} of {about['cores']} cores, "
        f"torch {about['torch']}, vectors: {about['vector_code']}"
    )
    print(
        f"limits: {limits.bandwidth() / 1e9:.1f} GB/s (triad), "
        f"{limits.product_rate(dtype) / 1e9:.0f} GFLOP/s ({text.dtype_name(dtype)} products)\n"
    )
    tables = (text.times, text.details, text.memory, text.compilation)
    print("\n\n".join(table(rows) for table in tables))
    if lines := text.problems(rows):
        print("\nwithout a time:")
        print("\n".join(f"  {line}" for line in lines))
    if others := [case.name for case in cases if settings.dtype not in case.dtypes]:
        print(f"\nnot for {text.dtype_name(settings.dtype)}: {', '.join(others)}")
