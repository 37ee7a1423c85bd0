"""Python numbers that change, and numbers that tensors hold: one graph, and eager's promotion."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._dynamo.exc import Unsupported
from torch._dynamo.utils import counters
from torch.utils.checkpoint import checkpoint

import torch_complex_subclass as tcs
from torch_complex_subclass import python_numbers
from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.testing.interpret import interpreted

Program = Callable[..., Any]

NUMBERS = (1.5 + 2j, 2.5 + 1j, -0.5j, 2 + 0j)
FLOATS = (1.5, 2.5, -3.5, 0.5)


@pytest.fixture(autouse=True)
def enabled() -> Iterator[None]:
    with tcs.enabled():
        yield


def z(dtype: torch.dtype = torch.complex64) -> Tensor:
    return torch.randn(3, 4, dtype=dtype)


def assert_same(got: Any, want: Any) -> None:
    assert type(got) is type(want)
    if isinstance(want, tuple):
        for pair in zip(got, want, strict=True):
            assert_same(*pair)
        return
    if isinstance(want, tcs.ComplexTensor):
        assert tcs.dtype_of(got) == tcs.dtype_of(want)
        got, want = got.to_complex(), want.to_complex()
    if isinstance(want, Tensor):
        torch.testing.assert_close(
            got, want, rtol=2e-3 if got.element_size() < 8 else 2e-5, atol=1e-5
        )
    else:
        assert got == pytest.approx(want, rel=1e-5)


def compilations(
    fn: Program, calls: Sequence[tuple[Any, ...]], backend: Any = interpreted, **options: Any
) -> int:
    """How many graphs these calls take; each is compared with eager."""
    torch._dynamo.reset()
    counters.clear()
    compiled = torch.compile(fn, **{"fullgraph": True, "backend": backend} | options)
    for args in calls:
        assert_same(compiled(*args), fn(*args))
    return int(counters["stats"]["unique_graphs"])


def with_each(numbers: Sequence[Any], a: Tensor) -> list[tuple[Any, ...]]:
    return [(a, s) for s in numbers]


def writes(a: Tensor, s: complex) -> Tensor:
    b = a * 1
    b[0] = s
    b[:, 1].fill_(2 * s)
    b.masked_fill_(b.real > 1, s)
    return b.mul_(s)


def rebinds(a: Tensor, s: complex) -> Tensor:
    s += 1
    s *= a[0]
    return s - a


PROGRAMS: dict[str, Program] = {
    "product": lambda a, s: a * s,
    "other operators": lambda a, s: (s - a) / s + s / (a + 9) - (a - s),
    "functions": lambda a, s: torch.add(s, torch.mul(a, s)) + a.sub(s).div(s),
    "arithmetic of numbers": lambda a, s: a * ((2 * s + 1) * -s / (s - 9j)) + s * s,
    "conjugate, parts": lambda a, s: a * s.conjugate() * s.real - s.imag,
    "modulus": lambda a, s: a * abs(s) + abs(2 * s),
    "parts of a result": lambda a, s: a * (s * 1j).real - (s + 1).imag,
    "rebuilt": lambda a, s: a * complex(s.real, -s.imag) + complex(abs(s)),
    "where": lambda a, s: torch.where(a.real > 0, a, s),
    "tensor": lambda a, s: torch.tensor(s) * a + torch.tensor(s, dtype=torch.complex128),
    "comparison": lambda a, s: torch.eq(a, s) | a.ne(s),
    "type": lambda a, s: a * s if isinstance(s, complex) and type(s) is complex else a,
    "writes": writes,
    "rebinds": rebinds,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_changing_number(name: str) -> None:
    """One compilation for the first value, one for all others."""
    assert compilations(PROGRAMS[name], with_each(NUMBERS, z())) == 2


@pytest.mark.parametrize("name", ["product", "conjugate, parts"])
def test_dynamic(name: str) -> None:
    assert compilations(PROGRAMS[name], with_each(NUMBERS, z()), dynamic=True) == 1


ASKING: dict[str, Program] = {
    "power": lambda a, s: a**s,
    "comparison": lambda a, s: a if s == NUMBERS[0] else 2 * a,
    "truth": lambda a, s: a if s else 2 * a,
    "argument of a function": lambda a, s: torch.full_like(a, s),
    "keyword": lambda a, s: torch.add(a, a, alpha=s),
    "text": lambda a, s: a * len(str(s)),
    "key": lambda a, s: a * {NUMBERS[0]: 2.0}.get(s, 3.0),
    "result": lambda a, s: 2 * s,
    "cond": lambda a, s: torch.cond(
        a.real.sum() > 0, lambda t: t * s.conjugate(), lambda t: t - s.real, (a,)
    ),
    "grad": lambda a, s: torch.func.grad(lambda t: (t * s).abs().sum())(a),
    "checkpoint": lambda a, s: checkpoint(torch.mul, a, s, use_reentrant=False),
    "inner function": lambda a, s: (lambda t: t * s)(a),
}


@pytest.mark.parametrize("name", ASKING)
def test_asked_for_its_value(name: str) -> None:
    """Whatever needs the value is compiled for each, as in stock torch, and right."""
    assert compilations(ASKING[name], with_each(NUMBERS, z())) >= len(NUMBERS) - 1


@pytest.mark.parametrize("name", ASKING)
def test_asked_for_its_value_where_graphs_may_break(name: str) -> None:
    torch._dynamo.reset()
    compiled = torch.compile(ASKING[name], backend=interpreted)
    for args in with_each(NUMBERS, z()):
        assert_same(compiled(*args), ASKING[name](*args))


def test_result_that_is_an_argument() -> None:
    compilations(lambda a, s: (a * s).sum() * 0 + s, with_each(NUMBERS, z()))
    compiled = torch.compile(lambda s: s, fullgraph=True, backend=interpreted)
    assert [compiled(s) for s in NUMBERS] == list(NUMBERS)


def test_branch_on_a_part() -> None:
    """A guard on the part, as on a float, and not on its value."""
    fn = lambda a, s: a * s if s.real > 0 else a - s  # noqa: E731
    assert compilations(fn, with_each((1j + 1, 1j + 2, 1j - 3, 3j - 4, 2j + 5), z())) == 3


def test_other_types_and_values() -> None:
    """A float in its place, infinities and NaN are compiled for; none meets the others' code."""
    a = z(torch.complex128)
    kinds = (1j, 2j, 3.0, 3j, 4.0, 2, 5j, complex("inf"), complex("nan+1j"), 6j)
    compiled = torch.compile(lambda a, s: a * s, fullgraph=True, backend=interpreted)
    for s in kinds:
        torch.testing.assert_close(compiled(a, s), a * s, equal_nan=True)


OPERANDS: dict[str, Callable[[], Tensor]] = {
    "float32": lambda: torch.randn(3),
    "float64": lambda: torch.randn(3, dtype=torch.float64),
    "float16": lambda: torch.randn(3).half(),
    "bfloat16": lambda: torch.randn(3).bfloat16(),
    "int64": lambda: torch.arange(3),
    "bool": lambda: torch.tensor([True, False]),
    "complex32": lambda: torch.randn(3, dtype=torch.complex32),
    "complex128": lambda: torch.randn(3, dtype=torch.complex128),
    "zero-dimensional float32": lambda: torch.randn(()),
    "zero-dimensional int64": lambda: torch.tensor(3),
    "zero-dimensional complex64": lambda: torch.randn((), dtype=torch.complex64),
    "ComplexTensor": lambda: tcs.ComplexTensor.from_complex(z()),
    "bcomplex32": lambda: tcs.randn(3, dtype=tcs.bcomplex32),
}


@pytest.mark.parametrize("name", OPERANDS)
def test_promotion_is_that_of_a_number(name: str) -> None:
    calls = with_each(NUMBERS[:3], OPERANDS[name]())
    assert compilations(lambda a, s: (a * s, s + a), calls) == 2


def test_zero_dimensional_bcomplex32() -> None:
    """A tensor of no dimensions would widen it; the number is a constant there."""
    a = tcs.randn((), dtype=tcs.bcomplex32)
    assert compilations(lambda a, s: a * s, with_each(NUMBERS, a)) == len(NUMBERS)


def test_default_dtype() -> None:
    torch.set_default_dtype(torch.float64)
    try:
        calls = with_each(NUMBERS, torch.arange(3))
        assert compilations(lambda a, s: a * s + torch.tensor(s), calls) == 2
    finally:
        torch.set_default_dtype(torch.float32)


class Scaled(torch.nn.Module):
    """A module with a number for an attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(z())
        self.factor = 1j

    def forward(self, a: Tensor) -> Tensor:
        return a * self.weight * self.factor


def test_attribute_of_a_module_and_its_gradient() -> None:
    module, a = Scaled(), z()
    counters.clear()
    compiled = torch.compile(module, fullgraph=True, backend=interpreted)
    for s in NUMBERS:
        module.factor = s
        (want,) = torch.autograd.grad(module(a).abs().sum(), module.weight)
        (got,) = torch.autograd.grad(compiled(a).abs().sum(), module.weight)
        torch.testing.assert_close(got, want)
    assert counters["stats"]["unique_graphs"] == 2


def test_closure_containers_and_keywords() -> None:
    number = 1j

    def fn(a: Tensor, pair: tuple[Any, ...], *, named: dict[str, complex]) -> Tensor:
        return a * number * pair[0] + pair[1] * named["s"]

    a = z()
    counters.clear()
    compiled = torch.compile(fn, fullgraph=True, backend=interpreted)
    for s in NUMBERS:
        number = s + 1
        args = (a, (s, a), {"s": 2 * s})
        assert_same(compiled(*args[:2], named=args[2]), fn(*args[:2], named=args[2]))
    assert counters["stats"]["unique_graphs"] == 2


def test_graph_break() -> None:
    def fn(a: Tensor, s: complex) -> Tensor:
        b = a * s
        torch._dynamo.graph_break()
        return b - 2 * s

    assert compilations(fn, with_each(NUMBERS, z()), fullgraph=False) == 4


@pytest.mark.parametrize(
    "fn",
    [
        lambda a, x, y: a * complex(x, y) + complex(y),
        lambda a, x, y: a * complex(x, 2).conjugate() + complex(1, y).imag,
    ],
    ids=["product", "parts"],
)
def test_complex_of_floats_that_change(fn: Program) -> None:
    """Stock Dynamo refuses `complex()` of a float that it has made an input."""
    assert compilations(fn, [(z(), x, y) for x, y in zip(FLOATS, FLOATS[::-1], strict=True)]) == 2


BESIDE_FLOATS: dict[str, Program] = {
    "product": lambda a, s: a * s,
    "reversed difference": lambda a, s: s - a,
    "quotients": lambda a, s: a / s + s / a,
    "in place": lambda a, s: (a * 1).add_(s),
}


@pytest.mark.parametrize("name", BESIDE_FLOATS)
def test_float_beside_a_complex_tensor(name: str) -> None:
    """Stock torch fixes a float that meets a complex tensor; real tensors keep it."""
    fn = BESIDE_FLOATS[name]
    real = compilations(fn, with_each(FLOATS, torch.randn(3)))
    assert compilations(fn, with_each(FLOATS, z())) == real == 2


ITEMS: dict[str, Program] = {
    "factor": lambda a: a * a.sum().item(),
    "after a write": lambda a: write_after_reading(a),
    "arithmetic": lambda a: a * (2 * a.sum().item() - 1j).conjugate() / a[0, 0].item(),
    "parts": lambda a: a * a.sum().item().real - a[0, 0].item().imag + abs(a[0, 1].item()),
    "real tensor": lambda a: a.real * a.sum().item(),
    "complex()": lambda a: a * complex(a.sum()) + complex(a.sum().real),
    "fill": lambda a: (a * 1).fill_(a.sum().item()),
    "tensor": lambda a: a * torch.tensor(a.sum().item()),
    "result": lambda a: a.sum().item(),
    "arithmetic of the result": lambda a: 2 * a.sum().item() - 1,
    "complex() as the result": lambda a: complex(a.sum().real),
}


def write_after_reading(a: Tensor) -> Tensor:
    b = a * 1
    first = b[0, 0].item()
    b.mul_(2)
    return b * first


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=str)
@pytest.mark.parametrize("name", ITEMS)
def test_item(name: str, dtype: torch.dtype) -> None:
    """One graph for all values."""
    assert compilations(ITEMS[name], [(z(dtype),), (z(dtype),)]) == 1


def test_gradient_through_a_product_with_an_item() -> None:
    """The number is a constant to autograd."""
    fn = ITEMS["factor"]
    a = z().requires_grad_()
    compiled = torch.compile(fn, fullgraph=True, backend=interpreted)
    want, got = (torch.autograd.grad(f(a).abs().sum(), a) for f in (fn, compiled))
    torch.testing.assert_close(got, want)


DECIDING: dict[str, Program] = {
    "branch": lambda a: a if a.sum().item() == 1j else 2 * a,
    "branch on a part": lambda a: a if a.sum().item().real > 0 else 2 * a,
    "power": lambda a: a ** a.sum().item(),
    "argument of a function": lambda a: torch.full_like(a, a.sum().item()),
}


@pytest.mark.parametrize("name", DECIDING)
def test_item_that_decides(name: str) -> None:
    """A graph break; refused in one graph."""
    compilations(DECIDING[name], [(z(),), (z(),)], fullgraph=False)
    assert sum(counters["graph_break"].values()) > 0


@pytest.mark.parametrize("name", ["branch", "power", "argument of a function"])
def test_item_that_decides_in_one_graph(name: str) -> None:
    torch._dynamo.reset()
    compiled = torch.compile(DECIDING[name], fullgraph=True, backend=interpreted)
    with pytest.raises(
        Unsupported, match=r"the value of a number that .* took from a complex"
    ) as e:
        compiled(z())
    assert "Keep it in a tensor of no dimensions" in str(e.value)
    assert "test_changing_numbers.py" in str(e.value)


def test_item_of_many_elements() -> None:
    compiled = torch.compile(lambda a: a * a.item(), fullgraph=True, backend=interpreted)
    with pytest.raises(Exception, match="12"):
        compiled(z())


def tracers() -> list[Any]:
    return [vars(owner)[name] for owner, name in compat.number_tracers().values()]


def test_disable_restores_dynamo() -> None:
    ours = tracers()
    assert len(ours) == len(python_numbers.TRACED)
    tcs.backend.disable()
    stock = tracers()
    assert all(a is not b for a, b in zip(ours, stock, strict=True))
    with tcs.enabled():
        assert all(a is not b for a, b in zip(tracers(), stock, strict=True))
    assert tracers() == stock


def test_version_without_a_name_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    tcs.backend.disable()
    stock = tracers()
    names = compat._DYNAMO | {"torch._dynamo.variables.builder": ("Missing",)}
    monkeypatch.setattr(compat, "_DYNAMO", names)
    compat.dynamo.cache_clear()
    try:
        with tcs.enabled():
            assert compat.number_tracers() == {}
    finally:
        monkeypatch.undo()
        compat.dynamo.cache_clear()
    assert tracers() == stock


@pytest.mark.slow
def test_inductor() -> None:
    """Values and gradients of generated code."""
    fn = lambda a, s: (a * s.conjugate() + s) * a.sum().item() / s  # noqa: E731
    a = z().requires_grad_()
    counters.clear()
    compiled = torch.compile(fn, fullgraph=True)
    for s in NUMBERS:
        want, got = fn(a, s), compiled(a, s)
        torch.testing.assert_close(got, want)
        grads = (torch.autograd.grad(t.abs().sum(), a) for t in (got, want))
        torch.testing.assert_close(*grads)
    assert counters["stats"]["unique_graphs"] == 2
