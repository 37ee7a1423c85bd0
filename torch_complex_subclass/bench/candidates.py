"""The ways to run a case in this process."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass import backend
from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.bench.cases import Case, Inputs
from torch_complex_subclass.bench.steps import Function, Step, make_step, own_code


@dataclass(frozen=True)
class Way:
    """How a function is compiled; `around` is entered while that happens."""

    backend: str | Callable[..., Any] | None
    by_hand: bool = False
    around: Callable[[], AbstractContextManager[Any]] = nullcontext

    def step(self, case: Case, inputs: Inputs, training: bool, mode: str | None) -> Step:
        """Return what is to be timed; its first call compiles."""

        def compiled(fn: Function, fullgraph: bool) -> Function:
            if self.backend is None:
                return fn
            return torch.compile(own_code(fn), fullgraph=fullgraph, backend=self.backend, mode=mode)

        return make_step(case, inputs, training, compiled, self.by_hand)


WAYS = {
    "eager": Way(None),
    "stock": Way("inductor"),
    "wrapper": Way("inductor", around=compat.complex_wrapper),
    "ours": Way(backend.inductor_complex),
    "hand": Way("inductor", by_hand=True),
}
"""All but JAX, which runs in a process of its own."""


@dataclass(frozen=True)
class FirstCall:
    """What the call that compiles gives, takes and generates."""

    results: tuple[Tensor, ...]
    seconds: float
    kernels: int
    fallbacks: dict[str, int]
    """Calls of complex kernels by op."""


def first_call(way: Way, step: Step, caches: Path) -> FirstCall:
    """Compile with torch's caches in a folder, and nothing else of what was compiled before.

    With an empty folder this is a cold compilation: tracing, code generation, g++. Again on the
    folder that it has filled, after a reset, it is a warm one: tracing, and loading what
    AOTAutograd's and Inductor's caches and that of binaries have. Translated headers are shared,
    as they are between all programs of a user. Sizes are static: all ways compile the one code of
    Optimizer.step, and Dynamo would take the weights of the next one for a change of sizes.
    """
    with (
        way.around(),
        compat.static_sizes(),
        compat.cache_folder(caches),
        compat.counted_kernels(caches=True) as counted,
    ):
        start = time.perf_counter()
        results = tuple(t.detach().clone() for t in step())
        seconds = time.perf_counter() - start
    return FirstCall(results, seconds, counted.kernels, dict(counted.fallbacks))


def reason(error: Exception) -> str:
    """What went wrong, in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # Dynamo puts the name of the backend before what the backend raised.
    lines = lines[1:] if len(lines) > 1 and lines[0].endswith("raised:") else lines
    text = f"{type(error).__name__}: {lines[0] if lines else 'no message'}"
    return text if len(text) <= 160 else text[:157] + "..."
