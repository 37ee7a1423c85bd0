"""The compile path against eager: one case for each thing that can happen at its edges."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from torch_complex_subclass.testing.compare import Case
from torch_complex_subclass.testing.interpret import interpreted


def z(*shape: int, dtype: torch.dtype = torch.complex64) -> Tensor:
    return torch.randn(shape, dtype=dtype)


def two() -> tuple[Tensor, Tensor]:
    return z(3, 4), z(3, 4)


def one() -> tuple[Tensor]:
    return (z(3, 4),)


def real_one() -> tuple[Tensor]:
    return (torch.randn(3, 4),)


def change_in_place(a: Tensor, b: Tensor) -> Tensor:
    a.mul_(b)
    return a.sum()


def change_parts(a: Tensor) -> Tensor:
    a.mul_(2j)
    a.real.add_(1)
    torch.view_as_real(a).mul_(3)
    a[1:].conj_physical_()
    return a.sum()


def read_before_change(a: Tensor, b: Tensor) -> tuple[Tensor, ...]:
    before = a * 3
    a.add_(b)
    return before, a * b, torch.fft.fft(before)


def change_conj_input(a: Tensor) -> Tensor:
    a.mul_(1 + 2j)
    return a * 2


def change_by_fft(a: Tensor) -> None:
    a.copy_(torch.fft.fft(a))


def change_from_interleaved(a: Tensor, t: Tensor) -> None:
    a.copy_(torch.view_as_complex(t * 2))


def write_by_index(a: Tensor) -> Tensor:
    b = a.clone()
    b[1] = 3j
    b[:, 0] = a[:, 1]
    b[:, 2:] *= 2
    return b


def several_outputs(a: Tensor, b: Tensor) -> tuple[Any, ...]:
    return a @ b.mH, (a * b).t(), b.real * a.imag, [a.abs(), (a + b).sum(0)]


def views_of_results(a: Tensor, b: Tensor) -> tuple[Tensor, ...]:
    c = a * b
    views = (c.conj(), c.t(), c[1:], c.real, c.imag, c.conj().imag, torch.view_as_real(c))
    return c, *views, c.unsqueeze(0).expand(2, 3, 4)


def views_of_inputs(a: Tensor) -> tuple[Tensor, ...]:
    return a, a.conj(), a.real, a.t(), torch.view_as_real(a), a[1:], a * 2


def rotary(q: Tensor, angles: Tensor) -> Tensor:
    turned = torch.view_as_complex(q.reshape(2, 5, -1, 2)) * angles
    return torch.view_as_real(turned).flatten(2)


def quadratic_form(psi: Tensor, a: Tensor, x: Tensor) -> Tensor:
    return torch.einsum("i,kija,ta,j->tk", psi.conj(), a, x, psi).real


def spectrogram(x: Tensor) -> Tensor:
    window = torch.hann_window(16)
    s = torch.stft(x, 16, window=window, return_complex=True)
    return torch.istft(s * 2j, 16, window=window)


def dynamic_sizes(a: Tensor, b: Tensor) -> Tensor:
    ones = torch.ones(a.shape[0] * b.shape[0] + 0, dtype=torch.complex64)
    return (a @ b.mT).reshape(-1) * ones + torch.full((a.shape[0] * a.shape[0],), 1j)


def branches(a: Tensor) -> Tensor:
    return torch.cond(a.abs().sum() > 0, lambda t: t * 2j, lambda t: t.conj() + 1, (a,))


CASES = {
    "addmm": Case(
        lambda a, b, c: torch.addmm(c, a, b.mT, beta=2, alpha=1j), lambda: (*two(), z(3))
    ),
    "angle and quotient": Case(lambda a, b: (a * b.conj()).exp().abs() + (a / b).angle(), two),
    "arithmetic": Case(lambda a, b: a * b + 1j - b / 2, two),
    "broadcast": Case(lambda a, b: a[:, None] * b[None] + 1, two),
    "complex constant": Case(lambda a: a * torch.tensor([1j, 2, 3, 4]) + torch.tensor(2j), one),
    "complex from parts": Case(lambda r: torch.complex(r.sin(), r.cos()).exp().abs(), real_one),
    "conj input": Case(
        lambda a, b: (a * b, a.conj(), a @ b.t(), a.real, a.imag),
        lambda: (z(3, 4).conj(), z(3, 4).conj()),
    ),
    "double precision": Case(
        lambda a: (a.exp() * a.conj()).sum(-1), lambda: (z(3, 4, dtype=torch.complex128),)
    ),
    "dynamic": Case(dynamic_sizes, two, dynamic=True),
    "dynamic reduction": Case(
        lambda a, b: (a * b.conj()).sum(-1)[..., None] * a.reshape(-1)[:3, None],
        two,
        dynamic=True,
    ),
    "einsum": Case(quadratic_form, lambda: (z(3), z(2, 3, 3, 4), z(6, 4))),
    "embedding in real model": Case(
        lambda r: torch.fft.rfft(r).abs().log1p().mean(0), lambda: (torch.randn(3, 8),)
    ),
    "empty": Case(lambda a: (a * 2, a + 1j, a.sum()), lambda: (z(0, 4),)),
    "expanded input": Case(lambda a: a * 2j, lambda: (z(3, 1).expand(3, 4),), gradient=False),
    "fft": Case(lambda a: torch.fft.ifft2(torch.fft.fft2(a * 2) * a)[1:], one),
    "index": Case(lambda a: a[torch.tensor([0, 2])] * 2, one),
    "inner product": Case(lambda a, b: torch.vdot(a, b) + torch.dot(a, b), lambda: (z(5), z(5))),
    "linear": Case(
        lambda a, w, b: torch.nn.functional.linear(a, w, b).abs(),
        lambda: (z(3, 4), z(5, 4), z(5)),
    ),
    "literal on real": Case(lambda r: r * 1j + 2, real_one),
    "mutated buffer-like input": Case(change_in_place, two, gradient=False),
    "mutated by fft": Case(change_by_fft, one, gradient=False),
    "mutated conj input": Case(change_conj_input, lambda: (z(3, 4).conj(),), gradient=False),
    "mutated from interleaved": Case(
        change_from_interleaved, lambda: (z(3, 4), torch.randn(3, 4, 2)), gradient=False
    ),
    "mutated parts": Case(change_parts, one, gradient=False),
    "mutated slice": Case(write_by_index, one),
    "neg input": Case(lambda r: (r * 2, r.sum()), lambda: (z(3, 4).conj().imag,), gradient=False),
    "neg of conj": Case(lambda a: a.conj().imag * 2, one),
    "permuted": Case(
        lambda a, b: a * b, lambda: (z(4, 3, 2).permute(2, 0, 1), z(4, 3, 2).permute(2, 0, 1))
    ),
    "polar": Case(lambda r: torch.view_as_real(torch.polar(r, r) * 1j), real_one),
    "read before change": Case(read_before_change, two, gradient=False),
    "real fft": Case(
        lambda r: torch.fft.irfft(torch.fft.rfft(r) * 2j), lambda: (torch.randn(3, 8),)
    ),
    "real operand": Case(lambda a, r: (a * r, r - a, a / r), lambda: (z(3, 4), torch.randn(3, 4))),
    "rotary": Case(rotary, lambda: (torch.randn(2, 5, 8), z(5, 4))),
    "several outputs": Case(several_outputs, two),
    "short-time transform": Case(spectrogram, lambda: (torch.randn(2, 64),)),
    "singular values": Case(lambda a: torch.linalg.svd(a * 2)[1], one),
    "slices joined": Case(lambda a: torch.cat([a[:2] * 2, a[1:].conj()]), one),
    "split": Case(lambda a: [t * 2 for t in a.split(2, -1)], one),
    "strided input": Case(lambda a: a * 2 + a.conj(), lambda: (z(6, 8)[::2, ::2],), gradient=False),
    "branches": Case(branches, one, gradient=False),
    "views of inputs": Case(views_of_inputs, one),
    "views of results": Case(views_of_results, two),
    "zero-dimensional": Case(lambda a: (a * 2, a + 1j, a.abs()), lambda: (z(),)),
}


@pytest.fixture(params=["interpreted", "inductor"])
def backend(request: pytest.FixtureRequest) -> Any:
    return interpreted if request.param == "interpreted" else "inductor_complex"


@pytest.mark.parametrize("name", sorted(CASES))
def test_equals_eager(name: str, backend: Any) -> None:
    case = CASES[name]
    torch.manual_seed(0)
    case.check(backend, rtol=2e-5, atol=2e-5)


def test_incoming_gradient_with_conj_bit(backend: Any) -> None:
    torch.manual_seed(0)
    a = z(3, 4).requires_grad_()
    b = a.detach().clone().requires_grad_()

    def fn(t: Tensor) -> tuple[Tensor, Tensor]:
        w = t * t
        return w, w.abs()

    seed = z(3, 4)
    compiled = torch.compile(fn, fullgraph=True, backend=backend)
    for leaf, function in ((a, fn), (b, compiled)):
        first, second = function(leaf)
        total = (first.conj() * seed).sum().real + torch.complex(second, second).conj().imag.sum()
        total.backward()
    torch.testing.assert_close(b.grad, a.grad)


class Recurrence(torch.nn.Module):
    """A complex state that each call advances in place."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(z(4, 4))
        self.register_buffer("state", torch.zeros(3, 4, dtype=torch.complex64))

    def forward(self, x: Tensor) -> Tensor:
        self.state.mul_(0.9).add_(x.detach() * 1j)
        return ((x @ self.weight) * self.state).abs().sum()


def test_buffer_and_parameter(backend: Any) -> None:
    torch.manual_seed(0)
    eager = Recurrence()
    module = copy.deepcopy(eager)
    compiled = torch.compile(module, fullgraph=True, backend=backend)
    x = z(3, 4)
    for _ in range(3):
        eager(x).backward()
        compiled(x).backward()
    torch.testing.assert_close(module.state, eager.state)
    torch.testing.assert_close(module.weight.grad, eager.weight.grad)


@pytest.mark.parametrize("foreach", [False, True], ids=["single", "foreach"])
@pytest.mark.parametrize("name", ["Adam", "AdamW", "SGD"])
def test_optimizer(name: str, foreach: bool) -> None:
    torch.manual_seed(0)
    eager = [torch.nn.Parameter(z(3, 4)) for _ in range(2)]
    ours = copy.deepcopy(eager)
    make = getattr(torch.optim, name)
    options = {"lr": 0.1, "foreach": foreach} | ({"momentum": 0.9} if name == "SGD" else {})
    first, second = make(eager, **options), make(ours, **options)
    step = torch.compile(lambda: second.step(), backend="inductor_complex")
    for _ in range(3):
        for p, q in zip(eager, ours, strict=True):
            p.grad = torch.randn_like(p)
            q.grad = p.grad.clone()
        first.step()
        step()
    torch.testing.assert_close(ours, eager)


def noise_on_parts(a: Tensor) -> tuple[Tensor, Tensor]:
    noisy = a * torch.rand(3, 4) + torch.randn_like(a.real)
    return noisy, torch.nn.functional.dropout(a.abs(), 0.5)


def complex_noise(a: Tensor) -> Tensor:
    return torch.randn(3, 4, dtype=torch.complex64) * a


@pytest.mark.parametrize("fn", [noise_on_parts, complex_noise])
def test_random_numbers_are_eagers(fn: Callable[[Tensor], Any], backend: Any) -> None:
    from torch._inductor import config

    a = z(3, 4)
    compiled = torch.compile(fn, fullgraph=True, backend=backend)
    with config.patch(fallback_random=True):
        torch.manual_seed(3)
        expected = fn(a)
        torch.manual_seed(3)
        torch.testing.assert_close(compiled(a), expected)


def early_noise(a: Tensor) -> tuple[Tensor, Tensor]:
    noise = torch.randn_like(a.real)
    return a * torch.rand(3, 4) + noise, torch.nn.functional.dropout(a.abs(), 0.5)


def early_noise_twin(re: Tensor, im: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    noise = torch.randn_like(re)
    factor = torch.rand(3, 4)
    dropped = torch.nn.functional.dropout((re**2 + im**2).sqrt(), 0.5)
    return re * factor + noise, im * factor, dropped


def test_random_numbers_are_drawn_in_the_order_of_the_real_twin(backend: Any) -> None:
    """Eager's order, but for Inductor of torch 2.11, which draws where a number is used first."""
    from torch._inductor import config

    a = z(3, 4)
    compiled = torch.compile(early_noise, fullgraph=True, backend=backend)
    twin = torch.compile(early_noise_twin, fullgraph=True, backend=backend)
    with config.patch(fallback_random=True):
        torch.manual_seed(3)
        re, im, dropped = twin(a.real.clone(), a.imag.clone())
        torch.manual_seed(3)
        torch.testing.assert_close(compiled(a), (torch.complex(re, im), dropped))
