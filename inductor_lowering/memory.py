"""Lowerings of the custom ops: how complex memory is read and written."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from unittest.mock import patch

import sympy
import torch
from torch import fx
from torch._inductor import config, ir
from torch._inductor.dependencies import MemoryDep, extract_read_writes
from torch._inductor.lowering import fallback_handler, lowerings
from torch._inductor.scheduler import (
    ExternKernelSchedulerNode,
    FusedSchedulerNode,
    OutputNode,
    SchedulerNode,
)
from torch._inductor.utils import sympy_product
from torch._inductor.virtualized import V, ops
from torch.utils._ordered_set import OrderedSet

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.decompositions.compensated import product_error_op
from torch_complex_subclass.decompositions.rule_ops import choice_op
from torch_complex_subclass.inductor_lowering import (
    branches,
    call_costs,
    complex_results,
    fused_rules,
    interleaved,
    shown_sums,
)
from torch_complex_subclass.inductor_lowering import ops as custom

aten = torch.ops.aten


class LibraryView(ir.FallbackKernel):
    """A view that torch makes at run time: no kernel runs and no memory moves."""

    @classmethod
    def of(cls, op: Any, x: ir.TensorBox) -> ir.TensorBox:
        """Call the view op `op`, of one tensor."""
        x.realize()
        with V.graph.fake_mode:
            example, tensors, others, unflatten, unbacked = compat.library_call(cls, op, x)
        device = x.get_device()
        assert device is not None
        call = cls(
            ir.MultiOutputLayout(device=device),
            op,
            tensors,
            others,
            unflatten,
            unbacked_bindings=unbacked,
        )
        view = _View(cls.tensor_to_layout(example), call, [])
        call.outputs = [view]
        if any(map(ir.is_unaligned, tensors)):
            V.graph.unaligned_buffers.add(view.get_name())
        return ir.TensorBox.create(view)

    def codegen(self, wrapper: Any) -> None:
        """Call torch's function, which takes half the time of the op behind it."""
        op: Any = self.op_overload
        function = call_costs.FUNCTIONS.get(op)
        if function is None or V.graph.cpp_wrapper or V.graph.fx_wrapper or config.memory_planning:
            super().codegen(wrapper)  # which copies memory of a pool
            return
        (view,), name = self.outputs, self.get_name()
        source = self.inputs[0].codegen_reference()  # type: ignore[union-attr]
        if self._shows_what_loops_write():
            wrapper.writeline(complex_results.ComplexLine(wrapper, name, source, view))
        elif self._is_read_by_loops_only():
            wrapper.writeline(f"{name} = {source}")
        elif op is aten.view_as_complex.default:
            wrapper.writeline(f"{name} = {complex_results.complex_view(wrapper, source, view)}")
        else:
            wrapper.writeline(f"{name} = {function}({source})")

    def _is_read_by_loops_only(self) -> bool:
        """True where nothing but C++ loops take the view; they take an address, of any dtype."""
        (view,) = self.outputs
        if self.op_overload is not aten.view_as_real.default or view.layout.device.type != "cpu":
            return False
        return self._only_loops_read(view.get_name())

    def _shows_what_loops_write(self) -> bool:
        """True where nothing but loops and this view take the memory."""
        (source,) = self.inputs
        return (
            self.op_overload is aten.view_as_complex.default
            and complex_results.can_be_complex(source)
            and self._only_loops_read(source.get_name())  # type: ignore[union-attr]
        )

    def _only_loops_read(self, name: str) -> bool:
        """Whether nothing else reads a buffer, but for this view and what it returns."""
        own = (self, *self.outputs)
        return all(
            name not in V.graph.get_output_names()
            and all(getattr(u, "node", None) in own or _is_loop(u) for u in _readers(name))
            for name in _names_over_time(name)
        )


class _View(ir.MultiOutput):
    """What a `LibraryView` returns; its sizes follow from its operand's, which are checked."""

    def codegen(self, wrapper: Any) -> None:
        """Give the view its name."""
        wrapper.codegen_multi_output(self)


def _names_over_time(name: str) -> list[str]:
    """Names of a buffer: it has another after each write."""
    known: dict[str, str] = V.graph.scheduler.mutation_real_name
    return [name, *(later for later, first in known.items() if first == name)]


def _readers(name: str) -> Iterator[Any]:
    """Nodes of the scheduler; it lists those who read what a buffer shares memory with, too."""
    for user in V.graph.scheduler.name_to_buf[name].users:
        node: Any = user.node
        if not isinstance(node, OutputNode) and any(
            read.name == name for read in node.read_writes.reads
        ):
            yield node


def _is_loop(user: Any) -> bool:
    if isinstance(user, ExternKernelSchedulerNode):
        return isinstance(user.node, InputWritten)
    return isinstance(user, SchedulerNode | FusedSchedulerNode) and not user.is_template()


def _as_traced(z: ir.TensorBox) -> ir.TensorBox:
    """Give complex memory the strides it was traced with, should Inductor have planned others."""
    traced = V.graph.current_node.args[0].meta["val"].stride()  # type: ignore[union-attr]
    planned = z.get_stride()
    if all(
        V.graph.sizevars.statically_known_equals(p, t) for p, t in zip(planned, traced, strict=True)
    ):
        return z
    strides = [2 * s for s in traced] + [1]
    placed: Any = ir.ExternKernel.require_exact_strides(as_real(z), strides)
    return LibraryView.of(aten.view_as_complex.default, placed)


def strided_view(z: ir.TensorBox, size: Any, stride: Any, shift: Any) -> ir.TensorBox:
    """See the same buffer with other sizes and strides."""
    z.realize()
    storage, old = ir.as_storage_and_layout(_as_traced(z))
    layout = ir.FixedLayout(
        old.device,
        old.dtype,
        [sympy.expand(s) for s in size],
        [sympy.expand(s) for s in stride],
        sympy.expand(old.offset + shift),
    )
    return ir.TensorBox(ir.ReinterpretView(data=storage, layout=layout))


def conj_view(z: ir.TensorBox) -> ir.TensorBox:
    """Change the conj bit; library products honour it without a copy."""
    return LibraryView.of(aten._conj.default, z)


def _as_view(memory: ir.TensorBox) -> ir.TensorBox:
    """Make what torch views a view in Inductor's eyes too.

    A write to a buffer that is no graph input would only rename it, and the write to the input be
    lost.
    """
    storage, layout = ir.as_storage_and_layout(memory, want_contiguous=False)
    return ir.TensorBox(ir.ReinterpretView(data=storage, layout=layout))


def as_real(z: ir.TensorBox) -> ir.TensorBox:
    """View complex memory as real."""
    memory = LibraryView.of(aten.view_as_real.default, z)
    interleaved.of(V.graph).buffers.add(memory.get_name())
    return _as_view(memory)


def as_complex(t: ir.TensorBox) -> ir.TensorBox:
    """View real memory, in the strides that the graph was traced with, as complex."""
    strides = V.graph.current_node.args[0].meta["val"].stride()  # type: ignore[union-attr]
    placed: Any = ir.ExternKernel.require_exact_strides(t, strides)
    return LibraryView.of(aten.view_as_complex.default, placed)


def interleave(re: ir.TensorBox, im: ir.TensorBox) -> ir.TensorBox:
    """Store both parts into one buffer; their loops fuse, so memory is written once."""
    shown = shown_sums.with_gaps(re, V.graph.current_node)
    if shown is not None:
        return shown
    unsqueeze = lowerings[aten.unsqueeze.default]
    parts = [unsqueeze(part, -1) for part in (re, im)]
    joined = _concatenated(parts, len(re.get_size()))
    known, name = interleaved.of(V.graph), joined.get_name()
    known.buffers.add(name)
    kernel: Any = V.graph.get_buffer(name)
    for i, part in enumerate(kernel.inputs):
        known.parts[part.get_name()] = (name, i)
    return joined


def kept(t: ir.TensorBox) -> ir.TensorBox:
    """Copy."""
    result: ir.TensorBox = lowerings[aten.clone.default](t)
    return result


def placed(t: ir.TensorBox, stride: Any) -> ir.TensorBox:
    """Copy into memory with these strides."""
    strides = [sympy.expand(s) for s in stride]
    result: Any = ir.ExternKernel.require_exact_strides(t, strides)
    return result  # type: ignore[no-any-return]


def _concatenated(parts: list[ir.TensorBox], dim: int) -> ir.TensorBox:
    """Store `parts` side by side along `dim`, contiguously."""
    node: Any = V.graph.current_node
    # Of what is in memory with channels innermost, Inductor would make a whole that lies so too.
    parts = [_as_loop(part) if ir.is_storage_and_layout(part) else part for part in parts]
    # Torch before 2.13 takes the node for a call of cat, whose operands it asks for their layout.
    without_operands = fx.Node(node.graph, node.name, node.op, node.target, ([],), {})
    with V.graph.set_current_node(without_operands):
        return ir.TensorBox(ir.ConcatKernel.create(parts, dim))


def _as_loop(part: ir.TensorBox) -> ir.TensorBox:
    """Return a loop that reads what is in memory."""
    return ir.Pointwise.create(
        device=part.get_device(),  # type: ignore[arg-type]
        dtype=part.get_dtype(),
        inner_fn=part.make_loader(),
        ranges=part.get_size(),
    )


def resolved(z: ir.TensorBox) -> ir.TensorBox:
    """Clear a conj bit that a library call or an incoming gradient may carry at run time."""
    kernel = aten.resolve_conj.default if z.get_dtype().is_complex else aten.resolve_neg.default
    return LibraryView.of(kernel, z)


def cleared(t: ir.TensorBox) -> ir.TensorBox:
    """Copy by the library, which sees a bit that generated code would not."""
    copy: ir.TensorBox = fallback_handler(aten.clone.default, add_to_fallback_set=False)(t)
    return copy


def negated_memory(t: ir.TensorBox) -> ir.TensorBox:
    """Clear the neg bit of an input without a copy; the pass negates in the kernel."""
    return _as_view(LibraryView.of(aten._neg_view.default, t))


class InputWritten(ir.ExternKernel):
    """Tells the scheduler that a graph input changed through a view of it.

    Inductor keeps writes to buffers that are graph inputs, and drops a write to a buffer that
    nothing reads; the view made by a library call is one of the latter. Generates no code.
    """

    def __init__(self, z: ir.TensorBox, memory: ir.TensorBox) -> None:
        inputs = [self.realize_input(t) for t in (z, memory)]
        super().__init__(None, ir.NoneLayout(device=z.get_device()), inputs)
        V.graph.mark_buffer_mutated(inputs[0].get_name())
        self.name = V.graph.register_buffer(self)
        V.graph.register_operation(self)

    def codegen(self, wrapper: Any) -> None:
        """Generate nothing."""

    def should_allocate(self) -> bool:
        return False

    def has_side_effects(self) -> bool:
        return True

    def get_mutation_names(self) -> list[str]:
        return [self.input_name(0)]

    def get_unbacked_symbol_defs(self) -> OrderedSet[Any]:
        return OrderedSet()


class _BothParts(ir.Pointwise):
    """A loop over `(...)` whose `inner_fn` gives two numbers, stored to `(..., 2)`."""

    def store_output(self, output_name: str | None, indexer: Any, vars: Any) -> None:
        parts: Any = self.make_loader()(vars)
        for i, value in enumerate(parts):
            ops.store(output_name or "unnamed", indexer([*vars, sympy.Integer(i)]), value)


def write(z: ir.TensorBox, memory: ir.TensorBox, re: ir.TensorBox, im: ir.TensorBox) -> None:
    """Write both parts into the memory of a graph input, after everything that reads it.

    One loop writes both, and computes them too where it reads of that memory only the element that
    it writes; else the parts are stored first, as `a.add_(a.flip(0))` needs. Nothing else in the
    graph reads what it wrote: the pass hands on the parts.
    """
    sizes = memory.get_size()[:-1]
    if V.graph.sizevars.statically_known_equals(sympy_product(sizes), 0):
        return
    parts = [lowerings[aten.expand.default](part, sizes) for part in (re, im)]
    loop = _loop_over(memory, parts)
    if not _reads_what_it_writes(loop, z, memory):
        parts = [lowerings[aten.clone.default](part) for part in parts]  # a view would not do
        for part in parts:
            part.realize()
        loop = _loop_over(memory, parts)
    # The layout stores what still reads the memory, as it is before the write.
    layout = ir.MutationLayoutSHOULDREMOVE(memory)
    buffer = ir.ComputedBuffer(name=None, layout=layout, data=loop)
    buffer.name = V.graph.register_buffer(buffer)
    V.graph.register_operation(buffer)
    InputWritten(z, memory)


def _loop_over(memory: ir.TensorBox, parts: Sequence[Any]) -> _BothParts:
    loaders = [part.make_loader() for part in parts]
    return _BothParts(
        device=memory.get_device(),  # type: ignore[arg-type]
        dtype=memory.get_dtype(),
        inner_fn=lambda index: tuple(load(index) for load in loaders),
        ranges=memory.get_size()[:-1],
    )


def _reads_what_it_writes(loop: _BothParts, z: ir.TensorBox, memory: ir.TensorBox) -> bool:
    """True where a loop reads of the memory behind z only the elements that it writes."""
    store = functools.partial(loop.store_output, "written", memory.make_indexer())
    with patch.object(ir.FlexibleLayout, "allow_indexing", True):
        accesses = extract_read_writes(store, loop.get_size())
    written = {dep.index for dep in accesses.writes if isinstance(dep, MemoryDep)}
    own, input_name = memory.get_name(), _input_behind(z.get_name())
    return all(
        isinstance(dep, MemoryDep) and dep.name == own and dep.index in written
        for dep in accesses.reads
        if _input_behind(dep.name) == input_name
    )


def _input_behind(name: str) -> str:
    """Name of what a view by torch, or view of such a view, is of."""
    buffer = V.graph.try_get_buffer(name)
    while isinstance(buffer, _View):
        (call,) = buffer.inputs
        name = call.inputs[0].get_name()  # type: ignore[union-attr]
        buffer = V.graph.try_get_buffer(name)
    return name


def write_memory(z: ir.TensorBox, memory: ir.TensorBox, t: ir.TensorBox) -> None:
    """Write a real tensor into the memory of a graph input, after everything that reads it."""
    lowerings[aten.copy_.default](memory, t)
    InputWritten(z, memory)


def table() -> dict[Any, Callable[..., Any]]:
    """The entries for Inductor's table of lowerings."""
    custom.define()
    namespace = getattr(torch.ops, custom.NAMESPACE)
    functions = (
        as_complex,
        as_real,
        cleared,
        conj_view,
        interleave,
        kept,
        negated_memory,
        placed,
        resolved,
        strided_view,
        write,
        write_memory,
    )
    found = {getattr(namespace, fn.__name__).default: fn for fn in functions}
    return found | {product_error_op(): fused_rules.product_error, choice_op(): branches.choice}
