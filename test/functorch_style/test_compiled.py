"""Every complex entry of torch's op database, compiled, against eager.

The graph is rewritten as for Inductor and interpreted: this checks the rules and the pass. Code
generation is checked in tests/. `make test` takes the first and the last sample of each entry,
`make test-full` all of them, in each dtype.
"""

import pytest
import torch
from torch.testing._internal.common_device_type import instantiate_device_type_tests, ops
from torch.testing._internal.common_utils import TestCase, run_tests

from torch_complex_subclass.testing import compiled, entries, fallbacks, opinfo

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

DTYPES = (torch.complex64, torch.complex128)

REFUSED_FOR_REAL = [
    op
    for op in entries.OPS
    if opinfo.full_name(op) in set(entries.REFUSED) - entries.REFUSED_COMPLEX_ONLY
]


EVERYWHERE_REFUSED = entries.REFUSED | entries.REFUSED_SAMPLES

LISTED = fallbacks.read()


def check(op, samples, refused):
    """Right wherever stock compiles the sample; entries with one that it does not are listed."""
    outcome = compiled.check(op, samples)
    assert bool(outcome.refused) == (opinfo.full_name(op) in refused)
    return outcome


def check_few(op, dtype, direction):
    """Check the first and the last sample, and the row of docs/fallbacks.md."""
    samples = opinfo.ends(op, dtype, requires_grad=direction == "backward")
    outcome = check(op, samples, entries.REFUSED)
    if outcome.refused:
        return  # the page leaves these entries out
    listed = LISTED.get((opinfo.full_name(op), direction), set())
    assert set(outcome.kept) == listed, f"run `{fallbacks.COMMAND}` and see what has changed"


class TestCompiled(TestCase):
    @ops(entries.OPS, allowed_dtypes=(torch.complex64,))
    def test_forward(self, device, dtype, op):
        check_few(op, dtype, "forward")

    @ops(entries.DIFFERENTIABLE, allowed_dtypes=(torch.complex128,))
    def test_gradient(self, device, dtype, op):
        check_few(op, dtype, "backward")

    @ops(REFUSED_FOR_REAL, dtypes=(torch.float32,))
    def test_real_tensors_are_refused_too(self, device, dtype, op):
        assert compiled.is_refused(op, op.sample_inputs("cpu", dtype, False))


class TestEverySample(TestCase):
    @pytest.mark.slow
    @pytest.mark.timeout(3600)
    @ops(entries.OPS, allowed_dtypes=(*DTYPES, torch.complex32))
    def test_forward(self, device, dtype, op):
        check(op, op.sample_inputs("cpu", dtype, False), EVERYWHERE_REFUSED)

    @pytest.mark.slow
    @pytest.mark.timeout(3600)
    @ops(entries.DIFFERENTIABLE, allowed_dtypes=DTYPES)
    def test_gradient(self, device, dtype, op):
        check(op, op.sample_inputs("cpu", dtype, True), EVERYWHERE_REFUSED)


instantiate_device_type_tests(TestCompiled, globals(), only_for="cpu")
instantiate_device_type_tests(TestEverySample, globals(), only_for="cpu")

if __name__ == "__main__":
    run_tests()
