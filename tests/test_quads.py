"""Every other complex number, read by whole vectors of blocks of two."""

from __future__ import annotations

from typing import Any

import pytest
import sympy
import torch
from torch import Tensor
from torch._inductor import cpu_vec_isa

import torch_complex_subclass as tcs
from torch_complex_subclass.inductor_lowering import quads
from torch_complex_subclass.testing.compare import assert_compiles
from torch_complex_subclass.testing.generated import generated_code

x, y = sympy.symbols("x y", integer=True, nonnegative=True)


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (4 * x, (4 * x, 0)),
        (4 * x + 7, (4 * x + 4, 3)),
        (4 * x + 64 * y + 2, (4 * x + 64 * y, 2)),
        (4 * x + 6 * y, None),
        (4 * x + y, None),
    ],
    ids=str,
)
def test_place_in_the_block(index: sympy.Expr, expected: Any) -> None:
    assert quads.split(index) == expected


def neighbours(z: Tensor) -> tuple[Tensor, ...]:
    even, odd = z[..., ::2], z[..., 1::2]
    n = min(even.shape[-1], odd.shape[-1])
    return (
        even[..., :n] * odd[..., :n].conj(),
        odd.exp(),
        (even.abs() ** 2).sum(),
        even.imag + 1,
        (even * 2).sum(-1),
    )


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=str)
@pytest.mark.parametrize("shape", [(7,), (66,), (3, 47), (40, 2)], ids=str)
def test_every_other_number(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    z = torch.randn(shape, dtype=dtype)
    assert_compiles(
        neighbours,
        z,
        backend="inductor_complex",
        dynamic=False,
        gradient=False,
        rtol=2e-5,
        atol=1e-5,
    )


def part_of_memory(z: Tensor) -> Tensor:
    return z[1::2] * 2 + z[::2][:-1]


def test_the_last_block_is_not_whole() -> None:
    memory = torch.full((70,), complex("nan"), dtype=torch.complex64)
    z = memory[3:36]
    z.copy_(torch.randn(33, dtype=torch.complex64))
    assert_compiles(
        part_of_memory,
        z,
        backend="inductor_complex",
        dynamic=False,
        gradient=False,
        rtol=1e-6,
        atol=1e-6,
    )


def written(z: Tensor, w: Tensor) -> Tensor:
    z[::2] = z[::2] * w + z[1::2]
    z[1::2] *= 2j
    return z.abs()


def test_what_is_read_is_written_too() -> None:
    z, w = torch.randn(80, dtype=torch.complex64), torch.randn(40, dtype=torch.complex64)
    expected = z.clone()
    moduli = written(expected, w)
    with tcs.enabled():
        torch.testing.assert_close(torch.compile(written, fullgraph=True)(z, w), moduli)
    torch.testing.assert_close(z, expected)


def code_of(*args: Tensor) -> str:
    def fn(z: Tensor) -> Tensor:
        return z[..., ::2] * z[..., 1::2]

    return generated_code(fn, *args, dynamic=False)


@pytest.mark.parametrize("n", [64, 66])
def test_both_numbers_share_the_loads(n: int) -> None:
    code = code_of(torch.randn(3, n, dtype=torch.complex64))
    blocks = code.count("auto low = at::vec::deinterleave2")
    whole, tail = blocks > 0, blocks > 1
    assert whole == bool(cpu_vec_isa.pick_vec_isa())
    assert tail == (whole and n == 66)
    assert "tmpbuf" not in code
