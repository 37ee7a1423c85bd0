"""Which sums of narrow products are stored.

A residual stream in complex64 to which each layer adds a product in bcomplex32 is read by the next
layer and by the next sum. Inductor stores such a sum where it reads more than four buffers, and
until then keeps every product that is in it. A sum of two is stored here, which frees them: less
memory is held, and less is read by the loops that would add them up again each time.

Applies only to graphs with complex values, and to results of library calls in bfloat16.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch._inductor import ir
from torch._inductor.virtualized import V

from torch_complex_subclass.inductor_lowering import interleaved


def _is_narrow_product(name: str) -> bool:
    buffer = V.graph.try_get_buffer(name)
    if not isinstance(buffer, ir.ExternKernel | ir.TemplateBuffer):
        return False
    if isinstance(buffer, ir.NopKernel):  # which joins buffers
        return False
    return bool(buffer.get_dtype() == torch.bfloat16)


def _sums_products(data: Any) -> bool:
    """True for a loop over elements that reads two narrow products or more."""
    if not isinstance(data, ir.Pointwise) or not interleaved.has_complex_values(V.graph):
        return False
    return sum(map(_is_narrow_product, data.get_read_names())) > 1


def stored(stock: Callable[..., bool]) -> Callable[..., bool]:
    """Answer whether a value is stored because it is used more than once."""

    def should_realize_on_reuse(self: Any, users: int, **kwargs: Any) -> bool:
        return stock(self, users, **kwargs) or (users > 1 and _sums_products(self.data))

    return should_realize_on_reuse
