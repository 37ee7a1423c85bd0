"""Reported upstream: layouts that compiled code predicted wrongly, by pytorch issue number."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from torch_complex_subclass.testing.compare import Case
from torch_complex_subclass.testing.interpret import interpreted
from torch_complex_subclass.testing.normal import C64, C128, r, z

fft = torch.fft


def hermitian_family(a: Tensor, x: Tensor) -> tuple[Tensor, ...]:
    return fft.hfftn(a), fft.irfft2(a), fft.ihfftn(x), fft.ihfft2(x)


def convolve_and_transform(x: Tensor, w: Tensor) -> Tensor:
    return fft.ifft(F.conv1d(x, w), n=256).real


def spectral_cnn(x: Tensor, w: Tensor, v: Tensor) -> Tensor:
    spectrum = fft.fft2(F.conv2d(x, w, padding=1))
    mixed = torch.complex(F.conv2d(spectrum.real, v), F.conv2d(spectrum.imag, v))
    return fft.ifft2(mixed).abs()


def attention_then_fft(x: Tensor, w: Tensor) -> Tensor:
    q, k, v = (t.view(2, 5, 2, 4).transpose(1, 2) for t in (x @ w).chunk(3, -1))
    y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(2, 5, 8)
    return fft.fft(fft.fft(y, dim=-1), dim=-2).real


def parts_that_are_permuted(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    w = torch.complex(x.transpose(0, 1), y.transpose(0, 1))
    return w, torch.einsum("jik,k->jik", w, w[0, 0])


def out_variants(a: Tensor) -> tuple[Tensor, ...]:
    out = torch.empty(4, 6, dtype=C64)
    torch.fft.fft2(a, out=out)
    total = torch.empty(4, 6, dtype=C64)
    torch.mul(a, out, out=total)
    return out, total


def complex_then_irfft(x: Tensor, y: Tensor) -> Tensor:
    return fft.irfft(torch.complex(x, y), dim=-1)


def rotary_attention(x: Tensor, w: Tensor, angles: Tensor) -> Tensor:
    def turn(t: Tensor) -> Tensor:
        pairs = torch.view_as_complex(t.float().reshape(*t.shape[:-1], -1, 2))
        return torch.view_as_real(pairs * angles[:, None]).flatten(3)

    q, k, v = (t.view(2, 5, 2, 8) for t in (x @ w).split(16, -1))
    q, k, v = (t.transpose(1, 2) for t in (turn(q), turn(k), v))
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(2, 5, 16)


def gemma_rotary(x: Tensor, angles: Tensor) -> Tensor:
    pairs = torch.stack(torch.chunk(x.transpose(1, 2).float(), 2, dim=-1), dim=-1)
    turned = torch.view_as_real(torch.view_as_complex(pairs) * angles)
    out = torch.cat(torch.chunk(turned, 2, dim=-1), dim=-2)
    return out.reshape(*out.shape[:3], -1).transpose(1, 2)


def interleaved_convolution(x: Tensor, angle: Tensor, w: Tensor) -> Tensor:
    turned = torch.view_as_complex(x) * angle
    return F.conv2d(torch.view_as_real(turned).permute(0, 3, 1, 2), w)


def squared_then_convolved(a: Tensor, w: Tensor) -> Tensor:
    return F.conv2d((a * a).real, w)


def sizes_of_one(x: Tensor) -> Tensor:
    return torch.view_as_complex(x.transpose(1, 2).contiguous()) * 2


def recombined(x: Tensor, w: Tensor, v: Tensor) -> Tensor:
    re, im = F.conv2d(x, w), F.conv2d(x, v)
    return (re.type(C64) + 1j * im).abs()


def eigenvalues(x: Tensor) -> Tensor:
    values, vectors = torch.linalg.eig(x)
    return vectors @ torch.diag_embed(values) @ torch.linalg.inv(vectors)


CASES = {
    "100086": Case(
        rotary_attention, lambda: (r(2, 5, 16), r(16, 48), torch.polar(r(5, 4), r(5, 4)))
    ),
    "106623": Case(lambda a: fft.fftn(a, dim=(0, 1, 2, 3)), lambda: (z(2, 3, 4, 5),)),
    "109001": Case(out_variants, lambda: (z(4, 6),), gradient=False),
    "122448": Case(gemma_rotary, lambda: (r(2, 5, 3, 8), z(5, 4))),
    "141426": Case(lambda x: fft.ihfft2(x), lambda: (r(4, 6),)),
    "145977": Case(hermitian_family, lambda: (z(3, 4, 5), r(3, 4, 6))),
    "150050": Case(sizes_of_one, lambda: (r(3, 1, 4, 2),)),
    "159445": Case(eigenvalues, lambda: (r(2, 4, 4),), gradient=False),
    "162561": Case(lambda a, b: a.t() + b, lambda: (z(3, 4, dtype=C128), z(4, 3, dtype=C128))),
    "166514": Case(convolve_and_transform, lambda: (r(2, 3, 32), r(4, 3, 5))),
    "167265": Case(spectral_cnn, lambda: (r(2, 3, 8, 8), r(4, 3, 3, 3), r(2, 4, 3, 3))),
    "167636": Case(lambda x: fft.fft(x, dim=0), lambda: (r(4, 6, 3),)),
    "179368": Case(interleaved_convolution, lambda: (r(2, 8, 8, 2), z(8, 8), r(4, 2, 3, 3))),
    "181625": Case(attention_then_fft, lambda: (r(2, 5, 8), r(8, 24))),
    "182200_fftn": Case(lambda a: fft.fftn(a, dim=(0, 1, 2)), lambda: (z(3, 4, 5, 2),)),
    "182200_ifftn": Case(lambda a: fft.ifftn(a * 2), lambda: (z(3, 4, 5),)),
    "182200_rfftn": Case(lambda x: fft.rfftn(x, dim=(1, 2)), lambda: (r(3, 4, 6),)),
    "184101": Case(lambda a: (a.T.abs().sum(), a.T.angle().sum()), lambda: (z(3, 4),)),
    "188718": Case(lambda x: torch.view_as_complex(x.transpose(0, 1)), lambda: (r(3, 4, 2),)),
    "190274": Case(
        lambda a, b: (a[:, ::3] + b, a[1:, 1::2].t() + 1),
        lambda: (z(3, 9, dtype=C128), z(3, 3, dtype=C128)),
    ),
    "260_torch_harmonics": Case(parts_that_are_permuted, lambda: (r(3, 4, 5), r(3, 4, 5))),
    "clients_recombined": Case(recombined, lambda: (r(2, 3, 8, 8), r(4, 3, 3, 3), r(4, 3, 3, 3))),
    "clients_squared": Case(squared_then_convolved, lambda: (z(2, 3, 8, 8), r(4, 3, 3, 3))),
}


@pytest.mark.parametrize("name", CASES)
def test_graph(name: str) -> None:
    CASES[name].check(interpreted, inference=False, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", CASES)
def test_inductor(name: str) -> None:
    CASES[name].check("inductor_complex", rtol=2e-5, atol=2e-5)


def test_160882_other_layout_on_the_second_call() -> None:
    compiled = torch.compile(complex_then_irfft, fullgraph=True, backend="inductor_complex")
    permuted = r(3, 2, 5).transpose(0, 1), r(5, 3, 2).permute(2, 1, 0)
    for x, y in ((r(2, 3, 5), r(2, 3, 5)), permuted):
        want, got = complex_then_irfft(x, y), compiled(x, y)
        torch.testing.assert_close(got, want)
        assert got.stride() == want.stride()
