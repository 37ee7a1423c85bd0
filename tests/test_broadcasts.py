"""Transcendentals of small tensors are computed before a broadcast, and memory is read as pairs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

import torch_complex_subclass as tcs
from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.testing.compare import assert_compiles
from torch_complex_subclass.testing.generated import generated_code


def loops_with(word: str, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> list[str]:
    """Loop nests of the generated code in which a function is called."""
    nests = re.split(r"\n    \{\n", generated_code(fn, *args, **kwargs))
    return [nest for nest in nests if re.search(rf"\b(Sleef_)?{word}(f?\d*_u10)?\(", nest)]


def rotary(x: Tensor, angles: Tensor) -> Tensor:
    """Rotary embedding of (batch, time, heads, 2 pairs) by angles (time, pairs)."""
    z = torch.view_as_complex(x.unflatten(-1, (-1, 2)))
    phases = torch.polar(torch.ones_like(angles), angles)
    return torch.view_as_real(z * phases[:, None, :]).flatten(-2)


def positions(z: Tensor, k: Tensor) -> Tensor:
    return torch.exp(1j * k)[:, None] * z


def rotary_operands() -> tuple[Tensor, Tensor]:
    return torch.randn(2, 24, 4, 64), torch.randn(24, 32)


@pytest.mark.parametrize("dynamic", [False, True])
def test_phases_of_rotary_embedding_are_computed_once(dynamic: bool) -> None:
    nests = loops_with("cos", rotary, *rotary_operands(), dynamic=dynamic)
    assert len(nests) == 1
    assert nests[0].count("for(") == 1


def test_rotary_embedding_reads_and_writes_whole_vectors() -> None:
    from torch._inductor import cpu_vec_isa

    (nest,) = loops_with("deinterleave2", rotary, *rotary_operands()) or [""]
    assert (".first" in nest) == bool(cpu_vec_isa.pick_vec_isa())
    assert "tmpbuf" not in nest


def rotary_in_half(x: Tensor, angles: Tensor) -> Tensor:
    """Rotary embedding of bfloat16 by complex64."""
    return rotary(x.float(), angles).to(x.dtype)


@pytest.mark.parametrize("width", [64, 12, 70])
def test_pairs_of_bfloat16(width: int) -> None:
    x, angles = torch.randn(2, 24, 4, width).bfloat16(), torch.randn(24, width // 2)
    assert_compiles(
        rotary_in_half, x, angles, backend="inductor_complex", gradient=False, rtol=1e-2, atol=1e-2
    )


def test_pairs_of_bfloat16_are_read_as_words() -> None:
    from torch._inductor import cpu_vec_isa

    x, angles = rotary_operands()
    (nest,) = loops_with("deinterleave2|words::loadu", rotary_in_half, x.bfloat16(), angles)
    assert ("words::loadu" in nest) == bool(cpu_vec_isa.pick_vec_isa())
    assert "tmpbuf" not in nest


def test_values_and_gradients() -> None:
    assert_compiles(rotary, *rotary_operands(), backend="inductor_complex")
    z, k = torch.randn(24, 33, dtype=torch.complex64), torch.randn(24)
    assert_compiles(positions, z, k, backend="inductor_complex")


def test_value_of_the_size_of_the_product_stays_in_its_loop() -> None:
    z = torch.randn(24, 32, dtype=torch.complex64)
    (nest,) = loops_with("cos", lambda z, k: torch.exp(1j * k) * z, z, torch.randn(24, 32))
    assert "deinterleave2" in nest or "2L*x0" in nest


def test_cheap_value_is_not_stored() -> None:
    """A scaled table is read and scaled again: that costs less than a pass over memory."""
    from torch._inductor.utils import run_and_get_code

    def scaled(z: Tensor, w: Tensor) -> Tensor:
        return (w * 2j)[:, None] * z

    operands = torch.randn(24, 33, dtype=torch.complex64), torch.randn(24, dtype=torch.complex64)
    with tcs.enabled(), compat.without_caches():
        _, (code, *_) = run_and_get_code(torch.compile(scaled, fullgraph=True), *operands)
    assert code.count("\n    {\n") == 1


def test_real_program_keeps_its_code() -> None:
    def fn(x: Tensor, angles: Tensor) -> Tensor:
        return x * torch.cos(angles)[:, None]

    nests = loops_with("cos", fn, torch.randn(24, 32), torch.randn(24))
    assert [nest.count("for(") for nest in nests] == [2]


@pytest.mark.parametrize("length", [1, 3, 4, 31, 33, 48])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_pairs_of_real_memory_at_every_length(dtype: torch.dtype, length: int) -> None:
    """Also where the memory ends with the last pair, and where it does not."""

    def fn(x: Tensor, y: Tensor) -> Tensor:
        z = torch.view_as_complex(x)
        return (z * torch.complex(y[0, ::2], y[0, 1::2])).exp()

    x, y = torch.randn(length, 2, dtype=dtype), torch.randn(2, 2 * length, dtype=dtype)
    assert_compiles(fn, x, y, backend="inductor_complex", dynamic=False, gradient=False)
    assert_compiles(fn, x.flip(0), y, backend="inductor_complex", dynamic=False, gradient=False)
