"""What compilation makes of a function's complex ops."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils import _pytree as pytree

from torch_complex_subclass import report
from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.backend import enabled


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of complex op in the compiled graphs."""

    op: str
    count: int
    how: str
    """`fused` into generated kernels, `native` call of the complex kernel on purpose, or
    `fallback` to it for want of a rule."""
    reason: str
    source: str
    """A line of the user's code that it comes from, as `file:line`."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The complex ops of a function, and kernels with and without this package."""

    rows: tuple[Row, ...]
    kernels: int
    stock_kernels: int
    stock_fallbacks: dict[str, int]
    """Complex ops that stock Inductor sends to separate kernels, with their number."""

    @property
    def fallbacks(self) -> dict[str, int]:
        """Complex ops that have no generated code, native ones included, with their number."""
        found: Counter[str] = Counter()
        for row in self.rows:
            if row.how != "fused":
                found[row.op] += row.count
        return dict(found)

    def __str__(self) -> str:
        cells = [("op", "count", "how", "source", "reason")]
        cells += [(r.op, str(r.count), r.how, r.source, r.reason) for r in self.rows]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip()
            for line in cells
        ]
        if not self.rows:
            lines = ["no complex ops"]
        before = sum(self.stock_fallbacks.values())
        lines.append(
            f"generated kernels: {self.kernels} (stock: {self.stock_kernels} "
            f"and {before} calls of complex kernels)"
        )
        return "\n".join(lines)


def explain(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Explanation:
    """Compile `fn` for these arguments, with and without this package, and tell the difference.

    Args:
        fn: a function or module, as it would be given to `torch.compile(fullgraph=True)`. It is
            called once for each of the two compilations, on copies of the tensor arguments;
            gradients are computed when a result requires them.
        *args, **kwargs: example arguments.

    Returns:
        An `Explanation`; print it for a table of ops, how each was lowered, and kernel counts.

    Raises whatever compiling or calling `fn` raises.
    """
    with report.collected() as reports, enabled():
        kernels, _ = _compile(fn, args, kwargs)
    stock_kernels, stock_fallbacks = _compile(fn, args, kwargs)
    return Explanation(_rows(reports), kernels, stock_kernels, stock_fallbacks)


def _rows(reports: list[report.Report]) -> tuple[Row, ...]:
    entries = [entry for found in reports for entry in found.entries]
    counts = Counter((e.op, e.how, e.reason) for e in entries)
    sources: dict[tuple[str, str, str], str] = {}
    for e in entries:
        sources.setdefault((e.op, e.how, e.reason), e.source)
    return tuple(
        Row(op, count, how, reason, sources[op, how, reason])
        for (op, how, reason), count in sorted(counts.items())
    )


def _copy(value: Any) -> Any:
    """A copy with the gradient flag and the conj bit of a tensor argument."""
    if not isinstance(value, torch.Tensor):
        return value
    copied = value.detach().conj().clone().conj() if value.is_conj() else value.detach().clone()
    return copied.requires_grad_(value.requires_grad)


def _compile(fn: Callable[..., Any], args: Any, kwargs: Any) -> tuple[int, dict[str, int]]:
    """Compile and run on copies; return generated kernels and complex fallback calls."""
    args, kwargs = pytree.tree_map(_copy, (args, kwargs))
    fn = copy.deepcopy(fn) if isinstance(fn, torch.nn.Module) else fn
    # A backend of its own, so that code compiled before is neither used nor discarded.
    inductor = compat.inductor_backend()
    with compat.counted_kernels() as counted:
        compiled = torch.compile(fn, fullgraph=True, backend=lambda *a, **k: inductor(*a, **k))
        leaves = pytree.tree_leaves(compiled(*args, **kwargs))
        outputs = [t for t in leaves if isinstance(t, torch.Tensor) and t.requires_grad]
        if outputs:
            torch.autograd.backward(outputs, [torch.ones_like(t) for t in outputs])
    return counted.kernels, dict(counted.fallbacks)
