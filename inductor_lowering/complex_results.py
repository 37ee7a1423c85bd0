"""Memory of complex results, and of what libraries are given, is allocated as complex memory.

Loops write both parts of a value into a real buffer, of which the caller or a library gets a
complex view. To make the view takes 1.4 microseconds, and a result of the backward that is a view
costs autograd more. Loops take addresses, so where nothing else reads the buffer it is complex from
the beginning. Whether a buffer is allocated or takes the memory of another that is free is decided
when all code is generated. One that takes complex memory of the same shape is complex too; for any
other that memory is made real again, and a complex view is made of one that takes real memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch._inductor import ir
from torch._inductor.codegen.wrapper import PythonWrapperCodegen, WrapperLine
from torch._inductor.virtualized import V

from torch_complex_subclass.inductor_lowering import call_costs

_WANTED = "torch_complex_subclass_results"
"""Of what writes a graph's Python: buffers to be allocated as complex, and whether they were."""


def _wanted(wrapper: Any) -> dict[str, bool]:
    found: dict[str, bool] = wrapper.__dict__.setdefault(_WANTED, {})
    return found


def can_be_complex(buffer: Any) -> bool:
    """Whether loops write a buffer of pairs on the CPU by its address, contiguously."""
    if not isinstance(buffer, ir.ConcatKernel) or not buffer.get_layout().is_contiguous():
        return False
    parts: Any = buffer.inputs
    return all(call_costs.place_of_part(part.get_name()) for part in parts)


def _no_view(wrapper: Any, view: str, like: Any) -> str:
    """The same memory as a tensor that autograd does not take for a view.

    A view that was made without gradients, or in a function with a backward of its own, may not be
    written to with gradients.
    """
    size, stride = map(wrapper.codegen_shape_tuple, (like.get_size(), like.get_stride()))
    return f"reinterpret_tensor({view}, {size}, {stride}, 0)"


def complex_view(wrapper: Any, memory: str, view: Any) -> str:
    """Python of the complex view of real memory, which may be a result of the graph."""
    made = f"torch.view_as_complex({memory})"
    is_result = view.get_name() in V.graph.get_output_names()
    return _no_view(wrapper, made, view) if is_result else made


class ComplexLine(WrapperLine):
    """A line of Python that names the complex view of a buffer."""

    def __init__(self, wrapper: Any, name: str, memory: str, view: Any) -> None:
        self._wrapper, self._name, self._memory = wrapper, name, memory
        self._made = complex_view(wrapper, memory, view)
        _wanted(wrapper)[memory] = False

    def codegen(self, code: Any) -> None:
        """Write the line, after that which allocates the buffer."""
        is_complex = _wanted(self._wrapper)[self._memory]
        code.writeline(f"{self._name} = {self._memory if is_complex else self._made}")


def _make_buffer_allocation(stock: Callable[..., Any]) -> Callable[..., Any]:
    def make_buffer_allocation(self: Any, buffer: Any) -> Any:
        name, size = buffer.get_name(), tuple(buffer.get_size())
        if name not in _wanted(self) or tuple(V.graph.get_allocation_size(buffer)) != size:
            return stock(self, buffer)
        _wanted(self)[name] = True
        strides = ir.FlexibleLayout.contiguous_strides(size[:-1])
        dtype = buffer.get_dtype().to_complex()
        return self.make_allocation(name, buffer.get_device(), dtype, size[:-1], tuple(strides))

    return make_buffer_allocation


def _make_buffer_reuse(stock: Callable[..., str]) -> Callable[..., str]:
    def make_buffer_reuse(self: Any, old: Any, new: Any, *args: Any, **kwargs: Any) -> str:
        line = stock(self, old, new, *args, **kwargs)
        wanted, name, taken = _wanted(self), new.get_name(), old.get_name()
        if not wanted.get(taken):
            return line
        same = old.get_size() == new.get_size() and old.get_stride() == new.get_stride()
        if name in wanted and same:
            wanted[name] = True
            return line
        wanted[taken] = False
        memory = _no_view(self, f"torch.view_as_real({taken})", old)
        return f"{taken} = {memory}; {line}"

    return make_buffer_reuse


def replacements() -> list[tuple[Any, str, Any]]:
    """Object, attribute and new value of every edit."""
    owner = PythonWrapperCodegen
    return [
        (owner, "make_buffer_allocation", _make_buffer_allocation(owner.make_buffer_allocation)),
        (owner, "make_buffer_reuse", _make_buffer_reuse(owner.make_buffer_reuse)),
    ]
