"""Elementwise ops on bcomplex32 in eager, by kernels that Inductor compiles when first called.

A kernel is known by the op, the dtypes and the broadcasting of its operands, and what else the op
is given; sizes are symbols. Compiled code is kept in Inductor's own caches, in memory and on disk.
What is being traced, has other storage than plain memory, or cannot be compiled goes the ordinary
way, by the rule as separate ops of torch.
"""

from __future__ import annotations

import functools
import threading
import warnings
from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload

from torch_complex_subclass import bfloat16_parts
from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.collapse import Memory, collapse
from torch_complex_subclass.decompositions.registry import Kind, Rule
from torch_complex_subclass.kernel_graph import Kernel, Operand, compile_kernel
from torch_complex_subclass.tensor import ComplexTensor

aten = torch.ops.aten

MOST_VARIANTS = 64
"""Kernels of one op; calls that would need more go the ordinary way."""

# A floating-point number is an operand of these kernels; elsewhere it is part of the kernel.
_TAKES_NUMBERS = frozenset(
    getattr(packet, overload)
    for packet in (aten.add, aten.div, aten.mul, aten.rsub, aten.sub)
    for overload in ("Tensor", "Scalar")
)


@functools.cache
def _is_covered(op: OpOverload, kind: Kind) -> bool:
    elementwise = kind in (Kind.UNARY, Kind.ELEMENTWISE)
    # Of the ops on each part, where and masked_fill; others only move elements.
    chooses = kind is Kind.COMPONENTWISE and torch.Tag.pointwise in op.tags
    return (elementwise or chooses) and not compat.returns_view(op)


def run(rule: Rule, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Compute `rule.op(*args, **kwargs)` by a compiled kernel.

    Returns a ComplexTensor or a real tensor, as the rule gives it, or NotImplemented where no
    kernel is to be used.
    """
    if not _is_covered(rule.op, rule.kind) or compat.has_mode():
        return NotImplemented
    given = [*args, *kwargs.values()]
    if not any(bfloat16_parts.has_bfloat16_parts(v) and v.dim() for v in given):
        return NotImplemented
    try:
        memories = [_memory(rule.op, place, v) for place, v in enumerate(given)]
    except _UnreadableError:
        return NotImplemented
    collapsed = collapse([m for m in memories if m is not None])
    if collapsed is None:
        return NotImplemented
    patterns = iter(collapsed.patterns)
    described = [
        v if m is None else Operand(m.tensor.dtype, m.tail, next(patterns))
        for v, m in zip(given, memories, strict=True)
    ]
    kernel = _KERNELS.find(rule, described, tuple(kwargs))
    if kernel is None:
        return NotImplemented
    (memory,) = kernel.run(collapsed.operands)
    result = collapsed.restore(memory, kernel.tail)
    if not kernel.tail:
        return result
    return ComplexTensor._wrap_block(result, [stride // 2 for stride in result.stride()[:-1]])


class _UnreadableError(Exception):
    """A kernel cannot read an argument."""


def _memory(op: OpOverload, place: int, value: Any) -> Memory | None:
    """Memory of an operand; None for what is part of the kernel."""
    if isinstance(value, Tensor):
        return _memory_of_tensor(value)
    if isinstance(value, list | tuple):
        raise _UnreadableError
    if op in _TAKES_NUMBERS and place < 2:
        if isinstance(value, float):
            return Memory(torch.tensor(value, dtype=torch.float64), 0)
        if isinstance(value, complex):
            parts = [value.real, value.imag]
            return Memory(torch.tensor(parts, dtype=torch.float64), 1)
    return None


def _memory_of_tensor(value: Tensor) -> Memory:
    bfloat16_parts.mark_gradient(value)
    if not isinstance(value, ComplexTensor):
        tail = int(value.is_complex())
        memory = torch.view_as_real(value.resolve_conj().resolve_neg()) if tail else value
    elif value._block is not None or all(map(compat.is_ordinary, (value.re, value.im))):
        memory, tail = value.block, 1
    else:
        raise _UnreadableError
    if not compat.is_ordinary(memory):
        raise _UnreadableError
    return Memory(memory, tail)


class _Kernels:
    """Kernels compiled in this process."""

    def __init__(self) -> None:
        self._found: dict[Any, Kernel | None] = {}
        self._variants: Counter[OpOverload] = Counter()
        self._lock = threading.RLock()
        self._has_warned = False

    def find(self, rule: Rule, args: Sequence[Any], names: tuple[str, ...]) -> Kernel | None:
        """Return the kernel for these arguments, compiled if need be; None where there is none."""
        key = (rule.op, names, *map(_identity, args))
        try:
            return self._found[key]
        except KeyError:
            return self._make(key, rule, args, names)

    def _make(
        self, key: Any, rule: Rule, args: Sequence[Any], names: tuple[str, ...]
    ) -> Kernel | None:
        with self._lock:
            if key not in self._found:
                if self._variants[rule.op] == MOST_VARIANTS:
                    return None
                self._variants[rule.op] += 1
                self._found[key] = self._compile(rule, args, names)
            return self._found[key]

    def _compile(self, rule: Rule, args: Sequence[Any], names: tuple[str, ...]) -> Kernel | None:
        try:
            return compile_kernel(rule, args, names)
        except Exception as error:  # whatever ails the compiler, the ordinary way is right
            if not self._has_warned:
                self._has_warned = True
                warnings.warn(
                    f"no eager kernel for {rule.op}, nor perhaps for other ops, whose rules run as "
                    f"separate ops instead: {type(error).__name__}: {error}\n"
                    "tcs.config.eager_kernels = False asks for none",
                    stacklevel=2,
                )
            return None


def _identity(value: Any) -> Any:
    """What tells an argument from others: 0.0 equals -0.0 and True equals 1, in vain."""
    return value if isinstance(value, Operand) else (type(value), repr(value))


_KERNELS = _Kernels()
