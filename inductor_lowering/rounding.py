"""Keeps every rounding to a narrow dtype where Inductor's `emulate_precision_casts` asks for it.

Up to torch 2.12 Inductor computes on with the number that was rounded: generated C++ remembers what
a conversion was made of, and up to 2.11 a conversion to the dtype that is computed in is none.
Nothing is edited where torch keeps roundings itself. Applies only to graphs with complex values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch._inductor import ir
from torch._inductor.codegen import cpp as stock_cpp
from torch._inductor.lowering import lowerings, make_pointwise
from torch._inductor.virtualized import V, ops

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.inductor_lowering import interleaved

NARROW = (torch.bfloat16, torch.float16)


def _is_asked() -> bool:
    return compat.rounds_every_op() and interleaved.has_complex_values(V.graph)


def _converted(stock: Callable[..., Any]) -> Callable[..., Any]:
    def convert(x: ir.TensorBox, dtype: torch.dtype) -> Any:
        before = x.get_dtype()
        one_is_narrow = before in NARROW or dtype in NARROW
        one_is_complex = before.is_complex or dtype.is_complex
        if before == dtype or one_is_complex or not one_is_narrow or not _is_asked():
            return stock(x, dtype)

        def body(value: Any) -> Any:
            value = ops.to_dtype(value, dtype, src_dtype=before, use_compute_types=False)
            return ops.to_dtype(value, dtype) if dtype in NARROW else value

        return make_pointwise(body, override_return_dtype=dtype)(x)

    return convert


def _remembered(stock: Callable[..., None]) -> Callable[..., None]:
    def cache_dtype_convert(self: Any, *conversion: Any) -> None:
        if not _is_asked():
            stock(self, *conversion)

    return cache_dtype_convert


def table() -> dict[Any, Callable[..., Any]]:
    """The entries for Inductor's table of lowerings."""
    op = torch.ops.prims.convert_element_type.default
    return {} if compat.keeps_roundings() else {op: _converted(lowerings[op])}


def replacements() -> list[tuple[Any, str, Any]]:
    """Object, attribute and new value of every edit."""
    kernel: Any = stock_cpp.CppKernel
    name = "cache_dtype_convert"
    return [] if compat.keeps_roundings() else [(kernel, name, _remembered(getattr(kernel, name)))]
