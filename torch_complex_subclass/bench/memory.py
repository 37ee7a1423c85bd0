"""What one call allocates at its peak."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from torch_complex_subclass.bench.steps import Step

_CPU = ProfilerActivity.CPU


def peak_bytes(step: Step, device: torch.device) -> int:
    """Most bytes that a call of `step` holds at a time of what it allocates itself, results too.

    Counted is what torch's allocator is asked for; buffers inside a library's kernel are not.
    """
    step()  # what a first call keeps for later ones is no part of it
    return _peak_on_cuda(step, device) if device.type == "cuda" else _peak_on_cpu(step)


def _peak_on_cuda(step: Step, device: torch.device) -> int:
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    step()
    return torch.cuda.max_memory_allocated(device) - before


def _peak_on_cpu(step: Step) -> int:
    with _no_standard_error(), profile(activities=[_CPU], profile_memory=True) as recorder:
        step()
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.json"
        recorder.export_chrome_trace(str(trace))
        events = json.loads(trace.read_text())["traceEvents"]
    return _peak([event for event in events if event["name"] == "[memory]"])


def _peak(events: list[dict[str, Any]]) -> int:
    """Peak of what is held; an address that is freed but not allocated here is older."""
    held: dict[int, int] = {}
    total = peak = 0
    for event in sorted(events, key=lambda event: event["ts"]):
        address, size = event["args"]["Addr"], event["args"]["Bytes"]
        if size > 0:
            held[address] = size
            total += size
            peak = max(peak, total)
        else:
            total -= held.pop(address, 0)
    return peak


@contextmanager
def _no_standard_error() -> Iterator[None]:
    """Drop what C++ code writes there: the profiler at both ends, the allocator of older memory."""
    sys.stderr.flush()
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
