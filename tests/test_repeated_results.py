"""Results that are one value: which of them are one tensor, and which need a gradient."""

import pytest
import torch

from torch_complex_subclass.testing.interpret import interpreted


def of_a_sum(z):
    w = z + 1
    return w.squeeze(0), w.angle(), w.detach()


def of_a_product(z):
    w = z @ z
    return w.detach(), w.view(4), w


def of_a_conjugate(z):
    """`vdot` gives its result the conj bit."""
    w = torch.vdot(z[0], z[1].conj())
    return w, w.detach()


CASES = {
    "a sum": (of_a_sum, (1, 2)),
    "a product": (of_a_product, (2, 2)),
    "a conjugate": (of_a_conjugate, (2, 2)),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("backend", [interpreted, "inductor_complex"])
def test_gradient_beside_a_detached_result(name, backend):
    fn, shape = CASES[name]
    z = torch.randn(shape, dtype=torch.complex64, requires_grad=True)
    want, got = fn(z), torch.compile(fn, backend=backend, fullgraph=True)(z)
    torch.testing.assert_close(got, want)
    assert [t.requires_grad for t in got] == [t.requires_grad for t in want]
    gradients = [
        torch.autograd.grad([(t.abs() ** 2).sum() for t in found if t.requires_grad], z)
        for found in (got, want)
    ]
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("backend", [interpreted, "inductor_complex"])
def test_each_is_a_tensor_of_its_own(backend):
    def fn(z):
        w = (z + 1) * 2j
        return w, w.detach()

    one, other = torch.compile(fn, backend=backend, fullgraph=True)(torch.randn(3) + 0j)
    assert one is not other
    assert one.data_ptr() == other.data_ptr()
