"""Products with real factors, in merged dimensions, and of views; svd without its vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, fx

from torch_complex_subclass import boundary_pass, report
from torch_complex_subclass.inductor_lowering.ops import edge_op
from torch_complex_subclass.testing.compare import gradients
from torch_complex_subclass.testing.eager import random
from torch_complex_subclass.testing.interpret import interpreted

aten = torch.ops.aten
c64 = torch.complex64


def kept(fn: Callable[..., Any], *args: Tensor) -> list[str]:
    """Ops that keep a complex kernel; checks values, and gradients of what needs them."""
    torch.compiler.reset()
    with report.collected() as reports:
        got = torch.compile(fn, fullgraph=True, backend=interpreted)(*args)
    want = fn(*args)
    torch.testing.assert_close(got, want)
    leaves = [t for t in args if t.requires_grad]
    if leaves:
        torch.testing.assert_close(gradients(got, leaves), gradients(want, leaves))
    return [e.op for found in reports for e in found.entries if e.how != "fused"]


def nodes(fn: Callable[..., Any], *args: Tensor) -> list[fx.Node]:
    """Nodes of the rewritten inference graph."""
    found: list[fx.Node] = []
    rewrite = boundary_pass.rewrite

    def look(graph: fx.Graph, table: Any) -> Any:
        done = rewrite(graph, table)
        found.extend(graph.nodes)
        return done

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boundary_pass, "rewrite", look)
        torch.compile(fn, fullgraph=True, backend=interpreted)(*args)
    return found


REAL_FACTORS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "left": lambda x, z: x.to(c64) @ z,
    "right": lambda x, z: z.mT @ x.mT.to(c64),
    "both": lambda x, z: x.to(c64) @ x.mT.to(c64) + z.sum(),
    "viewed": lambda x, z: x.to(c64).view(2, 3, 4)[:, :, None].flatten(0, 2) @ z,
    "conjugate": lambda x, z: x.to(c64).conj() @ z,
    "added to": lambda x, z: torch.addmm(z[:1, :1], x.to(c64), z, beta=2, alpha=1j),
    "batched": lambda x, z: x.to(c64).view(2, 3, 4) @ z,
}


@pytest.mark.parametrize("name", REAL_FACTORS)
def test_real_factor_takes_real_products(name: str) -> None:
    x, z = torch.randn(6, 4), random((4, 5), c64)
    assert kept(REAL_FACTORS[name], x, z) == []


def test_complex_factors_keep_the_library_call() -> None:
    assert kept(lambda z: z @ z.mH, random((5, 5), c64)) == ["aten.mm.default"]


def test_gradient_of_a_real_part_is_a_real_factor() -> None:
    z, w = (random(shape, c64).requires_grad_() for shape in ((6, 4), (4, 5)))
    fn = lambda z, w: (z @ w).real  # noqa: E731
    # Forward is complex by complex; both products of the gradient have a real factor.
    assert kept(fn, z, w) == ["aten.mm.default"]


def form_of(weights: Tensor, form: Tensor) -> Tensor:
    return torch.einsum("ij,kija->ka", weights, form)


def test_einsum_is_computed_in_its_own_dimensions() -> None:
    weights, form = random((3, 3), c64), random((2, 3, 3, 5), c64)
    sums = [n for n in nodes(form_of, weights, form) if n.target is aten.sum.dim_IntList]
    assert [n.args[0].meta["val"].shape[-4:] for n in sums] == [(3, 3, 2, 5)] * 2
    assert kept(form_of, weights.requires_grad_(), form.requires_grad_()) == []


@pytest.mark.parametrize("width", [3, 600])
def test_row_times_long_rows_goes_to_the_library(width: int) -> None:
    row, matrix = random((2, 1, 8), c64), random((2, 8, width), c64)
    native = kept(lambda a, b: a @ b, row, matrix)
    assert native == (["aten.bmm.default"] if width == 600 else [])


def powers(c: Tensor, a: Tensor, times: Tensor) -> Tensor:
    return torch.einsum("hn,hnl->hl", c, torch.exp(a[..., None] * times))


def test_matrix_of_long_rows_that_is_computed_is_not_stored() -> None:
    args = random((3, 8), c64).requires_grad_(), random((3, 8), c64).requires_grad_()
    times = torch.linspace(0, 1, 600)
    assert kept(powers, *args, times) == []
    assert kept(lambda c, a, t: powers(c, a, t).abs().sum(), *args, times) == []


STORED: dict[str, Callable[..., Any]] = {
    "a result": lambda c, m: (m := m * 2, c @ m),
    "read by a library call": lambda c, m: ((m := m * 2) @ m.mT, c @ m),
    "an input": lambda c, m: c @ m.conj(),
    "a copy of an input": lambda c, m: c @ m.clone(),
}


@pytest.mark.parametrize("name", STORED)
def test_matrix_of_long_rows_in_memory_goes_to_the_library(name: str) -> None:
    native = kept(STORED[name], random((2, 1, 8), c64), random((2, 8, 600), c64))
    assert native == ["aten.bmm.default"] * (2 if "call" in name else 1)


def test_chain_of_views_is_read_in_place() -> None:
    def fn(rows: Tensor, matrices: Tensor) -> Tensor:
        return torch.einsum("pi,pij->pj", rows, matrices)

    args = random((2, 8), c64), random((2, 8, 600), c64)
    assert edge_op("interleave") not in [n.target for n in nodes(fn, *args)]
    assert kept(fn, *args) == ["aten.bmm.default"]


@pytest.mark.parametrize("read", [slice(1, 2), slice(0, None, 2)], ids=["values", "vectors"])
def test_svd_computes_no_vectors_that_nothing_reads(read: slice) -> None:
    z = random((6, 4), c64)
    found = nodes(lambda z: torch.linalg.svd(z, full_matrices=False)[read], z)
    (svd,) = (n for n in found if n.target is aten._linalg_svd.default)
    computes_vectors = len(svd.args) < 3 or svd.args[2]
    assert computes_vectors == (read.start == 0)


def test_values_without_vectors() -> None:
    z = random((6, 4), c64)
    assert kept(lambda z: torch.linalg.svd(z)[1], z) == ["aten._linalg_svd.default"]
    assert kept(lambda z: torch.linalg.svd(z)[1], z.requires_grad_())
