"""Failures that torch itself has: not counted against compiled code, but told."""

from __future__ import annotations

import warnings
from typing import Any

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.fuzz import check
from torch_complex_subclass.fuzz.check import Failure
from torch_complex_subclass.fuzz.compare import strides_that_matter
from torch_complex_subclass.fuzz.make import make
from torch_complex_subclass.fuzz.observe import namespace, observe
from torch_complex_subclass.fuzz.program import Runnable

STOCK = "torch.compile(backend='aot_eager') fails alike"
DECOMPOSED = "stock Inductor's decompositions, without this package, fail alike"
FAKE = "torch's own trace has another one than its kernel gives"


def torch_is_at_fault(program: Runnable, failure: Failure) -> str:
    """Say why a failure is torch's own; an empty text when it is not.

    Stock torch has to fail in the same way on the same program: with the same kind of difference
    in the same kind of value, or with any error where ours has one.
    """
    if failure.kind in ("strides", "conj bit") and _traced_otherwise(program, failure):
        return FAKE
    if failure.alike(check.check(program, check.stock)):
        return STOCK
    return DECOMPOSED if failure.alike(check.check(program, check.decomposed)) else ""


def _traced_otherwise(program: Runnable, failure: Failure) -> bool:
    """True when a run that only computes shapes, as a trace does, differs from eager."""
    space: dict[str, Any] = namespace()
    exec(program.source(), space)
    with compat.fake_tensors(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        arguments = space["inputs"](make)
        results = list(space["program"](*arguments))
    fake = {"results": results, "arguments": arguments}[failure.where][failure.index]
    real = getattr(observe(program), failure.where)[failure.index]
    if failure.kind == "conj bit":
        return bool(fake.is_conj() != real.conj)
    got, want = (strides_that_matter(s, real.value.shape) for s in (fake.stride(), real.strides))
    return got != want
