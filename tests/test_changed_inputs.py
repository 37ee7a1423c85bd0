"""Values from before an input is written to, which an op took over from the input as they were."""

import pytest
import torch

from torch_complex_subclass.testing.interpret import interpreted


def sums(z, x):
    """The imaginary part of each is that of z."""
    v, w = z + 1, z - x
    z.mul_(3)
    return v, w.imag, torch.view_as_real(z - 1)


def joined(z, x):
    v, w = torch.complex(x, x * 2), torch.complex(x, z.imag)
    x.mul_(3)
    z.imag.zero_()
    return v, w.conj(), w.t()


def converted(z, x):
    v, w = x.to(torch.complex64), z.to(torch.float32)
    x.zero_()
    z.zero_()
    return v, w


CASES = [sums, joined, converted]


def assert_as_in_eager(fn, backend):
    torch.manual_seed(0)
    arguments = torch.randn(3, 3, dtype=torch.complex64), torch.randn(3, 3)
    ours = [t.clone() for t in arguments]
    want = fn(*arguments)
    got = torch.compile(fn, fullgraph=True, backend=backend)(*ours)
    torch.testing.assert_close((got, ours), (want, list(arguments)))


@pytest.mark.filterwarnings("ignore:Casting complex values to real")
@pytest.mark.parametrize("fn", CASES, ids=lambda fn: fn.__name__)
def test_graph(fn):
    assert_as_in_eager(fn, interpreted)


@pytest.mark.filterwarnings("ignore:Casting complex values to real")
def test_inductor():
    assert_as_in_eager(sums, "inductor_complex")


@pytest.mark.parametrize("backend", [interpreted, "inductor_complex"])
def test_gradient(backend):
    """The gradient reads the value after the write."""

    def fn(z, w):
        v = (z + 1) * w
        z.mul_(3)
        return v

    z = torch.randn(3, dtype=torch.complex64)
    w = torch.randn(3, dtype=torch.complex64, requires_grad=True)
    want = (z + 1).conj()
    torch.compile(fn, fullgraph=True, backend=backend)(z, w).backward(
        torch.ones(3, dtype=torch.complex64)
    )
    torch.testing.assert_close(w.grad, want)


def stacked(x, w):
    z = torch.view_as_complex(torch.stack([x, 2 * x], -1))
    result = torch.view_as_real(z * w).sum()
    x.mul_(2)
    return result


def one_of_two(x, w):
    both = torch.stack([x, 2 * x], -1)
    total = torch.view_as_complex(both).sum()
    result = both[..., 0] * w.real
    x.mul_(2)
    return result.sum() * total.real


@pytest.mark.parametrize("backend", [interpreted, "inductor_complex"])
@pytest.mark.parametrize("fn", [stacked, one_of_two], ids=lambda fn: fn.__name__)
def test_gradient_by_a_value_that_is_put_together(fn, backend):
    gradients = []
    for step in (fn, torch.compile(fn, fullgraph=True, backend=backend)):
        x, w = torch.tensor([1.0, 2.0, 3.0]), torch.ones(3, dtype=torch.complex64)
        step(x, w.requires_grad_()).backward()
        gradients.append(w.grad)
        assert torch.equal(x, torch.tensor([2.0, 4.0, 6.0]))
    torch.testing.assert_close(*gradients)


ROWS = torch.tensor([0, 0])


def of_an_input(z):
    return z[5:].index_add(0, ROWS, z[:2])


def of_a_library_result(z):
    transformed = torch.fft.fft(z)
    return transformed[5:].index_add(0, ROWS, z[:2]), torch.fft.ifft(transformed)


@pytest.mark.parametrize("fn", [of_an_input, of_a_library_result], ids=lambda fn: fn.__name__)
def test_indexed_sum_leaves_its_operand(fn):
    """Inductor makes index_put write in place where it takes the memory to be free."""
    z = torch.randn(10, dtype=torch.complex64)
    before = z.clone()
    got = torch.compile(fn, fullgraph=True, backend="inductor_complex")(z)
    assert torch.equal(z, before)
    torch.testing.assert_close(got, fn(before))


@pytest.mark.parametrize("backend", [interpreted, "inductor_complex"])
def test_gradient_by_a_converted_input(backend):
    """The real part of what is saved is the input, converted to its own dtype."""

    def fn(x, z):
        result = torch.linalg.vecdot(z, x.to(z.dtype))
        x[::2].mul_(2)
        return result

    found = []
    for step in (fn, torch.compile(fn, fullgraph=True, backend=backend)):
        torch.manual_seed(0)
        x, z = torch.randn(4), torch.randn(3, 4, dtype=torch.complex64, requires_grad=True)
        step(x, z).abs().sum().backward()
        found.append((x, z.grad))
    torch.testing.assert_close(*found)


def sum_with_real(x, w):
    v = w + x[0].real
    x.mul_(2)
    return 1 / (v + 3)


def sine_of_broadcast(x, w):
    v = (x[:1].expand(4) + 1).sin() * w
    torch.view_as_real(x)[..., 0].add_(1.5)
    return v


@pytest.mark.parametrize("backend", [interpreted, "inductor_complex"])
@pytest.mark.parametrize("fn", [sum_with_real, sine_of_broadcast], ids=lambda fn: fn.__name__)
def test_gradient_of_what_costs_little_to_compute_anew(fn, backend):
    """Stock torch saves the input rather than the values computed from it before the write."""
    found = []
    for step in (fn, torch.compile(fn, fullgraph=True, backend=backend)):
        torch.manual_seed(0)
        x, w = (torch.randn(n, dtype=torch.complex64) for n in (2, 4))
        w.requires_grad_()
        step(x, w).abs().sum().backward()
        found.append((x, w.grad))
    torch.testing.assert_close(*found)
