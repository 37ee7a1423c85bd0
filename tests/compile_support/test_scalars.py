"""Python complex numbers, constants and NumPy in compiled functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch._dynamo.utils import counters

from torch_complex_subclass.testing.compare import Case
from torch_complex_subclass.testing.interpret import interpreted

LIFTED = torch.tensor([1j, 2, 3 - 1j, 4])
ARRAY = np.array([1j, 2, 3, 4], dtype=np.complex64)


def z() -> Tensor:
    return torch.randn(3, 4, dtype=torch.complex64)


CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "literals": (lambda a: (a * (1 + 2j), 2j / a, a**2j, (1 + 1j) ** a, 1j - a), ()),
    "argument": (lambda a, s: a * s.conjugate() * s.real + s.imag + abs(s), (1.5 + 2j,)),
    "complex()": (lambda a, x, y: a * complex(x, y) + complex(y), (1.5, 2.5)),
    "tensor()": (lambda a: a * torch.tensor(1 + 2j) + torch.as_tensor(2j), ()),
    "lifted": (lambda a: a * LIFTED + LIFTED.conj(), ()),
    "array": (lambda a: a * torch.from_numpy(ARRAY), ()),
}


@pytest.mark.parametrize("name", CASES)
def test_number(name: str) -> None:
    fn, numbers = CASES[name]
    case = Case(fn, lambda: (z(), *numbers))
    case.check(interpreted, inference=False, rtol=2e-5, atol=2e-5)


FUNCTIONS_OF_NUMPY: dict[str, Callable[..., Any]] = {
    "arithmetic": lambda x: np.exp(1j * x) * np.conj(x) + x.real,
    "fft": lambda x: np.abs(np.fft.fft(x)) ** 2,
}


@pytest.mark.parametrize("name", FUNCTIONS_OF_NUMPY)
def test_function_of_numpy(name: str) -> None:
    fn = FUNCTIONS_OF_NUMPY[name]
    compiled = torch.compile(fn, fullgraph=True, backend=interpreted)
    np.testing.assert_allclose(compiled(ARRAY), fn(ARRAY), rtol=1e-5)


def test_scalar_of_numpy() -> None:
    """Eager drops the imaginary part of a `numpy.complex64`; compiled code keeps it."""
    a = z()
    compiled = torch.compile(lambda t, s: t * s, fullgraph=True, backend=interpreted)
    torch.testing.assert_close(compiled(a, np.complex64(1 + 2j)), a * (1 + 2j))


def test_number_in_a_tensor_changes_without_recompiling() -> None:
    a = z()
    counters.clear()
    compiled = torch.compile(lambda t, s: t * s, fullgraph=True, backend=interpreted)
    for k in range(4):
        torch.testing.assert_close(compiled(a, torch.tensor(k + 1j)), a * (k + 1j))
    assert counters["stats"]["unique_graphs"] == 1
