"""What enters and leaves a compiled function: bits, layouts, aliasing and writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from torch_complex_subclass.testing.compare import Case, assert_same
from torch_complex_subclass.testing.interpret import interpreted


def z(*shape: int, dtype: torch.dtype = torch.complex64) -> Tensor:
    return torch.randn(shape, dtype=dtype)


INPUTS: dict[str, Callable[[], Tensor]] = {
    "plain": lambda: z(3, 4),
    "conj": lambda: z(3, 4).conj(),
    "neg": lambda: torch._neg_view(z(3, 4)),
    "conj and neg": lambda: torch._neg_view(z(3, 4).conj()),
    "transposed": lambda: z(4, 3).T,
    "expanded": lambda: z(3, 1).expand(3, 4),
    "offset": lambda: z(5, 6)[2:, 1:5],
    "strided": lambda: z(6, 8)[::2, ::2],
    "empty": lambda: z(0, 4),
    "zero-dimensional": lambda: z(),
    "channels last": lambda: z(2, 3, 4, 5).to(memory_format=torch.channels_last),
    "five dimensions": lambda: z(2, 1, 3, 2, 2).permute(4, 0, 2, 1, 3),
    "double": lambda: z(3, 4, dtype=torch.complex128),
    "odd start": lambda: z(13)[1:].view(3, 4),
}


def outputs(a: Tensor) -> tuple[Tensor, ...]:
    b = a * 2
    flat = a.reshape(-1)
    return a, a.conj(), a.real, a.imag, a[..., None], flat * 2, b, b.conj(), b.real, b.imag


def shared(results: Any, arguments: Any) -> list[list[int]]:
    """For each result, which arguments and which results before it have its memory."""
    tensors = [*pytree.tree_leaves(arguments), *pytree.tree_leaves(results)]
    places = [
        t.untyped_storage().data_ptr() if t.numel() else -1 - i for i, t in enumerate(tensors)
    ]
    first = len(pytree.tree_leaves(arguments))
    return [[j for j in range(i) if places[j] == places[i]] for i in range(first, len(places))]


@pytest.mark.parametrize("name", INPUTS)
def test_results(name: str) -> None:
    """Values, strides, bits and gradients, and which results alias what."""
    case = Case(outputs, lambda: (INPUTS[name](),))
    case.check(interpreted, inference=False, rtol=2e-5, atol=2e-5)
    a = INPUTS[name]()
    got = torch.compile(outputs, fullgraph=True, backend=interpreted)(a)
    assert shared(got, a) == shared(outputs(a), a)
    assert [t.storage_offset() for t in got[:5]] == [t.storage_offset() for t in outputs(a)[:5]]


def write_everywhere(a: Tensor) -> Tensor:
    a.mul_(1 + 2j)
    a[:1].add_(1)
    a[..., 1:].mul_(2j)
    a.copy_(a.conj() * 2 + 1)
    return a * 2


WRITTEN = sorted(set(INPUTS) - {"expanded", "zero-dimensional"})


@pytest.mark.parametrize("name", WRITTEN)
def test_written_input(name: str) -> None:
    Case(write_everywhere, lambda: (INPUTS[name](),), gradient=False).check(
        interpreted, rtol=2e-5, atol=2e-5
    )


def written_real(x: Tensor) -> Tensor:
    before = x * 3
    x.mul_(2)
    return before + x


@pytest.mark.parametrize(
    "backend", [interpreted, pytest.param("inductor_complex", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("fn", [written_real, lambda x: x.copy_(x.flip(0))])
def test_written_real_input_with_the_neg_bit(fn: Callable[..., Any], backend: Any) -> None:
    Case(fn, lambda: (z(4, 5).conj().imag[1:, ::2],), gradient=False).check(backend)


WRITES: dict[str, Callable[[Tensor], Any]] = {
    "real": lambda a: (a.real.add_(1), a * 2)[1],
    "imag": lambda a: (a.imag.mul_(3), a * 2)[1],
    "view_as_real": lambda a: (torch.view_as_real(a)[..., 0].mul_(3), a * 2)[1],
    "view of another dtype": lambda a: (a.view(torch.float32).mul_(3), a * 2)[1],
    "as_strided": lambda a: (a.as_strided((2, 3), (1, 2), 1).mul_(2j), a * 2)[1],
    "mask": lambda a: (a.__setitem__(a.abs() > 1, 1j), a * 2)[1],
    "index_put_": lambda a: a.index_put_((torch.tensor([0, 2, 2]),), torch.tensor(2j), True) * 2,
    "masked_fill_": lambda a: a.masked_fill_(a.real > 0, 1j) * 2,
    "chunks": lambda a: a.chunk(2, 1)[1].mul_(2j) + a[:, :2],
    "real tensor": lambda a: a.copy_(a.abs()) * 2,
}


@pytest.mark.parametrize("name", WRITES)
def test_write(name: str) -> None:
    Case(WRITES[name], lambda: (z(3, 4),), gradient=False).check(interpreted)


VIEWS_OF_ONE_BASE: dict[str, Callable[[Tensor], tuple[Tensor, Tensor]]] = {
    "overlapping": lambda b: (b[:3], b[1:4]),
    "transposed": lambda b: (b, b.T),
    "same": lambda b: (b, b),
    "conj": lambda b: (b, b.conj()),
    "real": lambda b: (b, b.real),
    "both parts": lambda b: (b.real, b.imag),
}


@pytest.mark.parametrize("name", VIEWS_OF_ONE_BASE)
def test_views_of_one_base_are_read(name: str) -> None:
    a, b = VIEWS_OF_ONE_BASE[name](z(4, 4))
    fn = lambda s, t: (s.sum() + t.sum(), s * 2, t)  # noqa: E731
    assert_same(torch.compile(fn, fullgraph=True, backend=interpreted)(a, b), fn(a, b))


@pytest.mark.parametrize("name", ["overlapping", "transposed", "same"])
def test_views_of_one_base_one_written(name: str) -> None:
    def write(s: Tensor, t: Tensor) -> Tensor:
        s.mul_(2j)
        return t * 3

    base = z(4, 4)
    other = base.clone()
    got = torch.compile(write, fullgraph=True, backend=interpreted)(*VIEWS_OF_ONE_BASE[name](other))
    torch.testing.assert_close(got, write(*VIEWS_OF_ONE_BASE[name](base)))
    torch.testing.assert_close(other, base)


def test_caller_writes_to_returned_views() -> None:
    def views(a: Tensor) -> tuple[Tensor, ...]:
        b = a * 2
        return a.real, a.conj(), b, b.imag, b.T

    a = z(3, 4)
    other = a.clone()
    for fn, argument in ((views, a), (torch.compile(views, backend=interpreted), other)):
        real, conj, b, imag, _ = found = fn(argument)
        real.add_(1)
        conj[0] = 2j
        imag.mul_(3)
        b[:, 1] = 0
        if fn is views:
            want = found
    torch.testing.assert_close(other, a)
    torch.testing.assert_close(found, want)
