"""Lists every aten overload that takes or gives complex tensors, and what works on it.

Writes torch_complex_subclass/complex_overloads.txt, from which `python -m torch_complex_subclass
ops` and docs/op_support.md are made. Calls come from torch's op database, forward and backward,
and from the schemas. They are tried in a child process, since some end it.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from overload_calls import Call, aten_overloads, record_database
from overload_trials import Finding, examine
from torch._ops import OpOverload

from torch_complex_subclass.progress import progress

OUTPUT = Path(__file__).parents[1] / "torch_complex_subclass" / "complex_overloads.txt"
SECONDS_EACH = 30

# Not called, and why.
DENIED = {
    "aten.from_file.default": "it maps a file into memory",
    "aten.from_file.out": "it maps a file into memory",
}

HEADER = """\
# Complex aten overloads of torch {version}, by scripts/list_complex_overloads.py. Do not edit.
# Fields, separated by tabs: overload; complex dtypes it runs in, - where eager refuses all;
# grad where backward works; vmap, or loop where torch.vmap runs it entry by entry; the ops that
# torch or Inductor makes of it; eager's message where it refuses.
# {left_out} overloads are left out: no arguments were found on which they run, even for real
# tensors, with strided tensors on the CPU.
"""


def _work(
    ops: list[OpOverload], calls: dict[OpOverload, list[Call]], guess: bool, pipe: Any
) -> None:
    torch.set_num_threads(1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    for op in ops:
        pipe.send(examine(op, calls, guess))
    pipe.close()


def _in_process(
    ops: list[OpOverload], calls: dict[OpOverload, list[Call]], guess: bool
) -> Iterator[Finding | None]:
    """Findings of the first overloads, until one of them ends the process or takes too long."""
    receiving, sending = multiprocessing.Pipe(duplex=False)
    context = multiprocessing.get_context("fork")  # the calls are inherited, not pickled
    process = context.Process(target=_work, args=(ops, calls, guess, sending))
    process.start()
    sending.close()
    try:
        for _ in ops:
            if not receiving.poll(SECONDS_EACH):
                return
            yield receiving.recv()
    except EOFError:
        return
    finally:
        process.kill()
        process.join()


def survey(
    ops: list[OpOverload], calls: dict[OpOverload, list[Call]], guess: bool
) -> tuple[list[Finding], list[OpOverload]]:
    """Findings, and the overloads that ended the process or took too long."""
    findings: list[Finding] = []
    lost: list[OpOverload] = []
    while ops:
        done = 0
        for finding in progress(_in_process(ops, calls, guess), "overloads", len(ops)):
            done += 1
            if finding is not None:
                findings.append(finding)
        lost += ops[done : done + 1]
        ops = ops[done + 1 :]
    return findings, lost


def _chosen(patterns: Iterable[str]) -> list[OpOverload]:
    ops = [op for op in aten_overloads() if str(op) not in DENIED]
    wanted = list(patterns)
    return [op for op in ops if not wanted or any(p in str(op) for p in wanted)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pattern", nargs="*", help="print these overloads only, write nothing")
    patterns = parser.parse_args().pattern
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    start, chosen = time.monotonic(), _chosen(patterns)
    calls = record_database()
    print(f"recorded calls of {len(calls)} overloads in {time.monotonic() - start:.0f} s")
    findings, lost = survey(chosen, calls, guess=True)
    # Made-up arguments end the process in some kernels that check none.
    again, lost = survey(lost, calls, guess=False)
    findings += again
    text = "".join(f.line() + "\n" for f in sorted(findings, key=lambda f: f.overload))
    if patterns:
        sys.stdout.write(text)
    else:
        version, left_out = torch.__version__.split("+")[0], len(chosen) - len(findings)
        OUTPUT.write_text(HEADER.format(version=version, left_out=left_out) + text)
    kinds = Counter("refused" if f.refusal else "supported" for f in findings)
    print(f"{dict(kinds)}, of {len(chosen)}, in {time.monotonic() - start:.0f} s")
    print(f"ended the process or took too long: {[str(op) for op in lost]}")


if __name__ == "__main__":
    main()
