"""Elementwise ops on bcomplex32 in eager by kernels that a compiler made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch._dynamo.utils import counters

import torch_complex_subclass as tcs
from torch_complex_subclass import ComplexTensor, eager_kernels, torch_compat
from torch_complex_subclass.testing.bcomplex32 import (
    UNARY,
    assert_same_bits,
    ordinary,
    parts,
    random,
)


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Switch kernels on, with none in memory."""
    monkeypatch.setattr(eager_kernels, "_KERNELS", eager_kernels._Kernels())
    with tcs.config.patch(eager_kernels=True):
        yield


@pytest.fixture
def empty_cache(tmp_path: Path) -> Iterator[None]:
    """Start with none on disk; headers, which each folder would have its own of, stay as text."""
    headers = torch._inductor.config.patch(cpp_cache_precompile_headers=False)
    with torch_compat.cache_folder(tmp_path), headers:
        yield


@pytest.mark.usefixtures("compiled")
class TestCompiled:
    """With a compiler."""

    @pytest.mark.usefixtures("empty_cache")
    def test_values_and_caches(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def values() -> list[Tensor]:
            # Whole vectors, a tail, and less than a vector.
            return [random_of(n) * random_of(n + 1)[1:] for n in (4096, 4096 + 37, 5)]

        def random_of(n: int) -> ComplexTensor:
            torch.manual_seed(n)
            return random(n)

        def counted() -> tuple[int, int]:
            found = counters["inductor"]
            return found["fxgraph_cache_miss"], found["fxgraph_cache_hit"]

        counters.clear()
        for got, want in zip(values(), ordinary(values), strict=True):
            assert_same_bits(got, want)
        assert counted() == (1, 0)
        monkeypatch.setattr(eager_kernels, "_KERNELS", eager_kernels._Kernels())
        for got, want in zip(values(), ordinary(values), strict=True):
            assert_same_bits(got, want)
        assert counted() == (1, 1)

    def test_broadcast_and_number(self) -> None:
        z, w = random(9, 70), random(70)
        assert_same_bits(z / w, ordinary(torch.div, z, w))
        assert_same_bits(z.t() * 0.1, ordinary(torch.mul, z.t(), 0.1))

    def test_special_values(self) -> None:
        """All bits but the payload of a NaN, and the sign of a zero that a sum makes."""
        values = [0.0, -0.0, 1.0, float("inf"), -float("inf"), float("nan"), 2.0**-133, 3e38]
        x = torch.tensor(values).bfloat16()
        z = ComplexTensor(x.repeat_interleave(8), x.repeat(8))
        assert_same_bits(z + z, ordinary(torch.add, z, z))

    def test_no_compiler(self) -> None:
        z = random(3)
        with (
            torch._inductor.config.patch({"cpp.cxx": ("no-such-compiler",)}),
            pytest.warns(UserWarning, match="no eager kernel for aten.exp.default"),
        ):
            assert_same_bits(z.exp(), ordinary(torch.exp, z))
        assert_same_bits(z.exp(), ordinary(torch.exp, z))


@pytest.mark.slow
@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("name", UNARY)
def test_compiled_unary(name: str) -> None:
    """Where functions of a library enter, one in a thousand may see a tie from the other side."""
    z, fn = random(2**16), getattr(torch, name)
    got, want = parts(fn(z)), parts(ordinary(fn, z))
    same = (got == want) | (got.isnan() & want.isnan())
    assert same.double().mean() > 0.999
    torch.testing.assert_close(got, want, rtol=2**-7, atol=2**-126, equal_nan=True)
