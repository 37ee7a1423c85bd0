"""Products with a conjugated factor: what the library is called on, and the values."""

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
    """In double precision: gradients of moduli amplify rounding where the modulus is small."""
    return torch.randn(*shape, dtype=torch.complex128)


def conjugated_factors(fn: Function, *args: Tensor) -> list[bool]:
    """Whether each factor of the only product of the rewritten graph has the conj bit."""
    with FakeTensorMode() as mode:
        graph: fx.GraphModule = make_fx(fn)(*map(mode.from_tensor, args))
    with tcs.enabled():
        rewritten(graph)
    (product,) = (n for n in graph.graph.nodes if n.target in (aten.bmm.default, aten.mm.default))
    return [factor.meta["val"].is_conj() for factor in product.args]


def form(x: Tensor, a: Tensor) -> Tensor:
    return ((x.conj() @ a) * x).sum(-1)


def form_of_written(x: Tensor, a: Tensor) -> Tensor:
    """The matrix is computed, so that it can be written conjugated."""
    return ((x.conj() @ (a + a.mH)) * x).sum(-1)


def affine(bias: Tensor, x: Tensor, a: Tensor) -> Tensor:
    return torch.addmm(bias, x.conj(), a).abs()


def batched(x: Tensor, a: Tensor) -> Tensor:
    return torch.bmm(x.conj(), a).mT * 2


LARGE, SMALL = (64, 16), (16, 16)

TURNED = {
    "smaller factor in memory": (form, z(*LARGE), z(*SMALL)),
    "smaller factor that is computed": (form_of_written, z(*LARGE), z(*SMALL)),
    "product with an addend": (affine, z(16), z(*LARGE), z(*SMALL)),
    "batch": (batched, z(3, *LARGE), z(3, *SMALL)),
    "conjugate on the right": (lambda a, x: (a @ x.conj()).abs(), z(*SMALL), z(16, 64)),
}


@pytest.mark.parametrize("name", TURNED)
def test_larger_factor_is_not_copied(name: str) -> None:
    fn, *args = TURNED[name]
    sizes = [t.numel() for t in args[-2:]]
    assert not conjugated_factors(fn, *args)[sizes.index(max(sizes))]


AS_TRACED = {
    "larger factor that is computed": (
        lambda w, g: (w.conj() @ (g * 2)).abs(),
        z(*SMALL),
        z(16, 64),
    ),
    "larger factor without conj bit": (form, z(16, 16), z(16, 64)[:, :16]),
    "conjugate transpose": (lambda x, a: (x.mH @ a).abs(), z(*LARGE), z(64, 8)),
    "result that leaves": (lambda x, a: x.conj() @ a, z(*LARGE), z(*SMALL)),
    "view of the result leaves": (lambda x, a: (x.conj() @ a).mT, z(*LARGE), z(*SMALL)),
    "result of which the library takes a transform": (
        lambda x, a: torch.fft.fft(x.conj() @ a).abs(),
        z(*LARGE),
        z(*SMALL),
    ),
}


@pytest.mark.parametrize("name", AS_TRACED)
def test_conjugate_stays_where_nothing_is_saved(name: str) -> None:
    fn, *args = AS_TRACED[name]
    assert conjugated_factors(fn, *args) == [True, False]


@pytest.mark.parametrize("name", TURNED | AS_TRACED)
def test_values_and_gradients(name: str) -> None:
    fn, *args = (TURNED | AS_TRACED)[name]
    own = [t.detach().clone().requires_grad_() for t in args]
    want = fn(*own)
    gradients = torch.autograd.grad(want.abs().sum(), own)
    got = torch.compile(fn, backend=interpreted, fullgraph=True)(*own)
    assert (got.stride(), got.is_conj()) == (want.stride(), want.is_conj())
    torch.testing.assert_close(got, want)
    torch.testing.assert_close(torch.autograd.grad(got.abs().sum(), own), gradients)
