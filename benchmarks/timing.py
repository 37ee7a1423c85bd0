"""Times several ways to do one thing, in turn in one process."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

ROUNDS = 31


def medians(runs: dict[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, float]:
    """Median milliseconds of each, taken in turn after two warm-up calls."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()
        run()
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return {name: 1e3 * median(times) for name, times in seconds.items()}
