"""AOTInductor packages with complex inputs and outputs, run by a process without this package."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim

import torch_complex_subclass as tcs

OURS = "torch_complex_subclass"

# Loads a package and runs it on inputs from a file; keeps the results and what became of inputs.
CLEAN = f"""
import importlib.util, sys, torch
assert importlib.util.find_spec("{OURS}") is None
package, inputs_file, results_file = sys.argv[1:]
model = torch._inductor.aoti_load_package(package)
calls = torch.load(inputs_file)
torch.save([(model(*inputs), inputs) for inputs in calls], results_file)
assert "{OURS}" not in sys.modules
"""


@pytest.fixture(scope="module")
def clean_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for `sys.path` that has all that is installed beside torch, but not this package."""
    folder = tmp_path_factory.mktemp("site")
    for entry in Path(torch.__file__).parents[1].iterdir():
        if OURS not in entry.name:
            (folder / entry.name).symlink_to(entry)
    return folder


class Run:
    """Compiles a module ahead of time and compares what a clean process computes with eager."""

    def __init__(self, folder: Path, clean_path: Path) -> None:
        self.folder = folder
        self.clean_path = clean_path

    def __call__(self, module: nn.Module, *calls: tuple[Tensor, ...], **options: Any) -> None:
        """Export for the first call's inputs and compare all calls."""
        with tcs.enabled():
            program = torch.export.export(module, tuple(t.clone() for t in calls[0]), **options)
            package = torch._inductor.aoti_compile_and_package(
                program, package_path=str(self.folder / "model.pt2")
            )
        torch.save(list(calls), self.folder / "inputs.pt")
        files = [package, self.folder / "inputs.pt", self.folder / "results.pt"]
        done = subprocess.run(
            [sys.executable, "-S", "-W", "ignore", "-c", CLEAN, *map(str, files)],
            env={**os.environ, "PYTHONPATH": str(self.clean_path)},
            cwd=self.folder,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        for (found, written), inputs in zip(torch.load(files[-1]), calls, strict=True):
            wanted = module(*inputs)
            torch.testing.assert_close(_listed(found), _listed(wanted))
            torch.testing.assert_close(list(written), list(inputs))
            bits = [[t.is_conj() for t in _listed(results)] for results in (found, wanted)]
            assert bits[0] == bits[1]


def _listed(results: Any) -> list[Tensor]:
    return list(results) if isinstance(results, list | tuple) else [results]


@pytest.fixture
def assert_agrees(tmp_path: Path, clean_path: Path) -> Run:
    return Run(tmp_path, clean_path)


class Module(nn.Module):
    """Calls a function with itself."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: Tensor) -> Any:
        return self.function(*inputs)


class Layer(nn.Module):
    """Complex parameters, buffers and literals (pytorch issue 132810)."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 4, dtype=torch.complex64))
        self.register_buffer("shift", torch.randn(4, dtype=torch.complex64))

    def forward(self, z: Tensor) -> tuple[Tensor, ...]:
        y = (torch.fft.fft(z) @ self.weight + self.shift) * (1 + 2j)
        return y.tanh(), y.conj(), torch.tensor(1 - 2j) * z.real


def number(*shape: int, dtype: torch.dtype = torch.complex64) -> Tensor:
    return torch.randn(shape, dtype=dtype)


def test_parameters_buffers_and_literals_132810(assert_agrees: Run) -> None:
    assert_agrees(Layer(), (number(3, 4),))


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=str)
def test_difference_189189(assert_agrees: Run, dtype: torch.dtype) -> None:
    inputs = number(4, dtype=dtype), number(4, dtype=dtype)
    assert_agrees(Module(lambda a, b: a - b), inputs)


@pytest.mark.slow
def test_fftn_beside_a_real_tensor_122980(assert_agrees: Run) -> None:
    assert_agrees(Module(lambda x: (torch.fft.fftn(x).real, x + 1)), (torch.randn(4, 8),))


@pytest.mark.slow
def test_sizes_and_conj_bits_of_each_call(assert_agrees: Run) -> None:
    """What a package is called with has other sizes, and a conj bit, than what was exported."""
    module = Module(lambda a, b: (a - b) * b.conj() + a.exp())
    batch = {0: Dim("batch", min=2, max=64)}
    calls = [(number(n, 4), number(n, 4)) for n in (4, 7)]
    assert_agrees(
        module, *calls, (number(5, 4).conj(), number(5, 4)), dynamic_shapes=((batch, batch),)
    )


@pytest.mark.slow
def test_written_inputs_views_and_library_calls(assert_agrees: Run) -> None:
    def function(z: Tensor, w: Tensor) -> tuple[Tensor, ...]:
        z[1:3].mul_(2j)
        w.real.add_(1)
        return z.real, z.mT.clone(), torch.linalg.solve(z, w.conj()), torch.linalg.eigvals(w).abs()

    assert_agrees(Module(function), (number(4, 4), number(4, 4)))


@pytest.mark.slow
def test_package_of_a_decomposed_program(assert_agrees: Run) -> None:
    """A program that the table has made real needs nothing of this package to be compiled."""
    module, inputs = Module(lambda a, b: (a * b.conj()).log1p()), (number(4), number(4))
    program = torch.export.export(module, inputs)
    decomposed = program.run_decompositions(tcs.decompositions.export_table())
    assert_agrees(decomposed.module(), inputs)
