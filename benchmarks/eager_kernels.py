"""Times elementwise ops on bcomplex32 in eager: as kernels, as separate ops, and complex64.

    python benchmarks/eager_kernels.py [--elements N ...]

Prints processor time of one thread for one call, medians of interleaved runs, and what the first
call of each kernel took, which is a compilation unless Inductor's cache has the code.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

import torch_complex_subclass as tcs

Operation = Callable[[Tensor, Tensor], Tensor]

OPERATIONS: dict[str, Operation] = {
    "add": torch.add,
    "mul": torch.mul,
    "div": torch.div,
    "mul by 0.3": lambda z, w: z * 0.3,
    "add_": lambda z, w: z.add_(w),
    "where": lambda z, w: torch.where(torch.ones(z.shape, dtype=torch.bool), z, w),
    "abs": lambda z, w: z.abs(),
    "sqrt": lambda z, w: z.sqrt(),
    "exp": lambda z, w: z.exp(),
    "sin": lambda z, w: z.sin(),
    "log": lambda z, w: z.log(),
}


def seconds(fn: Callable[..., object], operands: tuple[Tensor, ...], calls: int) -> float:
    """Processor time of one call."""
    start = time.thread_time()
    for _ in range(calls):
        fn(*operands)
    return (time.thread_time() - start) / calls


def compare(fn: Operation, count: int, repeats: int, calls: int) -> tuple[float, ...]:
    """Time complex64, kernels and separate ops, and the first call of the kernel in real time."""
    wide = tuple(torch.randn(count, dtype=torch.complex64) for _ in range(2))
    narrow = tuple(tcs.to_bcomplex32(z) for z in wide)
    with tcs.config.patch(eager_kernels=True):
        start = time.perf_counter()
        fn(*narrow)
        first = time.perf_counter() - start
    found: list[list[float]] = [[], [], []]
    for _ in range(repeats):
        found[0].append(seconds(fn, wide, calls))
        with tcs.config.patch(eager_kernels=True):
            found[1].append(seconds(fn, narrow, calls))
        found[2].append(seconds(fn, narrow, calls))
    return *map(statistics.median, found), first


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--elements", type=int, nargs="+", default=[2**20, 2**12, 16])
    torch.set_num_threads(1)
    for count in parser.parse_args().elements:
        print(f"{count} elements: microseconds; ratio to complex64; seconds of the first call")
        calls = max(1, min(50, 2**20 // count))
        for name, fn in OPERATIONS.items():
            wide, kernel, separate, first = compare(fn, count, 9, calls)
            print(
                f"{name:>12} {1e6 * wide:9.1f} {1e6 * kernel:9.1f} {1e6 * separate:9.1f} "
                f"{kernel / wide:6.2f} {first:6.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
