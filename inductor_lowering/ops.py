"""Custom ops that the graph pass puts at the edges of complex memory.

Aten has an op for each, but Inductor sends every aten op with a complex operand to a fallback
kernel without asking its table; ours reach their lowering. They never appear in compiled code.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass import torch_compat as compat

NAMESPACE = "torch_complex_subclass"


def _interleave(re: Tensor, im: Tensor) -> Tensor:
    return torch.stack([re, im], -1)


def _placed(t: Tensor, stride: list[int]) -> Tensor:
    made = torch.empty_strided(t.shape, stride, dtype=t.dtype, device=t.device)
    memory = made.as_strided((made.untyped_storage().nbytes() // made.itemsize,), (1,))
    places = torch.arange(memory.numel(), device=t.device).as_strided(t.shape, stride)
    memory[places] = t  # elements may overlap, which copy_ refuses
    return made


def _write(z: Tensor, memory: Tensor, re: Tensor, im: Tensor) -> None:
    memory.select(-1, 0).copy_(re)
    memory.select(-1, 1).copy_(im)


def _write_memory(z: Tensor, memory: Tensor, t: Tensor) -> None:
    memory.copy_(t)


def _strided_view(z: Tensor, size: list[int], stride: list[int], shift: int) -> Tensor:
    return z.as_strided(size, stride, z.storage_offset() + shift)


_OPS: dict[str, Callable[..., Any]] = {
    # Memory of a complex tensor without conj bit as real (..., 2).
    "as_real(Tensor(a) z) -> Tensor(a)": torch.view_as_real,
    # Real (..., 2), last stride 1, as complex memory.
    "as_complex(Tensor(a) t) -> Tensor(a)": torch.view_as_complex,
    # Two real (...) to one contiguous (..., 2).
    "interleave(Tensor re, Tensor im) -> Tensor": _interleave,
    # A copy, which no pass takes for what it is a copy of.
    "kept(Tensor t) -> Tensor": torch.clone,
    # A copy with these strides, which leave gaps or overlap.
    "placed(Tensor t, SymInt[] stride) -> Tensor": _placed,
    # Complex memory with other sizes and strides, starting `shift` elements further on.
    "strided_view(Tensor(a) z, SymInt[] size, SymInt[] stride, SymInt shift) -> Tensor(a)": (
        _strided_view
    ),
    # The same memory with the conj bit changed.
    "conj_view(Tensor(a) z) -> Tensor(a)": torch._conj,
    # The same values without conj or neg bit; copies only where there is one at run time.
    "resolved(Tensor(a) z) -> Tensor(a)": lambda z: z.resolve_conj().resolve_neg(),
    # A copy without conj or neg bit and without gaps, whatever there is at run time.
    "cleared(Tensor t) -> Tensor": torch.clone,
    # The memory of a tensor with the neg bit, which holds the negated values.
    "negated_memory(Tensor(a) t) -> Tensor(a)": torch._neg_view,
    # Writes to the input z through a real view of its memory, (..., 2) of a complex one.
    "write(Tensor(a!) z, Tensor(b!) memory, Tensor re, Tensor im) -> ()": _write,
    "write_memory(Tensor(a!) z, Tensor(b!) memory, Tensor t) -> ()": _write_memory,
}


def _functionalized(function: Callable[..., Any], mode: Any, *args: Any) -> Any:
    """Trace `function` in place of the op, which aliases as no op of torch's tracers may."""
    with mode:
        return function(*args)


@functools.cache
def define() -> torch.library.Library:
    """Register the ops, once in a process."""
    library = torch.library.Library(NAMESPACE, "DEF")
    for schema, function in _OPS.items():
        name = schema.split("(")[0]
        library.define(schema, tags=(torch.Tag.pt2_compliant_tag,))
        library.impl(name, function, "CompositeExplicitAutograd")
        for bit in ("Conjugate", "Negative"):
            # Ours see the bits themselves; torch would copy the operand to clear them.
            library.impl(name, torch.library.fallthrough_kernel, bit)
        # Compiled autograd traces our backward graphs again.
        overload = getattr(getattr(torch.ops, NAMESPACE), name).default
        overload.py_impl(compat.functional_mode())(functools.partial(_functionalized, function))
    return library


def edge_op(name: str) -> Any:
    """Return one of our custom ops."""
    define()
    return getattr(getattr(torch.ops, NAMESPACE), name).default
