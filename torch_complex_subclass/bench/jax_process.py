"""Runs cases in JAX, in a process of its own."""

from __future__ import annotations

import json
import multiprocessing
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from torch_complex_subclass.bench import jax_worker
from torch_complex_subclass.bench.cases import Case, Inputs
from torch_complex_subclass.bench.runner import Timing

_TIMEOUT = 900
_SECONDS_TO_END = 10


class JaxError(Exception):
    """JAX, or its process, failed."""


class _Worker:
    """A process that waits for cases of one dtype: to start one takes longer than most cases."""

    def __init__(self, dtype: torch.dtype) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=jax_worker.serve, args=(theirs, dtype == torch.complex128), daemon=True
        )
        self._process.start()
        theirs.close()

    def answer(self, folder: Path) -> str | None:
        """Let it write the answer into a folder, and return what went wrong, if anything.

        Raises JaxError where no answer comes; the process is of no more use then.
        """
        try:
            self._connection.send(folder)
            if not self._connection.poll(_TIMEOUT):
                raise JaxError(f"no answer within {_TIMEOUT} s")
            problem: str | None = self._connection.recv()
        except (EOFError, ConnectionError):
            self._process.join(_SECONDS_TO_END)
            raise JaxError(f"its process ended, exit status {self._process.exitcode}") from None
        return problem

    def close(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.join()


_workers: dict[tuple[torch.dtype, int], _Worker] = {}
"""By dtype and number of threads, which JAX reads once."""


@dataclass(frozen=True)
class Answer:
    """What the process found."""

    results: tuple[Tensor, ...]
    timing: Timing
    compile_seconds: float


def measure(case: Case, inputs: Inputs, dtype: torch.dtype, training: bool, rounds: int) -> Answer:
    """Time a case in JAX on the same inputs and as many threads.

    Raises JaxError where that fails.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        request = {
            "case": case.name,
            "training": training,
            "rounds": rounds,
            "threads": torch.get_num_threads(),
        }
        (folder / "request.json").write_text(json.dumps(request))
        torch.save(inputs, folder / "inputs.pt")
        _run(folder, dtype)
        answer = json.loads((folder / "answer.json").read_text())
        results = tuple(torch.load(folder / "results.pt"))
    return Answer(results, Timing(**answer["timing"]), answer["compile_seconds"])


def _run(folder: Path, dtype: torch.dtype) -> None:
    key = dtype, torch.get_num_threads()
    if key not in _workers:
        _workers[key] = _Worker(dtype)
    try:
        problem = _workers[key].answer(folder)
    except BaseException:
        # After an interruption too: its answer would be taken for that of the next case.
        _workers.pop(key).close()
        raise
    if problem is not None:
        raise JaxError(problem)
