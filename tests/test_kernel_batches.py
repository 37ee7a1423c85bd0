"""C++ kernels of one graph that are compiled together."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._inductor import config
from torch._inductor.async_compile import AsyncCompile

import torch_complex_subclass as tcs
from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.inductor_lowering import kernel_batches

SOURCE = """
#include <torch/csrc/inductor/cpp_prefix.h>
extern "C" void kernel(float* x, const int64_t n)
{{
    x[n] = {value};
}}
"""
ARGTYPES = ["float*", "const int64_t"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[Path]:
    with compat.cache_folder(tmp_path), tcs.enabled():
        yield tmp_path


def compiled(*sources: str) -> list[Any]:
    """Functions of these sources, as the module of a generated graph gets them."""
    compiler = AsyncCompile()
    scope = {f"k{i}": compiler.cpp_pybinding(ARGTYPES, s) for i, s in enumerate(sources)}
    compiler.wait(scope)
    return list(scope.values())


def binaries(folder: Path) -> set[Path]:
    return set(folder.rglob("*.main.so"))  # others say what the processor can do


def assert_each_writes_its_number(kernels: list[Any]) -> None:
    x = torch.zeros(len(kernels))
    for i, kernel in enumerate(kernels):
        kernel(x, i)
    assert x.tolist() == list(range(len(kernels)))


@pytest.mark.parametrize(("threads", "expected"), [(1, 1), (2, 2), (8, 5)])
def test_as_many_binaries_as_compilers_at_a_time(folder: Path, threads: int, expected: int) -> None:
    with config.patch(compile_threads=threads):
        assert_each_writes_its_number(compiled(*(SOURCE.format(value=i) for i in range(5))))
    assert len(binaries(folder)) == expected


def test_the_second_time_nothing_is_compiled(folder: Path) -> None:
    sources = [SOURCE.format(value=i) for i in range(3)]
    with config.patch(compile_threads=1):
        compiled(*sources)
        before = {path: path.stat().st_mtime_ns for path in binaries(folder)}
        assert_each_writes_its_number(compiled(*sources))
    assert {path: path.stat().st_mtime_ns for path in binaries(folder)} == before


def test_arguments_are_checked() -> None:
    with config.patch(compile_threads=1):
        first, second = compiled(SOURCE.format(value=0), SOURCE.format(value=1))
    with pytest.raises(RuntimeError, match="requires 2 args"):
        first(torch.zeros(2))
    with pytest.raises(RuntimeError):
        second(torch.zeros(2), "1")


def test_a_kernel_is_there_before_the_wait() -> None:
    compiler = AsyncCompile()
    with config.patch(compile_threads=2):
        futures = [compiler.cpp_pybinding(ARGTYPES, SOURCE.format(value=i)) for i in range(3)]
        assert_each_writes_its_number([future.result() for future in futures])


OWN_FUNCTION = """
template <typename T>
static T value() {{ return {value}; }}
"""


def test_sources_with_more_than_a_kernel_stay_by_themselves(folder: Path) -> None:
    includes, kernel = SOURCE.split('extern "C"')
    template = f'{includes}{OWN_FUNCTION}extern "C"{kernel}'.replace(
        "= {value}", "= value<float>()"
    )
    sources = [template.format(value=0), template.format(value=1)]
    sources += [SOURCE.format(value=i) for i in (2, 3)]
    with config.patch(compile_threads=2):
        assert_each_writes_its_number(compiled(*sources))
        assert len(binaries(folder)) == 4
        compiled(*sources, *(SOURCE.format(value=i) for i in (4, 5)))
    assert len(binaries(folder)) == 6


def test_each_by_itself_where_the_compiler_refuses_them_together(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(kernel_batches, "joined", lambda kernels: "#error together")
    sources = [SOURCE.format(value=i) for i in range(3)]
    with config.patch(compile_threads=1), caplog.at_level(logging.WARNING):
        assert_each_writes_its_number(compiled(*sources))
    assert len(binaries(folder)) == 3
    assert "3 kernels are compiled one by one" in caplog.text


def test_an_error_in_a_kernel_is_raised() -> None:
    sources = [SOURCE.format(value=value) for value in ("0", "undeclared", "2")]
    with config.patch(compile_threads=2), pytest.raises(RuntimeError, match="undeclared"):
        compiled(*sources)


def test_kernels_are_dealt_evenly() -> None:
    kernels = [kernel_batches._Kernel((), "x" * n) for n in (1, 9, 4, 5, 3, 2)]
    shares = kernel_batches.dealt(kernels, 2)
    assert [sum(len(k.source) for k in share) for share in shares] == [12, 12]
    assert {k for share in shares for k in share} == set(kernels)
    assert kernel_batches.dealt([], 2) == []


def test_a_source_does_not_grow_without_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_batches, "_LONGEST", 10)
    kernels = [kernel_batches._Kernel((), "x" * 5) for _ in range(6)]
    assert [len(share) for share in kernel_batches.dealt(kernels, 1)] == [2, 2, 2]


def steps(z: Tensor) -> Tensor:
    for _ in range(3):
        z = torch.fft.fft(z.exp() * 0.1)
    return z * 2


def test_a_graph_of_several_kernels(folder: Path) -> None:
    z = torch.randn(4, 8, dtype=torch.complex64)
    torch.compiler.reset()
    with config.patch(compile_threads=2):
        got = torch.compile(steps, fullgraph=True, dynamic=False)(z)
    torch.testing.assert_close(got, steps(z))
    assert len(binaries(folder)) == 2


def test_disabled_each_is_compiled_by_itself(folder: Path) -> None:
    with tcs.enabled():
        pass
    ours = AsyncCompile.cpp_pybinding, AsyncCompile.wait
    tcs.disable()
    try:
        assert AsyncCompile.cpp_pybinding is not ours[0]
        assert AsyncCompile.wait is not ours[1]
        with config.patch(compile_threads=2):
            assert_each_writes_its_number(compiled(*(SOURCE.format(value=i) for i in range(3))))
    finally:
        tcs.enable()
    assert len(binaries(folder)) == 3
