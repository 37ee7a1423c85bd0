"""Accesses to every other complex number, as of even and odd elements or of rows of two.

Two numbers are a block of four. Whole vectors of blocks are separated twice, first the parts and
then the numbers, so that both numbers of the blocks share the loads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy
from torch._inductor.dependencies import MemoryDep

from torch_complex_subclass.inductor_lowering import interleaved

# Elements in memory from one block to the next.
SIZE = 4


def split(index: sympy.Expr) -> tuple[sympy.Expr, int] | None:
    """Return the address of the block around `index`, and the place in it, where that is fixed."""
    return interleaved.split_residue(index, SIZE)


def are_all_loads(graph: Any, reads: Sequence[Any], writes: Sequence[Any]) -> bool:
    """True where each access with the stride of a block is a load of memory made of blocks."""
    strided = [dep for dep in reads if _has_stride(dep)]
    return not any(map(_has_stride, writes)) and all(
        split(dep.index) is not None and interleaved.ends_block(graph, dep.name, SIZE)
        for dep in strided
    )


def _has_stride(dep: Any) -> bool:
    if not isinstance(dep, MemoryDep):
        return False
    factors = (term.as_coeff_Mul() for term in sympy.Add.make_args(sympy.expand(dep.index)))
    return any(coefficient == SIZE and rest.is_Symbol for coefficient, rest in factors)
