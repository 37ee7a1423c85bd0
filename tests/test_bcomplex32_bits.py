"""Bits of bfloat16: what conversion makes of a value, and what arithmetic does."""

from __future__ import annotations

import math
import operator
from typing import Any

import pytest
import torch

import torch_complex_subclass as tcs
from torch_complex_subclass import ComplexTensor, bcomplex32

LARGEST = float.fromhex("0x1.fep127")
SMALLEST = 2.0**-133

# Value, bits of the bfloat16 next to it, name. Every value is one of float64.
ROWS = [
    (0.0, 0x0000, "zero"),
    (-0.0, 0x8000, "negative zero"),
    (1.0, 0x3F80, "one"),
    (-2.0, 0xC000, "minus two"),
    (1 + 2**-7, 0x3F81, "next after one"),
    (1 + 2**-8, 0x3F80, "tie, even is below"),
    (1 + 3 * 2**-8, 0x3F82, "tie, even is above"),
    (-1 - 3 * 2**-8, 0xBF82, "negative tie"),
    (1 + 2**-8 + 2**-23, 0x3F81, "above a tie by a bit of float32"),
    (1 + 2**-8 - 2**-24, 0x3F80, "below a tie by a bit of float32"),
    (1 + 2**-8 + 2**-40, 0x3F81, "above a tie by less than float32 has"),
    (1 + 3 * 2**-8 - 2**-40, 0x3F81, "below a tie by less than float32 has"),
    (2 - 2**-8, 0x4000, "tie that carries into the exponent"),
    (2.0**-126, 0x0080, "smallest normal"),
    (2.0**-126 - 2.0**-133, 0x007F, "largest subnormal"),
    (SMALLEST, 0x0001, "smallest subnormal"),
    (SMALLEST / 2, 0x0000, "tie between zero and the smallest subnormal"),
    (SMALLEST / 2 * (1 + 2.0**-40), 0x0001, "just above that tie"),
    (1.5 * SMALLEST, 0x0002, "tie between subnormals"),
    (-1e-300, 0x8000, "underflow"),
    (LARGEST, 0x7F7F, "largest finite"),
    (LARGEST + 2.0**118, 0x7F7F, "above the largest, rounds down"),
    (LARGEST + 2.0**119, 0x7F80, "tie with overflow"),
    (LARGEST + 2.0**119 * (1 - 2.0**-40), 0x7F7F, "just below that tie"),
    (-1e300, 0xFF80, "overflow"),
    (math.inf, 0x7F80, "infinity"),
    (-math.inf, 0xFF80, "negative infinity"),
]
DTYPES = [torch.complex64, torch.complex128]


def bits(t: torch.Tensor) -> list[int]:
    return [b & 0xFFFF for b in t.flatten().view(torch.int16).tolist()]


def in_dtype(dtype: torch.dtype) -> list[tuple[float, int, str]]:
    real = dtype.to_real()
    return [row for row in ROWS if torch.tensor(row[0], dtype=real).item() == row[0]]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("wrap", [lambda z: z, ComplexTensor.from_complex], ids=["plain", "ours"])
def test_conversion(dtype: torch.dtype, wrap: Any) -> None:
    rows = in_dtype(dtype)
    values = torch.tensor([value for value, _, _ in rows], dtype=dtype.to_real())
    z = tcs.to_bcomplex32(wrap(torch.complex(values, -values)))
    for (value, wanted, name), re, im in zip(rows, bits(z.real), bits(z.imag), strict=True):
        assert re == wanted, (name, value, hex(re))
        assert im == wanted ^ 0x8000, (name, -value, hex(im))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_nan_stays_nan(dtype: torch.dtype) -> None:
    z = tcs.to_bcomplex32(torch.tensor([complex(math.nan, 1), complex(1, math.nan)], dtype=dtype))
    assert z.real.isnan().tolist() == [True, False]
    assert z.imag.isnan().tolist() == [False, True]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_bfloat16_survives(dtype: torch.dtype) -> None:
    """All 65,536 bit patterns, there and back; the payload of a NaN is not looked at."""
    patterns = torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16)
    part = patterns.view(torch.bfloat16)
    z = ComplexTensor(part, part.flip(0))
    back = tcs.to_bcomplex32(z.to(dtype))
    known = ~part.isnan()
    assert torch.equal(back.real.view(torch.int16)[known], patterns[known])
    assert back.real.isnan().equal(part.isnan())


def test_random_float64_are_rounded_once() -> None:
    """Against integers: the 45 bits beyond bfloat16 decide, as Python's integers see them."""
    generator = torch.Generator().manual_seed(0)
    kept = torch.randint(2**7, 2**8, (20000,), generator=generator, dtype=torch.int64)
    # Close to ties: half a unit, and a few units of float64 more or less.
    rest = 2**44 + torch.randint(-3, 4, (20000,), generator=generator, dtype=torch.int64)
    values = (kept * 2**45 + rest).double()
    wanted = kept + ((rest > 2**44) | ((rest == 2**44) & (kept % 2 == 1))).long()
    found = tcs.to_bcomplex32(torch.complex(values, values)).real
    assert torch.equal(found.double(), wanted.double() * 2**45)


# Operation, operands, bits of the real part and of the imaginary part, name.
ARITHMETIC = [
    (operator.add, 1.0, 2**-8, 0x3F80, 0x0000, "sum at a tie"),
    (operator.add, 1.0, 3 * 2**-9, 0x3F81, 0x0000, "sum beyond a tie"),
    (operator.add, LARGEST, LARGEST, 0x7F80, 0x0000, "sum overflows"),
    (operator.mul, 1 + 2**-7, 1 + 2**-7, 0x3F82, 0x0000, "product drops its square"),
    (operator.mul, 2.0**-70, 2.0**-63, 0x0001, 0x0000, "product is subnormal"),
    (operator.mul, 2.0**-70, 2.0**-70, 0x0000, 0x0000, "product underflows"),
    (operator.mul, 2.0**100, 2.0**100, 0x7F80, 0x0000, "product overflows"),
    (operator.mul, 1 + 1j, 1 + 1j, 0x0000, 0x4000, "square of 1 + i"),
    (operator.truediv, 1.0, 3.0, 0x3EAB, 0x0000, "a third"),
    (operator.sub, 1 + 1j, 2**-9 * (1 + 1j), 0x3F80, 0x3F80, "difference at a tie"),
]


@pytest.mark.parametrize(
    ("op", "a", "b", "re", "im", "name"), ARITHMETIC, ids=[row[-1] for row in ARITHMETIC]
)
def test_arithmetic(op: Any, a: complex, b: complex, re: int, im: int, name: str) -> None:
    result = op(*(tcs.full((1,), v, dtype=bcomplex32) for v in (a, b)))
    assert (bits(result.real)[0], bits(result.imag)[0]) == (re, im)


def test_range_is_that_of_float32() -> None:
    """complex32 would overflow, in the result and on the way."""
    z = tcs.full((3,), 3e4 + 4e4j, dtype=bcomplex32)
    assert z.abs().isfinite().all()
    assert (z * z.conj()).real.isfinite().all()
    assert torch.linalg.vector_norm(z).isfinite()


def test_sums_do_not_stall() -> None:
    """1,000 ones: summed in bfloat16 they would stop at 256."""
    z = tcs.ones(1000, dtype=bcomplex32)
    assert z.sum().real.item() == 1000
    assert z.cumsum(0)[-1].real.item() == 1000
    assert (z @ z).real.item() == 1000
    index = torch.zeros(1000, dtype=torch.int64)
    added = tcs.zeros(1, dtype=bcomplex32).index_put((index,), z, accumulate=True)
    assert added.real.item() == 1000
    assert tcs.zeros(1, dtype=bcomplex32).scatter_add(0, index, z).real.item() == 1000
