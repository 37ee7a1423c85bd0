"""Comparison and classification against eager; results are exact."""

import pytest
import torch

from torch_complex_subclass.testing.eager import assert_matches, random

aten = torch.ops.aten
NAN, INF = float("nan"), float("inf")

VALUES = torch.tensor(
    [0, 1, 1j, 1 + 1j, complex(NAN, 0), complex(0, NAN), complex(INF, NAN), complex(0, -INF)]
)
OTHERS = VALUES.roll(1).index_copy(0, torch.tensor([2]), VALUES[2:3])


@pytest.mark.parametrize(
    "op",
    [aten.eq.Tensor, aten.ne.Tensor, aten.logical_and.default, aten.logical_or.default,
     aten.logical_xor.default],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("other", [VALUES, OTHERS, VALUES.real], ids=["same", "other", "real"])
def test_binary(op, other):
    assert_matches(op, VALUES, other)
    assert_matches(op, VALUES[:, None], other)


@pytest.mark.parametrize("op", [aten.eq.Scalar, aten.ne.Scalar], ids=str)
@pytest.mark.parametrize("number", [0, 1.0, 1 + 1j])
def test_number(op, number):
    assert_matches(op, VALUES, number)


@pytest.mark.parametrize(
    "op",
    [aten.isnan.default, aten.isinf.default, aten.logical_not.default, aten.nonzero.default,
     torch.isfinite, torch.isreal],
    ids=lambda f: getattr(f, '__name__', str(f)),
)  # fmt: skip
def test_unary(op):
    assert_matches(op, VALUES)


@pytest.mark.parametrize(
    "options",
    [{}, {"nan": 2.0}, {"posinf": 5.0, "neginf": -5.0}],
    ids=lambda op: getattr(op, "__name__", str(op)),
)
def test_nan_to_num(options):
    assert_matches(aten.nan_to_num.default, VALUES, **options)


def test_closeness():
    z = random((3,), torch.complex64)
    assert_matches(torch.isclose, z, z + 1e-9)
    assert_matches(torch.allclose, z, z + 1)
    assert_matches(torch.equal, z, z)
