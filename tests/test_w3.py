"""The stochastic operator: against NumPy, by its distribution, and with the numbers of eager."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch._inductor import config

import torch_complex_subclass as tcs
from torch_complex_subclass.bench.workloads import w3_stochastic_operator as w3
from torch_complex_subclass.testing.interpret import interpreted

CASE = w3.SYSTEM.cases[0]


def normal(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.complex128)


# ---------------------------------------------------------------- against NumPy


def kept_frequencies(side: int, modes: int) -> np.ndarray:
    """Rows exp(-2 pi i k x / n) of the lowest k, first 0, 1, ..., then ..., -2, -1."""
    k = np.concatenate((np.arange(modes), np.arange(-modes, 0)))
    return np.exp(-2j * np.pi * np.outer(k, np.arange(side)) / side)


def spectral_convolution(z: Tensor, weight: Tensor) -> np.ndarray:
    """By matrices of the kept waves alone."""
    modes, (height, width) = weight.shape[-1], z.shape[-2:]
    rows, columns = kept_frequencies(height, modes), kept_frequencies(width, modes)
    joined = weight.numpy().transpose(2, 3, 0, 4, 1, 5)
    joined = joined.reshape(*joined.shape[:2], 2 * modes, 2 * modes)
    spectrum = np.einsum("xh,yw,bihw->bixy", rows, columns, z.numpy())
    mixed = np.einsum("bixy,ioxy->boxy", spectrum, joined)
    back = np.einsum("xh,yw,boxy->bohw", rows.conj(), columns.conj(), mixed)
    return back / (height * width)


def instance_norm(z: np.ndarray, scale: Tensor, shift: Tensor) -> np.ndarray:
    """By the inverse square root of the covariance of the parts, from its eigenvectors."""
    out = np.empty_like(z)
    for b, c in np.ndindex(z.shape[:2]):
        parts = np.stack((z[b, c].real.ravel(), z[b, c].imag.ravel()))
        parts = parts - parts.mean(1, keepdims=True)
        values, vectors = np.linalg.eigh(parts @ parts.T / parts.shape[1] + 1e-5 * np.eye(2))
        re, im = vectors @ np.diag(values**-0.5) @ vectors.T @ parts
        whitened = (re + 1j * im).reshape(z.shape[2:])
        out[b, c] = whitened * scale[c].item() + shift[c].item()
    return out


def test_spectral_convolution() -> None:
    z, weight = normal(2, 3, 8, 10), normal(2, 2, 3, 4, 2, 2)
    want = spectral_convolution(z, weight)
    np.testing.assert_allclose(w3.spectral_convolution(z, weight).numpy(), want, atol=1e-12)


def test_instance_norm() -> None:
    z = normal(2, 3, 8, 8) * torch.tensor([1, 2 + 1j, 3j])[:, None, None] + 1
    z = z + 0.7 * z.conj()
    scale, shift = normal(3), normal(3)
    want = instance_norm(z.numpy(), scale, shift)
    np.testing.assert_allclose(w3.instance_norm(z, scale, shift).numpy(), want, atol=1e-12)


def test_operator_without_random_numbers() -> None:
    x, lift, spectral, mix, scale, shift, bias, project = CASE.draw("tiny", torch.complex128)
    z = np.einsum("ci,bihw->bchw", lift, x)
    for layer in range(mix.shape[0]):
        mixed = np.einsum("oi,bihw->bohw", mix[layer], z)
        z = spectral_convolution(torch.from_numpy(z), spectral[layer]) + mixed
        z = instance_norm(z, scale[layer], shift[layer])
        size = np.maximum(np.abs(z) + bias[layer, :, None, None].numpy(), 0)
        z = z / (np.abs(z) + 1e-5) * size
    want = np.einsum("oc,bchw->bohw", project, z)
    got = w3.stochastic_operator(
        x, lift, spectral, mix, scale, shift, bias, project, rate=0.0, deviation=0.0
    )
    np.testing.assert_allclose(got.numpy(), want, atol=1e-12)


# ---------------------------------------------------------------- distribution

# Eight standard deviations of the mean of 10^5 numbers of variance 1.
MEAN_ERROR = 8e-5**0.5 * 8**0.5


@pytest.mark.parametrize("backend", ["eager", interpreted], ids=["eager", "rewritten"])
def test_dropout_takes_both_parts_and_keeps_the_mean(backend: object) -> None:
    torch.manual_seed(0)
    z = torch.full((100_000,), 2 + 1j)
    out = torch.compile(w3.dropout, fullgraph=True, backend=backend)(z, 0.25)
    kept = out != 0
    assert float(kept.double().mean()) == pytest.approx(0.75, abs=MEAN_ERROR)
    torch.testing.assert_close(out[kept], z[kept] / 0.75)


@pytest.mark.parametrize("backend", ["eager", interpreted], ids=["eager", "rewritten"])
def test_noise_is_circular(backend: object) -> None:
    torch.manual_seed(0)
    z = torch.zeros(100_000, dtype=torch.complex64)
    noise = torch.compile(w3.gaussian_noise, fullgraph=True, backend=backend)(z, 0.5)
    assert abs(complex(noise.mean())) < MEAN_ERROR
    assert float(noise.abs().square().mean()) == pytest.approx(0.25, abs=MEAN_ERROR)
    assert abs(complex(noise.square().mean())) < MEAN_ERROR


@pytest.mark.slow
def test_compiled_samples_have_the_distribution_of_eager() -> None:
    inputs = CASE.draw("tiny", torch.complex64)
    compiled = torch.compile(CASE.fn, fullgraph=True, backend="inductor_complex")

    def moments(fn: object) -> tuple[Tensor, Tensor]:
        samples = torch.stack([fn(*inputs) for _ in range(400)])
        return samples.mean(0), samples.var(0)

    torch.manual_seed(0)
    (mean, variance), (want, spread) = moments(compiled), moments(CASE.fn)
    assert float(((mean - want).abs() / (spread / 200).sqrt()).max()) < 5
    torch.testing.assert_close(variance.mean(), spread.mean(), rtol=0.1, atol=0)


# ---------------------------------------------------------------- numbers of eager


def training(fn: object) -> list[Tensor]:
    inputs = [t.clone() for t in CASE.draw("tiny", torch.complex64)]
    learned = [inputs[i].requires_grad_() for i in CASE.learned]
    torch.manual_seed(1)
    out = fn(*inputs)
    return [out.detach(), *torch.autograd.grad(out.abs().square().sum(), learned)]


@pytest.mark.parametrize(
    "backend",
    [interpreted, pytest.param("inductor_complex", marks=pytest.mark.slow)],
    ids=["rewritten", "compiled"],
)
@config.patch(fallback_random=True)
def test_same_seed_gives_the_same_sample_and_gradients(backend: object) -> None:
    got = training(torch.compile(CASE.fn, fullgraph=True, backend=backend))
    for a, b in zip(got, training(CASE.fn), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4 * float(b.abs().max()))


# ---------------------------------------------------------------- bcomplex32


def narrow(t: Tensor) -> Tensor:
    return (tcs.to_bcomplex32(t) if t.is_complex() else t.bfloat16()).detach()


def widened(t: Tensor) -> Tensor:
    return t.to(torch.complex64).to_complex() if t.is_complex() else t.float()


@pytest.mark.parametrize(
    "backend",
    [None, interpreted, pytest.param("inductor_complex", marks=pytest.mark.slow)],
    ids=["eager", "rewritten", "compiled"],
)
def test_operator_in_bcomplex32(backend: object) -> None:
    inputs = [narrow(t) for t in CASE.draw("tiny", torch.complex64)]
    want = CASE.fn(*map(widened, inputs), rate=0.0, deviation=0.0)
    learned = [inputs[i].requires_grad_() for i in CASE.learned]
    fn = torch.compile(CASE.fn, fullgraph=True, backend=backend) if backend else CASE.fn
    got = fn(*inputs, rate=0.0, deviation=0.0)
    assert tcs.dtype_of(got) == tcs.bcomplex32
    # Some twenty operations one after the other, each rounded to 8 bits.
    assert float((widened(got.detach()) - want).norm() / want.norm()) < 2**-5
    gradients = torch.autograd.grad(got.abs().square().sum(), learned)
    found = [tcs.dtype_of(g) for g in gradients]
    assert found == [tcs.dtype_of(t) for t in learned]
