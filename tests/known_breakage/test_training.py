"""Reported upstream: training, transforms, products and networks, by pytorch issue number."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, func, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from torch_complex_subclass.testing.compare import Case, assert_trains
from torch_complex_subclass.testing.interpret import interpreted
from torch_complex_subclass.testing.normal import C64, C128, r, z


def power_of_literal(x: Tensor, y: Tensor) -> Tensor:
    return ((x + 1j * y) ** 4).abs().sum()


def literal_then_istft(x: Tensor) -> Tensor:
    spectrum = x[..., 0] + x[..., 1] * 1.0j
    return torch.istft(spectrum, 16, window=torch.hann_window(16))


def phase_model(x: Tensor, gain: Tensor) -> Tensor:
    window = torch.hann_window(16)
    spectrum = torch.stft(x, 16, window=window, return_complex=True)
    turned = spectrum.abs() * gain * torch.exp(1j * spectrum.angle())
    return torch.istft(turned, 16, window=window)


def inner_gradient(x: Tensor) -> Tensor:
    y = ((x + 1j * x.square()) ** 4).abs().sum()
    return torch.autograd.grad(y, x)[0]


def gradient_penalty(x: Tensor, w: Tensor) -> Tensor:
    field = torch.exp(1j * (x @ w)).sum(-1)
    (slope,) = torch.autograd.grad(field.abs().sum() + field.real.sum(), x, create_graph=True)
    return slope.square().sum()


def conj_then_layers(x: Tensor, kernel: Tensor, w: Tensor) -> Tensor:
    y = F.conv2d(x.conj(), kernel)
    return F.linear(y.conj(), w).abs()


def checkpointed(x: Tensor, w: Tensor) -> Tensor:
    return checkpoint(lambda a: F.linear(a.conj(), w).abs(), x.conj(), use_reentrant=False)


def products(a: Tensor, b: Tensor, c: Tensor, v: Tensor) -> tuple[Tensor, ...]:
    return (
        torch.bmm(a, b),
        torch.baddbmm(c, a, b, beta=1j, alpha=2 - 1j),
        torch.addmm(c[0], a[0], b[0], beta=0.5, alpha=1j),
        torch.addmv(c[0, 0], b[0].mT, v, alpha=1j, beta=2),
        torch.addbmm(c[0], a, b, alpha=1j),
        torch.einsum("bij,bjk->bik", a, b.conj_physical()),
    )


def inner_products(a: Tensor, b: Tensor) -> tuple[Tensor, ...]:
    return torch.vdot(a, b), torch.dot(a, b), torch.inner(a, b), torch.linalg.vecdot(a, b)


def upper_cholesky(a: Tensor) -> Tensor:
    return torch.linalg.cholesky(a @ a.mH + 4 * torch.eye(3), upper=True)


def pseudo_inverse(a: Tensor) -> Tensor:
    return torch.linalg.pinv(a)


def pressure_field(x: Tensor, state: Tensor) -> Tensor:
    for step in range(4):
        state = state * torch.exp(1j * x * step) + 0.1 * state.conj()
    return state.abs()


def jacobians(t: Tensor) -> tuple[Tensor, ...]:
    def on_parts(p: Tensor) -> Tensor:
        return torch.view_as_real(torch.view_as_complex(p).exp() * 1j)

    return func.jacrev(on_parts)(t), func.jacfwd(on_parts)(t)


def mapped_constructors(x: Tensor, y: Tensor) -> Tensor:
    def one(p: Tensor, q: Tensor) -> Tensor:
        w = torch.complex(p, q)
        return torch.view_as_real(w * w.conj()).sum(-1) + w.real - w.imag

    return func.vmap(one)(x, y)


def per_sample_gradients(w: Tensor, x: Tensor) -> Tensor:
    def loss(weight: Tensor, sample: Tensor) -> Tensor:
        return (weight @ sample).abs().square().sum()

    return func.vmap(func.grad(loss), in_dims=(None, 0))(w, x)


def state_vector(angles: Tensor, hamiltonian: Tensor) -> Tensor:
    psi = torch.zeros(4, dtype=C64)
    psi[0] = 1
    for i in range(2):
        c, s = torch.cos(angles[i]), torch.sin(angles[i])
        gate = torch.stack([c + 0j, -1j * s, -1j * s, c + 0j]).reshape(2, 2)
        psi = torch.einsum("ab,bc->ac", gate, psi.reshape(2, 2)).T.reshape(-1)
    return torch.vdot(psi, hamiltonian @ psi).real


def parallel_scan(a: Tensor, b: Tensor) -> Tensor:
    from torch._higher_order_ops.associative_scan import associative_scan

    def combine(first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor]) -> Any:
        return second[0] * first[0], second[0] * first[1] + second[1]

    return associative_scan(combine, (a, b), 0, combine_mode="generic")[1]


def s4_kernel(log_step: Tensor, decay: Tensor, c: Tensor, u: Tensor) -> Tensor:
    step = torch.exp(log_step)[:, None]
    pole = -torch.exp(decay) + 1j * torch.arange(decay.shape[-1])
    gain = c * (torch.exp(pole * step) - 1.0) / pole
    powers = torch.exp((pole * step)[..., None] * torch.arange(u.shape[-1]))
    kernel = 2 * torch.einsum("hn,hnl->hl", gain, powers).real
    n = u.shape[-1]
    return torch.fft.irfft(torch.fft.rfft(kernel, 2 * n) * torch.fft.rfft(u, 2 * n), 2 * n)[..., :n]


def spectrogram(x: Tensor) -> Tensor:
    padded = F.pad(x, (4, 4))
    s = torch.stft(padded, 16, hop_length=4, window=torch.hann_window(16), return_complex=True)
    return s.abs().pow(2.0)


def round_trip(x: Tensor) -> Tensor:
    window = torch.hann_window(16)
    return torch.istft(torch.stft(x, 16, window=window, return_complex=True), 16, window=window)


def forward_tangent(a: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    return func.jvp(lambda w: (w * w).exp(), (a,), (t,))


class SpectralConv(nn.Module):
    """The layer of the Fourier neural operator."""

    def __init__(self, channels: int, modes: int) -> None:
        super().__init__()
        self.modes = modes
        shape = (channels, channels, modes, modes)
        self.low = nn.Parameter(torch.randn(shape, dtype=C64) / channels)
        self.high = nn.Parameter(torch.randn(shape, dtype=C64) / channels)

    def forward(self, x: Tensor) -> Tensor:
        m = self.modes
        spectrum = torch.fft.rfft2(x)
        out = torch.zeros_like(spectrum)
        out[:, :, :m, :m] = torch.einsum("bixy,ioxy->boxy", spectrum[:, :, :m, :m], self.low)
        out[:, :, -m:, :m] = torch.einsum("bixy,ioxy->boxy", spectrum[:, :, -m:, :m], self.high)
        return torch.fft.irfft2(out, s=x.shape[-2:])


class ComplexNet(nn.Module):
    """Layers with complex parameters, and an activation on both parts."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 6, dtype=C64)
        self.second = nn.Linear(6, 2, dtype=C64)

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(x)
        return self.second(torch.complex(F.relu(y.real), F.relu(y.imag))).abs()


CASES = {
    "105290": Case(literal_then_istft, lambda: (r(9, 6, 2),)),
    "11425_executorch": Case(products, lambda: (z(2, 3, 4), z(2, 4, 5), z(2, 3, 5), z(4))),
    "125718": Case(power_of_literal, lambda: (r(4), r(4))),
    "157607": Case(inner_products, lambda: (z(5), z(5))),
    "163243": Case(upper_cholesky, lambda: (z(3, 3),)),
    "171665": Case(checkpointed, lambda: (z(3, 4), z(5, 4))),
    "171850": Case(conj_then_layers, lambda: (z(1, 2, 5, 5), z(3, 2, 2, 2), z(3, 4))),
    "172826": Case(phase_model, lambda: (r(2, 64), r(9, 1))),
    "179807": Case(spectrogram, lambda: (r(2, 64),)),
    "182200_stft": Case(spectrogram, lambda: (r(64),)),
    "183886": Case(round_trip, lambda: (r(2, 64),)),
    "184100": Case(lambda a: (a * (1 + 2j)).abs().sum(), lambda: (z(4),)),
    "187284": Case(forward_tangent, lambda: (z(4), z(4))),
    "197084": Case(pseudo_inverse, lambda: (z(4, 3, dtype=C128),)),
    "3601_audio": Case(spectrogram, lambda: (r(2, 64),)),
    "4_tensorcircuit": Case(state_vector, lambda: (r(2), z(4, 4))),
    "556_zea": Case(pressure_field, lambda: (r(5), z(5))),
    "91175": Case(mapped_constructors, lambda: (r(3, 4), r(3, 4))),
    "91_s4": Case(s4_kernel, lambda: (r(3) - 3, r(3, 4), z(3, 4), r(3, 8))),
    "95408": Case(parallel_scan, lambda: (z(6, 3), z(6, 3))),
    "jac": Case(jacobians, lambda: (r(3, 2),), gradient=False),
    "vmapgrad": Case(per_sample_gradients, lambda: (z(2, 4), z(5, 4))),
}
MODULES = {
    "418_neuraloperator": (lambda: SpectralConv(2, 2), lambda: (r(2, 2, 8, 8),)),
    "93424": (lambda: nn.Linear(3, 2, dtype=C64), lambda: (z(4, 3),)),
    "97225": (ComplexNet, lambda: (z(5, 4),)),
}


@pytest.mark.parametrize("name", CASES)
def test_graph(name: str) -> None:
    CASES[name].check(interpreted, inference=False, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", CASES)
def test_inductor(name: str) -> None:
    CASES[name].check("inductor_complex", rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("backend", [interpreted, "inductor_complex"])
@pytest.mark.parametrize("name", MODULES)
def test_module(name: str, backend: Any) -> None:
    module, make = MODULES[name]
    assert_trains(module(), *make(), backend=backend, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", ["125718_inner", "183603_traced"])
def test_gradient_inside(name: str) -> None:
    fn, args = {
        "125718_inner": (inner_gradient, (r(4).requires_grad_(),)),
        "183603_traced": (gradient_penalty, (r(4, 3).requires_grad_(), r(3, 2).requires_grad_())),
    }[name]
    with torch._dynamo.config.patch(trace_autograd_ops=True):
        compiled = torch.compile(fn, fullgraph=True, backend=interpreted)
        torch.testing.assert_close(compiled(*args), fn(*args))


REFUSED = {
    "117844": (lambda x: torch.fft.rfft(x.bfloat16()), lambda: (r(8),)),
    "61909": (lambda x, w: torch.einsum("ij,jk->ik", x, w), lambda: (r(3, 4), z(4, 2))),
    "95100": (lambda x: torch.view_as_complex(x.bfloat16()), lambda: (r(4, 2),)),
    "99984": (lambda m, x, v: torch.addmv(x, m, v), lambda: (r(3, 4), r(3), z(4))),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_as_in_eager(name: str) -> None:
    fn, make = REFUSED[name]
    args = make()
    with pytest.raises(RuntimeError):
        fn(*args)
    with pytest.raises(RuntimeError):
        torch.compile(fn, fullgraph=True, backend="inductor_complex")(*args)


def test_81749_batch_norm_is_that_of_the_modulus() -> None:
    """Eager refuses; compiled, the mean is complex and the variance that of |z - mean|."""
    a = z(6, 3)
    compiled = torch.compile(F.batch_norm, fullgraph=True, backend=interpreted)
    centred = a - a.mean(0)
    want = centred / (centred.abs().square().mean(0) + 1e-5).sqrt()
    torch.testing.assert_close(compiled(a, None, None, training=True), want)


def test_92750_backward_of_a_complex_scalar_raises() -> None:
    a = z(3).requires_grad_()
    out = torch.compile(lambda t: (t * 2).sum(), fullgraph=True, backend=interpreted)(a)
    with pytest.raises(RuntimeError, match="real scalar outputs"):
        out.backward()
