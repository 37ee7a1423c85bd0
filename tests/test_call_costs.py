"""What Python does around kernels of complex values: no view for each part, no look-up of ops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._inductor.utils import run_and_get_code

import torch_complex_subclass as tcs

c64 = torch.complex64


def code_of(fn: Callable[..., Any], *args: Tensor) -> str:
    """Return the generated code, after a look at the results; memory too is laid out as eager's."""
    torch.compiler.reset()
    with tcs.enabled():
        got, (code,) = run_and_get_code(torch.compile(fn, fullgraph=True, dynamic=False), *args)
    want = fn(*args)
    torch.testing.assert_close(got, want)
    single = isinstance(want, Tensor)
    assert [t.stride() for t in ([got] if single else got)] == [
        t.stride() for t in ([want] if single else want)
    ]
    return str(code[code.index("def call") :])


def chain(z: Tensor) -> Tensor:
    return z * 2j + z.conj()


SHAPES: dict[str, Tensor] = {
    "whole vectors": torch.randn(64, dtype=c64),
    "a rest beyond vectors": torch.randn(37, dtype=c64),
    "numbers one by one": torch.randn(3, dtype=c64),
    "double precision": torch.randn(5, 11, dtype=torch.complex128),
    "columns": torch.randn(40, 33, dtype=c64).mT,
    "columns of every other number": torch.randn(40, 66, dtype=c64)[:, ::2].mT,
    "strides of three": torch.randn(40, 3, dtype=c64)[:, 1],
}


@pytest.mark.parametrize("name", SHAPES)
def test_parts_of_a_result_are_no_views(name: str) -> None:
    assert "# alias" not in code_of(chain, SHAPES[name])


def test_channels_may_lie_innermost() -> None:
    """A convolution's result has its channels innermost; its complex form is written once."""

    def fn(x: Tensor, w: Tensor) -> Tensor:
        return torch.fft.fft2(torch.nn.functional.conv2d(x, w, padding=1))

    code = code_of(fn, torch.randn(2, 3, 6, 6), torch.randn(4, 3, 3, 3))
    assert code.count(", 2), (") == 1  # buffers of pairs


def test_sums_are_written_to_their_part() -> None:
    code = code_of(lambda z: (z * z).sum(-1), torch.randn(30, 70, dtype=c64))
    assert "# alias" not in code


READERS: dict[str, Callable[[Tensor], Tensor]] = {
    "library call": lambda part: torch.sort(part.unsqueeze(-1), 0)[0],
    "matrix product": lambda part: part.mT @ part,
    "sum": lambda part: part.softmax(-1),
    "scan": lambda part: part.mT.contiguous().cumsum(1),
    "other result": lambda part: torch.complex(part, part.flip(0)),
    "view": lambda part: part[1:].unsqueeze(0),
}


@pytest.mark.parametrize("name", READERS)
def test_part_that_something_else_reads(name: str) -> None:
    def fn(z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        w = z.exp()
        return READERS[name](w.imag), w, READERS[name](w.real)

    assert "# alias" not in code_of(fn, torch.randn(20, 24, dtype=c64))


def test_results_of_several_kernels() -> None:
    def fn(z: Tensor) -> tuple[Tensor, ...]:
        w = torch.fft.fft(z * 2j)
        total = w.sum()
        return w / total, torch.stack([w.real, w.imag, w.real]), torch.fft.ifft(w * total)

    assert code_of(fn, torch.randn(6, 20, dtype=c64)).count("torch._fft_c2c(") == 2


LIBRARY: dict[str, tuple[Callable[..., Any], list[Tensor]]] = {
    "torch._fft_c2c": (lambda z: torch.fft.fft2(z, norm="ortho"), [torch.randn(4, 6, dtype=c64)]),
    "torch._fft_r2c": (torch.fft.rfft, [torch.randn(4, 6)]),
    "torch._fft_c2r": (lambda z: torch.fft.irfft(z, n=7), [torch.randn(4, 6, dtype=c64)]),
    "torch.mm": (torch.mm, [torch.randn(20, 20, dtype=c64)] * 2),
    "torch.bmm": (torch.bmm, [torch.randn(2, 20, 20, dtype=c64)] * 2),
}


@pytest.mark.parametrize("name", LIBRARY)
def test_library_is_called_by_torchs_own_function(name: str) -> None:
    fn, args = LIBRARY[name]
    code = code_of(fn, *args)
    assert f"{name}(" in code
    assert "= torch.ops.aten" not in code


def test_gradient_of_a_modulus_may_be_negated() -> None:
    """By torch's own function: the tensor is real, but read by a graph of complex values."""
    torch.compiler.reset()
    z = torch.randn(6, dtype=c64, requires_grad=True)
    seed = torch.randn(6, dtype=c64).conj().imag

    def gradient(fn: Callable[[Tensor], Tensor]) -> Tensor:
        (found,) = torch.autograd.grad(fn(z), z, seed)
        return found

    with tcs.enabled():
        got, code = run_and_get_code(gradient, torch.compile(torch.abs, fullgraph=True))
    torch.testing.assert_close(got, gradient(torch.abs))
    assert "= torch.resolve_neg(" in code[-1]


def test_real_functions_are_called_as_before() -> None:
    def fn(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        return torch.cat([a * 2, b + 1], -1), torch.sort(a)[0]

    args = torch.randn(4, 6), torch.randn(4, 5)
    _, (stock,) = run_and_get_code(torch.compile(fn, dynamic=False), *args)
    assert stock[stock.index("def call") :] == code_of(fn, *args)
