"""What Inductor's Python does around kernels, where complex values would make it do more.

A call of compiled code costs some microseconds for each thing that Python does, which is what small
inputs take. Two of them are left out here:

* Both parts of an interleaved buffer are buffers of their own to Inductor, which makes a view of
  the memory for each. C++ loops are given the address of the whole instead.
* Library kernels are called as `torch.ops.aten`, which matches arguments to a schema: 2 of the 7
  microseconds of a small transform, 0.8 of the 3.3 of a product. Torch's own functions parse them
  in generated C++.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
import torch
from torch._inductor import ir
from torch._inductor.codegen import wrapper
from torch._inductor.codegen.common import DeferredLine, KernelArgs
from torch._inductor.virtualized import V

from torch_complex_subclass.inductor_lowering import interleaved

aten = torch.ops.aten

FUNCTIONS = {
    aten._conj.default: "torch._conj",
    aten._neg_view.default: "torch._neg_view",
    aten.view_as_complex.default: "torch.view_as_complex",
    aten.view_as_real.default: "torch.view_as_real",
    aten._fft_c2c.default: "torch._fft_c2c",
    aten._fft_c2r.default: "torch._fft_c2r",
    aten._fft_r2c.default: "torch._fft_r2c",
    aten.bmm.default: "torch.bmm",
    aten.mm.default: "torch.mm",
    aten.resolve_conj.default: "torch.resolve_conj",
    aten.resolve_neg.default: "torch.resolve_neg",
}
"""Torch's own functions by op, which take the same arguments."""


def place_of_part(name: str) -> tuple[str, Any] | None:
    """Interleaved buffer on the CPU, and where in it a part begins, by name; None for others."""
    if not interleaved.has_complex_values(V.graph):
        return None
    found = interleaved.of(V.graph).parts.get(name)
    if found is None:
        return None
    buffer = V.graph.get_buffer(name)
    layout = buffer.get_layout()
    if buffer.get_device_or_error().type != "cpu" or not isinstance(layout, ir.NonOwningLayout):
        return None
    offset = layout.view.get_layout().offset
    return (found[0], offset) if isinstance(offset, int | sympy.Integer) else None


def _output(stock: Callable[..., Any]) -> Callable[..., Any]:
    def output(self: Any, name: str) -> Any:
        part = None if name in self.inplace_buffers else place_of_part(name)
        if part is None:
            return stock(self, name)
        root, offset = part
        pointer = stock(self, root)
        return f"({pointer} + {offset})" if offset else pointer

    return output


def _codegen_view(stock: Callable[..., Any]) -> Callable[..., Any]:
    def codegen(self: Any, code: Any) -> None:
        name = self.reused_as.get_name()
        part = None if V.graph.cpp_wrapper else place_of_part(name)
        if part is None:
            stock(self, code)
            return
        # Each part has a loop of its own (`memory.interleave`), so nothing reads it by its name.
        self.wrapper.writeline(DeferredLine(name, f"{name} = {part[0]}"))

    return codegen


def _has_complex(call: Any) -> bool:
    return any(tensor.get_dtype().is_complex for tensor in (*call.inputs, *call.outputs))


def _codegen_call(stock: Callable[..., Any]) -> Callable[..., Any]:
    def codegen(self: Any, code: Any) -> None:
        writes_python = not V.graph.cpp_wrapper and not V.graph.fx_wrapper
        if self.op_overload in FUNCTIONS and writes_python and _has_complex(self):
            self.python_kernel_name = FUNCTIONS[self.op_overload]
        stock(self, code)

    return codegen


def replacements() -> list[tuple[Any, str, Any]]:
    """Object, attribute and new value of every edit."""
    return [
        (KernelArgs, "output", _output(KernelArgs.output)),
        (wrapper.ReinterpretLine, "codegen", _codegen_view(wrapper.ReinterpretLine.codegen)),
        (ir.FallbackKernel, "codegen", _codegen_call(ir.FallbackKernel.codegen)),
    ]
