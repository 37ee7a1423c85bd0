"""What was measured on: the machine and the versions."""

from __future__ import annotations

import datetime
import os
import platform
from importlib import metadata
from pathlib import Path

import torch


def _processor() -> str:
    """Model name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def version(package: str) -> str | None:
    """Version of an installed package, None where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def memory_bytes() -> int:
    """Memory that a process may have: what is installed, or what its control group is allowed."""
    installed = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        allowed = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        allowed = "max"
    return min(installed, int(allowed)) if allowed.isdecimal() else installed


def description() -> dict[str, str | int | None]:
    """The machine and the versions of what ran, None where it is not installed."""
    return {
        "processor": _processor(),
        "vector_code": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "jax": version("jax"),
        "torch_complex_subclass": version("torch_complex_subclass"),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
