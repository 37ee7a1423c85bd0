"""Prints what importing the package adds to importing torch.

Each sample is a fresh interpreter, the two kinds in turn.
"""

from __future__ import annotations

import subprocess
import sys
from statistics import median

SAMPLES = 7
PROGRAM = """
import time
start = time.perf_counter()
import torch
between = time.perf_counter()
import torch_complex_subclass
print(between - start, time.perf_counter() - between)
"""


def sample() -> tuple[float, float]:
    """Return seconds for torch, and for the package after it."""
    output = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True
    ).stdout
    torch_seconds, own_seconds = map(float, output.split())
    return torch_seconds, own_seconds


def main() -> None:
    sample()  # reads the files from disk once
    torch_seconds, own_seconds = map(median, zip(*(sample() for _ in range(SAMPLES)), strict=True))
    print(
        f"torch {torch_seconds:.2f} s, torch_complex_subclass {own_seconds:.3f} s more "
        f"({own_seconds / torch_seconds:.1%}), medians of {SAMPLES}"
    )


if __name__ == "__main__":
    main()
