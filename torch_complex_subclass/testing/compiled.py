"""Runs entries of torch's op database through the rewritten graph and compares with eager."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch._dynamo.exc import BackendCompilerFailed, InternalTorchDynamoError, Unsupported
from torch.testing._internal.opinfo.core import OpInfo, SampleInput
from torch.utils import _pytree as pytree

from torch_complex_subclass import report, routes
from torch_complex_subclass.testing import opinfo
from torch_complex_subclass.testing.compare import duplicate
from torch_complex_subclass.testing.interpret import interpreted

Backend = Callable[..., Any] | str

# What Dynamo, AOTAutograd and the assertions they put into a graph raise.
REFUSALS = (BackendCompilerFailed, InternalTorchDynamoError, RuntimeError, Unsupported)


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


@dataclass
class Outcome:
    """What checking some samples of an entry showed, besides that values are right."""

    refused: int = 0
    """Samples that Dynamo refuses, with and without the pass."""
    kept: dict[str, str] = field(default_factory=dict)
    """Ops that keep their complex kernel, with the reason; chosen library products aside."""


def check(op: OpInfo, samples: Iterable[SampleInput], backend: Backend = interpreted) -> Outcome:
    """Compare samples with eager.

    Raises AssertionError for other values than eager's, and what compiling raises for a sample
    that stock torch compiles.
    """
    outcome = Outcome()
    for sample in samples:
        want = run(op, sample)
        torch._dynamo.reset()
        try:
            with report.collected() as reports:
                got = run(op, sample, backend)
        except REFUSALS:
            if not is_refused(op, [sample]):
                raise
            outcome.refused += 1
            continue
        opinfo.assert_no_further(got, want, partial(run, op, sample, copy=_wide_copy))
        outcome.kept |= _kept(reports)
    return outcome


def _kept(reports: Iterable[report.Report]) -> dict[str, str]:
    entries = (entry for found in reports for entry in found.entries)
    return {
        entry.op: entry.reason
        for entry in entries
        if entry.how != "fused" and entry.reason != routes.REASON
    }


def is_refused(op: OpInfo, samples: Iterable[SampleInput]) -> bool:
    """True when stock torch refuses to compile one of the samples."""
    for sample in samples:
        torch._dynamo.reset()
        try:
            run(op, sample, "aot_eager")
        except REFUSALS:
            return True
    return False
