"""Runs entries of torch's op database through the rewritten graph and compares with eager."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch._dynamo.exc import InternalTorchDynamoError, Unsupported
from torch.testing._internal.opinfo.core import OpInfo, SampleInput
from torch.utils import _pytree as pytree

from torch_complex_subclass.testing import opinfo
from torch_complex_subclass.testing.compare import duplicate
from torch_complex_subclass.testing.interpret import interpreted

Backend = Callable[..., Any] | str

# What Dynamo and AOTAutograd raise for programs that they do not trace.
REFUSALS = (Unsupported, InternalTorchDynamoError)


def _leaves(tree: Any) -> list[Tensor]:
    found = pytree.tree_leaves(tree)
    return [t for t in found if isinstance(t, Tensor) and t.requires_grad]


def run(
    op: OpInfo,
    sample: SampleInput,
    backend: Backend | None = None,
    copy: Callable[[Any], Any] = duplicate,
) -> tuple[Any, list[Any]]:
    """Results, and gradients of the leaves that need them for fixed gradients of the results.

    `backend` None runs eager; `copy` makes the tensors that the op is called on.
    """

    def call(value: Any, args: Any, kwargs: Any) -> Any:
        return op.op(value, *args, **kwargs)

    fn = call if backend is None else torch.compile(call, fullgraph=True, backend=backend)
    copies = pytree.tree_map(copy, (sample.input, sample.args, sample.kwargs))
    torch.manual_seed(5)
    output = fn(*copies)
    leaves = _leaves(copies)
    results = _leaves(sample.output_process_fn_grad(output)) if leaves else []
    if not results:
        return output, []
    generator = torch.Generator().manual_seed(0)
    # Drawn in double precision, so that a wide reference is seeded with the same numbers.
    seeds = [
        torch.randn(t.shape, dtype=opinfo.widest(t.dtype), generator=generator).to(t.dtype)
        for t in results
    ]
    return output, list(torch.autograd.grad(results, leaves, seeds, allow_unused=True))


def _wide_copy(value: Any) -> Any:
    wide = opinfo.widen(value)
    return wide.requires_grad_(value.requires_grad) if isinstance(wide, Tensor) else wide


def check(op: OpInfo, sample: SampleInput) -> bool:
    """Compare one sample with eager; False when Dynamo refuses it with and without the pass.

    Raises AssertionError for other values than eager's, and what compiling raises when stock
    torch compiles the sample.
    """
    want = run(op, sample)
    torch._dynamo.reset()
    try:
        got = run(op, sample, interpreted)
    except REFUSALS:
        if _is_refused_by_stock(op, sample):
            return False
        raise
    opinfo.assert_no_further(got, want, lambda: run(op, sample, copy=_wide_copy))
    return True


def _is_refused_by_stock(op: OpInfo, sample: SampleInput) -> bool:
    torch._dynamo.reset()
    try:
        run(op, sample, "aot_eager")
    except REFUSALS:
        return True
    return False


def check_all(op: OpInfo, samples: Iterable[SampleInput]) -> int:
    """Check every sample; return how many Dynamo refuses."""
    return sum(not check(op, sample) for sample in samples)


def is_refused(op: OpInfo, samples: Iterable[SampleInput]) -> bool:
    """True when stock torch refuses to compile one of the samples."""
    return any(_is_refused_by_stock(op, sample) for sample in samples)
