"""The bcomplex32 inside torch, a dtype that its newer versions store numbers in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

import torch_complex_subclass as tcs
from torch_complex_subclass import ComplexTensor
from torch_complex_subclass.dtypes import TORCH_BCOMPLEX32 as STORED

pytestmark = pytest.mark.skipif(STORED is None, reason="this torch has no bcomplex32 of its own")

PROGRAMS: dict[str, Callable[[Tensor], Tensor]] = {
    "to": lambda z: (z * 2).to(STORED),
    "through": lambda z: (z * 2).to(STORED).to(torch.complex64) * 2,
    "from": lambda z: z.to(STORED).t().to(torch.complex64) * 2,
    "parts": lambda z: z.to(STORED).real * 2,
    "view": lambda z: (z.real * 2).to(torch.bfloat16).view(STORED),
    "new": lambda z: torch.zeros(4, dtype=STORED).to(torch.complex64) + z,
    "cat": lambda z: torch.cat([z.to(STORED), z.t().to(STORED)]),
}


def parts(z: Tensor) -> Tensor:
    return torch.view_as_real(z) if z.is_complex() else z


@pytest.mark.parametrize("name", PROGRAMS)
def test_compiled_as_in_eager(name: str) -> None:
    z = torch.randn(4, 4, dtype=torch.complex64)
    with tcs.enabled():
        found = torch.compile(PROGRAMS[name], fullgraph=True)(z)
    wanted = PROGRAMS[name](z)
    assert found.dtype == wanted.dtype
    assert torch.equal(parts(found), parts(wanted))


def test_written_in_place() -> None:
    def write(target: Tensor, z: Tensor) -> None:
        target.copy_(z * 2)

    z = torch.randn(4, 4, dtype=torch.complex64)
    found, wanted = (torch.zeros(4, 4, dtype=STORED) for _ in range(2))
    with tcs.enabled():
        torch.compile(write, fullgraph=True)(found, z)
    write(wanted, z)
    assert torch.equal(parts(found), parts(wanted))


@pytest.mark.parametrize(
    "convert",
    [
        lambda z: ComplexTensor.from_complex(z.to(STORED)),
        lambda z: tcs.to_bcomplex32(z.to(STORED)),
        lambda z: ComplexTensor.from_complex(z).to(STORED),
        lambda z: ComplexTensor.from_complex(z).to(dtype=STORED),
    ],
    ids=["from_complex", "to_bcomplex32", "to", "to dtype"],
)
def test_becomes_ours(convert: Callable[[Tensor], Any]) -> None:
    z = torch.randn(8, dtype=torch.complex64)
    found = convert(z)
    assert tcs.dtype_of(found) is tcs.bcomplex32
    assert torch.equal(found.as_interleaved(), torch.view_as_real(z.to(STORED)))
