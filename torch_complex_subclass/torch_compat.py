"""Every private torch name this package uses, behind one name of our own.

Written for torch 2.11 to 2.15. Inductor is imported inside functions: importing this package must
not import it.

Sections, in this order, each under a line `# --- ... ---`: tensors and their memory; ops; eager
code under tracers and transforms; what compilation changes: tables and tracers; Dynamo's variables;
what is compiled, and how; passes and the split into forward and backward; inputs that share memory;
warnings, rounding, locks; symbolic sizes, fake tensors and graphs; the machine, caches and
profiles; counting and interpreting, for tests and benchmarks.
"""

from __future__ import annotations

import copy
import functools
import importlib
import itertools
import logging
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar
from unittest.mock import patch

import torch
from torch import Tensor, fx
from torch._ops import OpOverload
from torch.overrides import (
    TorchFunctionMode,
    _get_current_function_mode_stack,
    _pop_mode,
    _push_mode,
)
from torch.utils import _pytree as pytree

if TYPE_CHECKING:
    from torch._subclasses.fake_tensor import FakeTensorMode

Function = TypeVar("Function", bound=Callable[..., Any])

Decompositions = dict[Any, Callable[..., Any]]

NEWEST_TRIED = (2, 15)
"""The newest minor version of torch that part of the tests was run under."""


# --- Tensors and their memory ---


def is_untried(version: str) -> bool:
    """True for a version of torch that is newer than any that tests were run under."""
    return tuple(map(int, version.split(".")[:2])) > NEWEST_TRIED


def has_plain_storage(t: Tensor) -> bool:
    """False for functorch and functionalization wrappers, whose storage is not the data's."""
    from torch._subclasses.functional_tensor import FunctionalTensor

    return not (
        isinstance(t, FunctionalTensor)
        or torch._is_functional_tensor(t)
        or torch._C._functorch.is_functorch_wrapped_tensor(t)
    )


def storage_id(t: Tensor) -> int:
    """The same number for tensors of one memory, of a tracer too."""
    return t.untyped_storage()._cdata


def is_view(t: Tensor) -> bool:
    """True for a tensor that autograd knows as a view of another."""
    return t._is_view()


def is_memory(t: Tensor) -> bool:
    """True for a tensor of torch's own class with storage, unless a tracer follows it."""
    return type(t) is Tensor and has_plain_storage(t) and not is_traced(t)


def tensor_metadata(t: Tensor) -> str:
    """What Inductor's cache keys hold of a tensor, which is not its values; symbols by name."""
    from torch._inductor.codecache import extract_tensor_metadata_for_cache_key

    return repr(extract_tensor_metadata_for_cache_key(t))


def _kind_of_tensor(t: Tensor) -> int:
    return torch._C._dispatch_keys(t).raw_repr()


@functools.cache
def _ordinary_kinds() -> frozenset[int]:
    with torch.inference_mode():
        inference = torch.empty(0, device="cpu")
    with torch.inference_mode(False):
        return frozenset(map(_kind_of_tensor, (inference, torch.empty(0, device="cpu"))))


def is_ordinary(t: Tensor) -> bool:
    """True for a dense CPU tensor with memory and no lazy bit; no subclass, wrapper or fake."""
    return _kind_of_tensor(t) in _ordinary_kinds()


def has_mode() -> bool:
    """True inside a dispatch mode, such as that of a tracer."""
    return torch._C._len_torch_dispatch_stack() > 0


def all_known_even(numbers: Iterable[int | torch.SymInt]) -> bool:
    """True when every number is even; a symbolic one counts when that needs no guard."""
    return all(n % 2 == 0 if isinstance(n, int) else _known_even(n) for n in numbers)


def _known_even(n: torch.SymInt) -> bool:
    from torch.fx.experimental.symbolic_shapes import statically_known_true

    return statically_known_true(n % 2 == 0)


def upstream_complex_tensor() -> Any:
    """The complex subclass inside torch."""
    from torch._subclasses.complex_tensor import ComplexTensor

    return ComplexTensor


# --- Ops ---


def returns_view(op: OpOverload) -> bool:
    """True when an output may alias an input that the op does not write to."""
    return any(r.alias_info is not None and not r.alias_info.is_write for r in op._schema.returns)


def in_contiguous_memory(t: Tensor) -> Tensor:
    """Return `t` in contiguous memory of its own, in generated code as well.

    Inductor gives the result of `clone` whatever strides suit it.
    """
    from torch._inductor import inductor_prims

    strides = torch._prims_common.make_contiguous_strides_for(t.shape)
    return inductor_prims.force_stride_order(t, strides)  # type: ignore[no-any-return]


def is_composite(op: OpOverload) -> bool:
    """True when torch makes the op of others before a subclass or a graph sees it."""
    return torch._C._dispatch_has_kernel_for_dispatch_key(op.name(), "CompositeImplicitAutograd")


def is_dispatched(op: OpOverload) -> bool:
    """False for what only TorchScript has, such as `aten.dim` up to torch 2.11."""
    return torch._C._dispatch_has_kernel(op.name())


def overloads_of_aten() -> Iterator[OpOverload]:
    """Every overload of aten that torch has, by name."""
    for name in sorted(torch._C._dispatch_get_all_op_names()):
        namespace, _, rest = name.partition("::")
        packet, _, overload = rest.partition(".")
        if namespace == "aten":
            yield getattr(getattr(torch.ops.aten, packet), overload or "default")


def overloads_of_some_versions(*names: str) -> Iterator[OpOverload]:
    """Of the named overloads of aten, those that this torch has."""
    for name in names:
        packet, _, overload = name.partition(".")
        if overload in getattr(getattr(torch.ops.aten, packet, None), "overloads", list)():
            yield getattr(getattr(torch.ops.aten, packet), overload)


# --- Eager code under tracers and transforms ---


def associative_scan(combine: Callable[..., Any], elements: Any, dim: int = 0) -> Any:
    """Torch's associative scan, which has no public name, in the form for any device."""
    from torch._higher_order_ops.associative_scan import associative_scan as scan

    return scan(combine, elements, dim=dim, combine_mode="generic")


@contextmanager
def vmap_loops(allowed: bool) -> Iterator[None]:
    """Let `torch.vmap` run ops without a batching rule entry by entry, or have them refused."""
    functorch: Any = torch._C._functorch
    before = functorch._is_vmap_fallback_enabled()
    functorch._set_vmap_fallback_enabled(allowed)
    try:
        yield
    finally:
        functorch._set_vmap_fallback_enabled(before)


def traced_constant(t: Tensor) -> complex | None:
    """Value of a zero-dimensional tensor that a tracer meets as it is, else None.

    Autograd makes such a tensor of the Python number in `z * 2j`, for the derivative; a tracer
    would add it to the graph as a buffer.
    """
    from torch._subclasses.fake_tensor import FakeTensor

    constant = t.constant if isinstance(t, FakeTensor) else None
    if constant is None or constant.dim():
        return None
    with no_dispatch_modes():
        return complex(constant.resolve_conj().resolve_neg().item())


def is_traced(t: Tensor) -> bool:
    """True when the tracer under way has `t` as a value of its graph."""
    from torch.fx.experimental.proxy_tensor import get_proxy_mode, has_proxy_slot

    mode = get_proxy_mode()
    return mode is not None and has_proxy_slot(t, mode.tracer)


def is_traced_by_mode() -> bool:
    """True while a dispatch mode, such as a tracer, sees each op."""
    from torch.utils._python_dispatch import _get_current_dispatch_mode

    return _get_current_dispatch_mode() is not None


def without_subclass_dispatch() -> AbstractContextManager[Any]:
    """Run an op on the wrapper itself, whose sizes and strides it then changes."""
    return torch._C._DisableTorchDispatch()


def lazy_conjugation() -> AbstractContextManager[Any]:
    """Respect the conj and neg bits of plain tensors, and zeros without memory, inside
    `__torch_dispatch__`.

    Torch excludes their dispatch keys there, and a kernel that is built of others, such as that
    of `linalg.pinv`, would lose every conjugation it makes. Forward mode's zero tangents have no
    memory: a kernel that met one would read through a null pointer.
    """
    excluded = torch._C._dispatch_tls_local_exclude_set()
    keys = torch._C.DispatchKey
    for key in (keys.Conjugate, keys.Negative, keys.ZeroTensor):
        excluded = excluded.remove(key)
    return torch._C._ForceDispatchKeyGuard(torch._C._dispatch_tls_local_include_set(), excluded)


def backward_destinations(dtype: torch.dtype) -> list[Any]:
    """Autograd nodes that the one under evaluation sends gradients of `dtype` to."""
    node: Any = torch._C._current_autograd_node()
    edges = [] if node is None else [edge for edge in node.next_functions if edge[0] is not None]
    return [n for n, place in edges if n._input_metadata[place].dtype == dtype]


def leaf_of(node: Any) -> Tensor | None:
    """The tensor that an autograd node accumulates gradients of, beneath functorch's wrappers."""
    functorch: Any = torch._C._functorch
    leaf = getattr(node, "variable", None)
    while leaf is not None and functorch.is_functorch_wrapped_tensor(leaf):
        leaf = functorch.get_unwrapped(leaf)
    return leaf


def in_forward_mode() -> bool:
    """True inside a level of forward-mode differentiation."""
    return torch.autograd.forward_ad._current_level >= 0


def allow_in_graph(fn: Function) -> Function:
    """Let Dynamo call `fn` in the graph instead of tracing into it."""
    return torch.compiler.allow_in_graph(fn)  # type: ignore[no-any-return]


def constant_in_graphs(fn: Function) -> Function:
    """Have Dynamo call `fn`, of constants, while it traces, and take the result for a constant.

    Torch's public name for this imports Dynamo.
    """
    fn._dynamo_marked_constant = True  # type: ignore[attr-defined]
    return fn


# Torch 2.11 gives a subclass that compiled code returns its symbolic sizes for its strides too.
_GIVES_SIZES_FOR_STRIDES = tuple(map(int, torch.__version__.split(".")[:2])) < (2, 12)


def strides_given(strides: Any) -> Any:
    """The strides that torch gives a subclass; None where they may be wrong."""
    if _GIVES_SIZES_FOR_STRIDES and all(isinstance(stride, int) for stride in strides):
        return None
    return strides


def allow_in_weights_only_load(*classes: type) -> None:
    """Let `torch.load(weights_only=True)` rebuild these classes."""
    torch.serialization.add_safe_globals(list(classes))


# --- What compilation changes: tables and tracers ---


def inductor_decomposition_tables() -> list[Decompositions]:
    """The tables that `torch.compile` traces with; each is edited in place."""
    from torch._inductor import decomposition

    return [decomposition.decompositions, decomposition.fast_random_decomps()]


def trace_composite_as(
    op: OpOverload, replacement: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> Callable[[], None]:
    """Put `replacement(stock)` where tracers look for what an op is made of.

    For an op that torch makes of others in C++; `stock` is torch's own. Autograd differentiates
    what the replacement calls. Threads share it, and dispatch modes that decompose the op in eager
    programs call it too: `has_python_dispatcher` tells them apart. Returns what restores the op,
    unless somebody has put another replacement there since then.
    """
    key = torch._C.DispatchKey.CompositeImplicitAutograd
    kernels: Any = op.py_kernels
    before = kernels.get(key)
    installed = kernels[key] = replacement(before or functools.partial(op._op_dk, key))
    op._dispatch_cache.clear()

    def restore() -> None:
        if kernels.get(key) is not installed:
            return
        del kernels[key]
        if before is not None:
            kernels[key] = before
        op._dispatch_cache.clear()

    return restore


def has_python_dispatcher() -> bool:
    """True while something is traced, with Python's dispatcher in front of torch's."""
    key = torch._C.DispatchKey.PythonDispatcher
    return torch._C._dispatch_tls_is_dispatch_key_included(key)


def is_made_of_tensors(t: Tensor) -> bool:
    """True for a subclass that holds other tensors."""
    from torch.utils._python_dispatch import is_traceable_wrapper_subclass

    return is_traceable_wrapper_subclass(t)


def compile_fx_module() -> Any:
    """Inductor's entry module; its `compile_fx` is looked up at each compilation."""
    from torch._inductor import compile_fx

    return compile_fx


def setattr_tracer() -> tuple[Any, str]:
    """Class and method with which Dynamo traces `setattr(obj, name, value)`."""
    from torch._dynamo.variables import builtin

    if hasattr(builtin, "SetAttrBuiltinVariable"):
        return builtin.SetAttrBuiltinVariable, "_call_setattr"
    return builtin.BuiltinVariable, "call_setattr"  # up to torch 2.12


def functional_mode() -> type:
    """The mode under which AOTAutograd rewrites writes and views."""
    from torch._subclasses.functional_tensor import FunctionalTensorMode

    return FunctionalTensorMode


def number_constructors() -> tuple[Any, str]:
    """Module and name of the function that says how a number becomes one of a tensor's dtype."""
    from torch import _prims_common

    return _prims_common, "dtype_to_type_ctor"


def is_traced_tensor(variable: Any) -> bool:
    """True when a variable of Dynamo stands for a tensor."""
    from torch._dynamo.variables import TensorVariable

    return isinstance(variable, TensorVariable)


# --- Dynamo's variables ---


# Dynamo's variables, for numbers that it would make constants of.

_DYNAMO = {
    "torch._dynamo": ("config",),
    "torch._dynamo.exc": ("unimplemented",),
    "torch._dynamo.guards": ("GuardBuilder", "install_guard"),
    "torch._dynamo.pgo": ("FrameStateSizeEntry", "auto_dynamic", "process_automatic_dynamic"),
    "torch._dynamo.source": ("AttrSource", "is_constant_source"),
    "torch._dynamo.variables.base": ("VariableTracker",),
    "torch._dynamo.variables.builder": ("VariableBuilder",),
    "torch._dynamo.variables.builtin": ("BuiltinVariable",),
    "torch._dynamo.variables.constant": ("ConstantVariable",),
    "torch._dynamo.variables.lazy": ("LazyVariableTracker",),
    "torch._dynamo.variables.tensor": (
        "FakeItemVariable",
        "NumpyNdarrayVariable",
        "SymNodeVariable",
        "TensorVariable",
        "UnspecializedPythonVariable",
    ),
    "torch._dynamo.variables.torch": ("TorchInGraphFunctionVariable",),
    "torch._subclasses.fake_tensor": ("FakeTensor",),
    "torch.fx.experimental.symbolic_shapes": ("free_unbacked_symbols",),
}


@functools.cache
def dynamo() -> Any:
    """The names that tracing numbers takes, or None where this torch lacks one."""
    try:
        found = {
            name: getattr(importlib.import_module(module), name)
            for module, names in _DYNAMO.items()
            for name in names
        }
    except (ImportError, AttributeError):
        return None
    return SimpleNamespace(**found)


def number_tracers() -> dict[str, tuple[Any, str]]:
    """Class and method with which Dynamo traces literals, operators, functions and methods.

    Empty where this torch lacks a name.
    """
    found = dynamo()
    if found is None:
        return {}
    methods = {
        "literals": (found.VariableBuilder, "_wrap"),
        "operators": (found.BuiltinVariable, "call_function"),
        "functions": (found.TorchInGraphFunctionVariable, "call_function"),
        "methods": (found.TensorVariable, "call_method"),
    }
    return methods if all(name in vars(owner) for owner, name in methods.values()) else {}


def traced_call(tx: Any, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Trace a call of `fn`; arguments are variables or constants."""
    build = functools.partial(_variable, tx)
    keywords = {name: build(value) for name, value in kwargs.items()}
    return build(fn).call_function(tx, [build(a) for a in args], keywords)


def traced_method(tx: Any, variable: Any, name: str, *args: Any, **kwargs: Any) -> Any:
    """Trace a call of a method of `variable`; arguments are variables or constants."""
    build = functools.partial(_variable, tx)
    keywords = {name: build(value) for name, value in kwargs.items()}
    return variable.call_method(tx, name, [build(a) for a in args], keywords)


def _variable(tx: Any, value: Any) -> Any:
    base = dynamo().VariableTracker
    return value if isinstance(value, base) else base.build(tx, value)


def traced_value(variable: Any) -> Any:
    """The fake tensor, or the subclass of tensors with such inside, that a variable stands for."""
    return variable.as_proxy().node.meta["example_value"]


def is_plain_tensor(variable: Any) -> bool:
    """True for a variable that stands for a tensor, and not for an array or a number in one."""
    found = dynamo()
    others = (found.NumpyNdarrayVariable, found.UnspecializedPythonVariable, found.FakeItemVariable)
    return isinstance(variable, found.TensorVariable) and not isinstance(variable, others)


def is_complex_tensor(variable: Any) -> bool:
    """True for a variable that stands for a tensor of a complex dtype."""
    return is_plain_tensor(variable) and bool(traced_value(variable).is_complex())


def realized(variable: Any, kind: type) -> Any:
    """The variable behind a lazy one that stands for a value of `kind` or is made already."""
    if type(variable) is not dynamo().LazyVariableTracker:
        return variable
    if variable.is_realized() or variable.peek_type() is kind:
        return variable.realize()
    return variable


def is_symbolic(variable: Any) -> bool:
    """True for an integer or a float that is a symbol of the graph."""
    return isinstance(variable, dynamo().SymNodeVariable)


def numeric_type(variable: Any) -> type | None:
    """Python's type of a variable that stands for a number, else None."""
    if not is_symbolic(variable) and not isinstance(variable, dynamo().ConstantVariable):
        return None
    kind = variable.python_type()
    return kind if kind in (bool, int, float, complex) else None


def is_data_decided(variable: Any) -> bool:
    """True for a symbol of the graph whose value only data decide."""
    return is_symbolic(variable) and bool(dynamo().free_unbacked_symbols(variable.sym_num))


def value_asked(variable: Any) -> Any:
    """The value of a number, with a guard on it where it is a symbol."""
    if is_symbolic(variable):
        return variable.evaluate_expr()
    return variable.as_python_constant()


def in_region(tx: Any) -> bool:
    """True inside a region that becomes a graph of its own, which has no inputs of its own."""
    return tx.output.current_tracer is not tx.output.root_tracer


def captures_numbers(tx: Any) -> bool:
    """True where Dynamo traces `.item()` instead of breaking the graph."""
    return bool(tx.one_graph or dynamo().config.capture_scalar_outputs)


def changes(tx: Any, source: Any, value: complex) -> bool:
    """Record the value of an argument, and say whether floats in its place would be inputs.

    They are where another value was seen before, or where nothing is assumed to be static.
    """
    found = dynamo()
    if tx.export or found.is_constant_source(source) or found.config.specialize_float:
        return False
    from torch._inductor import config

    entry = found.FrameStateSizeEntry.make_scalar(value)
    state = found.process_automatic_dynamic(tx, source.name, entry)
    static = found.config.assume_static_by_default and state.scalar is not found.auto_dynamic
    # Dynamo makes constants of floats under CUDA graphs.
    return not static and not config.triton.cudagraphs


def changing_part(tx: Any, source: Any, value: complex, name: str) -> Any:
    """Variable of one part of a complex argument: a float that is an input of the graph."""
    found = dynamo()
    part = found.AttrSource(source, name)
    changing = found.FrameStateSizeEntry.make_scalar(found.auto_dynamic)
    found.process_automatic_dynamic(tx, part.name, changing)
    return found.VariableBuilder(tx, part)(getattr(value, name)).realize()


def guard_type(source: Any) -> None:
    """Install a guard on the type of an argument."""
    found = dynamo()
    found.install_guard(source.make_guard(found.GuardBuilder.TYPE_MATCH))


def guarded_constant(source: Any, value: Any) -> Any:
    """The value of an argument, with a guard on it."""
    found = dynamo()
    found.install_guard(source.make_guard(found.GuardBuilder.CONSTANT_MATCH))
    return value


def untraced(function: Function) -> Function:
    """Let Dynamo compile neither a function nor what it calls, where eager code calls it.

    After a graph break Dynamo sees every Python frame, those inside torch's ops too.
    """
    from torch._C._dynamo import eval_frame

    skip = eval_frame._FrameAction.SKIP
    strategy = eval_frame._FrameExecStrategy(skip, skip)
    eval_frame.set_code_exec_strategy(function.__code__, strategy)
    return function


def break_graph(what: str, explanation: str, hint: str) -> Any:
    """Refuse to trace on."""
    dynamo().unimplemented(gb_type=what, context="", explanation=explanation, hints=[hint])


# --- What is compiled, and how ---


def inductor_backend() -> Callable[..., Any]:
    """The backend that `torch.compile` uses by default."""
    from torch._dynamo.backends.registry import lookup_backend

    return lookup_backend("inductor")


def uncompiled(fn: Callable[..., Any]) -> Callable[..., Any]:
    """What `torch.compile` was given, for a function or module that it returned; else `fn`."""
    original = getattr(fn, "_orig_mod", None) or getattr(fn, "_torchdynamo_orig_callable", None)
    return original if original is not None else fn


def inductor_options(mode: str | None, options: dict[str, Any] | None) -> dict[str, Any]:
    """Settings of Inductor that `torch.compile(mode=, options=)` stand for."""
    from torch._inductor import list_mode_options

    found: dict[str, Any] = dict(list_mode_options(mode)) if mode else {}
    return found | {name.replace("-", "_"): value for name, value in (options or {}).items()}


def select_decompositions() -> Decompositions:
    """The table that the compilation under way traces with."""
    from torch._inductor.decomposition import select_decomp_table

    return select_decomp_table()


def inductor_lowerings() -> dict[Any, Any]:
    """Inductor's table from ops to functions on its IR."""
    from torch._inductor.lowering import lowerings

    return lowerings


def library_call(kernel_class: Any, op: OpOverload, *args: Any) -> tuple[Any, ...]:
    """What Inductor knows of a call of a library kernel.

    An example of the result, arguments that are tensors, the others, the function that makes both
    into the op's arguments again, and symbols for sizes that data decide.
    """
    call = kernel_class.process_kernel(op, *args)
    if isinstance(call, tuple):  # up to torch 2.13
        return call
    tensors, others = call.tensor_args, call.non_tensor_args
    return call.example_output, tensors, others, call.unflatten_args, call.unbacked_bindings


# --- Passes and the split into forward and backward ---


def graph_pass_base() -> type:
    """Base class of graph passes that take part in Inductor's cache keys."""
    from torch._inductor.custom_graph_pass import CustomGraphPass

    return CustomGraphPass


def get_joint_passes() -> Any:
    """Whatever is in the slot before the joint graph's own passes: None, a pass, or a list."""
    from torch._inductor import config

    return config.joint_custom_pre_pass


def set_joint_passes(value: Any) -> None:
    """Fill the slot read by `get_joint_passes`."""
    from torch._inductor import config

    config.joint_custom_pre_pass = value


def partitioner_base() -> type:
    """Base class of functions that split joint graphs and take part in Inductor's cache keys."""
    from torch._inductor.custom_graph_pass import CustomPartitionerFn

    return CustomPartitionerFn


def get_partitioner() -> Any:
    """What splits joint graphs in place of Inductor's own choice; None: nothing does."""
    from torch._inductor import config

    return config.custom_partitioner_fn


def set_partitioner(value: Any) -> None:
    """Fill the slot read by `get_partitioner`."""
    from torch._inductor import config

    config.custom_partitioner_fn = value


def stock_partitioner() -> Callable[..., tuple[fx.GraphModule, fx.GraphModule]]:
    """What splits joint graphs where `get_partitioner` is None."""
    from functorch.compile import min_cut_rematerialization_partition

    return min_cut_rematerialization_partition  # type: ignore[no-any-return]


def is_recomputable(op: Any) -> bool:
    """Whether the partitioner may have the backward compute an op again."""
    from torch._functorch import partitioners

    packet = getattr(op, "overloadpacket", op)
    return packet in partitioners.get_default_op_list().recomputable_ops


def saves_by_budget(graph: fx.Graph) -> bool:
    """Whether the partitioner runs nodes to choose what fits into a given share of memory."""
    from torch._functorch import config

    annotations = ("memory_budget", "custom")
    return bool(config.activation_memory_budget != 1) or any(
        key in node.meta for node in graph.nodes for key in annotations
    )


def without_duplicates(graph: fx.Graph) -> fx.Graph:
    """The graph with equal nodes merged, as the partitioner begins."""
    from torch._functorch import config
    from torch._functorch.compile_utils import fx_graph_cse

    return fx_graph_cse(graph) if config.cse else graph


def takes_list_of_passes() -> bool:
    """True from torch 2.13 on, where the slot takes a list."""
    from torch._inductor import custom_graph_pass

    return hasattr(custom_graph_pass, "get_custom_graph_passes")


# --- Inputs that share memory ---


def views_of_shared_inputs() -> tuple[Any, str]:
    """Where AOTAutograd makes views of the memory that several inputs share."""
    from torch._functorch._aot_autograd import runtime_wrappers

    return runtime_wrappers, "gen_alias_from_base"


def merge_of_shared_inputs() -> tuple[Any, str]:
    """Where AOTAutograd describes results once inputs that share memory are one, their base."""
    from torch._functorch._aot_autograd import runtime_wrappers

    return runtime_wrappers, "create_synthetic_base_metadata"


def where_inputs_are_merged() -> tuple[Any, str]:
    """Where AOTAutograd looks for inputs that share memory, and makes one of them."""
    from torch._functorch._aot_autograd import runtime_wrappers

    return runtime_wrappers, "merge_view_inputs"


def cannot_merge(reason: str) -> Exception:
    """An error of a backend that makes Dynamo break the graph, or raise with `fullgraph=True`."""
    from torch._subclasses.fake_tensor import UnsupportedMutationAliasingException

    return UnsupportedMutationAliasingException(reason)


def name_of_input(config: Any, index: int) -> str:
    """What a compiled function calls an input of its graph."""
    sources = config.aot_autograd_arg_pos_to_source or []
    source = sources[index] if index < len(sources) else None
    return getattr(source, "local_name", f"input {index}")


def is_of_input(info: Any) -> bool:
    """True for a result that is an input or a view of one."""
    from torch._functorch._aot_autograd.schemas import OutputType

    return info.output_type in (OutputType.alias_of_input, OutputType.is_input)


def is_input(info: Any) -> bool:
    """True for a result that is an input itself."""
    from torch._functorch._aot_autograd.schemas import OutputType

    return bool(info.output_type is OutputType.is_input)


def after_views(base: Tensor, view: Tensor, sequence: Any) -> Any:
    """The views that lead from a base to one view of it, and then those of a sequence, if given.

    None where sizes are symbolic: torch replays no such views.
    """
    from torch._functorch._aot_autograd.functional_utils import ViewMetaSequence
    from torch._subclasses.functional_tensor import FunctionalTensor, FunctionalTensorMode

    with torch.no_grad(), FunctionalTensorMode():
        place = view.size(), view.stride(), view.storage_offset()
        tensor: Any = FunctionalTensor.to_functional(base).as_strided(*place)
        first = ViewMetaSequence(tensor.conj() if view.is_conj() else tensor)
    if any(step.has_symbolic_inputs for step in first.sequence):
        return None
    whole = copy.copy(sequence or first)
    whole.sequence = [*first.sequence, *(sequence.sequence if sequence else ())]
    return whole


# --- Warnings, rounding, locks ---


def quiet_complex_warning() -> tuple[Any, str, Callable[[], None]]:
    """Module, name and replacement that keep Inductor from warning of complex operators."""
    from torch._inductor import lowering

    return lowering, "_warn_complex_not_supported", lambda: None


def keeps_roundings() -> bool:
    """True from torch 2.13 on, where `emulate_precision_casts` keeps them in C++ code too."""
    from torch._inductor.fx_passes import joint_graph

    return hasattr(joint_graph, "_is_lossless_fp_widening_cast")


def round_every_op() -> dict[str, bool]:
    """Settings of Inductor that keep conversions to a narrow dtype and back."""
    # Before torch 2.13, one pattern of many takes a conversion and its inverse for nothing.
    patterns = {} if keeps_roundings() else {"pattern_matcher": False}
    return {"emulate_precision_casts": True, **patterns}


def rounds_every_op() -> bool:
    """True where Inductor rounds results to narrow dtypes between ops that it fuses."""
    from torch._inductor import config

    return bool(config.emulate_precision_casts)


def compile_lock() -> AbstractContextManager[Any]:
    """Wait for compilations by `torch.compile` in other threads, and have them wait."""
    from torch._dynamo.convert_frame import compile_lock

    return compile_lock


# --- Symbolic sizes, fake tensors and graphs ---


# Sizes that decide nothing but how Inductor weighs loops; all differ, since equal ones are one.
_EXAMPLE_SIZES = (1009, 1013, 1019, 1021, 1031, 1033, 1039, 1049)


def symbolic_sizes(count: int) -> tuple[FakeTensorMode, Sequence[Any]]:
    """A fake mode and so many sizes of its own, which stand for any of at least two."""
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.fx.experimental.symbolic_shapes import (
        DimDynamic,
        ShapeEnv,
        StatelessSymbolicContext,
    )

    fake_mode = FakeTensorMode(shape_env=ShapeEnv())
    example = torch.empty(_EXAMPLE_SIZES[:count], device="meta")
    context: Any = StatelessSymbolicContext(dynamic_sizes=[DimDynamic.DYNAMIC] * count)
    return fake_mode, fake_mode.from_tensor(example, symbolic_context=context).shape


def python_dispatcher() -> AbstractContextManager[Any]:
    """Let ops made of others, in C++, take symbolic sizes."""
    from torch._dispatch.python import enable_python_dispatcher

    return enable_python_dispatcher()


def has_guards(tensors: Sequence[Tensor]) -> bool:
    """True when what was done with fake tensors holds for some of their symbolic sizes only."""
    from torch._guards import detect_fake_mode

    mode = detect_fake_mode(tensors)
    return mode is not None and mode.shape_env is not None and bool(mode.shape_env.guards)


def compile_real_graph(
    graph_module: fx.GraphModule, inputs: Sequence[Tensor]
) -> Callable[[list[Tensor]], Sequence[Tensor]]:
    """Compile a decomposed graph of real ops with Inductor, without autograd and Dynamo.

    The result takes a list, which it empties, and checks nothing but strides.
    """
    from torch._guards import TracingContext, detect_fake_mode, tracing
    from torch._inductor import config
    from torch._inductor.compile_fx import compile_fx_inner

    with tracing(TracingContext(detect_fake_mode(inputs))), config.patch(cpp_wrapper=False):
        return compile_fx_inner(graph_module, inputs, is_inference=True)


def fake_mode_of(graph: fx.Graph) -> FakeTensorMode | None:
    """The fake mode of the tensors in a graph's metadata."""
    from torch._guards import detect_fake_mode

    return detect_fake_mode([n.meta["val"] for n in graph.nodes if "val" in n.meta])


def fake_tensors() -> AbstractContextManager[Any]:
    """Compute shapes, strides and dtypes only, inside the block."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    return FakeTensorMode(allow_non_fake_inputs=True)


def constant_of(node: fx.Node) -> Tensor | None:
    """The tensor that a `get_attr` node reads, when it is there and real data."""
    from torch._subclasses.fake_tensor import FakeTensor

    if node.op != "get_attr":
        return None
    owner: Any = node.graph.owning_module
    for name in str(node.target).split("."):
        owner = getattr(owner, name, None)
    return owner if isinstance(owner, Tensor) and not isinstance(owner, FakeTensor) else None


UNCHECKED = "saved_tensor_with_no_vc_check"
"""Metadata of a value that autograd keeps without asking for writes to it; these are saved last."""


def is_tangent(node: fx.Node) -> bool:
    """True for a placeholder that receives an incoming gradient."""
    name = str(node.target)
    # An effect token among the tangents is no tensor when the graph runs.
    return node.op == "placeholder" and name.startswith("tangents") and "token" not in name


def attribute_of_input(node: fx.Node) -> str | None:
    """Name of the attribute of a tensor subclass that a placeholder receives, or None."""
    from torch._functorch._aot_autograd.descriptors import SubclassGetAttrAOTInput

    described = node.meta.get("desc")
    return described.attr if isinstance(described, SubclassGetAttrAOTInput) else None


def is_of_backward(node: fx.Node) -> bool:
    """True for a node of a joint graph that only gradients need."""
    return node.meta.get("partitioner_tag") == "is_backward"


def is_dense(t: Tensor) -> bool:
    """True when `t` has no gaps and no overlap in memory."""
    from torch._prims_common import is_non_overlapping_and_dense_or_false

    return bool(is_non_overlapping_and_dense_or_false(t))


def overlaps(t: Tensor) -> bool:
    """True when elements of `t`, other than those of an expanded dimension, share memory.

    False where sizes or strides are not known.
    """
    dims = sorted((s, n) for s, n in zip(t.stride(), t.shape, strict=True) if _is_long(s, n))
    lengths = itertools.accumulate(((n - 1) * s for s, n in dims), initial=1)
    return any(s < length for (s, _), length in zip(dims, lengths, strict=False))


def _is_long(stride: Any, size: Any) -> bool:
    return isinstance(stride, int) and isinstance(size, int) and stride > 0 and size > 1


def is_never_more(a: int | torch.SymInt, b: int | torch.SymInt) -> bool:
    """True when a is known to be at most b, without a guard."""
    from torch.fx.experimental.symbolic_shapes import statically_known_true

    return statically_known_true(a <= b)


def same_sizes(a: Iterable[Any], b: Iterable[Any]) -> bool:
    """True when sizes are known to be equal, without a guard."""
    from torch.fx.experimental.symbolic_shapes import statically_known_true as known

    one, other = tuple(a), tuple(b)
    return len(one) == len(other) and all(known(m == n) for m, n in zip(one, other, strict=True))


def same_geometry(a: Tensor, b: Tensor, factor: int = 1) -> bool:
    """True when sizes are known to be equal, and strides of b `factor` times those of a.

    Makes no guard. The stride of a dimension of size one says nothing.
    """
    from torch.fx.experimental.symbolic_shapes import statically_known_true as known

    if not same_sizes(a.shape, b.shape):
        return False
    dims = [dim for dim in range(a.dim()) if not known(a.shape[dim] == 1)]
    return all(known(factor * a.stride(dim) == b.stride(dim)) for dim in dims)


def has_data_decided_size(t: Tensor) -> bool:
    """True when a size, a stride or the offset depends on data."""
    from torch.fx.experimental.symbolic_shapes import free_unbacked_symbols

    return bool(free_unbacked_symbols(t))


# Stands for a size that data decide, where sizes are compared: Inductor's own guess.
_UNKNOWN_SIZE = 8192


def hint(value: Any) -> int:
    """The size that a symbolic expression had when it was traced, as far as there was one."""
    if isinstance(value, int):
        return value
    from torch.fx.experimental import symbolic_shapes

    guess = getattr(symbolic_shapes, "optimization_hint", None)
    if guess is not None:
        return int(guess(value, fallback=_UNKNOWN_SIZE))
    return int(value.node.hint) if value.node.has_hint() else _UNKNOWN_SIZE


def stride_order(t: Tensor) -> list[int]:
    """Dimensions from the slowest to the fastest in memory; equal strides stay in order."""
    return sorted(range(t.dim()), key=lambda dim: -hint(t.stride(dim)))


def emit_expression(graph: fx.Graph, expr: Any, known: dict[Any, fx.Node]) -> Any:
    """Append nodes that compute a symbolic expression from nodes of its symbols."""
    from torch.fx.proxy import GraphAppendingTracer, Proxy
    from torch.utils._sympy.interp import sympy_interp
    from torch.utils._sympy.reference import PythonReferenceAnalysis

    tracer = GraphAppendingTracer(graph)
    symbols = {s: Proxy(known[s], tracer) for s in expr.free_symbols}
    result = sympy_interp(PythonReferenceAnalysis, symbols, expr)
    if not isinstance(result, Proxy):
        return result
    _value_of(result.node)
    return result.node


def _value_of(node: fx.Node) -> Any:
    """Give a node, and those it is made of, the value that other passes expect in metadata."""
    if "val" not in node.meta:
        args: Any = fx.map_arg(node.args, _value_of)  # type: ignore[arg-type]
        node.meta["val"] = node.target(*args)  # type: ignore[operator]
    return node.meta["val"]


def path_of_size(dim: int) -> tuple[Any, ...]:
    """How the metadata of a node names the size of its value in one dimension."""
    from torch.fx.experimental.symbolic_shapes import CallMethodKey

    return CallMethodKey("size"), pytree.SequenceKey(dim)


@contextmanager
def no_dispatch_modes() -> Iterator[None]:
    """Run without the dispatch modes that are active, as a graph pass must."""
    from torch.utils._python_dispatch import _disable_current_modes

    with _disable_current_modes():
        yield


# --- The machine, caches and profiles ---


def package_versions() -> Iterable[str]:
    """Versions that compiled code depends on."""
    return (torch.__version__,)


@contextmanager
def without_caches() -> Iterator[None]:
    """Compile inside the block as if for the first time."""
    import torch._functorch.config as functorch_config
    from torch._inductor import config

    off = {"fx_graph_cache": False, "fx_graph_remote_cache": False}
    with config.patch(off), functorch_config.patch(enable_autograd_cache=False):
        yield


def cpp_compiler() -> tuple[str | None, str | None]:
    """Path and version of the C++ compiler that Inductor calls; None where it finds none."""
    from torch._inductor import cpp_builder
    from torch._inductor.exc import InvalidCxxCompiler

    try:
        path = shutil.which(cpp_builder.get_cpp_compiler())
    except InvalidCxxCompiler:
        return None, None
    if path is None:
        return None, None
    lines = cpp_builder.get_compiler_version_info(path).split("_")
    versions = [line for line in lines if re.search(r"version \d", line)]
    return path, versions[-1].strip() if versions else None


def vector_code() -> str:
    """The vector instructions that Inductor generates code for, `none` without any."""
    from torch._inductor import cpu_vec_isa

    found = cpu_vec_isa.pick_vec_isa()
    return str(found) if found else "none"


def compiled_code_folder() -> str:
    """Folder in which Inductor keeps what it has compiled; it need not exist."""
    from torch._inductor.runtime.cache_dir_utils import default_cache_dir

    return os.environ.get("TORCHINDUCTOR_CACHE_DIR") or default_cache_dir()


def reuses_compiled_code() -> bool:
    """True when a later process finds what this one has compiled."""
    from torch._inductor import config

    return bool(config.fx_graph_cache)


def profiled_kernels() -> AbstractContextManager[Any]:
    """Compile inside the block so that the profiler sees each generated kernel by its name.

    On a GPU it does so anyway.
    """
    from torch._inductor import config

    return config.patch({"cpp.enable_kernel_profile": True})  # type: ignore[no-any-return]


def static_sizes() -> AbstractContextManager[Any]:
    """Compile inside the block as `torch.compile(..., dynamic=False)` does.

    That option sets and unsets these at each call, which takes as long as a fifth of it.
    """
    from torch._dynamo import config

    static = {"assume_static_by_default": True, "automatic_dynamic_shapes": False}
    return config.patch(static)  # type: ignore[no-any-return]


@contextmanager
def cache_folder(folder: Path) -> Iterator[None]:
    """Compile inside the block with all of torch's caches in `folder`, and none in memory.

    With an empty folder nothing is found that was compiled before; what is compiled stays there.
    """
    import torch._functorch.config as functorch_config
    from torch._inductor import config
    from torch._inductor.utils import clear_caches

    folders = {"TORCHINDUCTOR_CACHE_DIR": str(folder), "TRITON_CACHE_DIR": str(folder / "triton")}
    caches = {"fx_graph_cache": True, "fx_graph_remote_cache": False}
    clear_caches()
    try:
        with (
            patch.dict(os.environ, folders),
            config.patch(caches),
            functorch_config.patch(enable_autograd_cache=True),
        ):
            yield
    finally:
        clear_caches()


def function_modes() -> list[TorchFunctionMode]:
    """The modes that see calls of torch's functions, the innermost last."""
    return _get_current_function_mode_stack()  # type: ignore[no-any-return]


def set_function_modes(modes: list[TorchFunctionMode]) -> None:
    """Replace the modes that see calls of torch's functions."""
    for _ in function_modes():
        _pop_mode()
    for mode in modes:
        _push_mode(mode)


@functools.cache
def multiplies_bfloat16(device_type: str) -> bool:
    """True for a device that multiplies matrices of bfloat16 faster than those of float32."""
    if device_type != "cpu":
        return device_type in ("cuda", "xpu")
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


@contextmanager
def quiet_compiler() -> Iterator[None]:
    """Log nothing of what compilers remark; after the block, levels are torch's own."""
    logs: Any = torch._logging
    logs.set_logs(all=logging.CRITICAL)
    try:
        yield
    finally:
        logs.set_logs()


def complex_wrapper() -> AbstractContextManager[Any]:
    """Compile inside the block with complex inputs wrapped in the subclass inside torch.

    Raises AttributeError where torch lacks the setting.
    """
    import torch._functorch.config as config

    return config.patch(enable_complex_wrapper=True)


# --- Counting and interpreting, for tests and benchmarks ---


# A call of a generated kernel, in the Python code that runs a graph.
_KERNEL_CALL = re.compile(r"^\s+(?:\w+ = )?(?:cpp|triton)_\w+?_\d+(?:\.run)?\(", re.MULTILINE)


class KernelCount:
    """Calls of generated kernels, and calls of complex kernels by op."""

    def __init__(self) -> None:
        self.kernels = 0
        self.fallbacks: Counter[str] = Counter()


@contextmanager
def counted_kernels(caches: bool = False) -> Iterator[KernelCount]:
    """Count what Inductor generates inside the block, with its `caches` on or off."""
    from torch._inductor import ir
    from torch._inductor.graph import GraphLowering

    count = KernelCount()
    kernel_class: Any = ir.FallbackKernel
    stock = kernel_class.create.__func__
    lowering: Any = GraphLowering

    def note(code: str) -> None:
        count.kernels += len(_KERNEL_CALL.findall(code))

    def create(cls: type, kernel: Any, *args: Any, **kwargs: Any) -> Any:
        result = stock(cls, kernel, *args, **kwargs)
        touched = pytree.tree_leaves((args, kwargs, result))
        dtypes = [getattr(x, "dtype", None) for x in touched if isinstance(x, ir.IRNode)]
        is_complex = any(isinstance(d, torch.dtype) and d.is_complex for d in dtypes)
        if is_complex and not returns_view(kernel):
            count.fallbacks[str(kernel)] += 1
        return result

    kernel_class.create = classmethod(create)
    stock_note, lowering.save_output_code = lowering.save_output_code, staticmethod(note)
    try:
        with nullcontext() if caches else without_caches():
            yield count
    finally:
        kernel_class.create = classmethod(stock)
        lowering.save_output_code = staticmethod(stock_note)


def interpret_with_aot(
    gm: fx.GraphModule,
    example_inputs: Any,
    rewrite: Callable[[fx.Graph], Any],
    decompositions: Mapping[Any, Callable[..., Any]] | None = None,
) -> Callable[..., Any]:
    """Compile as Inductor would, `rewrite` in place of its passes, and run the graphs as they are.

    The graph is rewritten where Inductor's joint-graph passes run: the inference graph as it is,
    the joint graph before it is partitioned. Without `decompositions`, those of Inductor are taken.
    """
    from functorch.compile import make_boxed_func, min_cut_rematerialization_partition
    from torch._functorch.aot_autograd import aot_module_simplified

    trace: Any = aot_module_simplified

    def run(graph_module: fx.GraphModule, inputs: Any) -> Any:
        return make_boxed_func(graph_module.forward)

    def infer(graph_module: fx.GraphModule, inputs: Any) -> Any:
        rewrite(graph_module.graph)
        graph_module.recompile()
        return run(graph_module, inputs)

    def partition(joint: fx.GraphModule, inputs: Any, **options: Any) -> Any:
        rewrite(joint.graph)
        joint.recompile()
        return min_cut_rematerialization_partition(joint, inputs, **options)

    return trace(  # type: ignore[no-any-return]
        gm,
        example_inputs,
        fw_compiler=run,
        bw_compiler=run,
        inference_compiler=infer,
        partition_fn=partition,
        decompositions=select_decompositions() if decompositions is None else decompositions,
        keep_inference_input_mutations=True,
    )
