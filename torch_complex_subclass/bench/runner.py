"""Times several ways to do one thing, in turn in one process."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median, quantiles

Run = Callable[[], object]

WARM_UP_CALLS = 2

# A sample repeats a short call until it lasts so long, in seconds.
_SAMPLE = 1e-3


@dataclass(frozen=True)
class Timing:
    """Seconds of one call: the median and the quartiles of the samples."""

    median: float
    lower: float
    upper: float

    @staticmethod
    def of(seconds: list[float]) -> Timing:
        """Summarize samples, of which there is at least one."""
        if len(seconds) == 1:
            return Timing(*seconds * 3)
        lower, _, upper = quantiles(seconds, n=4, method="inclusive")
        return Timing(median(seconds), lower, upper)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _seconds(run: Run, repeats: int) -> float:
    """Mean seconds of a call in one sample."""
    start = time.perf_counter()
    for _ in range(repeats):
        run()
    return (time.perf_counter() - start) / repeats


def _repeats(run: Run) -> int:
    """Warm up, and return how many calls a sample needs."""
    fastest = min(_seconds(run, 1) for _ in range(WARM_UP_CALLS))
    return max(1, math.ceil(_SAMPLE / fastest)) if fastest > 0 else 1


def interleaved(runs: Mapping[str, Run], rounds: int) -> dict[str, Timing]:
    """Time each in turn, `rounds` times over, so that all share what else the machine does.

    One call before each sample is not timed: it finds the caches and the allocator as another
    candidate has left them, which is worse after one that takes much memory.
    """
    samples: dict[str, list[float]] = {name: [] for name in runs}
    with _no_garbage_collection():
        repeats = {name: _repeats(run) for name, run in runs.items()}
        for _ in range(rounds):
            for name, run in runs.items():
                run()
                samples[name].append(_seconds(run, repeats[name]))
    return {name: Timing.of(seconds) for name, seconds in samples.items()}
