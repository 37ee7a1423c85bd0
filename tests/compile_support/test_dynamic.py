"""Sizes that change: as many compilations as the same program takes on real tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._dynamo.utils import counters

from torch_complex_subclass import enabled
from torch_complex_subclass.testing.interpret import interpreted

SHAPES = [(3, 4), (5, 6), (7, 8), (2, 9)]
Program = Callable[[Tensor], Tensor]
PROGRAMS: dict[str, Program] = {
    "pointwise": lambda t: (t * 2 + 1).sum(-1),
    "matmul": lambda t: t @ t.mT,
    "size as a factor": lambda t: t.reshape(-1)[::2] * t.shape[0],
    "mean": lambda t: t.mean(0) / t.shape[1],
    "cat": lambda t: torch.cat([t, t[:1]]),
    "roll": lambda t: t.roll(1, -1) + t.flip(0),
    "half": lambda t: t[:, : t.shape[1] // 2] * 2,
}


def compilations(
    fn: Program,
    dtype: torch.dtype,
    shapes: Sequence[tuple[int, ...]] = SHAPES,
    prepare: Callable[[Tensor], Any] = lambda t: None,
    **options: Any,
) -> int:
    """How many graphs calls with tensors of these shapes take; each is compared with eager."""
    torch._dynamo.reset()
    counters.clear()
    compiled = torch.compile(fn, fullgraph=True, backend=interpreted, **options)
    for shape in shapes:
        t = torch.randn(shape, dtype=dtype)
        want = fn(t)
        prepare(t)
        torch.testing.assert_close(compiled(t), want, rtol=2e-5, atol=2e-5)
    return int(counters["stats"]["unique_graphs"])


@pytest.mark.parametrize("dynamic", [None, True], ids=["automatic", "dynamic"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_as_often_as_real(name: str, dynamic: bool | None) -> None:
    with enabled():
        ours = compilations(PROGRAMS[name], torch.complex64, dynamic=dynamic)
    assert ours == compilations(PROGRAMS[name], torch.float32, dynamic=dynamic)


MARKS = {
    "dynamic": torch._dynamo.mark_dynamic,
    "unbacked": torch._dynamo.decorators.mark_unbacked,
}


@pytest.mark.parametrize("name", MARKS)
def test_marked(name: str) -> None:
    shapes = [(3, 4), (5, 4), (7, 4)]
    mark = MARKS[name]
    found = compilations(lambda t: t * 2 + 1, torch.complex64, shapes, lambda t: mark(t, 0))
    assert found == 1


LENGTHS = [(2, 8), (2, 12), (2, 15), (2, 9)]
TRANSFORMS: dict[str, tuple[Program, torch.dtype]] = {
    "fft": (lambda t: torch.fft.fft(t) * 2, torch.complex64),
    "fft2": (lambda t: torch.fft.fftshift(torch.fft.fft2(t)), torch.complex64),
    "rfft": (lambda t: torch.fft.rfft(t) * 2, torch.float32),
    "irfft": (lambda t: torch.fft.irfft(torch.fft.rfft(t), n=t.shape[-1]), torch.float32),
}


@pytest.mark.parametrize("dynamic", [None, True], ids=["automatic", "dynamic"])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_length_of_a_transform(name: str, dynamic: bool | None) -> None:
    fn, dtype = TRANSFORMS[name]
    twin = compilations(lambda t: t.cumsum(-1) * 2, torch.float32, LENGTHS, dynamic=dynamic)
    assert compilations(fn, dtype, LENGTHS, dynamic=dynamic) == twin


SIZED_BY_DATA: dict[str, Program] = {
    "mask": lambda t: t[t.abs() > 0.5] * 2,
    "nonzero": lambda t: t.nonzero(),
}


@pytest.mark.parametrize("name", SIZED_BY_DATA)
def test_sizes_that_data_decide(name: str) -> None:
    shapes = [(3, 4), (5, 4)]
    with torch._dynamo.config.patch(capture_dynamic_output_shape_ops=True):
        found = [
            compilations(SIZED_BY_DATA[name], dtype, shapes)
            for dtype in (torch.complex64, torch.float32)
        ]
    assert found[0] == found[1]
