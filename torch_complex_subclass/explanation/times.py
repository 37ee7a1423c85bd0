"""Time of each kernel of a compiled call, by torch's profiler."""

from __future__ import annotations

import re
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch

_WARM, _CALLS = 2, 10

# Calls of the library below this share of the time are counted with what is between kernels.
_LEAST = 0.01

_GENERATED = re.compile(r"(?:graph_\d+_)?((?:cpp|triton)_\w+)")


@dataclass(frozen=True, slots=True)
class KernelTime:
    """The time of one kernel in one call of the compiled function, by the median of its runs."""

    name: str
    how: str
    """`generated`, `library`, or `rest` for what is between kernels."""
    microseconds: float
    calls: float
    """Calls of the kernel in one call of the function."""


def kernel_times(run: Callable[[], object]) -> tuple[KernelTime, ...]:
    """Profile calls of `run`; kernels by time, longest first, and what is between them last.

    Times are of the device where kernels ran on one, else of the CPU, with the profiler on: it adds
    about a microsecond to each call of a kernel.
    """
    for _ in range(_WARM):
        run()
    cuda = torch.cuda.is_available()
    activities = [torch.profiler.ProfilerActivity.CPU]
    if cuda:
        activities.append(torch.profiler.ProfilerActivity.CUDA)
    # Without acc_events torch 2.11 and 2.12 warn that events of earlier cycles are dropped.
    with torch.profiler.profile(activities=activities, acc_events=True) as profiler:
        for _ in range(_CALLS):
            run()
        if cuda:
            torch.cuda.synchronize()
    events = profiler.events() or []
    on_device = [e for e in events if e.device_type.name != "CPU"]
    spent: defaultdict[str, list[float]] = defaultdict(list)
    for event in on_device or events:
        spent[event.key].append(
            event.self_device_time_total if on_device else event.self_cpu_time_total
        )
    found = [_time(name, each, on_device=bool(on_device)) for name, each in spent.items()]
    return _longest_first(found)


def _time(name: str, each: Sequence[float], on_device: bool) -> KernelTime:
    calls = len(each) / _CALLS
    spent = statistics.median(each) * calls  # one long interruption does not count
    generated = _GENERATED.match(name)
    if generated:
        return KernelTime(generated[1].rstrip("_"), "generated", spent, calls)
    how = "library" if on_device or name.startswith("aten::") else "rest"
    return KernelTime(name, how, spent, calls)


def _longest_first(found: Iterable[KernelTime]) -> tuple[KernelTime, ...]:
    ordered = sorted(found, key=lambda time: -time.microseconds)
    total = sum(time.microseconds for time in ordered)
    kernels = [
        time
        for time in ordered
        if time.how == "generated" or (time.how == "library" and time.microseconds > _LEAST * total)
    ]
    rest = total - sum(time.microseconds for time in kernels)
    return (*kernels, KernelTime("between kernels", "rest", rest, 1.0))
