"""Ops made of others: on the subclass, compiled, and where their kernels fail."""

import pytest
import torch

from torch_complex_subclass import ComplexTensor, enabled
from torch_complex_subclass.testing.compare import assert_compiles
from torch_complex_subclass.testing.eager import assert_matches, random
from torch_complex_subclass.testing.interpret import interpreted

aten = torch.ops.aten
Z128 = torch.complex128


@pytest.mark.parametrize("scalars", [{}, {"beta": 0, "alpha": 2j}, {"beta": 1j}], ids=str)
def test_addbmm(scalars):
    z, a, b = random((2, 4), Z128), random((3, 2, 5), Z128), random((3, 5, 4), Z128)
    assert_matches(aten.addbmm.default, z, a, b, **scalars)


def test_addbmm_of_an_addend_that_is_broadcast():
    z, a, b = random((1, 4), Z128), random((3, 2, 5), Z128), random((3, 5, 4), Z128)
    assert_matches(aten.addbmm.default, z, a, b)


@pytest.mark.parametrize("exponent", [torch.tensor([-3, 0, 5]), torch.tensor([0.5, 1.5, -2.5])])
def test_ldexp(exponent):
    assert_matches(aten.ldexp.Tensor, random((2, 3), Z128), exponent)
    assert_matches(aten.ldexp.Tensor, random((2, 3), torch.complex64), exponent)


def test_ldexp_beyond_the_range_of_float32():
    assert_matches(aten.ldexp.Tensor, random((2,), Z128), torch.tensor([200, -200]))


SHAPES = [(3, 3), (5, 3), (2, 3, 5), (0, 3), (3, 0)]
TOLERANCES = [{}, {"rtol": 0.5}, {"atol": 1.0}, {"atol": 0.5, "rtol": 0.1}]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("tolerance", TOLERANCES, ids=str)
def test_pseudo_inverse(shape, tolerance):
    z = random(shape, Z128)
    got = torch.linalg.pinv(ComplexTensor.from_complex(z), **tolerance)
    torch.testing.assert_close(got.to_complex(), torch.linalg.pinv(z, **tolerance))


def test_pseudo_inverse_with_a_tolerance_for_each_matrix():
    z, atol = random((2, 3, 3), Z128), torch.tensor([0.0, 100.0], dtype=torch.float64)
    got = torch.linalg.pinv(ComplexTensor.from_complex(z), atol=atol).to_complex()
    torch.testing.assert_close(got, torch.linalg.pinv(z, atol=atol))
    assert not got[1].any()


def test_hermitian_pseudo_inverse():
    z = random((4, 2), Z128)
    z = z @ z.mH
    got = torch.linalg.pinv(ComplexTensor.from_complex(z), hermitian=True, rtol=1e-10)
    torch.testing.assert_close(z @ got.to_complex() @ z, z)


@pytest.mark.parametrize("hermitian", [False, True])
def test_compiled_pseudo_inverse_is_right_at_the_first_call(hermitian):
    """The kernel of torch is not: pytorch issue 197084."""
    z = random((3, 3), Z128)
    z = z + z.mH
    compiled = torch.compile(
        lambda t: torch.linalg.pinv(t, hermitian=hermitian), fullgraph=True, backend=interpreted
    )
    torch.testing.assert_close(z @ compiled(z) @ z, z)


@pytest.mark.parametrize("shape", [(5, 3), (2, 5, 3)], ids=str)
def test_compiled_pseudo_inverse_of_unknown_sizes(shape):
    z = random(shape, Z128)
    assert_compiles(torch.linalg.pinv, z, backend="inductor_complex", dynamic=True)


def test_real_arguments_keep_their_kernels():
    x = torch.randn(3, 4)
    with enabled():
        got = torch.compile(torch.linalg.pinv, fullgraph=True)(x)
    torch.testing.assert_close(got, torch.linalg.pinv(x))


def test_compiled_gradients():
    a, b = random((3, 2, 5), Z128), random((3, 5, 4), Z128)
    assert_compiles(torch.addbmm, random((2, 4), Z128), a, b, backend=interpreted)
    assert_compiles(torch.linalg.pinv, random((4, 3), Z128), backend=interpreted)


# Older versions of torch have none.
HERMITIAN = {
    "matrix_sqrth": lambda z: torch.linalg.matrix_sqrth(z @ z.mH),
    "polar": lambda z: torch.linalg.polar(z)[0] * 2 @ torch.linalg.polar(z)[1],
}


@pytest.mark.parametrize("name", [name for name in HERMITIAN if hasattr(torch.linalg, name)])
def test_hermitian_factors(name):
    """The kernels of torch, like that of the pseudo-inverse, are wrong at the first call."""
    fn, z = HERMITIAN[name], random((2, 3, 3), Z128)
    torch.testing.assert_close(fn(ComplexTensor.from_complex(z)).to_complex(), fn(z))
    assert_compiles(fn, z, backend=interpreted)
