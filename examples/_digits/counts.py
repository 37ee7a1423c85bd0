"""What one evaluation of loss and gradient runs: generated kernels, library calls, other ops."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch._inductor.utils import run_and_get_code
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode

# Nobody generates code for these: the library's version is the fast one.
LIBRARY = ("_fft_c2c", "_fft_c2r", "_fft_r2c", "addmm", "bmm", "mm")

_KERNEL_CALL = re.compile(r"^\s+(?:\w+ = )?(?:cpp|triton)_\w+?_\d+(?:\.run)?\(", re.MULTILINE)
_OP_CALL = re.compile(r"= torch\.ops\.aten\.(\w+)\.(\w+)\(")
_LIBRARY_CALL = re.compile(r"extern_kernels\.(\w+)\(")


@dataclass(frozen=True)
class Counts:
    """Calls of one forward and backward run, views left out."""

    generated: int
    library: int
    other: int

    @staticmethod
    def of(generated: int, names: Counter[str]) -> Counts:
        """Divide op calls into library and other ones."""
        library = sum(names[name] for name in LIBRARY)
        return Counts(generated, library, names.total() - library)


def _is_view(op: OpOverload) -> bool:
    return any(r.alias_info is not None and not r.alias_info.is_write for r in op._schema.returns)


class _CountOps(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.names: Counter[str] = Counter()

    def __torch_dispatch__(
        self, func: OpOverload, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if not _is_view(func):
            self.names[func.name().split("::")[1].split(".")[0]] += 1
        return func(*args, **(kwargs or {}))


def eager_counts(loss: Callable[[], Tensor]) -> Counts:
    """Count the ops that eager runs one by one."""
    with _CountOps() as mode:
        loss().backward()
    return Counts.of(0, mode.names)


def compiled_counts(loss: Callable[[], Tensor], backend: str) -> Counts:
    """Count the calls in the code that `backend` generates."""

    def run() -> None:
        torch.compile(loss, fullgraph=True, backend=backend)().backward()

    names: Counter[str] = Counter()
    generated = 0
    _, sources = run_and_get_code(run)
    for source in sources:
        generated += len(_KERNEL_CALL.findall(source))
        names.update(_LIBRARY_CALL.findall(source))
        calls = (getattr(getattr(torch.ops.aten, n), o) for n, o in _OP_CALL.findall(source))
        names.update(op.name().split("::")[1].split(".")[0] for op in calls if not _is_view(op))
    return Counts.of(generated, names)
