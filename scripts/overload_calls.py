"""Calls of aten overloads to try: taken from the op database, from sibling forms, or made up."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from overload_special import special_calls
from torch import Tensor
from torch._ops import OpOverload
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.opinfo.core import OpInfo
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from torch_complex_subclass.dtypes import REAL_OF, real_dtype
from torch_complex_subclass.inplace import bind
from torch_complex_subclass.torch_compat import overloads_of_aten

# A call is a dictionary from the names of an overload's arguments to their values.
Call = dict[str, Any]

SAMPLES = 4
KEPT = 3
MAX_ELEMENTS = 4096
REAL_DTYPES = (torch.float32, torch.int64, torch.bool)


def tensors(tree: Any) -> list[Tensor]:
    return [x for x in pytree.tree_leaves(tree) if isinstance(x, Tensor)]


def is_complex(tree: Any) -> bool:
    """True when a tree holds a complex tensor, number or dtype."""
    leaves = pytree.tree_leaves(tree)
    if any(isinstance(x, complex) for x in leaves):
        return True
    dtypes = [x.dtype if isinstance(x, Tensor) else x for x in leaves]
    return any(isinstance(d, torch.dtype) and d.is_complex for d in dtypes)


def copied(call: Call) -> Call:
    """The call on copies that autograd may save, without graph."""
    with torch.inference_mode(False):
        return pytree.tree_map_only(Tensor, lambda t: t.detach().clone(), call)


class RecordCalls(TorchDispatchMode):
    """Keeps the first small calls of every overload, composite ones included."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: dict[OpOverload, list[Call]] = {}

    def __torch_dispatch__(
        self, func: OpOverload, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if func.namespace == "aten":
            self.keep(func, bind(func, args, kwargs))
        with self:
            # Where autograd is off, ops that are made of others arrive here as they are.
            result = func.decompose(*args, **kwargs)
        return func(*args, **kwargs) if result is NotImplemented else result

    def keep(self, func: OpOverload, call: Call) -> None:
        sizes = [t.numel() if t.layout is torch.strided else 0 for t in tensors(call)]
        if sum(sizes) > MAX_ELEMENTS or (sizes and not min(sizes)):
            return
        found = self.calls.setdefault(func, [])
        if sum(is_complex(c) == is_complex(call) for c in found) < KEPT:
            found.append(copied(call))


def _run(op: OpInfo, dtype: torch.dtype, requires_grad: bool) -> None:
    found = op.sample_inputs("cpu", dtype, requires_grad)
    for sample in itertools.islice(found, SAMPLES):
        output = op(sample.input, *sample.args, **sample.kwargs)
        if not requires_grad:
            continue
        results = [t for t in tensors(sample.output_process_fn_grad(output)) if t.requires_grad]
        if results:
            sums = [r.abs().sum() for r in results]
            torch.autograd.backward(sums)


def record_database() -> dict[OpOverload, list[Call]]:
    """Run samples of torch's op database, forward and backward, and return the calls they make."""
    with RecordCalls() as record:
        for op in op_db:
            if op.name.startswith("jiterator"):  # needs a GPU
                continue
            real = [d for d in REAL_DTYPES if d in op.dtypes][:1]
            for dtype in [*real, torch.complex64]:
                if dtype not in op.dtypes:
                    continue
                grad = op.supports_autograd and dtype in op.backward_dtypes
                _run_quietly(op, dtype, grad)
    for name, call in special_calls().items():
        packet, _, overload = name.partition(".")
        record.keep(getattr(getattr(torch.ops.aten, packet), overload), call)
    return record.calls


def _run_quietly(op: OpInfo, dtype: torch.dtype, grad: bool) -> None:
    # What a sample refuses is of no interest here; what it called until then is recorded.
    for requires_grad in [False, True] if grad else [False]:
        torch.manual_seed(0)
        try:
            with torch.inference_mode(not requires_grad):
                _run(op, dtype, requires_grad)
        except Exception:
            continue


# Forms that have no sample take the arguments of a form that has some.


OTHER_NAMES = {"clip": "clamp", "moveaxis": "movedim", "orgqr": "linalg_householder_product"}


def _packets(op: OpOverload) -> list[str]:
    name = op._schema.name.split("::")[1]
    bare = name.removesuffix("_").removesuffix("_copy").removesuffix("_functional")
    single = bare.removeprefix("_foreach_")
    forms = [name, bare, f"{bare}_", f"_{bare}", bare.lstrip("_"), single]
    return list(dict.fromkeys([*forms, *(OTHER_NAMES[f] for f in forms if f in OTHER_NAMES)]))


def _fits(op: OpOverload, call: Call) -> Call | None:
    """Arguments of a call that `op` has too, or None when one is missing."""
    arguments = [a for a in op._schema.arguments if not a.is_out]
    taken = {a.name: call[a.name] for a in arguments if a.name in call}
    for a in arguments:
        if a.name not in taken and not a.has_default_value():
            return None
        if "List[Tensor]" in str(a.type) and isinstance(taken.get(a.name), Tensor):
            taken[a.name] = [taken[a.name]] * 2
    return taken


def borrowed(op: OpOverload, calls: dict[OpOverload, list[Call]]) -> Iterator[Call]:
    """Calls of other forms of the op, with the arguments that this one takes."""
    for name in _packets(op):
        packet = getattr(torch.ops.aten, name, None)
        for overload in packet.overloads() if packet is not None else ():
            for call in calls.get(getattr(packet, overload), []):
                fitting = _fits(op, call)
                if fitting is not None:
                    yield fitting


# Arguments made up from the schema.

SHAPES = ((3, 3), (4,), (2, 3, 3), (1, 2, 4, 4), (1, 2, 4, 4, 4), (2, 4))
INTEGERS = {
    "dim": 0, "dim0": 0, "index": 0, "start": 0, "axis": 0, "dim1": -1, "dim2": -1, "dims": 0,
    "size": 3, "steps": 3, "n": 3, "m": 3, "bins": 3, "normalized_shape": 3, "end": 3, "high": 5,
    "kernel_size": 2, "normalization": 0, "C": 2, "HxW": 16,
}  # fmt: skip
WHOLE_SHAPE = ("input_size", "input_sizes", "self_sizes", "sizes")
CHOICES: dict[str, Any] = {"reduce": "sum", "indexing": "ij", "mode": "constant", "UPLO": "L"}
INDICES = ("batch_sizes", "index", "indices", "lengths", "offsets", "pivots", "repeats", "target")


def _tensor(name: str, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    if name in INDICES:
        return torch.zeros(shape, dtype=torch.int64)
    if name in ("mask", "condition"):
        return torch.ones(shape, dtype=torch.bool)
    return torch.randn(shape, dtype=dtype)


def _list(kind: str, name: str, shape: tuple[int, ...]) -> list[Any]:
    spatial = max(len(shape) - 2, 1)
    if name in WHOLE_SHAPE:
        return list(shape)
    if name == "output_size":
        return list(shape[2:]) or [2]
    if name in ("dim", "dims", "normalized_shape"):
        return [INTEGERS[name]]
    number: Any = {"List[bool]": True, "List[float]": 0.5}.get(kind, INTEGERS.get(name, 1))
    return [number] * (3 if name == "output_mask" else spatial if len(shape) > 3 else 2)


def _value(argument: Any, shape: tuple[int, ...], dtype: torch.dtype) -> Any:
    kind, name = str(argument.type), argument.name
    if kind.startswith("Optional"):
        return None
    if kind == "Tensor":
        return _tensor(name, shape, dtype)
    if kind.startswith("List") and "Tensor" in kind:
        return [_tensor(name, shape, dtype) for _ in range(2)]
    if kind.startswith("List"):
        return _list(kind, name, shape)
    if kind == "int":
        return INTEGERS.get(name, 1)
    plain = {"float": 0.5, "bool": False, "number": 1.5, "Device": torch.device("cpu")}
    return plain[kind] if kind in plain else CHOICES.get(name, "mean")


def _for_lists(call: Call, dtype: torch.dtype) -> Call:
    """Tensors that ops on lists take beside them: one number for all, or one for each."""
    small = {n: torch.randn((2,) if n == "scalars" else (), dtype=dtype) for n in call}
    other = {n: small[n] for n, v in call.items() if isinstance(v, Tensor)}
    if "state_steps" in call:
        other["state_steps"] = [torch.ones(()), torch.ones(())]
    return other | ({"max_exp_avg_sqs": []} if "max_exp_avg_sqs" in call else {})


def made_up(op: OpOverload) -> Iterator[Call]:
    """Calls on small tensors, complex and then real, with likely values for other arguments."""
    wanted = [a for a in op._schema.arguments if not (a.is_out or a.has_default_value())]
    for dtype in (torch.complex64, torch.float32, torch.int64):
        random = torch.complex64 if dtype.is_complex else torch.float32
        for shape in SHAPES:
            call = {a.name: _value(a, shape, random) for a in wanted}
            if op._schema.name.startswith("aten::_f"):
                call |= _for_lists(call, random)
            if dtype == torch.int64:
                call = {k: v.long() if isinstance(v, Tensor) else v for k, v in call.items()}
            if any(a.name == "dtype" for a in op._schema.arguments):
                yield call | {"dtype": dtype}
            if "dtype" not in call:
                yield call


# Complex variants of a call.


def with_complex(value: Any) -> Any:
    """The value with complex tensors for those of a floating-point dtype."""

    def convert(t: Tensor) -> Tensor:
        return t.to(torch.complex64) if t.is_floating_point() else t

    return pytree.tree_map_only(Tensor, convert, value)


def complex_variants(call: Call) -> Iterator[Call]:
    """The call with all operands complex, with one of the first three, and as it is."""
    if is_complex(call):
        yield call
    yield with_complex(call)
    dtype = call.get("dtype")
    if isinstance(dtype, torch.dtype) and not dtype.is_complex:
        yield call | {"dtype": torch.complex64}
    floating = [n for n, v in call.items() if any(t.is_floating_point() for t in tensors(v))]
    for name in floating[:3]:
        yield call | {name: with_complex(call[name])}
    if not floating and tensors(call):
        yield pytree.tree_map_only(Tensor, lambda t: t.to(torch.complex64), call)
    yield call  # the result alone can be complex


def of_width(call: Call, dtype: torch.dtype) -> Call:
    """The call in complex `dtype`, with real tensors and dtypes to match."""
    real = real_dtype(dtype)
    new = dict.fromkeys(REAL_OF, dtype) | {torch.float32: real, torch.float64: real}

    def one(value: Any) -> Any:
        if isinstance(value, Tensor):
            return value.to(new.get(value.dtype, value.dtype))
        return new.get(value, value) if isinstance(value, torch.dtype) else value

    return pytree.tree_map(one, call)


def aten_overloads() -> Iterable[OpOverload]:
    """Every aten overload that takes or returns a tensor, by name."""
    for op in overloads_of_aten():
        if any("Tensor" in str(a.type) for a in (*op._schema.arguments, *op._schema.returns)):
            yield op
