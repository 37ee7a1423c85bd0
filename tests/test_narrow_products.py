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


def z(*shape: int, dtype: torch.dtype = c64) -> Tensor:
    return torch.randn(*shape, dtype=dtype)


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


@pytest.mark.parametrize(
    "factors",
    [
        (z(40, 20), z(20, 3)),
        (z(20, 3).mT, z(40, 20).mT),
        in_rows(40, 15, 3),
        in_rows(15, 20, 3),
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
        *("rows times rows", "columns times columns", "few terms", "few rows", "few sums"),
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


@pytest.mark.parametrize("activation", [torch.clone, torch.exp, torch.sgn])
def test_each_of_a_chain_is_judged_as_it_lies(activation: Function) -> None:
    """Layers on a batch of 3: rows of the first result lie as traced for the second."""

    def fn(x: Tensor, q: Tensor, r: Tensor) -> Tensor:
        return torch.matmul(activation(torch.matmul(x, q.mT)), r.mT)

    code = generated_code(fn, z(3, 32), z(48, 32), z(64, 48), dynamic=False)
    assert "extern_kernels" not in code.split("def call")[1]
    kernels = [k for k in code.split("cpp_pybinding(")[1:] if "x2=" in k]
    assert len(kernels) >= 1
    assert all("x2+=static_cast<int64_t>(16L)" in kernel for kernel in kernels)


def test_arithmetic_is_computed_once_for_each_column() -> None:
    """With more than three columns, a long factor that loops would compute again is stored."""

    def fn(a: Tensor, y: Tensor) -> Tensor:
        return torch.matmul(a * a + a, y.to(c64))

    a, y = half_real(real_right, *in_columns(40, 20, 4))
    assert products_left(real_right, a, y) == 0
    assert products_left(fn, a, y) == 2
    assert products_left(fn, a, y[:, :3]) == 0


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
    kernels = code.split("cpp_pybinding(")[1:]
    computing = [".exp()" in kernel for kernel in kernels]
    summing = ["x2=" in kernel for kernel in kernels]
    assert sorted(zip(computing, summing, strict=True)) == [(False, True), (True, False)]
