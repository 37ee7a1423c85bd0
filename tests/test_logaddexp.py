"""logaddexp: exact values, special values, the branch of the imaginary part."""

import math

import mpmath
import pytest
import torch

from torch_complex_subclass import ComplexTensor
from torch_complex_subclass.testing.compare import assert_compiles
from torch_complex_subclass.testing.eager import assert_matches, random
from torch_complex_subclass.testing.interpret import interpreted

aten = torch.ops.aten
INF = math.inf


def both(z, w):
    return torch.logaddexp(ComplexTensor.from_complex(z), ComplexTensor.from_complex(w))


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=str)
@pytest.mark.parametrize("size", [1.0, 30.0, 1e4])
def test_against_exact_values(dtype, size):
    z, w = (random((400,), dtype) * size for _ in range(2))
    got = both(z, w).to_complex()
    for value, a, b in zip(got.tolist(), z.tolist(), w.tolist(), strict=True):
        with mpmath.workdps(50):
            high, low = (a, b) if a.real >= b.real else (b, a)
            ratio = mpmath.exp(mpmath.mpc(low) - mpmath.mpc(high))
            exact = mpmath.mpc(high) + mpmath.log(1 + ratio)
            # Where the exponentials cancel, the rounding of their difference is magnified.
            condition = 1 + abs(ratio / (1 + ratio)) * (abs(a) + abs(b)) / abs(exact)
        bound = 8 * torch.finfo(dtype).eps * float(condition)
        assert abs(mpmath.mpc(value) - exact) <= bound * abs(exact)


SPECIAL = [
    (complex(-INF, 0), complex(-INF, 0)),
    (complex(-INF, 1), 2 + 1j),
    (complex(INF, 0), 1.0),
    (complex(math.nan, 0), 1.0),
    (3j, 3j),
    (2 + 100j, 1 + 7j),
    (200 + 1j, -200 + 1j),
]


@pytest.mark.parametrize(("a", "b"), SPECIAL, ids=str)
def test_special_values_are_eagers(a, b):
    z, w = (torch.tensor([t], dtype=torch.complex64) for t in (a, b))
    assert_matches(aten.logaddexp.default, z, w)


def test_equal_infinities_keep_their_phase():
    """Eager takes the phase of the sum of two infinities, a quarter of pi whatever it is."""
    z = torch.tensor([complex(INF, 1)])
    assert both(z, z).item() == complex(INF, 1)


def test_compiled_with_gradient():
    assert_compiles(
        torch.logaddexp,
        random((5,), torch.complex128),
        random((5,), torch.complex128),
        backend=interpreted,
    )
