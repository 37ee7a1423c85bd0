"""Views of computed values, as results and as operands: elements, strides, shared memory."""

import pytest
import torch

from torch_complex_subclass.testing.interpret import interpreted


def aliases(z):
    w = z * 2
    return w[1:].conj(), w, w.t()


def two_views(z):
    w = z * 2
    return w[1:].conj(), w.t()


def view_of_view(z):
    w = z * 2
    return w.t().unsqueeze(0), w


def several_views(z):
    w = z * 2
    return w.chunk(2, 1)[1], w.unbind(0)[1].imag


def part_of_view(z):
    w = z * 2
    return w.t().real, w


def changed_alias(z):
    w = (z * 2).view(-1)
    alias = w.detach()
    alias.sub_(1 + 2j)
    return w, alias


def there_and_back(z):
    real = torch.view_as_real(z.roll(1, 0))
    return torch.view_as_complex(real), real


def changed_product(z):
    """Torch takes the result of kron apart by `_unsafe_view`, whose schema names no alias."""
    w = torch.kron(z, z)
    torch.view_as_real(w)[..., 1].neg_()
    return w, w[1:]


def mutated(z):
    part = z[1:]
    part.mul_(2j)
    return part.conj(), z.real


def scattered(z):
    """Copies that keep the gaps and overlaps of what they are of, and views of them."""
    w = z[:, ::2].select_scatter(z[0, :2], 0, 0)
    parts = torch.view_as_real(z[1:, 1:3].slice_scatter(z[:1, :2], 0, 0, 1))
    hankel = z.as_strided((2, 3), (1, 1))  # elements overlap
    return w, w.t(), parts, hankel.select_scatter(hankel[0], 0, 0)


CASES = {
    "operand, conj of a transposed slice": lambda z: (z + 1)[1:].mT.conj() @ z[:3],
    "operand, two slices": lambda z: (z + 1)[1:].mT[1:].mH @ z[:3],
    "of a product": lambda z: (z @ z)[1:].mT.conj(),
    "of one of several results": lambda z: torch.linalg.eigh(z + z.mH)[1][:, 1:].mT.conj().abs(),
    "stored, of one of several results": lambda z: torch.linalg.qr(z)[0][:, 1:].mT.conj(),
    "as_strided of a slice": lambda z: (z * 2)[1:, ::2].as_strided((2, 2), (4, 2)),
    "aliases of a result": aliases,
    "two views and not their base": two_views,
    "a view of a view and its base": view_of_view,
    "two of several views": several_views,
    "a part of a view and its base": part_of_view,
    "of a result that is changed": changed_alias,
    "of a product that is changed": changed_product,
    "of a changed argument": mutated,
    "expanded": lambda z: (z + 1)[1:2].expand(3, 4).conj() @ z,
    "diagonal": lambda z: (z + 1)[:, 1:].diagonal().conj(),
    "scattered": scattered,
    "a part of a conjugate": lambda z: (z + 1).diagonal_scatter(z.diagonal() * 2).conj().imag,
    "complex view of a real view": there_and_back,
    "one of several views of a part": lambda z: ((w := z + 1), w.real.chunk(2, 0)[0]),
    "a view of a part of a conjugate": lambda z: (z + 1).conj().imag.unsqueeze(0),
    # Kernels that give their result the conj bit.
    "vdot of a conj operand": lambda z: torch.vdot(z[0], z[1].conj()),
    "dot of two conj operands": lambda z: torch.dot(z[0].conj(), z[1].conj()).unsqueeze(0),
}


def strides(results):
    return [t.stride() for t in results]


def sharing(results):
    """Which results have one storage: for each, the first that it shares with."""
    pointers = [t.untyped_storage().data_ptr() for t in results]
    return [pointers.index(p) for p in pointers]


def check(fn, backend, dynamic):
    z = torch.randn(4, 4, dtype=torch.complex64)
    want = fn(z.clone())
    got = torch.compile(fn, fullgraph=True, backend=backend, dynamic=dynamic)(z.clone())
    want, got = (t if isinstance(t, tuple) else (t,) for t in (want, got))
    torch.testing.assert_close(got, want)
    assert strides(got) == strides(want)
    assert sharing(got) == sharing(want)
    assert [t.is_conj() for t in got] == [t.is_conj() for t in want]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dynamic", [False, True], ids=["static", "dynamic"])
def test_graph(name, dynamic):
    check(CASES[name], interpreted, dynamic)


@pytest.mark.parametrize("backend", [interpreted, "inductor_complex"])
def test_of_an_argument_with_a_gradient(backend):
    z = torch.randn(2, 4, dtype=torch.complex64, requires_grad=True)

    def fn(z):
        return z.chunk(2, 1)[1], z.abs()

    part, _ = torch.compile(fn, fullgraph=True, backend=backend)(z)
    assert part.stride() == (4, 1)
    assert part.untyped_storage().data_ptr() == z.untyped_storage().data_ptr()
    torch.testing.assert_close(part, z[:, 2:])


@pytest.mark.parametrize("name", CASES)
def test_inductor(name):
    check(CASES[name], "inductor_complex", False)


def test_view_of_a_part_that_lies_otherwise():
    """The gradient of .real is traced in contiguous memory; its part is that of t()."""

    def fn(z):
        return z.reshape(-1).flip(0).view(2, 3).real.t().contiguous()

    z = torch.randn(2, 3, dtype=torch.complex64, requires_grad=True)
    seed = torch.randn(3, 2)
    (want,) = torch.autograd.grad(fn(z), z, seed)
    (got,) = torch.autograd.grad(torch.compile(fn, backend=interpreted)(z), z, seed)
    torch.testing.assert_close(got, want)


@pytest.mark.filterwarnings("ignore:The .grad attribute")
@pytest.mark.parametrize("backend", [interpreted, "inductor_complex"])
def test_of_an_argument_with_the_neg_bit(backend):
    """A result shows the argument's memory, and its gradient comes with the bit or without."""

    def fn(x):
        return x.unbind(-1)[-1], x * 2

    gradients = []
    for step in (fn, torch.compile(fn, fullgraph=True, backend=backend)):
        z = torch.tensor([[1 + 2j, 3 - 1j], [0.5j, 2 + 4j]], requires_grad=True)
        part, double = step(z.conj().imag)
        assert part.stride() == (4,)
        assert part.untyped_storage().data_ptr() == z.untyped_storage().data_ptr()
        torch.testing.assert_close(part, torch.tensor([1.0, -4.0]))
        (part @ torch.tensor([3.0, 5.0]) + double.sum()).backward()
        gradients.append(z.grad)
    torch.testing.assert_close(*gradients)


BITS = {"conj": (torch.complex64, torch.conj), "neg": (torch.float32, torch._neg_view)}


@pytest.mark.parametrize("bit", BITS)
@pytest.mark.parametrize("backend", [interpreted, "inductor_complex"])
def test_gradient_with_gaps_and_a_bit(bit, backend):
    """Torch clears the bit by a copy without gaps, where a gradient without it has gaps."""
    dtype, lazy = BITS[bit]

    def fn(w, z):
        return (w * w * (z * z.conj()).real)[:, ::2]

    w = torch.randn(2, 4, dtype=dtype, requires_grad=True)
    z = torch.randn(2, 4, dtype=torch.complex64)
    g = torch.randn(2, 4, dtype=dtype)
    incoming = lazy(g[:, ::2])
    assert incoming.stride() == (4, 2)
    (want,) = torch.autograd.grad(fn(w, z), w, incoming)
    compiled = torch.compile(fn, fullgraph=True, backend=backend)
    (got,) = torch.autograd.grad(compiled(w, z), w, incoming)
    torch.testing.assert_close(got, want)
