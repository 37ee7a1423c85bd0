"""Values of much smaller tensors are computed again by each reader, not stored.

Inductor stores a value that is used twice and reads more than four buffers, whatever the sizes of
those. An outer product of two vectors reads four (two parts each) and what scales it, and its
gradients sum it over rows and over columns: stored, it goes out to memory once and back for each
sum, where two vectors in the innermost cache give it for a few operations.

Applies only to graphs with complex values, whose numbers are two reads each, and on the CPU:
elsewhere it was not measured.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch._inductor import ir
from torch._inductor.dependencies import MemoryDep
from torch._inductor.utils import sympy_product
from torch._inductor.virtualized import V

from torch_complex_subclass.inductor_lowering import broadcasts, interleaved

LEAST_RATIO = 8
"""Bytes of a value for each byte that it is computed from."""

MOST_OPERATIONS = 32
"""Operations of one element beyond which a value is stored all the same."""


def _bytes_read(value: ir.Pointwise) -> float:
    """Bytes that a value is computed from; without limit where an address is not known."""
    deps = value.get_reads()
    if not all(isinstance(dep, MemoryDep) and not dep.is_indirect() for dep in deps):
        return float("inf")
    return sum(V.graph.get_dep_size_hint(dep) for dep in deps)


def _is_of_small_tensors(value: ir.Pointwise) -> bool:
    elements = V.graph.sizevars.optimization_hint(sympy_product(value.get_size()))
    return LEAST_RATIO * _bytes_read(value) <= elements * value.get_dtype().itemsize


def is_cheaper_than_memory(value: Any) -> bool:
    """True for a loop of few operations over elements of much smaller tensors."""
    if not isinstance(value, ir.Pointwise) or value.get_device_or_error().type != "cpu":
        return False
    count = value.inner_fn_opcount()
    if count.num_ops > MOST_OPERATIONS or not broadcasts.SLOW.isdisjoint(count.used_ops):
        return False
    return _is_of_small_tensors(value)


def computed_again(stock: Callable[..., bool]) -> Callable[..., bool]:
    """Answer whether a value is stored because it is used more than once."""

    def should_realize_on_reuse(self: Any, users: int, **kwargs: Any) -> bool:
        if not stock(self, users, **kwargs):
            return False
        return not (interleaved.has_complex_values(V.graph) and is_cheaper_than_memory(self.data))

    return should_realize_on_reuse
