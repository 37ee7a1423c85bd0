"""Values that the pass holds in other strides than traced, where strides matter."""

import pytest
import torch

from torch_complex_subclass.testing.interpret import interpreted


def complex_of(x):
    """Contiguous in eager; parts lie in the order of x."""
    return torch.view_as_complex(torch.stack([x, 2 * x], -1))


def scattered_part(x):
    """The copies keep the gaps of the part."""
    part = complex_of(x).exp().imag
    return part.select_scatter(part.select(0, 0) * 2, 0, 0), part.slice_scatter(part[:1], 0, 0, 1)


def view_of_scattered_part(x):
    part = (complex_of(x) / 2).real
    w = part.slice_scatter(part[:1] * 2, 0, 0, 1)
    return w, w.mT[..., 1:]


def mask(x):
    z = complex_of(x)
    return torch.eq(z, z.sin())


def one_of_two(x):
    """Both halves are looked at one by one."""
    return torch.topk(complex_of(x).abs(), 2).values, torch.frexp(complex_of(x).abs()).exponent


CASES = {
    "copies of a part": scattered_part,
    "a view of a copy of a part": view_of_scattered_part,
    "a mask": mask,
    "several values": one_of_two,
    "by places, of a modulus": lambda x: complex_of(x).abs().as_strided((3,), (2,)) * 2,
    "by places, of a sum of a part": lambda x: (
        complex_of(x).real.abs().as_strided((3,), (2,), 1) * 2
    ),
    "by places, of a part": lambda x: complex_of(x).exp().imag.as_strided((5,), (8,), 3) * 2,
    "by places, out of a slice": lambda x: (complex_of(x) + 1)[0, :1, 0].as_strided((3,), (6,), 2),
    "by places, out of a diagonal": lambda x: (
        complex_of(x).sin().flatten(1)[:1].diagonal().as_strided((2, 2), (3, 2), 1)[:, ::2]
    ),
    "a flattened part": lambda x: complex_of(x).real.view(-1) * 2,
    "the other part of an overlapping sum": lambda x: (
        w := complex_of(x)[0].unfold(0, 2, 1) + 3
    ).slice_scatter(w[:1] * 2j, 0, 0, 1),
}


def check(fn, backend):
    x = torch.randn(2, 4, 3, 3).permute(0, 3, 1, 2)
    want, got = fn(x), torch.compile(fn, backend=backend, fullgraph=True)(x)
    torch.testing.assert_close(got, want)
    want, got = (t if isinstance(t, tuple) else (t,) for t in (want, got))
    assert [t.stride() for t in got] == [t.stride() for t in want]
    starts = [[t.untyped_storage().data_ptr() for t in found] for found in (got, want)]
    shared, wanted = ([s.index(p) for p in s] for s in starts)
    assert shared == wanted


def slices_of_copies(z):
    w = z[1:].slice_scatter(z[:1] * 2, 0, 0, 1)
    return w[1:].select_scatter(z[0] * 3, 0, 0).as_strided((9,), (1,), 2) * 1


def written(z):
    """The tracer writes to copies."""
    torch.view_as_real(z)[..., 0].mul_(2)
    z[1:2] *= 3
    return z.as_strided((5,), (2,), 1) * 2


def written_by_places(z):
    torch.view_as_real(z)[..., 1].mul_(2)
    z.as_strided((2,), (1,), 2).mul_(3)
    return z * 2


GAPS = {
    "a copy of another start than traced": lambda z: z.diagonal_scatter(
        z.diagonal() * 2
    ).as_strided((2,), (2,), 1),
    "a copy from where it starts": lambda z: z.diagonal_scatter(z.diagonal() * 2)[1:].as_strided(
        (2,), (2,)
    ),
    "slices of copies": slices_of_copies,
    "a changed argument": written,
    "a changed argument that is changed by places": written_by_places,
}


@pytest.mark.parametrize("backend", [interpreted, "inductor_complex"])
@pytest.mark.parametrize("name", GAPS)
def test_memory_between_the_elements_of_a_copy(name, backend):
    """Torch's kernels copy it: reading by places in memory shows it."""
    base = torch.randn(4, 3, dtype=torch.complex64)
    want = GAPS[name](base.clone()[:, 1:])
    got = torch.compile(GAPS[name], backend=backend, fullgraph=True)(base.clone()[:, 1:])
    torch.testing.assert_close(got, want)
    assert got.stride() == want.stride()


POWERS = {
    "of a number": lambda z: 2**z.mT,
    "of a complex number": lambda z: torch.pow(2j, z.real.mT),
    "by places": lambda z: torch.pow(0.5, z.mT).as_strided((4,), (1,), 1) * 2,
}


@pytest.mark.parametrize("backend", [interpreted, "inductor_complex"])
@pytest.mark.parametrize("name", POWERS)
def test_powers_of_numbers_lie_in_rows(name, backend):
    """Torch's kernel takes no note of the exponent's strides; its fake tensors do."""
    z = torch.randn(3, 4, dtype=torch.complex64, requires_grad=True)
    want = POWERS[name](z)
    got = torch.compile(POWERS[name], backend=backend, fullgraph=True)(z)
    torch.testing.assert_close(got, want)
    assert got.stride() == want.stride()
    gradients = (torch.autograd.grad(value.abs().sum(), z) for value in (got, want))
    torch.testing.assert_close(*gradients)


def test_views_of_what_is_read_by_places():
    """Parts of the overlapping rows are read out of the input; a view of a row is a result."""

    def rows(z):
        row = z.as_strided((2, 2), (1, 1))[torch.tensor(1)]
        return row.view(-1), row + 3

    z = torch.randn(3, dtype=torch.complex64)
    got = torch.compile(rows, backend=interpreted, fullgraph=True)(z)
    torch.testing.assert_close(got, rows(z))


@pytest.mark.parametrize("name", CASES)
def test_graph(name):
    check(CASES[name], interpreted)


@pytest.mark.parametrize("name", CASES)
def test_inductor(name):
    check(CASES[name], "inductor_complex")
