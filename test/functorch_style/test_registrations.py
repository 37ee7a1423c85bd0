"""Each rule that computes is called by some sample of torch's op database, or says why not."""

import pytest
import torch

from torch_complex_subclass import dispatch
from torch_complex_subclass.decompositions.registry import TABLE
from torch_complex_subclass.testing import opinfo

aten = torch.ops.aten
prims = torch.ops.prims

NO_COMPLEX_ENTRY = "the op database has no complex entry for it; test_coverage_gaps.py calls it"
EXPECTED_MISSES: dict[object, str] = {}


@pytest.fixture(scope="module")
def called():
    """Overloads with a rule that the forward samples call."""
    found = set()
    with pytest.warns(UserWarning), torch.no_grad():
        for op in opinfo.complex_ops(opinfo.GPU_ONLY | opinfo.NOT_STRIDED):
            found |= opinfo.overloads_of(op)
    return found


def test_every_rule_is_exercised(called):
    missed = {op for op, rule in TABLE.items() if dispatch.has_function(rule)} - called
    unexplained = sorted(str(op) for op in missed - set(EXPECTED_MISSES))
    assert not unexplained, f"add a case or a reason to EXPECTED_MISSES: {unexplained}"
    stale = sorted(str(op) for op in set(EXPECTED_MISSES) - missed)
    assert not stale, f"these are exercised now; remove them from EXPECTED_MISSES: {stale}"
