"""Selections whose size the data decide, through Inductor."""

import pytest
import torch

from torch_complex_subclass.testing.compare import assert_compiles
from torch_complex_subclass.testing.eager import random

MASK = torch.tensor([True, False, True, True])
WIDE = torch.tensor([[True, False, True], [False] * 3, [True] * 3, [False, True, False]])
START = torch.tensor(1)
CASES = {
    "argwhere": lambda z: torch.argwhere(torch.where(WIDE, z * 2, 0)).sum(0),
    "index": lambda z: (z * 2)[MASK] * 2,
    "index of the middle dimension": lambda z: z.t()[None].expand(2, 3, 4)[:, :, MASK] * 2,
    "index twice": lambda z: (z.t()[:, MASK] * 1j) @ z.t()[:, MASK].mH,
    "index, as it is and conjugated": lambda z: (z[MASK] + 1).sum() + z[MASK].conj()[1:].sum(),
    "index of both dimensions": lambda z: (z * 2)[WIDE] * 2,
    "index of the second dimension": lambda z: (z * 2).t()[:, MASK] * 2,
    "masked_select": lambda z: torch.masked_select(z * 2, WIDE) * 2,
    "masked_select, broadcast": lambda z: torch.masked_select((z * 2).t(), MASK) * 2,
    "masked_select of one element": lambda z: torch.masked_select(z[0, :1] * 2, MASK[:1]) * 2,
    "masked_select, then a sum": lambda z: torch.masked_select(z * 2, WIDE).sum(),
    "narrow": lambda z: torch.narrow(z * 2, 0, START, 2) * 2,
    "nonzero": lambda z: torch.where(WIDE, z * 2, 0).nonzero().sum(0),
    "nonzero of a number": lambda z: (z[0, 0] * 2).nonzero(),
}


@pytest.fixture(autouse=True)
def capture():
    """Let Dynamo trace what depends on data."""
    with torch._dynamo.config.patch(
        capture_dynamic_output_shape_ops=True, capture_scalar_outputs=True
    ):
        yield


@pytest.mark.parametrize("name", CASES)
def test_equals_eager(name):
    z = random((4, 3), torch.complex128)
    assert_compiles(CASES[name], z, backend="inductor_complex", gradient=False)


@pytest.mark.parametrize("name", ["index", "masked_select", "masked_select, then a sum"])
def test_gradient(name):
    assert_compiles(CASES[name], random((4, 3), torch.complex128), backend="inductor_complex")


def test_operand_that_the_mask_broadcasts():
    """Torch takes the operand's own size for the largest result, which one of it keeps to."""
    mask = torch.tensor([[False], [True]])
    assert_compiles(
        lambda z: torch.masked_select(z * 2, mask) * 2,
        random((1, 1), torch.complex128),
        backend="inductor_complex",
        gradient=False,
    )
