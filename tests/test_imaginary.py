"""Exponentials of imaginary numbers, as a cosine and a sine."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx

import torch_complex_subclass as tcs
from torch_complex_subclass import imaginary
from torch_complex_subclass.testing.generated import generated_code
from torch_complex_subclass.testing.interpret import interpreted, rewritten

Program = Callable[..., Tensor]

IMAGINARY: dict[str, Program] = {
    "product": lambda x, y: torch.exp(1j * x),
    "conjugate": lambda x, y: torch.exp((1j * x).conj()),
    "negative": lambda x, y: torch.exp(-(2j * x)),
    "converted": lambda x, y: torch.exp(x.to(torch.complex64) * -0.5j),
    "several factors": lambda x, y: torch.exp(1j * x * y / 3),
    "factor first": lambda x, y: torch.exp(y * (1j * x)),
    "quotient": lambda x, y: torch.exp(1j * x / y),
    "sum": lambda x, y: torch.exp(1j * x - 3j * y),
    "outer": lambda x, y: torch.exp(1j * x[:, None] * y),
    "moved": lambda x, y: torch.exp((1j * x).flip(0)[2:].expand(3, -1).T),
    "complex": lambda x, y: torch.exp(torch.complex(x * 0, x)),
}

OTHERS: dict[str, Program] = {
    "damped": lambda x, y: torch.exp(1j * x - y),
    "real": lambda x, y: torch.exp(x.to(torch.complex64)),
    "two reals": lambda x, y: torch.exp(torch.complex(x, y)),
    "zero of another": lambda x, y: torch.exp(torch.complex(0 * y, x)),
    "zero of another place": lambda x, y: torch.exp(torch.complex((0 * x).flip(0), x)),
    "zero of another place, moved alike": lambda x, y: torch.exp(
        torch.complex((0 * x)[:3], x[1:4])
    ),
    "infinite number": lambda x, y: torch.exp(torch.complex(0 * x + torch.inf * y, x)),
    "complex factor": lambda x, y: torch.exp(1j * x * torch.complex(x, y)),
    "zero added to": lambda x, y: torch.exp(torch.complex(0 * x + 1, x)),
    "infinite in float32": lambda x, y: torch.exp(torch.complex(torch.zeros_like(x) * 1e39, x)),
    "other shapes": lambda x, y: torch.exp(
        torch.complex(
            (torch.zeros(1, 2) + 0 * x[:6:3, None]).reshape(4),
            (torch.zeros(2, 1, 1) + x[:6:3, None]).reshape(4),
        )
    ),
    "bits of a zero": lambda x, y: torch.exp(
        torch.complex((-torch.full_like(x, 0)).view(torch.int32).float() * 1e-9, x)
    ),
    "zero under a quotient": lambda x, y: torch.exp(torch.complex(y / (0 * x), y / x)),
}

SPECIAL = torch.tensor(
    [0.0, -0.0, 1.0, -2.5, 1e-45, 3e38, -3e38, torch.inf, -torch.inf, torch.nan, 0.1, 1e4]
)
X, Y = (t.flatten() for t in torch.meshgrid(SPECIAL, SPECIAL, indexing="ij"))


def graph(fn: Program) -> str:
    with tcs.enabled():
        return rewritten(make_fx(fn, tracing_mode="fake")(torch.ones(6), torch.ones(6)))


def named(programs: dict[str, Program]) -> Any:
    return pytest.mark.parametrize("fn", programs.values(), ids=programs.keys())


@named(IMAGINARY)
def test_takes_no_exponential(fn: Program) -> None:
    text = graph(fn)
    assert " exp(" not in text
    assert text.count(" cos(") == text.count(" sin(") == 1


@named(OTHERS)
def test_takes_one_elsewhere(fn: Program) -> None:
    assert " exp(" in graph(fn)


@named(IMAGINARY | OTHERS)
def test_numbers_are_those_of_the_whole_rule(fn: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    got = parts(compiled(fn)(X, Y))
    monkeypatch.setattr(imaginary, "shortened", lambda node, rule, pair: rule)
    want = parts(compiled(fn)(X, Y))
    torch.testing.assert_close(got, want, rtol=0, atol=0, equal_nan=True)
    assert torch.equal(got.signbit() & ~got.isnan(), want.signbit() & ~want.isnan())


@named(IMAGINARY | OTHERS)
def test_numbers_are_eagers(fn: Program) -> None:
    x, y = torch.randn(2, 50)
    torch.testing.assert_close(compiled(fn)(x, y), fn(x, y), equal_nan=True)


def compiled(fn: Program) -> Program:
    torch.compiler.reset()
    return torch.compile(fn, backend=interpreted, fullgraph=True)


def parts(z: Tensor) -> Tensor:
    return torch.view_as_real(z.resolve_conj())


def test_gradient() -> None:
    def loss(x: Tensor, y: Tensor) -> Tensor:
        return (torch.exp(1j * x * y) * torch.complex(x, y)).abs().sum()

    x, y = (torch.randn(7, dtype=torch.float64, requires_grad=True) for _ in range(2))
    got = torch.autograd.grad(compiled(loss)(x, y), (x, y))
    want = torch.autograd.grad(loss(x, y), (x, y))
    torch.testing.assert_close(got, want)


def test_long_way_to_the_zero_is_not_gone() -> None:
    def turned(x: Tensor, y: Tensor, steps: int) -> Tensor:
        doubled = functools.reduce(lambda z, _: z + z, range(steps), 1j * x)
        return torch.exp(functools.reduce(lambda z, _: z * y, range(steps), doubled))

    assert " exp(" not in graph(functools.partial(turned, steps=20))
    assert " exp(" in graph(functools.partial(turned, steps=600))


def test_operands_by_name() -> None:
    by_hand = torch.fx.Graph()
    x = by_hand.placeholder("x")
    x.meta["val"] = torch.ones(3, dtype=torch.complex64)
    z = by_hand.call_function(torch.ops.aten.exp.default, (), {"self": x})
    z.meta["val"] = x.meta["val"]
    by_hand.output(z)
    with FakeTensorMode() as mode:
        for node in (x, z):
            node.meta["val"] = mode.from_tensor(node.meta["val"])
        text = rewritten(torch.fx.GraphModule({}, by_hand))
    assert " exp(" in text


def test_phases_that_many_loops_read_are_stored() -> None:
    def shifted(x: Tensor, c: Tensor) -> Tensor:
        phases = torch.exp(1j * x)
        return torch.stack([(phases.roll(i, 0) * row).sum(-1) for i, row in enumerate(c)])

    def sines(readers: int) -> int:
        code = generated_code(shifted, torch.ones(64, 32), torch.randn(readers, 64, 32))
        return len(re.findall(r"\bsin\(|Sleef_sinf", code))

    assert sines(4) == sines(1) > 0


def tables_stored(fn: Program, n: int, *more: Tensor) -> int:
    """How many buffers of n x n the generated code allocates, with vectors of n as arguments."""
    code = generated_code(fn, torch.ones(n), torch.ones(n), *more)
    return code.count(f"empty_strided_cpu(({n}, {n})")


def sums(z: Tensor) -> tuple[Tensor, Tensor]:
    return z.sum(0), z.sum(1)


@pytest.mark.parametrize(("n", "buffers"), [(256, 2), (1024, 0)])
def test_large_tables_of_phases_are_computed_again(n: int, buffers: int) -> None:
    def table(a: Tensor, b: Tensor) -> Any:
        return sums(torch.exp(1j * a[:, None] * b))

    assert tables_stored(table, n) == buffers


def test_cosines_beside_an_exponential_are_computed_again() -> None:
    def table(a: Tensor, b: Tensor, x: Tensor) -> Any:
        return *sums(torch.cos(a[:, None] * b)), sum(sums(torch.exp(1j * x)))

    assert tables_stored(table, 256, torch.ones(4, 4)) == 0


@pytest.mark.parametrize("unit", [1j, 1])
def test_generated_code_takes_no_exponential(unit: complex) -> None:
    code = generated_code(lambda x: torch.exp(unit * x), torch.linspace(-4, 4, 37))
    assert ("exp(" in code) == (unit == 1)
