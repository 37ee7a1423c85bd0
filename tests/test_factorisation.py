"""Library calls in compiled code: gradients and strides."""

import pytest
import torch

from torch_complex_subclass import enabled
from torch_complex_subclass.testing.compare import assert_compiles
from torch_complex_subclass.testing.eager import random

Z128 = torch.complex128


def compiles(fn, *args, **options):
    assert_compiles(fn, *args, backend="inductor_complex", **options)


def test_svd_gradient():
    def fn(z):
        u, s, vh = torch.linalg.svd(z, full_matrices=False)
        return u.abs().sum() + (u * s) @ vh + s.sum()

    compiles(fn, random((4, 3), Z128))


def test_gradient_that_depends_on_phases_is_refused_when_it_runs():
    def fn(z):
        return torch.linalg.svd(z, full_matrices=False)[0].sum().abs()

    z = random((3, 3), Z128).requires_grad_()
    with enabled():
        result = torch.compile(fn, fullgraph=True)(z)
    with pytest.raises(RuntimeError, match="depends on phases of the singular vectors"):
        result.backward()


FACTORISATIONS = {
    "cholesky": lambda z: torch.linalg.cholesky(z @ z.mH),
    "lu": lambda z: sum(torch.linalg.lu(z)[1:]),
    "lu_solve": lambda z: torch.linalg.lu_solve(*torch.linalg.lu_factor(z), z * 2),
    "qr": lambda z: torch.linalg.qr(z).R.abs(),
    "solve": lambda z: torch.linalg.solve(z, z.mH),
    "solve_triangular": lambda z: torch.linalg.solve_triangular(z.mH, z, upper=False),
    "triangular_solve": lambda z: torch.triangular_solve(z, z.conj()).solution,
    "view of a result": lambda z: torch.linalg.solve_triangular(z.mH, z, upper=False).mT[1:] @ z,
}


@pytest.mark.filterwarnings("ignore:torch.triangular_solve is deprecated:UserWarning")
@pytest.mark.parametrize("name", FACTORISATIONS)
def test_gradient(name):
    compiles(FACTORISATIONS[name], random((3, 3), Z128))
