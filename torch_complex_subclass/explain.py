"""What compilation makes of a function's complex ops."""

from __future__ import annotations

import copy
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from torch_complex_subclass import report
from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.backend import enabled, suspended
from torch_complex_subclass.explanation import page, text
from torch_complex_subclass.explanation.hints import hint
from torch_complex_subclass.explanation.listing import Line, lines
from torch_complex_subclass.explanation.times import KernelTime, kernel_times
from torch_complex_subclass.progress import progress


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of complex op in the compiled graphs."""

    op: str
    count: int
    how: str
    """`fused` into generated kernels, `native` call of the complex kernel on purpose, or
    `fallback` to it for want of a rule."""
    reason: str
    sources: tuple[str, ...]
    """Lines of the user's code that it comes from, each as `file:line`."""
    backward: int = 0
    """How many of them are for gradients of those lines."""

    @property
    def source(self) -> str:
        """The first of the lines that it comes from."""
        return self.sources[0]

    @property
    def hint(self) -> str:
        """How to avoid the complex kernel, or why not to; empty where there is nothing to say."""
        return hint(self.op, self.how, self.reason)


@dataclass(frozen=True, slots=True)
class Explanation:
    """The complex ops of a function, and kernels with and without this package.

    It prints as a table; Jupyter shows it as `html` does.
    """

    name: str
    """Name of the function."""
    rows: tuple[Row, ...]
    lines: tuple[Line, ...]
    """The user's lines that the ops come from, with those around them."""
    kernels: int
    stock_kernels: int
    stock_fallbacks: dict[str, int]
    """Complex ops that stock Inductor sends to separate kernels, with their number."""
    times: tuple[KernelTime, ...] = ()
    """Time of each kernel of one call, when a profile was asked for."""
    stock_times: tuple[KernelTime, ...] = ()
    """The same without this package."""
    stock_failure: str = ""
    """Why stock Inductor does not compile the function; its other figures are zero then."""

    @property
    def fallbacks(self) -> dict[str, int]:
        """Complex ops that have no generated code, native ones included, with their number."""
        found: Counter[str] = Counter()
        for row in self.rows:
            if row.how != "fused":
                found[row.op] += row.count
        return dict(found)

    def __str__(self) -> str:
        return text.table(self)

    def html(self) -> str:
        """Return a page that needs nothing from elsewhere.

        It has the source lines, what fused and what did not, how to avoid that, and times.
        """
        return page.document(self)

    def save(self, path: str | Path) -> Path:
        """Write the page of `html` to a file and return its path.

        Raises OSError where the file cannot be written.
        """
        file = Path(path)
        file.write_text(self.html(), encoding="utf-8")
        return file

    def _repr_html_(self) -> str:
        """What Jupyter shows."""
        return page.fragment(self)


@dataclass
class _Compiled:
    """One way to compile, and what was counted and timed in it."""

    kernels: int
    fallbacks: dict[str, int]
    times: tuple[KernelTime, ...]
    failure: str = ""


def explain(
    fn: Callable[..., Any], *args: Any, profile: bool = False, **kwargs: Any
) -> Explanation:
    """Compile `fn` for these arguments, with and without this package, and tell the difference.

    Args:
        fn: a function or module, as it would be given to `torch.compile(fullgraph=True)`, or what
            that returned. It is called once for each of the two compilations, on copies of the
            tensor arguments; gradients are computed when a result requires them, and left nowhere.
        *args: example arguments.
        **kwargs: those that are given by name.
        profile: also time each kernel, in twelve more calls of each.

    Returns:
        An `Explanation`; print it for a table of ops, how each was lowered, and kernel counts, or
        save its page: `tcs.explain(fn, z).save("explain.html")`.

    Raises:
        TypeError: `fn` cannot be called, or `profile` is no bool.

    Whatever compiling or calling `fn` with this package raises is raised too. What it raises
    without is in `stock_failure`.
    """
    if not callable(fn):
        raise TypeError(f"expected a function or module, got {type(fn).__name__}: {fn!r}")
    if not isinstance(profile, bool):
        raise TypeError(f"profile must be True or False, got {profile!r}")
    fn = compat.uncompiled(fn)
    with warnings.catch_warnings():
        # The comparison says more than the warning.
        warnings.filterwarnings("ignore", message="Torchinductor does not support code gen")
        with report.collected() as reports:
            ways = progress((enabled(), suspended()), "explain, with and without")
            compilers = (_compile, _compile_if_possible)
            ours, stock = (
                compiler(way, fn, args, kwargs, profile)
                for compiler, way in zip(compilers, ways, strict=True)
            )
    entries = [entry for found in reports for entry in found.entries]
    return Explanation(
        name=getattr(fn, "__qualname__", type(fn).__qualname__),
        rows=_rows(entries),
        lines=lines(entries),
        kernels=ours.kernels,
        stock_kernels=stock.kernels,
        stock_fallbacks=stock.fallbacks,
        times=ours.times,
        stock_times=stock.times,
        stock_failure=stock.failure,
    )


def _rows(entries: list[report.Entry]) -> tuple[Row, ...]:
    counts = Counter((e.op, e.how, e.reason) for e in entries)
    backward = Counter((e.op, e.how, e.reason) for e in entries if e.backward)
    sources: dict[tuple[str, str, str], dict[str, None]] = {}
    for e in entries:
        sources.setdefault((e.op, e.how, e.reason), {})[e.source] = None
    return tuple(
        Row(op, count, how, reason, tuple(sources[op, how, reason]), backward[op, how, reason])
        for (op, how, reason), count in sorted(counts.items(), key=_most_urgent_first)
    )


def _most_urgent_first(item: tuple[tuple[str, str, str], int]) -> tuple[int, str, str]:
    (op, how, reason), _ = item
    return ("fallback", "native", "fused").index(how), op, reason


def _copy(value: Any) -> Any:
    """A copy with the gradient flag and the conj bit of a tensor argument."""
    if not isinstance(value, Tensor):
        return value
    copied = value.detach().conj().clone().conj() if value.is_conj() else value.detach().clone()
    return copied.requires_grad_(value.requires_grad)


def _leaves(outputs: list[Tensor]) -> Iterator[Tensor]:
    """The tensors that a backward from these would accumulate gradients in."""
    nodes: list[Any] = [t.grad_fn for t in outputs]
    seen = {None, *nodes}
    while nodes:
        node = nodes.pop()
        leaf = compat.leaf_of(node)
        if leaf is not None:
            yield leaf
        following = {n for n, _ in node.next_functions} - seen
        nodes += following
        seen |= following


def _call(compiled: Callable[..., Any], args: Any, kwargs: Any) -> None:
    """Call, and compute gradients of what requires them without accumulating any."""
    outputs = [t for t in pytree.tree_leaves(compiled(*args, **kwargs)) if _has_gradient(t)]
    if outputs:
        seeds = [torch.ones_like(t) for t in outputs]
        leaves = list(_leaves(outputs))
        torch.autograd.grad(outputs, leaves, seeds, allow_unused=True)


def _has_gradient(value: Any) -> bool:
    return isinstance(value, Tensor) and value.grad_fn is not None


def _compile(way: Any, fn: Callable[..., Any], args: Any, kwargs: Any, profile: bool) -> _Compiled:
    """Compile and run on copies."""
    args, kwargs = pytree.tree_map(_copy, (args, kwargs))
    fn = copy.deepcopy(fn) if isinstance(fn, torch.nn.Module) else fn
    # A backend of its own, so that code compiled before is neither used nor discarded.
    inductor = compat.inductor_backend()
    compiled = torch.compile(fn, fullgraph=True, backend=lambda *a, **k: inductor(*a, **k))
    seen = compat.profiled_kernels() if profile else nullcontext()
    with way, seen, compat.counted_kernels() as counted:
        _call(compiled, args, kwargs)
    times = kernel_times(lambda: _call(compiled, args, kwargs)) if profile else ()
    return _Compiled(counted.kernels, dict(counted.fallbacks), times)


def _compile_if_possible(*arguments: Any) -> _Compiled:
    """Compile and run; where that fails, the reason is all there is."""
    try:
        return _compile(*arguments)
    except Exception as error:  # stock torch: of any of its parts
        return _Compiled(0, {}, (), _reason(error))


def _reason(error: BaseException) -> str:
    """One line: what an error says first, or that which it was raised for."""
    while error.__cause__ is not None:
        error = error.__cause__
    first = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
