"""The only code that edits Inductor's tables: it records, installs and restores.

While installed:

* Inductor's decompositions step aside for complex arguments of ops that have a rule. Some of them
  rebuild complex memory (`aten.add` views it as real before the pass can see it), others are less
  accurate than the rule. Real arguments take the same decomposition as before.
* Composite rules are decompositions of complex arguments.
* Fourier transforms are written as what is registered for their device says.
* Complex powers of a number lie in rows, as those of torch's kernel do.
* Complex convolutions of few channels are traced as one real convolution.
* Overlapping frames are added by reading them, also those of real tensors.
* The gradient of the complex svd is traced: what it checks becomes an assertion in the graph.
* The lowerings of our custom ops are in Inductor's table.
* Inductor traces each value of a graph with complex values once, and stores fewer of those inside
  a rule.
* A transcendental of a small tensor is stored before it is broadcast, and a reflected signal before
  its windows are taken.
* Vector code has an accurate sine and cosine, keeps signs, bits and masks in registers, computes
  for every lane what a mask guards where that is cheap, and in a branch what only extraordinary
  numbers need; GCC keeps the order of sums under
  the flag for unsafe optimisations, and running sums in registers.
* Nested expressions may be 20,000 deep while a graph is compiled, and a graph that holds our ops
  or complex values is compiled with the hooks in place, whenever that is.
* The C++ kernels of Inductor read and write interleaved memory by whole vectors, both parts of
  a value are computed in one loop, and loops whose rows do not match stay apart. Views of inputs
  come first, so that loops around them are one kernel.
* C++ loops write both parts by the address of the whole, which is allocated as complex memory where
  it is a result, and Python calls library kernels of complex values by torch's own functions.
* The C++ kernels of a graph are compiled by as few calls of the compiler as keep all cores busy.
* Dynamo traces `z.real = x` and `z.imag = x` as writes to the part, and fake tensors keep
  a size or a float symbolic that is combined with a complex tensor.
* AOTAutograd keeps the conj bit of inputs that share memory which is written.
* Dynamo makes inputs of complex numbers that change, and traces `.item()` of complex tensors and
  `complex(x, y)` of floats that change.
* The pass slot in front of Inductor's joint-graph passes holds our pass after the user's own.
* Each application of an elementwise rule is one node while a joint graph is split into forward and
  backward, by Inductor's partitioner or the user's own, and complex inputs are saved themselves.
* Inductor rounds the result of every op where `tcs.config.emulate_precision_casts` asks for it.
* Inductor's warning that complex operators get no generated code is silent; `explain` says what
  did not.

An upstream switch that traces complex tensors through a decomposition table, and a lowering look-up
that comes before the check for complex dtypes, would make this file unnecessary.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import itertools
import sys
import threading
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, fx
from torch.utils import _pytree as pytree

from torch_complex_subclass import (
    config,
    convolution,
    part_setters,
    python_numbers,
    shared_inputs,
    symbolic_numbers,
)
from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.decompositions import rule_ops
from torch_complex_subclass.decompositions.registry import TABLE, Kind
from torch_complex_subclass.dispatch import has_function
from torch_complex_subclass.dtypes import has_complex
from torch_complex_subclass.export import for_complex, is_complex, keep
from torch_complex_subclass.inductor_lowering import fft, overlap_add
from torch_complex_subclass.recorder import RECORDED

_MISSING = object()


def _for_real_only(decomposition: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(decomposition)
    def decompose(*args: Any, **kwargs: Any) -> Any:
        if any(map(is_complex, pytree.arg_tree_leaves(*args, **kwargs))):
            return NotImplemented
        return decomposition(*args, **kwargs)

    return decompose


def _set(undo: contextlib.ExitStack, table: dict[Any, Any], key: Any, value: Any) -> None:
    before = table.get(key, _MISSING)
    table[key] = value
    if before is _MISSING:
        undo.callback(table.pop, key, None)
    else:
        undo.callback(table.__setitem__, key, before)


def _install_decompositions(undo: contextlib.ExitStack) -> None:
    unfold_backward = torch.ops.aten.unfold_backward.default
    for table in compat.inductor_decomposition_tables():
        _set(undo, table, torch.ops.aten.allclose.default, _allclose)
        for op, decomposition in fft.table().items():
            _set(undo, table, op, decomposition)
        _set(undo, table, unfold_backward, overlap_add.decomposition(table[unfold_backward]))
        for op, rule in TABLE.items():
            if rule.kind is Kind.COMPOSITE:
                stock = {"otherwise": table[op]} if op in table else {}
                _set(undo, table, op, for_complex(rule, **stock))
            elif op in table and has_function(rule):
                _set(undo, table, op, _for_real_only(table[op]))
        power = torch.ops.aten.pow.Scalar
        _set(undo, table, power, _in_rows(power, table.get(power, keep)))


def _in_rows(power: Any, otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """Lay out a complex power of a number as torch's kernel does: in rows.

    Fake tensors keep the strides of the exponent.
    """

    def decompose(base: Any, exponent: Tensor) -> Any:
        if exponent.is_contiguous() or not (is_complex(base) or is_complex(exponent)):
            return otherwise(base, exponent)
        return power(base, exponent.contiguous())

    return decompose


NOT_CLOSE = (
    "torch.allclose was answered with True when the program was compiled, and is False now. In the "
    "gradient of the complex svd this means that the function that is differentiated depends on "
    "phases of the singular vectors, which nothing determines, so it has no gradient."
)


def _allclose(
    a: Tensor, b: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Assume an agreement that a gradient formula asks for, and check it when the graph runs.

    A tracer cannot answer. Of torch's formulas only that of the complex svd asks in a way that a
    tracer sees; the question in a user's program does not come this far.
    """
    # Not isclose, which works in place: this is traced after functionalization.
    close = (a == b) | ((a - b).abs() <= atol + rtol * b.abs())
    if equal_nan:
        close = close | (a.isnan() & b.isnan())
    torch.ops.aten._assert_async.msg(close.all(), NOT_CLOSE)
    return True


def _install_lowerings(undo: contextlib.ExitStack) -> None:
    from torch_complex_subclass.inductor_lowering import broadcasts, memory, rounding

    for op, lowering in (memory.table() | broadcasts.table() | rounding.table()).items():
        _set(undo, compat.inductor_lowerings(), op, lowering)
    undo.callback(rule_ops.use_branches, False)
    rule_ops.use_branches(True)


def _install_pass(undo: contextlib.ExitStack, graph_pass: Any) -> None:
    before = compat.get_joint_passes()
    if before is None:
        installed = graph_pass
    elif compat.takes_list_of_passes():
        own = list(before) if isinstance(before, list | tuple) else [before]
        installed = [*own, graph_pass]
    else:
        installed = graph_pass.after(before)
    compat.set_joint_passes(installed)

    def restore() -> None:
        # A pass that the user put there since then stays.
        if compat.get_joint_passes() is installed:
            compat.set_joint_passes(before)

    undo.callback(restore)


def _install_partitioner(undo: contextlib.ExitStack, make: Callable[[Any], Any]) -> None:
    before = compat.get_partitioner()
    installed = make(before)
    compat.set_partitioner(installed)

    def restore() -> None:
        # A partitioner that the user put there since then stays.
        if compat.get_partitioner() is installed:
            compat.set_partitioner(before)

    undo.callback(restore)


def _silence_warning(undo: contextlib.ExitStack) -> None:
    module, name, replacement = compat.quiet_complex_warning()
    undo.callback(setattr, module, name, getattr(module, name))
    setattr(module, name, replacement)


def _install_code_generation(undo: contextlib.ExitStack) -> None:
    from torch_complex_subclass.inductor_lowering import (
        accumulators,
        branches,
        broadcasts,
        call_costs,
        complex_results,
        cpp_codegen,
        cpp_flags,
        cpp_functions,
        fused_rules,
        input_views,
        kernel_batches,
        loaders,
        rounding,
        scheduling,
        unmasked,
    )

    modules = (
        accumulators,
        branches,
        broadcasts,
        call_costs,
        complex_results,
        cpp_codegen,
        cpp_flags,
        cpp_functions,
        fused_rules,
        input_views,
        kernel_batches,
        loaders,
        rounding,
        scheduling,
        unmasked,
    )
    edits = [module.replacements() for module in modules]
    for owner, name, value in itertools.chain.from_iterable(edits):
        undo.callback(setattr, owner, name, inspect.getattr_static(owner, name))
        setattr(owner, name, value)


def _install_tracing(undo: contextlib.ExitStack) -> None:
    edits = [
        (compat.setattr_tracer(), part_setters.traced),
        (compat.number_constructors(), symbolic_numbers.kept),
        (compat.views_of_shared_inputs(), shared_inputs.with_conj_bit),
        (compat.where_inputs_are_merged(), shared_inputs.with_graph_breaks),
        (compat.merge_of_shared_inputs(), shared_inputs.with_bases_of_results),
    ]
    numbers = compat.number_tracers()
    edits += [
        (numbers[what], replacement)
        for what, replacement in python_numbers.TRACED.items()
        if numbers
    ]
    for (owner, name), replacement in edits:
        stock = inspect.getattr_static(owner, name)
        undo.callback(setattr, owner, name, stock)
        setattr(owner, name, replacement(stock))


def _install_convolutions(undo: contextlib.ExitStack) -> None:
    for op, geometry in convolution.TRACED.items():
        replacement = functools.partial(convolution.traced, geometry)
        undo.callback(compat.trace_composite_as(op, replacement))


def _needs_hooks(graph_module: Any) -> bool:
    """True for a graph with our ops or nodes, or with calls of complex kernels alone."""
    from torch_complex_subclass.inductor_lowering.ops import NAMESPACE

    return any(
        getattr(node.target, "namespace", None) == NAMESPACE
        or RECORDED in node.meta
        or has_complex(node.meta.get("val"))
        for node in getattr(graph_module, "graph", fx.Graph()).nodes
    )


class _DeepRecursion(contextlib.AbstractContextManager[None]):
    """Raises Python's recursion limit, which all threads share, while any of them is inside."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before = 0

    def __enter__(self) -> None:
        from torch_complex_subclass.inductor_lowering.fused_rules import DEEPEST_EXPRESSION

        with self._lock:
            if self._inside == 0:
                self._before = sys.getrecursionlimit()
                sys.setrecursionlimit(max(self._before, DEEPEST_EXPRESSION))
            self._inside += 1

    def __exit__(self, *raised: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                sys.setrecursionlimit(self._before)


_deep_recursion = _DeepRecursion()


def _install_backward_compilation(undo: contextlib.ExitStack, enabled: Any) -> None:
    """Make backward graphs, which may be compiled after the scope has ended, find the hooks."""
    module = compat.compile_fx_module()
    stock, stock_inner = module.compile_fx, module.compile_fx_inner

    def hooked(inner: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(inner, updated=())
        def compile_inner(graph_module: Any, *args: Any, **kwargs: Any) -> Any:
            if not _needs_hooks(graph_module):
                return inner(graph_module, *args, **kwargs)
            with enabled(), _deep_recursion:
                return inner(graph_module, *args, **kwargs)

        return compile_inner

    @functools.wraps(stock)
    def compile_fx(model: Any, inputs: Any, inner_compile: Any = stock_inner, **kw: Any) -> Any:
        if config.emulate_precision_casts and not compat.rounds_every_op():
            # Inductor keeps the patch for a backward graph that is compiled later.
            patches = (kw.pop("config_patches", None) or {}) | compat.round_every_op()
            kw["config_patches"] = patches
        return stock(model, inputs, inner_compile=hooked(inner_compile), **kw)

    undo.callback(setattr, module, "compile_fx", stock)
    module.compile_fx = compile_fx


def install(
    graph_pass: Any, partitioner: Callable[[Any], Any], enabled: Any
) -> contextlib.ExitStack:
    """Edit the tables; closing the result restores them. Undoes a part that fails half-way.

    `partitioner` makes ours around the user's own, which may be None.
    `enabled` is the scoped form of this, for compilations that happen later.
    """
    with contextlib.ExitStack() as undo:
        # Lowerings first: on import their module refuses to find some ops decomposed.
        _install_lowerings(undo)
        _install_decompositions(undo)
        _install_code_generation(undo)
        _install_backward_compilation(undo, enabled)
        _install_tracing(undo)
        _install_convolutions(undo)
        _install_pass(undo, graph_pass)
        _install_partitioner(undo, partitioner)
        _silence_warning(undo)
        return undo.pop_all()
