"""Results are allocated as complex memory where loops alone write and read it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._inductor.utils import run_and_get_code, run_fw_bw_and_get_code

import torch_complex_subclass as tcs

c64 = torch.complex64
VIEW = "torch.view_as_complex("


def code_of(fn: Callable[..., Any], *args: Tensor) -> str:
    """Return the generated code, after a look at the results."""
    torch.compiler.reset()
    with tcs.enabled():
        got, (code,) = run_and_get_code(torch.compile(fn, fullgraph=True, dynamic=False), *args)
    want = fn(*args)
    torch.testing.assert_close(got, want)
    several = isinstance(want, tuple)
    for one, other in zip(got, want, strict=True) if several else [(got, want)]:
        assert (one.dtype, one.stride()) == (other.dtype, other.stride())
    return str(code[code.index("def call") :])


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


def test_memory_of_another_is_taken() -> None:
    """A result that takes the memory of what is not used any more is a view of that."""

    def fn(x: Tensor) -> Tensor:
        ordered = torch.sort((x * 2).cumsum(0).flatten())[0]  # as many numbers as the result
        z = torch.complex(ordered.view(64, 2)[:, 0], ordered.view(64, 2)[:, 1].exp())
        return torch.fft.fft((z * z).sum(0) * z) * 2

    code = code_of(fn, torch.randn(64, 2))
    assert "empty_strided_cpu((64, ), (1, ), torch.complex64)" in code or "reuse" in code


def test_a_library_reads_a_view_after_a_write() -> None:
    def fn(z: Tensor, v: Tensor, m: Tensor) -> Tensor:
        return torch.diagonal_scatter(torch.view_as_real(torch.fft.fft(z)), v) @ m

    code_of(fn, torch.randn(8, dtype=c64), torch.randn(2), torch.randn(2, 3))


def test_memory_of_a_pool_is_not_a_result() -> None:
    def fn(z: Tensor, m: Tensor) -> tuple[Tensor, Tensor]:
        w = z.exp()
        return w, ((w.abs() @ m) @ m) @ m

    with torch.no_grad(), torch._inductor.config.patch(memory_planning=True):
        code_of(fn, torch.randn(32, 32, dtype=c64), torch.randn(32, 32) / 6)


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
