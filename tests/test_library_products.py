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


def factors(fn: Function, *args: Tensor) -> list[Tensor]:
    """Fake factors of the only product that the rewritten graph gives to the library."""
    with FakeTensorMode() as mode:
        graph: fx.GraphModule = make_fx(fn)(*map(mode.from_tensor, args))
    with tcs.enabled():
        rewritten(graph)
    (product,) = (n for n in graph.graph.nodes if n.target in (aten.bmm.default, aten.mm.default))
    return [factor.meta["val"] for factor in product.args]


def conjugated_factors(fn: Function, *args: Tensor) -> list[bool]:
    """Whether each factor of the only product of the rewritten graph has the conj bit."""
    return [factor.is_conj() for factor in factors(fn, *args)]


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


def side_by_side(*shape: int) -> Tensor:
    """A batch of matrices whose elements lie between those of the others."""
    return z(*shape[1:], shape[0]).permute(2, 0, 1)


IN_ROWS = {
    "batch side by side": (torch.bmm, side_by_side(20, 8, 64), z(20, 32, 64).mT),
    "batch that is computed": (
        lambda a, b: ((a * 2j) @ b).abs(),
        side_by_side(20, 8, 64),
        z(20, 32, 64).mT,
    ),
    "conjugate of a batch": (lambda a, b: a.conj() @ b, side_by_side(20, 8, 64), z(20, 32, 64).mT),
    "smaller factor conjugated": (
        lambda a, b: (a.conj() @ b).abs(),
        z(3, *LARGE),
        side_by_side(3, *SMALL),
    ),
    "every other column": (lambda a, b: (a @ b).abs(), z(40, 64)[:, ::2], z(32, 24)),
    "rows that overlap": (
        lambda a, b: a @ b,
        z(80).as_strided((40, 32), (1, 1)),
        z(32, 24),
    ),
    "one matrix for all": (torch.bmm, z(8, 64).expand(20, 8, 64), side_by_side(20, 64, 48)),
}


@pytest.mark.parametrize("name", IN_ROWS)
def test_library_reads_rows_or_columns(name: str) -> None:
    fn, *args = IN_ROWS[name]
    for factor in factors(fn, *args):
        lies_in_rows = factor.stride(-1) == 1 and factor.stride(-2) >= factor.shape[-1]
        assert lies_in_rows or (factor.stride(-2) == 1 and factor.stride(-1) >= factor.shape[-2])


def test_factor_of_two_products_is_copied_once() -> None:
    def both(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
        return torch.bmm(a, b).abs() + torch.bmm(a, c).abs()

    with FakeTensorMode() as mode:
        args = side_by_side(20, 8, 64), z(20, 32, 64).mT, z(20, 32, 64).mT
        graph: fx.GraphModule = make_fx(both)(*map(mode.from_tensor, args))
    with tcs.enabled():
        rewritten(graph)
    left = {n.args[0] for n in graph.graph.nodes if n.target == aten.bmm.default}
    assert len(left) == 1


@pytest.mark.parametrize("name", TURNED | AS_TRACED | IN_ROWS)
def test_values_and_gradients(name: str) -> None:
    fn, *args = (TURNED | AS_TRACED | IN_ROWS)[name]
    own = [t.detach().requires_grad_() for t in args]
    want = fn(*own)
    gradients = torch.autograd.grad(want.abs().sum(), own)
    got = torch.compile(fn, backend=interpreted, fullgraph=True)(*own)
    assert (got.stride(), got.is_conj()) == (want.stride(), want.is_conj())
    torch.testing.assert_close(got, want)
    torch.testing.assert_close(torch.autograd.grad(got.abs().sum(), own), gradients)
