"""ComplexTensor through compiled code: inputs, views, writes, modules, sizes that change."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._dynamo.utils import counters
from torch.utils import _pytree as pytree

import torch_complex_subclass as tcs
from torch_complex_subclass import ComplexTensor
from torch_complex_subclass.testing.interpret import interpreted

Make = Callable[[Tensor], Any]


def planar(z: Tensor) -> ComplexTensor:
    return ComplexTensor(*torch.stack([z.real, z.imag]).unbind(0))


def conjugated(z: Tensor) -> Tensor:
    return ComplexTensor.from_complex(z.conj().clone()).conj()


def sliced(z: Tensor) -> Tensor:
    return torch.clone(ComplexTensor.from_complex(torch.cat([z, z])))[z.shape[0] :]


def transposed(z: Tensor) -> Tensor:
    return torch.clone(ComplexTensor.from_complex(z.mT.contiguous())).mT


MAKES: dict[str, Make] = {
    "view of a plain tensor": ComplexTensor.from_complex,
    "own memory": lambda z: torch.clone(ComplexTensor.from_complex(z)),
    "planar": planar,
    "conj": conjugated,
    "slice": sliced,
    "transposed": transposed,
}


MORE = ("own memory", "slice")
LAYOUTS = [pytest.param(m, marks=pytest.mark.slow) if m in MORE else m for m in MAKES]


def plain(tree: Any) -> Any:
    def convert(t: Any) -> Any:
        return t.to_complex() if isinstance(t, ComplexTensor) else t

    return pytree.tree_map(convert, tree)


def values() -> Tensor:
    return torch.randn(3, 4, dtype=torch.complex64)


def assert_same(got: Any, want: Any) -> None:
    """Values, classes, dtypes, shapes and strides agree."""
    for g, w in zip(pytree.tree_leaves(got), pytree.tree_leaves(want), strict=True):
        assert type(g) is type(w)
        if isinstance(w, Tensor):
            assert (g.stride(), tcs.dtype_of(g)) == (w.stride(), tcs.dtype_of(w))
            assert g.requires_grad == w.requires_grad
    torch.testing.assert_close(plain(got), plain(want), rtol=2e-5, atol=2e-5)


READS: dict[str, Callable[..., Any]] = {
    "mixed with plain": lambda a, p: (a * p + 1j, p - a, p.real * a, torch.dot(p[0], a[0])),
    "kept as it is": lambda a, p: (a, p * 2),
    "views returned": lambda a, p: (a[1:], a.mT, a[:, ::2], a.conj()),
    "views of results": lambda a, p: ((a * 2).mT, (a + p)[:, 1:].conj()),
    "parts": lambda a, p: (a.real * 2, a.imag + p.imag, a.as_interleaved().sum(-1)),
    "ways in and out": lambda a, p: (ComplexTensor.from_complex(p) * a, a.to_complex() * p),
    "join": lambda a, p: (torch.cat([a, p]), torch.where(a.real > 0, a, p)),
}


@pytest.mark.parametrize("make", LAYOUTS)
@pytest.mark.parametrize("name", READS)
def test_results(name: str, make: str) -> None:
    a, p = MAKES[make](values()), values()
    compiled = torch.compile(READS[name], fullgraph=True, backend=interpreted)
    assert_same(compiled(a, p), READS[name](a, p))


WRITES: dict[str, Callable[..., Any]] = {
    "whole": lambda a, p: a.mul_(p),
    "row": lambda a, p: a[1].copy_(p[0]),
    "number": lambda a, p: a.__setitem__((slice(None), 0), 2j),
    "mask": lambda a, p: a.masked_fill_(p.real > 0, 0),
    "plain from it": lambda a, p: p.copy_(a * 2),
    "both": lambda a, p: (a.add_(p), p.mul_(a)),
}


@pytest.mark.parametrize("make", LAYOUTS)
@pytest.mark.parametrize("name", WRITES)
def test_written_inputs(name: str, make: str) -> None:
    def fn(a: Tensor, p: Tensor) -> Tensor:
        WRITES[name](a, p)
        return a * 2 + p

    first, second = values(), values()
    ours, theirs = ((MAKES[make](first.clone()), second.clone()) for _ in range(2))
    got = torch.compile(fn, fullgraph=True, backend=interpreted)(*ours)
    assert_same(got, fn(*theirs))
    assert_same(ours, theirs)


@pytest.mark.parametrize("make", LAYOUTS)
def test_view_of_an_input_shares_its_memory(make: str) -> None:
    a = MAKES[make](values())
    compiled = torch.compile(lambda a: (a[1:], a * 2), fullgraph=True, backend=interpreted)
    view, _ = compiled(a)
    view.zero_()
    assert not a[1:].to_complex().any()
    assert a[:1].to_complex().all()


@pytest.mark.parametrize("make", LAYOUTS)
@pytest.mark.parametrize("name", ["mixed with plain", "ways in and out", "views of results"])
def test_gradients(name: str, make: str) -> None:
    leaf, p = MAKES[make](values()).detach().requires_grad_(), values().requires_grad_()
    compiled = torch.compile(READS[name], fullgraph=True, backend=interpreted)
    found = []
    for fn in (compiled, READS[name]):
        loss = sum(t.abs().square().sum() for t in pytree.tree_leaves(fn(leaf, p)))
        found.append(torch.autograd.grad(loss, (leaf, p), allow_unused=True))
    for g, w in zip(*found, strict=True):
        assert type(g) is type(w)
    torch.testing.assert_close(*map(plain, found), rtol=2e-5, atol=2e-5)


SHAPES = [(3, 4), (5, 6), (2, 9)]


def compilations(fn: Callable[[Any], Any], make: Make, **options: Any) -> int:
    torch._dynamo.reset()
    counters.clear()
    compiled = torch.compile(fn, fullgraph=True, backend=interpreted, **options)
    for shape in SHAPES:
        a = make(torch.randn(shape, dtype=torch.complex64))
        assert_same(compiled(a), fn(a))
    return int(counters["stats"]["unique_graphs"])


@pytest.mark.parametrize("dynamic", [None, True], ids=["automatic", "dynamic"])
@pytest.mark.parametrize("make", ["view of a plain tensor", "planar"])
@pytest.mark.parametrize(
    "fn", [lambda a: a * 2j + 1, lambda a: (a @ a.mT).sum(0)], ids=["pointwise", "matmul"]
)
def test_compiled_as_often_as_plain(fn: Any, make: str, dynamic: bool | None) -> None:
    with tcs.enabled():
        twin = compilations(fn, lambda z: z, dynamic=dynamic)
        assert compilations(fn, MAKES[make], dynamic=dynamic) == twin


VIEWS: dict[str, Make] = {
    "rows": lambda z: z[1:],
    "columns": lambda z: z[:, 1:],
    "every other row": lambda z: z[::2],
    "transposed": lambda z: z.mT,
}


@pytest.mark.parametrize("dynamic", [None, True], ids=["automatic", "dynamic"])
@pytest.mark.parametrize("view", VIEWS)
def test_views_of_changing_sizes(view: str, dynamic: bool | None) -> None:
    """At most one compilation more than of plain tensors: the step of a view is a constant."""

    def fn(a: Tensor) -> tuple[Tensor, ...]:
        return a * 2j + 1, a[0], a.mT.exp()

    def viewed(z: Tensor) -> Any:
        return VIEWS[view](ComplexTensor.from_complex(z))

    with tcs.enabled():
        twin = compilations(fn, VIEWS[view], dynamic=dynamic)
        assert compilations(fn, viewed, dynamic=dynamic) <= twin + 1


def test_recompiled_for_another_class_or_dtype() -> None:
    """Guards tell the class, the dtype and the layout apart; none meets the code of another."""
    compiled = torch.compile(lambda a: a * 2j, fullgraph=True, backend=interpreted)
    z = values()
    others = [tcs.to_bcomplex32(z), torch.clone(ComplexTensor.from_complex(z.to(torch.complex128)))]
    for a in [z, *(make(z) for make in MAKES.values()), *others, z]:
        assert_same(compiled(a), a * 2j)


class Network(nn.Module):
    """Two maps with ComplexTensor weights, a buffer, and a modulus between."""

    def __init__(self, make: Make) -> None:
        super().__init__()
        self.first = nn.Parameter(make(values()).detach())
        self.second = nn.Parameter(make(values().mT.contiguous()).detach())
        self.register_buffer("mean", make(values()[0]).detach())

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            self.mean.mul_(0.9).add_(0.1 * x.mean(0))
        y = (x - self.mean) @ self.first.mT
        return ((y / (1 + y.abs())) @ self.second.mT).abs().square().mean()


def trained(net: Network, call: Any, optimizer: str) -> tuple[list[Any], list[Any]]:
    steps = getattr(torch.optim, optimizer)(net.parameters(), lr=0.05)
    generator = torch.Generator().manual_seed(3)
    losses = []
    for _ in range(3):
        loss = call(torch.randn(5, 4, dtype=torch.complex64, generator=generator))
        steps.zero_grad()
        loss.backward()
        steps.step()
        losses.append(loss.detach())
    return losses, plain([t.detach() for t in net.state_dict().values()])


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
@pytest.mark.parametrize("make", ["own memory", "planar"])
def test_training(make: str, optimizer: str) -> None:
    net = Network(MAKES[make])
    ours = copy.deepcopy(net)
    compiled = torch.compile(ours, fullgraph=True, backend=interpreted)
    got, want = trained(ours, compiled, optimizer), trained(net, net, optimizer)
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)
    assert all(isinstance(p, ComplexTensor) for p in ours.parameters())
    assert all(isinstance(p.grad, ComplexTensor) for p in ours.parameters())


def test_deepcopy_of_a_compiled_module() -> None:
    compiled = torch.compile(Network(planar), fullgraph=True, backend=interpreted)
    x = values()
    compiled(x)
    other = copy.deepcopy(compiled)
    torch.testing.assert_close(other(x), compiled(x))
    with torch.no_grad():
        other.first.mul_(2)
    assert not torch.equal(plain(other.first.detach()), plain(compiled.first.detach()))


@pytest.mark.slow
@pytest.mark.parametrize("make", ["view of a plain tensor", "planar", "conj"])
def test_inductor(make: str) -> None:
    """A view of a plain tensor ended in a segmentation fault."""

    def fn(a: Tensor, p: Tensor) -> tuple[Tensor, ...]:
        a[0].mul_(2j)
        return a.exp() * p, a[1:], a.to_complex() - p

    first, p = values(), values()
    ours, theirs = (MAKES[make](first.clone()) for _ in range(2))
    with tcs.enabled():
        got = torch.compile(fn, fullgraph=True)(ours, p)
    assert_same(got, fn(theirs, p))
    assert_same(ours, theirs)
