"""Views by strides or by another dtype, on the subclass and in compiled code."""

import pytest
import torch

from torch_complex_subclass import ComplexTensor
from torch_complex_subclass.testing.compare import assert_compiles
from torch_complex_subclass.testing.interpret import interpreted

COPIES = {
    "as_strided_copy": lambda z: torch.as_strided_copy(z, (2, 2), (3, 1), 1),
    "as_strided_scatter": lambda z: torch.as_strided_scatter(z, z[:2, :2] * 2, (2, 2), (1, 2), 3),
    "view_as_real_copy": torch.view_as_real_copy,
    "as float": lambda z: z.view(torch.float32),
    "as wider": lambda z: z.view(torch.complex128),
    "as narrower": lambda z: z.view(torch.complex32),
    "as integer": lambda z: z.view(torch.int64),
}
each_copy = pytest.mark.parametrize("op", COPIES.values(), ids=COPIES.keys())


@pytest.fixture
def z():
    return torch.randn(4, 6, dtype=torch.complex64)


def bits(t):
    real = torch.view_as_real(t) if t.is_complex() else t
    return real.contiguous().view(torch.int16)


@each_copy
def test_on_the_subclass(op, z):
    got, want = op(ComplexTensor.from_complex(z)), op(z)
    got = got.to_complex() if isinstance(got, ComplexTensor) else got
    assert got.dtype == want.dtype
    # Bits, because other dtypes make NaN of them.
    assert torch.equal(bits(got), bits(want))


def test_view_of_another_dtype_shares_memory(z):
    wrapped = ComplexTensor.from_complex(z)
    wrapped.view(torch.float32)[0, 0] = 7.0
    assert wrapped[0, 0].real == 7
    assert z[0, 0].real == 7


REINTERPRETED = {
    **COPIES,
    "as_strided": lambda z: z.as_strided((2, 3), (1, 2), 4) * 2,
    "as_strided of a result": lambda z: (z * 2).as_strided((2, 3), (1, 2), 4) * 2,
    "as_strided of a view": lambda z: z[1:, ::2].as_strided((2, 3), (1, 2)) * 2,
    "as_strided of a view, placed": lambda z: z[1:].as_strided((2, 3), (1, 2), 1) * 2,
    "as_strided of a view of a result": lambda z: (z * 2)[1:].as_strided((2, 2), (2, 1)) * 2,
    "as_strided of a transposed result": lambda z: (z * 2).t().as_strided((2, 2), (2, 1), 1) * 2,
    "as_strided of a conjugate": lambda z: (z * 2).conj().as_strided((2, 2), (2, 1), 1) * 2,
    "as_strided_scatter of a view": lambda z: torch.as_strided_scatter(
        (z * 2)[1:].t(), z[:2, :2], (2, 2), (1, 2), 5
    ),
    "as real and back": lambda z: (z * 2).view(torch.float32).view(torch.complex64) * 2,
}
each_reinterpretation = pytest.mark.parametrize(
    "op", REINTERPRETED.values(), ids=REINTERPRETED.keys()
)


@pytest.mark.parametrize("backend", [interpreted, "inductor_complex"], ids=["graph", "inductor"])
@each_reinterpretation
def test_compiled(op, backend, z):
    assert_compiles(op, z, backend=backend, gradient=False)


def test_compiled_gradient(z):
    assert_compiles(REINTERPRETED["as_strided of a result"], z, backend=interpreted)


def test_compiled_view_of_an_argument_that_starts_later(z):
    assert_compiles(
        lambda t: t.as_strided((2, 2), (2, 1), 3) * 2, z[1:], backend="inductor_complex"
    )


def test_copy_of_parts_as_complex(z):
    assert_compiles(
        lambda t: torch.view_as_complex_copy(t * 2) * 1j,
        torch.view_as_real(z),
        backend=interpreted,
        gradient=False,
    )
