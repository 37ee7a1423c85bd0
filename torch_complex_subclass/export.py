"""The tables for tracers: `make_fx(decomposition_table=)` and `ExportedProgram`."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree
from torch.utils.weak import WeakTensorKeyDictionary

from torch_complex_subclass import dispatch
from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.decompositions.registry import Kind, Pair, Rule

aten = torch.ops.aten

# Complex whatever their arguments are.
_MAKE_COMPLEX = (aten.complex.default, aten.polar.default, aten.view_as_complex.default)


def keep(*args: Any, **kwargs: Any) -> Any:
    """Let the tracer keep the op."""
    return NotImplemented


def decomposition(rule: Rule, otherwise: Callable[..., Any] = keep) -> Callable[..., Any]:
    """Return a function on plain tensors that computes `rule.op` by its rule.

    Complex operands are read as real views, or as the parts that another decomposition joined;
    complex results are joined from their parts. Calls without a complex value go to `otherwise`.
    For what the rule does not cover it returns NotImplemented, and the tracer keeps the op.
    """

    if rule.kind is Kind.COMPOSITE:
        return for_complex(rule, otherwise)

    def decompose(*args: Any, **kwargs: Any) -> Any:
        if getattr(_edge, "crossed", False):
            return NotImplemented
        concerned = rule.op in _MAKE_COMPLEX or any(
            map(is_complex, pytree.arg_tree_leaves(*args, **kwargs))
        )
        if not concerned:
            return otherwise(*args, **kwargs)
        pairs = [dispatch.tree_map(_split, tree) for tree in (args, kwargs)]
        result = dispatch.apply(rule, *pairs)
        return result if result is NotImplemented else dispatch.tree_map(_join, result)

    return decompose


def for_complex(rule: Rule, otherwise: Callable[..., Any] = keep) -> Callable[..., Any]:
    """Return a composite rule as a decomposition that leaves real arguments to `otherwise`."""
    assert rule.fn is not None
    fn = rule.fn

    def decompose(*args: Any, **kwargs: Any) -> Any:
        chosen = fn if any(map(is_complex, pytree.arg_tree_leaves(*args, **kwargs))) else otherwise
        return chosen(*args, **kwargs)

    return decompose


def is_complex(leaf: object) -> bool:
    """True for a complex tensor, number or dtype."""
    if isinstance(leaf, Tensor):
        return leaf.is_complex()
    return isinstance(leaf, complex) or (isinstance(leaf, torch.dtype) and leaf.is_complex)


_edge = threading.local()


@contextlib.contextmanager
def _crossing_edge() -> Iterator[None]:
    """Keep the ops that lead between complex tensors and their parts, which have rules too."""
    _edge.crossed = True
    try:
        yield
    finally:
        _edge.crossed = False


def _split(value: Any) -> Any:
    if not isinstance(value, Tensor) or not value.is_complex():
        return value
    known = _known_parts(value)
    if known is not None:
        return known
    with _crossing_edge():
        parts = torch.view_as_real(value.resolve_conj())
    return Pair(parts.select(-1, 0), parts.select(-1, 1))


def _join(value: Any) -> Any:
    if not isinstance(value, Pair):
        return value
    with _crossing_edge():
        joined = torch.complex(*value)
    tensors = (joined, *value)
    if not any(t.is_inference() for t in tensors):
        _joined[joined] = value, _versions(tensors)
    return joined


# Complex tensors that decompositions made, with their parts and the versions of all three. A
# tracer drops the nodes that join and split again when nothing else reads them.
_joined: Any = WeakTensorKeyDictionary()


def _versions(tensors: Iterable[Tensor]) -> tuple[int, ...]:
    return tuple(t._version for t in tensors)


def _known_parts(z: Tensor) -> Pair | None:
    """The parts `z` was joined from, where the tracer has them and nothing was written since."""
    pair, versions = _joined.get(z, (None, ()))
    if pair is None or versions != _versions((z, *pair)) or not all(map(compat.is_traced, pair)):
        return None
    return pair  # type: ignore[no-any-return]
