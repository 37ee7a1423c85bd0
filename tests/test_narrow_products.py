"""Products of many rows with few columns: which are written out as sums, and their values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, fx
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx

import torch_complex_subclass as tcs
from torch_complex_subclass import narrow_products
from torch_complex_subclass.decompositions.linalg import sums_of_columns, sums_of_rows
from torch_complex_subclass.decompositions.registry import Pair
from torch_complex_subclass.testing.compare import assert_compiles
from torch_complex_subclass.testing.generated import generated_code
from torch_complex_subclass.testing.interpret import rewritten

aten = torch.ops.aten
c64 = torch.complex64
Function = Callable[..., Any]


def z(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=c64)


def products_left(fn: Function, *args: Tensor) -> int:
    """Number of products in the rewritten graph that the library computes."""
    with FakeTensorMode() as mode:
        graph: fx.GraphModule = make_fx(fn)(*map(mode.from_tensor, args))
    with tcs.enabled():
        rewritten(graph)
    return sum(n.target in (aten.bmm.default, aten.mm.default) for n in graph.graph.nodes)


def complex_product(a: Tensor, b: Tensor) -> Tensor:
    return torch.matmul(a, b) * 2j


def real_left(x: Tensor, b: Tensor) -> Tensor:
    return torch.matmul(x.to(c64), b) * 2j


def real_right(a: Tensor, y: Tensor) -> Tensor:
    return torch.matmul(a, y.to(c64)) * 2j


def both_real(x: Tensor, y: Tensor) -> Tensor:
    return torch.matmul(x.to(c64), y.to(c64)) * 2j


def in_rows(rows: int, terms: int, columns: int, *batch: int) -> tuple[Tensor, Tensor]:
    """Rows of the left factor, and columns of the right one, lie in one piece each."""
    return z(*batch, rows, terms), z(*batch, columns, terms).mT


def in_columns(rows: int, terms: int, columns: int, *batch: int) -> tuple[Tensor, Tensor]:
    """Columns of the long factor lie in one piece each."""
    if columns > rows:
        return z(*batch, rows, terms), z(*batch, terms, columns)
    return z(*batch, terms, rows).mT, z(*batch, terms, columns)


LAYOUTS = pytest.mark.parametrize("lie", [in_rows, in_columns])
SIZES = [(40, 20, 3), (3, 20, 40), (40, 20, 2, 5), (2, 20, 40, 5)]


def half_real(fn: Function, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """The factors that `fn` takes, with the layouts of these."""
    left = a.real.clone() if fn in (real_left, both_real) else a
    right = b.real.clone() if fn in (real_right, both_real) else b
    return left, right


@LAYOUTS
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("fn", [complex_product, real_left, real_right, both_real])
def test_narrow_products_are_written_out(lie: Function, sizes: Any, fn: Function) -> None:
    assert products_left(fn, *half_real(fn, *lie(*sizes))) == 0


@LAYOUTS
@pytest.mark.parametrize("fn", [real_left, real_right])
def test_real_factor_makes_wider_products_narrow(lie: Function, fn: Function) -> None:
    factors = half_real(fn, *lie(40, 20, narrow_products.LARGEST_WIDTH))
    assert products_left(fn, *factors) == 0
    assert products_left(complex_product, *(t.to(c64) for t in factors)) == 1
    wider = half_real(fn, *lie(40, 20, narrow_products.LARGEST_WIDTH + 1))
    assert products_left(fn, *wider) == 2


@LAYOUTS
def test_nothing_may_be_added(lie: Function) -> None:
    def fn(a: Tensor, b: Tensor) -> Tensor:
        return torch.addmm(b[:1], a, b)

    assert products_left(fn, *lie(40, 20, 3)) == 1


@LAYOUTS
@pytest.mark.parametrize("rows", [15, 16])
@pytest.mark.parametrize("terms", [15, 16, 4096, 4097])
def test_limits(lie: Function, rows: int, terms: int) -> None:
    is_inside = rows == 16 and 16 <= terms <= 4096
    assert products_left(complex_product, *lie(rows, terms, 3)) == (not is_inside)


@pytest.mark.parametrize(
    "factors",
    [
        (z(40, 20), z(20, 3)),
        (z(20, 3).mT, z(40, 20).mT),
        in_rows(40, 15, 3),
        in_rows(15, 20, 3),
        in_columns(40, 15, 3),
        in_columns(15, 20, 3),
        in_columns(20, 4097, 3),
        in_rows(20, 4097, 3),
        (z(40, 40)[:, ::2], z(3, 20).mT),
        (z(40, 20), z(3, 40)[:, ::2].mT),
        (z(20, 80)[:, ::2].mT, z(20, 3)),
        (z(64, 64, 20).permute(2, 0, 1), z(20, 3, 64).mT),
        (z(20, 1).expand(20, 40).mT, z(20, 3)),
        in_rows(40, 20, 4),
        in_columns(4, 20, 40),
        tuple(t.to(torch.complex128) for t in in_rows(40, 20, 3)),
    ],
    ids=[
        *("rows times rows", "columns times columns", "few terms", "few rows"),
        *("few terms in columns", "few columns in columns"),
        *("long sums in columns", "long sums in rows", "gaps on the left", "gaps on the right"),
        *("gaps in columns", "batch innermost", "expanded"),
        *("four columns", "four rows", "double precision"),
    ],
)
def test_others_are_left_to_the_library(factors: tuple[Tensor, Tensor]) -> None:
    assert products_left(complex_product, *factors) == 1


def test_copies_in_another_order_are_left_to_the_library() -> None:
    def fn(a: Tensor, b: Tensor) -> Tensor:
        return torch.einsum("akb,ck->abc", a, b)

    assert products_left(fn, z(16, 20, 12), z(3, 20)) == 1


def nests(code: str) -> list[str]:
    """The nests of loops in generated code, each from its outermost loop on."""
    return code.split("for(int64_t x0=")[1:]


@pytest.mark.parametrize("activation", [torch.clone, torch.exp, torch.sgn])
def test_each_of_a_chain_is_judged_as_it_lies(activation: Function) -> None:
    """Layers on a batch of 3: rows of the first result lie as traced for the second."""

    def fn(x: Tensor, q: Tensor, r: Tensor) -> Tensor:
        return torch.matmul(activation(torch.matmul(x, q.mT)), r.mT)

    code = generated_code(fn, z(3, 32), z(48, 32), z(64, 48), dynamic=False)
    assert "extern_kernels" not in code.split("def call")[1]
    assert sum("x2=" in nest for nest in nests(code)) == 2
    assert "x2+=static_cast<int64_t>(1L)" not in code


def outer(a: Tensor) -> Tensor:
    return a[:, :1] @ a[:1]


@pytest.mark.parametrize(
    "compute",
    [
        lambda a: a * a + a,
        lambda a: (a.real * a.real).to(c64),
        lambda a: a.flip(0),
        lambda a: a.abs().to(c64),
        outer,
    ],
    ids=["arithmetic", "of real parts", "turned round", "moduli", "outer product"],
)
def test_computed_long_factor_is_not_computed_for_each_of_many_columns(compute: Function) -> None:
    def fn(a: Tensor, y: Tensor) -> Tensor:
        return torch.matmul(compute(a), y.to(c64))

    a, y = half_real(real_right, *in_rows(40, 20, 4))
    assert products_left(real_right, a, y) == 0
    assert products_left(fn, a, y) > 0


@pytest.mark.parametrize("activation", [torch.exp, torch.sgn, lambda z: z * z + 2j])
def test_computed_in_the_same_order_is_read_in_order(activation: Function) -> None:
    def fn(a: Tensor, b: Tensor) -> Tensor:
        return torch.matmul(activation(a), activation(b))

    assert products_left(fn, *in_rows(40, 20, 3)) == 0
    assert products_left(fn, z(20, 40).mT, z(3, 20).mT) == 0


def test_each_value_before_a_product_is_seen_once() -> None:
    """Not once for each way that leads to it: here these are 2**400."""

    def fn(a: Tensor, b: Tensor) -> Tensor:
        for _ in range(400):
            a = a.sin() + a
        return torch.matmul(a, b)

    assert products_left(fn, *in_rows(40, 20, 3)) == 0


OUT_OF_ORDER: dict[str, Function] = {
    "copied": lambda a: a.mT.contiguous(),
    "converted": lambda a: a.mT.real.contiguous().to(c64),
    "computed": lambda a: a.mT.contiguous() * 2,
    "slow": lambda a: a.mT.contiguous().exp(),
    "of both orders": lambda a: a.mT + torch.ones(a.mT.shape, dtype=c64),
    "written": lambda a: aten.copy(torch.empty(a.mT.shape, dtype=c64), a.mT),
}


@pytest.mark.parametrize("name", OUT_OF_ORDER)
def test_computed_in_another_order_is_left_to_the_library(name: str) -> None:
    """Loops would read the operands, which lie column by column."""
    rows, columns = z(40, 20), z(3, 20).mT

    def long(a: Tensor, b: Tensor) -> Tensor:
        return torch.matmul(OUT_OF_ORDER[name](a), b)

    def small(a: Tensor, b: Tensor) -> Tensor:
        return torch.matmul(a, OUT_OF_ORDER[name](b).mT)

    assert products_left(long, rows.mT.contiguous(), columns) > 0
    assert products_left(small, rows, columns.contiguous()) > 0


def test_unknown_sizes_are_left_to_the_library() -> None:
    a, b = in_rows(40, 20, 3)
    make_unknown = {"tracing_mode": "symbolic"}
    graph = make_fx(complex_product, **make_unknown)(a, b)  # type: ignore[arg-type]
    (node,) = (n for n in graph.graph.nodes if n.target is aten.mm.default)
    assert narrow_products.sums(node, has_real_factor=True) is None


@LAYOUTS
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("real", ["", "left", "right", "both"])
def test_values(lie: Function, sizes: Any, real: str) -> None:
    a, b = lie(*sizes)
    left = a.real.clone() if real in ("left", "both") else a
    right = b.real.clone() if real in ("right", "both") else b
    pairs = [Pair(t.real, t.imag) if t.is_complex() else t for t in (left, right)]
    sums = sums_of_rows if lie is in_rows else sums_of_columns
    re, im = sums(*pairs)
    want = left.to(torch.complex128) @ right.to(torch.complex128)
    torch.testing.assert_close(re, want.real.float(), rtol=1e-5, atol=1e-5)
    if real != "both":
        torch.testing.assert_close(im, want.imag.float(), rtol=1e-5, atol=1e-5)


COMPILED = {
    "complex, in rows": (complex_product, in_rows(40, 20, 3)),
    "complex, in columns": (complex_product, in_columns(40, 20, 3)),
    "real, in rows": (real_left, half_real(real_left, *in_rows(40, 20, 10))),
    "real, in columns": (real_right, half_real(real_right, *in_columns(40, 20, 10))),
    "few rows, batched": (complex_product, in_columns(2, 20, 40, 5)),
    "conjugated": (lambda a, b: complex_product(a.conj(), b.conj()), in_rows(40, 20, 3)),
    "real and batched": (both_real, half_real(both_real, *in_rows(40, 20, 10, 2))),
}


@pytest.mark.parametrize("name", COMPILED)
def test_values_and_gradients_compiled(name: str) -> None:
    fn, factors = COMPILED[name]
    assert_compiles(fn, *factors, backend="inductor_complex", dynamic=False, rtol=1e-5, atol=1e-4)


def test_long_factor_is_computed_once() -> None:
    """In loops of its own, not once for each column."""

    def fn(a: Tensor, b: Tensor) -> Tensor:
        return torch.matmul(a.exp(), b)

    code = generated_code(fn, *in_rows(40, 32, 3), dynamic=False)
    nests_found = sorted((".exp()" in nest, "x2=" in nest) for nest in nests(code))
    joining, summing, computing = (False, False), (False, True), (True, False)
    assert nests_found == [joining, summing, computing]
