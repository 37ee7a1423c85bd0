"""Switching the compile path on and off, and the backend for `torch.compile`."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from torch import fx

from torch_complex_subclass import torch_compat as compat

_lock = threading.RLock()
_undo: contextlib.ExitStack | None = None
_depth = 0


@functools.cache
def _graph_pass() -> Any:
    """Make the pass object; its base class is Inductor's, which importing us must not import."""

    class ComplexPass(compat.graph_pass_base()):  # type: ignore[misc]
        """Rewrites complex values of a graph to real ones; see boundary_pass."""

        def __init__(self, first: Callable[[fx.Graph], None] | None = None) -> None:
            self.first = first

        def after(self, first: Callable[[fx.Graph], None]) -> ComplexPass:
            """Return a pass that runs `first` before this one."""
            return ComplexPass(first)

        def __call__(self, graph: fx.Graph) -> None:
            if self.first is not None:
                self.first(graph)
            _run(graph)

        def uuid(self) -> Any:
            from torch_complex_subclass.inductor_lowering import fft

            own = (source_digest(), fft.identity())
            if self.first is None:
                return own
            other = self.first.uuid() if hasattr(self.first, "uuid") else None
            return None if other is None else (other, own)

    return ComplexPass()


def _partitioner(own: Any = None) -> Any:
    """What splits joint graphs, around what the user has put there."""
    return _partitioner_class()(own)


@functools.cache
def _partitioner_class() -> Any:
    """Make the class; its base class is Inductor's, which importing us must not import."""

    class ComplexPartitioner(compat.partitioner_base()):  # type: ignore[misc]
        """Splits graphs with each rule as one node; see units and saved_inputs."""

        def __init__(self, own: Any) -> None:
            self.own = own

        def __call__(self, *args: Any, **kwargs: Any) -> tuple[fx.GraphModule, fx.GraphModule]:
            from torch_complex_subclass import saved_inputs, units

            split = self.own or compat.stock_partitioner()
            modules = units.partition(split, *args, **kwargs)
            saved_inputs.save_themselves(*modules, num_fwd_outputs=kwargs["num_fwd_outputs"])
            return modules

        def uuid(self) -> Any:
            if self.own is None:
                return source_digest()
            other = self.own.uuid()
            return None if other is None else (other, source_digest())

        def __reduce__(self) -> Any:  # Inductor's cache keys hold its whole configuration
            return _partitioner, (self.own,)

    return ComplexPartitioner


def _run(graph: fx.Graph) -> None:
    from torch_complex_subclass import blocks, boundary_pass, graph_log, report

    blocks.mark_reads(graph)
    if boundary_pass.is_concerned(graph):
        graph_log.before(graph)
    found = boundary_pass.rewrite(graph, compat.select_decompositions())
    graph_log.after(graph, found)
    report.publish(found)


@functools.cache
def source_digest() -> str:
    """Hash of the package's sources and of torch's version: the identity of what we generate."""
    digest = hashlib.sha256(" ".join(compat.package_versions()).encode())
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    for folder in ("decompositions", "inductor_lowering"):
        for path in sorted((Path(__file__).parent / folder).glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _enter() -> None:
    global _undo, _depth
    from torch_complex_subclass.inductor_lowering import hooks

    with _lock:
        if _undo is None:
            _undo = hooks.install(_graph_pass(), _partitioner, enabled)
        _depth += 1


def _leave(everything: bool = False) -> None:
    global _undo, _depth
    with _lock:
        _depth = 0 if everything else max(_depth - 1, 0)
        if _depth == 0 and _undo is not None:
            undo, _undo = _undo, None
            undo.close()


def enable() -> None:
    """Make `torch.compile` generate code for complex tensors, in every later compilation.

    Calling it again changes nothing. Functions that were compiled before keep their code.
    """
    if not is_enabled():
        _enter()


def disable() -> None:
    """Restore Inductor's tables as `enable` found them; does nothing when not enabled."""
    _leave(everything=True)


def is_enabled() -> bool:
    """True while complex tensors are compiled by this package."""
    return _undo is not None


@contextlib.contextmanager
def enabled() -> Iterator[None]:
    """Enable inside a `with` block; on the way out, everything is as it was before."""
    _enter()
    try:
        yield
    finally:
        _leave()


@contextlib.contextmanager
def suspended() -> Iterator[None]:
    """Stock torch inside the block; on the way out, what was enabled before is so again."""
    depth = _depth
    _leave(everything=True)
    try:
        yield
    finally:
        for _ in range(depth):
            _enter()


def inductor_complex(
    gm: fx.GraphModule,
    example_inputs: Any,
    *,
    mode: str | None = None,
    options: dict[str, Any] | None = None,
) -> Any:
    """Compile with Inductor and generated complex code, whatever the global state.

    The backend of `torch.compile(fn, backend="inductor_complex")`; `mode=` and `options=` mean
    what they mean for Inductor.
    """
    patches = compat.inductor_options(mode, options)
    with enabled():
        return compat.inductor_backend()(gm, example_inputs, config_patches=patches)
