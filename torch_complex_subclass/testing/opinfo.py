"""Runs torch's own op database on a complex tensor subclass.

Helpers live here and not beside the tests, which cannot import each other. The environment
variable `TCS_IMPLEMENTATION` picks the subclass under test: `ours` (default), or `upstream` for
the one inside torch.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.opinfo.core import OpInfo, SampleInput
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from torch_complex_subclass import ComplexTensor, dispatch, torch_compat

MAX_SAMPLES = 12

# Entries of the database that no CPU runs.
GPU_ONLY = {
    "jiterator_2inputs_2outputs": "runs on GPUs only",
    "jiterator_4inputs_with_extra_args": "runs on GPUs only",
    "jiterator_binary": "runs on GPUs only",
    "jiterator_binary_return_by_ref": "runs on GPUs only",
    "jiterator_unary": "runs on GPUs only",
}

# Eager leaves the values undefined: only shape and dtype can be compared.
UNDEFINED_VALUES = {
    "empty",
    "empty_like",
    "empty_permuted",
    "empty_strided",
    "new_empty",
    "new_empty_strided",
}

# Singular vectors of a rank-deficient sample are decided by rounding: no two products agree.
DOUBLE_ONLY = {"pca_lowrank", "svd_lowrank"}

# A result may be this much further from the complex128 reference than eager's is, and a few
# rounding steps more: the order of additions in a product differs.
FURTHER = 4.0
ROUNDING_STEPS = 16


@dataclass(frozen=True)
class Implementation:
    """A complex tensor subclass: its class, and differentiable ways in and out."""

    cls: type
    wrap: Callable[[Tensor], Tensor]
    unwrap: Callable[[Any], Tensor]


def implementation() -> Implementation:
    """Return the subclass that `TCS_IMPLEMENTATION` names.

    Raises ValueError for a name that is neither `ours` nor `upstream`.
    """
    name = os.environ.get("TCS_IMPLEMENTATION", "ours")
    if name == "ours":
        return Implementation(ComplexTensor, ComplexTensor.from_complex, ComplexTensor.to_complex)
    if name == "upstream":
        upstream = torch_compat.upstream_complex_tensor()
        # Its own as_interleaved cuts the graph.
        return Implementation(
            upstream,
            upstream.from_interleaved,
            lambda z: torch.view_as_complex(torch.view_as_real(z)),
        )
    raise ValueError(f"TCS_IMPLEMENTATION must be ours or upstream, got {name!r}")


def wrap(tree: Any) -> Any:
    """Replace plain complex tensors in a tree by the subclass."""
    impl = implementation()

    def one(value: Any) -> Any:
        plain = isinstance(value, Tensor) and not isinstance(value, impl.cls)
        return impl.wrap(value) if plain and value.is_complex() else value

    return pytree.tree_map(one, tree)


def unwrap(tree: Any) -> Any:
    """Replace the subclass in a tree by plain complex tensors."""
    impl = implementation()
    return pytree.tree_map(lambda v: impl.unwrap(v) if isinstance(v, impl.cls) else v, tree)


class RecordOps(TorchDispatchMode):
    """Collects the overloads that are called on tensors of class `cls`."""

    def __init__(self, cls: type) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.cls = cls
        self.ops: set[OpOverload] = set()

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if self.cls in types:
            self.ops.add(func)
        return func(*args, **(kwargs or {}))


def full_name(op: OpInfo) -> str:
    """Name with variant, `linalg.pinv.singular`."""
    return op.name + (f".{op.variant_test_name}" if op.variant_test_name else "")


def samples(
    op: OpInfo, dtype: torch.dtype, requires_grad: bool = False, count: int = MAX_SAMPLES
) -> Iterator[SampleInput]:
    """Return the first `count` samples of an op on the CPU."""
    found = op.sample_inputs("cpu", dtype, requires_grad)
    return itertools.islice(found, count)


def ends(op: OpInfo, dtype: torch.dtype, requires_grad: bool = False) -> list[SampleInput]:
    """First and last of an op's first samples."""
    found = list(samples(op, dtype, requires_grad))
    return found[:1] + found[1:][-1:]


def call(op: OpInfo, sample: SampleInput, convert: Callable[[Any], Any]) -> Any:
    """Call the op on a converted sample."""
    args, kwargs = convert(sample.args), convert(sample.kwargs)
    return op(convert(sample.input), *args, **kwargs)


def complex_ops(names_without_a_case: Iterable[str] = ()) -> list[OpInfo]:
    """Return the op database's entries for complex64, less those named.

    Raises ValueError when a name is not in the database, so that such lists cannot rot.
    """
    without = set(names_without_a_case)
    check_names(without)
    return [op for op in op_db if torch.complex64 in op.dtypes and full_name(op) not in without]


def check_names(names: Iterable[str]) -> None:
    """Raise ValueError for a name that no entry for complex64 has."""
    known = {full_name(op) for op in op_db if torch.complex64 in op.dtypes}
    unknown = sorted(set(names) - known)
    if unknown:
        raise ValueError(f"no such complex op in the op database: {', '.join(unknown)}")


def overloads_of(op: OpInfo, dtype: torch.dtype = torch.complex64) -> set[OpOverload]:
    """Return the overloads with a rule that samples of an op call, forward and backward."""
    grad = op.supports_autograd
    with RecordOps(implementation().cls) as record:
        for sample in samples(op, dtype, requires_grad=grad):
            gradients(op, sample, wrap)
    return {f for f in record.ops if dispatch.has_function(dispatch.lookup(f))}


def _leaves(tree: Any) -> list[Tensor]:
    found = pytree.tree_leaves(tree)
    return [t for t in found if isinstance(t, Tensor) and t.requires_grad]


def gradients(op: OpInfo, sample: SampleInput, convert: Callable[[Any], Any]) -> list[Any]:
    """Gradients of a sample's leaves for fixed gradients of all results.

    None stands for a leaf without a gradient; the list is empty when no result has one.
    """
    output = sample.output_process_fn_grad(call(op, sample, convert))
    results = _leaves(unwrap(output))
    leaves = _leaves((sample.input, sample.args, sample.kwargs))
    if not results or not leaves:
        return []
    generator = torch.Generator().manual_seed(0)
    seeds = [torch.randn(t.shape, dtype=t.dtype, generator=generator) for t in results]
    return list(torch.autograd.grad(results, leaves, seeds, allow_unused=True))


def widen(tree: Any) -> Any:
    """Replace tensors and dtypes by those of twice the width, where there are such."""
    wide = {
        torch.complex32: torch.complex64,
        torch.complex64: torch.complex128,
        torch.float16: torch.float32,
        torch.float32: torch.float64,
    }

    def one(value: Any) -> Any:
        if isinstance(value, Tensor):
            return value.detach().to(wide.get(value.dtype, value.dtype))
        return wide.get(value, value) if isinstance(value, torch.dtype) else value

    return pytree.tree_map(one, tree)


def widest(dtype: torch.dtype) -> torch.dtype:
    """The double-precision dtype of a floating-point or complex one."""
    return torch.complex128 if dtype.is_complex else torch.float64


def assert_no_further(got: Any, eager: Any, reference: Callable[[], Any]) -> None:
    """Compare trees of tensors with eager's, and where they differ with a wide reference.

    A difference that `torch.testing.assert_close` reports is accepted only where `got` is not
    further from the reference than eager is, but for a small factor and some rounding.
    """
    try:
        torch.testing.assert_close(got, eager, equal_nan=True)
    except AssertionError:
        pairs = zip(*map(pytree.tree_leaves, (got, eager, reference())), strict=True)
        if not all(_no_further(*pair) for pair in pairs):
            raise


def _no_further(got: Any, eager: Any, exact: Any) -> bool:
    if not isinstance(got, Tensor):
        return bool(got == eager)
    if (got.shape, got.dtype) != (eager.shape, eager.dtype) or not exact.isfinite().all():
        return False
    if got.numel() == 0:
        return True
    ours, theirs = ((t.to(exact.dtype) - exact).abs().max() for t in (got, eager))
    size = exact.abs().max() * torch.finfo(got.dtype).eps
    # Where eager is not finite it allows nothing: the gradient of renorm has NaN in complex64.
    allowed = FURTHER * theirs if theirs.isfinite() else 0
    return bool(ours <= allowed + ROUNDING_STEPS * size)
