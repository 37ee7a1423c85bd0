"""Reported upstream: mutation, aliasing, conjugation and rotary embeddings, by issue number."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from torch_complex_subclass import enabled
from torch_complex_subclass.testing.compare import Case, assert_trains
from torch_complex_subclass.testing.interpret import interpreted
from torch_complex_subclass.testing.normal import r, z


def write_parts(a: Tensor, x: Tensor) -> Tensor:
    a.real = x
    a.imag[1] = 3
    a.real += 1
    return a * 2


def view_then_write(a: Tensor) -> Tensor:
    t = torch.view_as_real(a)
    a[...] = 0
    return t


def rotary(x: Tensor, freqs: Tensor) -> Tensor:
    pairs = torch.view_as_complex(x.float().reshape(*x.shape[:-1], -1, 2))
    return torch.view_as_real(pairs * freqs[None, :, None]).flatten(3).type_as(x)


def deepseek_rotary(x: Tensor, freqs: Tensor) -> Tensor:
    y = x.view(*x.shape[:-1], 2, -1).transpose(-1, -2).contiguous()
    pairs = torch.view_as_complex(y) * freqs[None, :, None]
    turned = torch.view_as_real(pairs).flatten(3)
    return torch.cat([turned[..., 0::2], turned[..., 1::2]], dim=-1)


def polar_attention(x: Tensor, angle: Tensor) -> Tensor:
    freqs = torch.polar(torch.ones_like(angle), angle)
    q = rotary(x, freqs).transpose(1, 2)
    return F.scaled_dot_product_attention(q, q, q)


class Rotary(nn.Module):
    """Keeps its angles in a complex buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("freqs", torch.polar(torch.ones(5, 4), torch.randn(5, 4)))
        self.proj = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        return rotary(self.proj(x), self.freqs)


CASES = {
    "115071": Case(lambda a: torch.add(a, a), lambda: (z(3),)),
    "169832": Case(view_then_write, lambda: (z(3),), gradient=False),
    "169832_inplace": Case(lambda a: a.mul_(2j), lambda: (z(3),), gradient=False),
    "169832_viewout": Case(
        lambda a: (a.real, a.t(), torch.view_as_real(a), a.conj()), lambda: (z(3, 4),)
    ),
    "185396": Case(polar_attention, lambda: (r(2, 5, 3, 8), r(5, 4))),
    "3060_tt_xla": Case(deepseek_rotary, lambda: (r(2, 5, 3, 8), z(5, 4))),
    "80080_written": Case(
        lambda x, a: (x.mul_(2), a.mul_(1j), x + a)[2],
        lambda: (z(3, 4).conj().imag, z(3, 4).conj()),
        gradient=False,
    ),
    "80080": Case(
        lambda a, x: (a * 2, a.conj(), x * 2),
        lambda: (z(3, 4).conj(), z(3, 4).conj().imag),
        gradient=False,
    ),
    "97562": Case(rotary, lambda: (r(2, 5, 3, 8), z(5, 4))),
}


@pytest.mark.parametrize("name", CASES)
def test_graph(name: str) -> None:
    CASES[name].check(interpreted, inference=False, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", CASES)
def test_inductor(name: str) -> None:
    CASES[name].check("inductor_complex", rtol=2e-5, atol=2e-5)


def test_99652_complex_buffer() -> None:
    assert_trains(Rotary(), r(2, 5, 3, 8), backend=interpreted, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", ["12668_diffusers", "163876"])
def test_other_batches_and_lengths(name: str) -> None:
    dtype = torch.bfloat16 if name == "12668_diffusers" else torch.float32
    torch._dynamo.utils.counters.clear()
    compiled = torch.compile(rotary, fullgraph=True, backend="inductor_complex")
    for batch, length in ((2, 5), (3, 7), (4, 9), (2, 6)):
        x = r(batch, length, 3, 8).to(dtype)
        f = z(length, 4)
        torch.testing.assert_close(compiled(x, f), rotary(x, f))
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 2


@pytest.mark.parametrize("backend", [interpreted, "inductor"])
def test_169832_realset(backend: Any) -> None:
    with enabled():
        Case(write_parts, lambda: (z(3), r(3)), gradient=False).check(backend)


def test_169832_realset_of_a_real_tensor_is_refused_as_in_eager() -> None:
    def write(x: Tensor) -> None:
        x.imag = x

    with enabled(), pytest.raises(RuntimeError, match="imag is not implemented"):
        torch.compile(write, fullgraph=True)(r(3))
