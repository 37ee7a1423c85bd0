"""The graph of an eager kernel: one rule on operands with symbolic sizes, and its compilation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, fx

from torch_complex_subclass import backend, dispatch
from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.collapse import Pattern
from torch_complex_subclass.decompositions.registry import Pair, Rule
from torch_complex_subclass.inductor_lowering.ops import edge_op
from torch_complex_subclass.recorder import Recorder

aten = torch.ops.aten


class Operand(NamedTuple):
    """What a kernel knows of an operand: real memory, see `collapse.Memory`."""

    dtype: torch.dtype
    tail: int
    pattern: Pattern


class Kernel(NamedTuple):
    """Compiled code for one op."""

    run: Callable[[list[Tensor]], Sequence[Tensor]]
    """Takes the memory of the operands; returns that of the result, contiguous."""
    tail: int
    """1 for a complex result, 0 for a real one."""


class _Recorded(NamedTuple):
    """A graph of real ops, the fake memory of its operands, and `Kernel.tail`."""

    module: fx.GraphModule
    inputs: list[Tensor]
    tail: int


def compile_kernel(rule: Rule, args: Sequence[Any], names: Sequence[str]) -> Kernel | None:
    """Compile `rule.op`; the last of `args` are those called `names`.

    An `Operand` among `args` is an argument of the kernel too, anything else is part of it.
    Returns None where the rule refuses the arguments, does not give a single tensor, or would have
    to know sizes. Raises what Inductor does where it fails.
    """
    with backend.enabled(), compat.compile_lock():
        recorded = _record(rule, args, names)
        if recorded is None or compat.has_guards(recorded.inputs):
            return None
        run = compat.compile_real_graph(recorded.module, recorded.inputs)
        return None if compat.has_guards(recorded.inputs) else Kernel(run, recorded.tail)


def _record(rule: Rule, args: Sequence[Any], names: Sequence[str]) -> _Recorded | None:
    operands = [a for a in args if isinstance(a, Operand)]
    fake_mode, sizes = compat.symbolic_sizes(max(len(a.pattern) for a in operands))
    module = fx.GraphModule(torch.nn.Module(), fx.Graph())
    recorder = Recorder(module.graph, fake_mode, compat.select_decompositions())
    with torch.no_grad(), compat.python_dispatcher(), fake_mode:
        nodes = [_placeholder(recorder, i, a, sizes) for i, a in enumerate(operands)]
        _name_sizes(recorder, nodes, operands)
        values = iter([_value(recorder, n, a) for n, a in zip(nodes, operands, strict=True)])
        given = [next(values) if isinstance(a, Operand) else a for a in args]
        result = _apply(recorder, rule, given, names)
        if not isinstance(result, Pair | Tensor):
            return None
        module.graph.output((_output(recorder, rule, result),))
    recorder.erase_unused()
    module.recompile()
    inputs = [node.meta["val"] for node in nodes]
    return _Recorded(module, inputs, int(isinstance(result, Pair)))


def _apply(recorder: Recorder, rule: Rule, given: list[Any], names: Sequence[str]) -> Any:
    first = len(given) - len(names)
    kwargs = dict(zip(names, given[first:], strict=True))
    try:
        with recorder:
            return dispatch.apply(rule, tuple(given[:first]), kwargs)
    except Exception:  # in eager the rule raises it again, with the operands themselves
        return NotImplemented


def _placeholder(recorder: Recorder, place: int, a: Operand, sizes: Sequence[Any]) -> fx.Node:
    shape = [size if there else 1 for size, there in zip(sizes, a.pattern, strict=False)]
    node = recorder.graph.placeholder(f"operand_{place}")
    node.meta["val"] = torch.empty([*shape, *[2] * a.tail], dtype=a.dtype, device="cpu")
    return node


def _name_sizes(recorder: Recorder, nodes: list[fx.Node], operands: list[Operand]) -> None:
    """Append a node for each size, so that rules may ask for it."""
    for node, a in zip(nodes, operands, strict=True):
        for dim in (dim for dim, there in enumerate(a.pattern) if there):
            size = recorder.graph.call_function(aten.sym_size.int, (node, dim))
            size.meta["val"] = node.meta["val"].shape[dim]
            recorder.see(size)


def _value(recorder: Recorder, node: fx.Node, a: Operand) -> Any:
    if not a.tail:
        return recorder.value(node)
    parts = (recorder.emit(aten.select.int, node, -1, i) for i in (0, 1))
    return Pair(*map(recorder.value, parts))


def _output(recorder: Recorder, rule: Rule, result: Pair | Tensor) -> fx.Node:
    parts = [recorder.node_of(part) for part in (result if isinstance(result, Pair) else [result])]
    recorder.mark_rule(rule.op, 0, parts)
    if len(parts) == 1:
        return parts[0]
    return recorder.emit(edge_op("interleave"), *parts)
