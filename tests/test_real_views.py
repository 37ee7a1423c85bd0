"""Results that show one part of a computed value: the part that nobody sees is not computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, fx
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx

import torch_complex_subclass as tcs
from torch_complex_subclass.testing.interpret import interpreted, rewritten

aten = torch.ops.aten
Function = Callable[..., Any]


def z(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.complex64)


def count(op: Any, fn: Function, *args: Tensor) -> int:
    """How often the rewritten graph of a function calls an op."""
    with FakeTensorMode() as mode:
        graph: fx.GraphModule = make_fx(fn)(*map(mode.from_tensor, args))
    with tcs.enabled():
        rewritten(graph)
    return len(graph.graph.find_nodes(op="call_function", target=op))


def multiply(a: Tensor, b: Tensor) -> Tensor:
    return a * b


ONE_PART = {
    "real part": lambda a, b: multiply(a, b).real,
    "imaginary part": lambda a, b: multiply(a, b).imag,
    "by view_as_real": lambda a, b: torch.view_as_real(multiply(a, b))[..., -2],
    "of a conjugate": lambda a, b: multiply(a, b).conj().imag,
    "of a view": lambda a, b: multiply(a, b).mT.real,
    "beside another use": lambda a, b: (multiply(a, b).real, multiply(a, b).real + 1),
}

BOTH_PARTS = {
    "the value too": lambda a, b: (lambda c: (c, c.real))(multiply(a, b)),
    "both parts": lambda a, b: (lambda c: (c.real, c.imag))(multiply(a, b)),
    "a view of the value too": lambda a, b: (lambda c: (c[1:], c.real))(multiply(a, b)),
    "the real view": lambda a, b: torch.view_as_real(multiply(a, b)),
    "the part of an input": lambda a, b: a.real,
    "the part of a view of an input": lambda a, b: a[1:].mT.imag,
}


@pytest.mark.parametrize("name", ONE_PART)
def test_other_part_is_not_computed(name: str) -> None:
    products = count(aten.mul.Tensor, ONE_PART[name], z(3, 4), z(3, 4))
    assert products == (4 if name == "beside another use" else 2)


@pytest.mark.parametrize("name", ["the value too", "both parts", "a view of the value too"])
def test_both_parts_are_computed_where_both_are_seen(name: str) -> None:
    assert count(aten.mul.Tensor, BOTH_PARTS[name], z(3, 4), z(3, 4)) == 4


@pytest.mark.parametrize("name", ONE_PART | BOTH_PARTS)
def test_values_strides_and_shared_memory(name: str) -> None:
    fn, args = (ONE_PART | BOTH_PARTS)[name], (z(3, 4), z(3, 4))
    want = fn(*args)
    got = torch.compile(fn, backend=interpreted, fullgraph=True)(*args)
    torch.testing.assert_close(got, want)
    wants, gots = ([t] if isinstance(t, Tensor) else list(t) for t in (want, got))
    assert [t.stride() for t in gots] == [t.stride() for t in wants]
    assert _owners([*args, *gots]) == _owners([*args, *wants])


def _owners(tensors: list[Tensor]) -> list[int]:
    """For each tensor, the number of the first that has its memory."""
    starts = [t.untyped_storage().data_ptr() for t in tensors]
    return [starts.index(start) for start in starts]


def test_real_product_of_a_real_part_is_one_call() -> None:
    def scores(x: Tensor, w: Tensor) -> Tensor:
        return (x.to(w.dtype) @ w).real

    assert count(aten.mm.default, scores, torch.randn(20, 8), z(8, 20)) == 1


def test_gradient_through_a_part_that_is_a_result() -> None:
    a, b = z(3, 4).requires_grad_(), z(3, 4)
    compiled = torch.compile(lambda a, b: (a * b).real, backend=interpreted, fullgraph=True)
    got, want = compiled(a, b), (a * b).real
    torch.testing.assert_close(got, want)
    torch.testing.assert_close(*(torch.autograd.grad(t.sum(), a) for t in (got, want)))


def test_other_part_is_read_after_one_is_a_result() -> None:
    """The gradient of x is the real part of what the gradient of z is made of."""

    def fn(z: Tensor, x: Tensor) -> Tensor:
        return torch.pow(-0.5 + 0.25j, torch.view_as_complex(torch.stack([x, z.abs()], -1)))

    def gradients(fn: Function) -> tuple[Tensor, ...]:
        inputs = [t.clone().requires_grad_() for t in (a, b)]
        return torch.autograd.grad(fn(*inputs), inputs, seed)

    a, b, seed = z(4), torch.randn(4), z(4)
    compiled = torch.compile(fn, backend=interpreted, fullgraph=True)
    torch.testing.assert_close(gradients(compiled), gradients(fn))


def test_part_of_a_conjugate_of_one_of_several_views_of_an_input() -> None:
    def fn(a: Tensor) -> Tensor:
        return a.chunk(2, -1)[0].conj().imag

    a = z(4).requires_grad_()
    got = torch.compile(fn, backend=interpreted, fullgraph=True)(a)
    torch.testing.assert_close(got, fn(a))
    assert got.untyped_storage().data_ptr() == a.untyped_storage().data_ptr()
