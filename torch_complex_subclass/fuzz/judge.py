"""Failures that torch itself has: not counted against compiled code, but told."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.fuzz import check
from torch_complex_subclass.fuzz.check import Failure
from torch_complex_subclass.fuzz.compare import Wrong, strides_that_matter
from torch_complex_subclass.fuzz.make import make
from torch_complex_subclass.fuzz.observe import Compiler, namespace
from torch_complex_subclass.fuzz.program import Runnable

STOCK = "torch.compile(backend='aot_eager') fails alike"
TRACED = "AOTAutograd without decompositions fails alike"
DECOMPOSED = "stock Inductor's decompositions, without this package, fail alike"
PARTLY = "stock Inductor's decompositions, without those that raise, fail alike"
MENDED = "AOTAutograd, wrong there alone, fails alike with this package's mends of it and no rules"
FAKE = "torch's own trace has it so, other than its kernel"

# Dynamo has a part in a failure only where it had one in what failed.
_BOTH = [(DECOMPOSED, check.decomposed), (PARTLY, check.partly_decomposed)]
_WITNESSES: dict[str, list[tuple[str, Compiler]]] = {
    "rewritten": [(TRACED, check.traced), *_BOTH],
    "inductor": [(STOCK, check.stock), *_BOTH],
}


def torch_is_at_fault(program: Runnable, failures: Iterable[Failure], backend: str) -> str:
    """Say why all failures of a program are torch's own; an empty text when one is not.

    Torch without this package has to fail in the same way on the same program: with the same
    strides, bits or wrong numbers in the same tensor, or with an error of the same type in the same
    line (with the same text, where no line is known). What this package mends in AOTAutograd may be
    mended there too, where torch alone has the same tensor wrong.
    """
    left, reasons = list(failures), []
    if any(_traced_otherwise(program, failure) for failure in left):
        left = [failure for failure in left if not _traced_otherwise(program, failure)]
        reasons.append(FAKE)
    for reason, compiler in _WITNESSES[backend]:
        if not left:
            break
        theirs = list(check.failures(program, compiler))
        unlike = [f for f in left if not any(same_failure(f, other) for other in theirs)]
        if len(unlike) < len(left):
            left = unlike
            reasons.append(reason)
    if left:
        unlike = _unlike_mended(program, left)
        reasons += [MENDED] if len(unlike) < len(left) else []
        left = unlike
    return "; ".join(reasons) if not left else ""


def same_failure(ours: Failure, theirs: Failure) -> bool:
    """True when both show the same wrong thing in the same place."""
    if (ours.kind, ours.where, ours.index) != (theirs.kind, theirs.where, theirs.index):
        return False
    if isinstance(ours.got, Wrong) and isinstance(theirs.got, Wrong):
        return ours.got.like(theirs.got)
    return bool(ours.got == theirs.got)


def _unlike_mended(program: Runnable, left: list[Failure]) -> list[Failure]:
    """The failures that torch alone, or torch with its tracing put right, does not have.

    With one defect of torch's mended, what another does no longer looks alike. What torch alone has
    right stays a failure, so that a mend that breaks something has no excuse.
    """
    alone = {(other.where, other.index) for other in check.failures(program, check.traced)}
    mended = list(check.failures(program, check.mended))
    return [
        failure
        for failure in left
        if (failure.where, failure.index) not in alone
        or not any(same_failure(failure, other) for other in mended)
    ]


def _traced_otherwise(program: Runnable, failure: Failure) -> bool:
    """True when a run that only computes shapes, as a trace does, has what ours has."""
    if failure.kind not in ("strides", "conj bit"):
        return False
    space: dict[str, Any] = namespace()
    exec(program.source(), space)
    inputs = space["inputs"](make)
    with compat.fake_tensors() as mode, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        arguments = [mode.from_tensor(value) for value in inputs]
        results = list(space["program"](*arguments))
    fake = {"results": results, "arguments": arguments}[failure.where][failure.index]
    if failure.kind == "conj bit":
        return bool(fake.is_conj() == failure.got)
    return bool(strides_that_matter(fake.stride(), fake.shape) == failure.got)
