"""torch.func transforms of functions that compute with the subclass."""

import pytest
import torch
from torch import func

from torch_complex_subclass import ComplexTensor
from torch_complex_subclass.testing.interpret import interpreted

FUNCTIONS = {
    "arithmetic": lambda z: z * z + 2j * z - 1 / z,
    "exp": lambda z: z.exp(),
    "matmul": lambda z: z @ z.mT,
    "mixed": lambda z: z * z.real + z.conj(),
    "reduction": lambda z: z.sum(-1) + z.mean(-1),
}
each = pytest.mark.parametrize("f", FUNCTIONS.values(), ids=FUNCTIONS.keys())


def through(f):
    """`f` on the subclass, from plain to plain."""
    return lambda z: ComplexTensor.to_complex(f(ComplexTensor.from_complex(z)))


def loss(f):
    return lambda z: f(z).abs().square().sum()


@pytest.fixture
def z():
    return torch.randn(4, 3, 3, dtype=torch.complex128)


@each
def test_vmap_of_a_subclass_batch(f, z):
    got = func.vmap(f)(ComplexTensor.from_complex(z))
    assert isinstance(got, ComplexTensor)
    torch.testing.assert_close(got.to_complex(), func.vmap(f)(z))


@each
def test_vmap_through_plain(f, z):
    torch.testing.assert_close(func.vmap(through(f))(z), func.vmap(f)(z))


@each
def test_grad(f, z):
    got = func.grad(loss(f))(ComplexTensor.from_complex(z))
    assert isinstance(got, ComplexTensor)
    torch.testing.assert_close(got.to_complex(), func.grad(loss(f))(z))


@each
def test_vmap_of_grad(f, z):
    want = func.vmap(func.grad(loss(f)))(z)
    torch.testing.assert_close(func.vmap(func.grad(loss(through(f))))(z), want)


@each
def test_vjp(f, z):
    output, pullback = func.vjp(f, ComplexTensor.from_complex(z))
    want_output, want_pullback = func.vjp(f, z)
    seed = torch.randn_like(want_output)
    (got,) = pullback(ComplexTensor.from_complex(seed))
    torch.testing.assert_close(output.to_complex(), want_output)
    torch.testing.assert_close(got.to_complex(), want_pullback(seed)[0])


@each
def test_jvp(f, z):
    tangent = torch.randn_like(z)
    output, got = func.jvp(f, *(((ComplexTensor.from_complex(t),)) for t in (z, tangent)))
    want_output, want = func.jvp(f, (z,), (tangent,))
    torch.testing.assert_close(output.to_complex(), want_output)
    torch.testing.assert_close(got.to_complex(), want)


@each
def test_jacrev_through_plain(f, z):
    z = z[0]
    torch.testing.assert_close(
        func.jacrev(lambda t: torch.view_as_real(through(f)(torch.view_as_complex(t))))(
            torch.view_as_real(z)
        ),
        func.jacrev(lambda t: torch.view_as_real(f(torch.view_as_complex(t))))(
            torch.view_as_real(z)
        ),
    )


@pytest.mark.parametrize(
    "f", [lambda t: torch.exp(1j * t), lambda t: t * 2, lambda t: (1 + 2j) * t - 3]
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.complex64])
def test_compiled_vmap_of_scalars_and_numbers(f, dtype):
    """`vmap` copies the number to a tensor where what is mapped has no dimensions."""
    x = torch.randn(5, dtype=dtype)
    mapped = torch.compile(torch.vmap(f), backend=interpreted, fullgraph=True)
    torch.testing.assert_close(mapped(x), torch.stack([f(t) for t in x]))
