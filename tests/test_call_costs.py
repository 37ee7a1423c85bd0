"""What Python does around kernels of complex values: no view for each part, no look-up of ops.

And no view of results: they are allocated as complex memory where loops alone take them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._inductor.codegen.wrapper import AllocateLine
from torch._inductor.utils import run_and_get_code, run_fw_bw_and_get_code

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
    assert code.count("torch.complex64)") == 1  # allocations
    assert code.count(", 2), (") == 0  # of pairs


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
    "torch._conj": (lambda a: a.mH @ a, [torch.randn(20, 20, dtype=c64)]),
    "torch._neg_view": (lambda x: x * 2, [torch.randn(4, 6, dtype=c64).conj().imag]),
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


VIEW = "torch.view_as_complex("

RESULTS: dict[str, tuple[Callable[..., Any], Tensor]] = {
    "one": (lambda z: z * 2j + z.conj(), torch.randn(20, dtype=c64)),
    "two": (lambda z: (z.exp(), z * z), torch.randn(4, 5, dtype=c64)),
    "double precision": (torch.exp, torch.randn(7, dtype=torch.complex128)),
    "no dimension": (torch.exp, torch.randn((), dtype=c64)),
    "a sum": (lambda z: (z * 2).sum(0), torch.randn(40, 3, dtype=c64)),
    "read by a library too": (
        lambda z: (w := z.exp(), torch.fft.fft(w)),
        torch.randn(6, 16, dtype=c64),
    ),
    "views of one": (lambda z: (w := z * 2, w[1:].mT), torch.randn(4, 6, dtype=c64)),
    "for a library alone": (lambda z: torch.fft.fft(z * 2), torch.randn(4, 6, dtype=c64)),
    "for libraries in turn": (
        lambda z: torch.fft.fft(torch.fft.fft(torch.fft.fft(z * 2) * 3).sgn()),
        torch.randn(4, 6, dtype=c64),
    ),
    "for a library that looks at the bit": (
        lambda z: z.exp() @ z.mH,
        torch.randn(20, 20, dtype=c64),
    ),
}


@pytest.mark.parametrize("name", RESULTS)
def test_no_view_is_made(name: str) -> None:
    assert VIEW not in code_of(*RESULTS[name])


def real_view(z: Tensor) -> tuple[Tensor, Tensor]:
    w = z.exp()
    return w, torch.view_as_real(w)


def real_parts_in_a_library(z: Tensor) -> tuple[Tensor, Tensor]:
    w = z.exp()
    return w, torch.sort(torch.view_as_real(w).flatten())[0]


def transposed(z: Tensor) -> Tensor:
    return z.mT.exp()


def written_and_read(z: Tensor) -> tuple[Tensor, Tensor]:
    w = z.exp()
    pairs = torch.view_as_real(w)
    pairs[torch.tensor([1, 3])] = torch.ones(2, 2)
    return w, torch.sort(pairs.flatten())[0]


MADE: dict[str, tuple[Callable[..., Any], Tensor]] = {
    "a real view is a result": (real_view, torch.randn(8, dtype=c64)),
    "a library reads real memory": (real_parts_in_a_library, torch.randn(8, dtype=c64)),
    "a library reads it after a write": (written_and_read, torch.randn(8, dtype=c64)),
    "not contiguous": (transposed, torch.randn(5, 8, dtype=c64)),
}


@pytest.mark.parametrize("name", MADE)
def test_a_view_is_made(name: str) -> None:
    assert VIEW in code_of(*MADE[name])


def ordered(t: Tensor) -> Tensor:
    """By a library, which takes a tensor where a loop takes an address."""
    return torch.sort(t, -1)[0]


TAKEN: dict[str, Callable[[Tensor], Tensor]] = {
    "as many pairs": lambda z: ordered(torch.stack([z.real * 2, z.imag + 1], -1)).flatten(1),
    "another shape": lambda z: ordered(torch.cat([z.real * 2, z.imag + 1], -1)),
    "another shape of numbers": lambda z: torch.fft.fft((z * z).reshape(8, 3)),
    "a transposed one": lambda z: torch.fft.fft((z * z).mT.contiguous()),
    "by loops alone": lambda z: torch.cat([z.real * 2, z.imag + 1], -1).softmax(-1),
}


@pytest.mark.parametrize("name", TAKEN)
def test_complex_memory_may_be_taken(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AllocateLine, "should_reuse_buffer", lambda *args: True)

    def fn(z: Tensor) -> Tensor:
        return TAKEN[name](torch.fft.fft(z * 2))

    assert_memory_is_taken(fn, torch.randn(4, 6, dtype=c64))


def assert_memory_is_taken(fn: Callable[..., Any], *args: Tensor) -> None:
    """The results are right, and one buffer has had the memory of another."""
    assert "# reuse" in code_of(fn, *args)


def test_memory_of_another_is_taken() -> None:
    """A result that takes the memory of what is not used any more is a view of that."""

    def fn(x: Tensor) -> Tensor:
        ordered = torch.sort((x * 2).flatten())[0]  # as many numbers as the result has
        return torch.complex(ordered[:64], ordered[64:]).exp()

    code = code_of(fn, torch.randn(64, 2))
    assert "# reuse" in code
    assert VIEW in code


def test_a_library_reads_a_view_after_a_write() -> None:
    def fn(z: Tensor, v: Tensor, m: Tensor) -> Tensor:
        return torch.diagonal_scatter(torch.view_as_real(torch.fft.fft(z)), v) @ m

    code = code_of(fn, torch.randn(8, dtype=c64), torch.randn(2), torch.randn(2, 3))
    assert "torch.view_as_real(" in code


def test_memory_of_a_pool_is_not_a_result() -> None:
    def fn(z: Tensor, m: Tensor) -> tuple[Tensor, Tensor]:
        w = z.exp()
        return w, ((w.abs() @ m) @ m) @ m

    with torch.no_grad(), torch._inductor.config.patch(memory_planning=True):
        code = code_of(fn, torch.randn(32, 32, dtype=c64), torch.randn(32, 32) / 6)
    assert "alloc_from_pool" in code
    assert ".clone()" in code


def test_sizes_without_a_value() -> None:
    torch.compiler.reset()
    fn = torch.compile(lambda z: z.exp() * 2, fullgraph=True, dynamic=True)
    with tcs.enabled():
        for n, m in ((3, 5), (4, 7)):
            z = torch.randn(n, m, dtype=c64)
            torch.testing.assert_close(fn(z), z.exp() * 2)


def test_gradients() -> None:
    def fn(a: Tensor, b: Tensor) -> Tensor:
        return (a * b.conj()).abs().square().sum()

    a, b = (torch.randn(9, dtype=c64).requires_grad_() for _ in range(2))
    torch.compiler.reset()
    with tcs.enabled():
        compiled = torch.compile(fn, fullgraph=True, dynamic=False)
        _, codes = run_fw_bw_and_get_code(lambda: compiled(a, b))
    assert len(codes) == 2
    assert not any(VIEW in code for code in codes)
    torch.testing.assert_close((a.grad, b.grad), torch.autograd.grad(fn(a, b), (a, b)))
    assert a.grad is not None
    assert not a.grad._is_view()


def pairs_in_complex_memory(z: Tensor) -> tuple[Tensor]:
    """A real result in what was memory of a complex number."""
    spectrum = torch.fft.fft(z * 2)
    return (torch.stack([spectrum.real * 2, spectrum.imag + 1], -1),)


def complex_in_real_memory(z: Tensor) -> tuple[Tensor]:
    first, second = torch.sort(torch.view_as_real(z * 2).flatten())[0].chunk(2)
    return (torch.complex(first, second) * 2j,)


WRITTEN: dict[str, Callable[[Tensor], tuple[Tensor, ...]]] = {
    "not contiguous": lambda z: (z.mT * 2j,),
    "real in complex memory": pairs_in_complex_memory,
    "complex in real memory": complex_in_real_memory,
    "from a library": lambda z: (torch.fft.fft(z * 2),),
    "a view": lambda z: ((z * 2)[1:],),
}


@pytest.mark.parametrize("learned", [False, True])
@pytest.mark.parametrize("name", WRITTEN)
def test_results_may_be_written_to_with_gradients(
    name: str, learned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AllocateLine, "should_reuse_buffer", lambda *args: True)
    fn, factor = WRITTEN[name], torch.tensor(2.0, requires_grad=True)
    z = torch.randn(4, 6, dtype=c64, requires_grad=learned)
    torch.compiler.reset()
    with tcs.enabled():
        found = torch.compile(fn, fullgraph=True, dynamic=False)(z)[0]
    wanted = fn(z)[0]
    inputs = [factor, z] if learned else [factor]
    got, want = (torch.autograd.grad(t.mul_(factor).abs().sum(), inputs) for t in (found, wanted))
    torch.testing.assert_close(found, wanted)
    torch.testing.assert_close(got, want)
