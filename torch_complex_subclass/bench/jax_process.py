"""Runs a case in JAX, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from torch_complex_subclass.bench.cases import Case, Inputs
from torch_complex_subclass.bench.runner import Timing

_WORKER = "torch_complex_subclass.bench.jax_worker"
_TIMEOUT = 900


class JaxError(Exception):
    """The process failed; the message is the last line it wrote."""


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
    environment = os.environ | {
        "JAX_ENABLE_X64": "1" if dtype == torch.complex128 else "0",
        "JAX_PLATFORMS": "cpu",
    }
    try:
        done = subprocess.run(
            [sys.executable, "-m", _WORKER, str(folder)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT,
        )
    except subprocess.TimeoutExpired:
        raise JaxError(f"no answer within {_TIMEOUT} s") from None
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        raise JaxError(lines[-1] if lines else f"exit status {done.returncode}")
