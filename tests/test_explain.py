"""explain: what it counts, and that it leaves no trace."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import torch_complex_subclass as tcs
from torch_complex_subclass import torch_compat as compat


def model(z: Tensor) -> Tensor:
    return torch.linalg.svdvals((torch.fft.fft2(z * 2) @ z).exp())


def test_rows_say_how_each_op_is_lowered() -> None:
    found = tcs.explain(model, torch.randn(8, 8, dtype=torch.complex64))
    how = {row.op: row.how for row in found.rows}
    assert how["aten.mul.Tensor"] == "fused"
    assert how["aten.exp.default"] == "fused"
    assert how["aten.mm.default"] == "native"
    assert how["aten._fft_c2c.default"] == "native"
    assert how["aten._linalg_svd.default"] == "native"
    assert all(row.reason for row in found.rows if row.how != "fused")
    assert all("test_explain.py:" in row.source for row in found.rows)


def test_fallbacks_and_kernels_before_and_after() -> None:
    found = tcs.explain(lambda z: (z * z).exp().abs(), torch.randn(64, dtype=torch.complex64))
    assert found.kernels == 1
    assert not found.fallbacks
    assert found.stock_fallbacks["aten.mul.Tensor"] == 1
    assert found.stock_fallbacks["aten.exp.default"] == 1


def test_counts_backward_and_copies_arguments() -> None:
    z = torch.randn(8, dtype=torch.complex64, requires_grad=True)
    kept = z.detach().clone()
    found = tcs.explain(lambda t: (t.conj() * t).real, z)
    assert z.grad is None
    assert torch.equal(z, kept)
    (mul,) = (row for row in found.rows if row.op == "aten.mul.Tensor")
    assert mul.backward == mul.count - 1 > 0
    assert f"{mul.count} ({mul.backward} backward)" in str(found)


def test_gradients_of_closures_are_left_nowhere() -> None:
    weight = torch.randn(8, dtype=torch.complex64, requires_grad=True)
    tcs.explain(lambda t: (t * weight).abs(), torch.randn(8))
    assert weight.grad is None


def test_stock_is_stock_while_enabled() -> None:
    with tcs.enabled():
        found = tcs.explain(lambda z: z.exp(), torch.randn(8, dtype=torch.complex64))
        assert tcs.is_enabled()
    assert found.stock_fallbacks == {"aten.exp.default": 1}


def test_what_stock_does_not_compile_is_explained() -> None:
    """The gradient of the complex svd asks for a value, which no tracer of stock torch has."""

    def product(z: Tensor) -> Tensor:
        u, s, vh = torch.linalg.svd(z, full_matrices=False)
        return (u * s @ vh).abs().mean()

    z = torch.randn(4, 4, dtype=torch.complex64, requires_grad=True)
    found = tcs.explain(product, z, profile=True)
    assert {row.op: row.how for row in found.rows}["aten.abs.default"] == "fused"
    assert found.kernels > 0
    assert "allclose" in found.stock_failure
    assert f"(stock: does not compile, {found.stock_failure})" in str(found)
    assert found.times
    assert "(stock: 0" not in str(found)


@pytest.mark.parametrize("fn", [model, torch.nn.Linear(4, 4, dtype=torch.complex64)])
def test_what_compile_returned_is_taken_apart(fn: Any) -> None:
    assert compat.uncompiled(torch.compile(fn)) is fn
    assert compat.uncompiled(fn) is fn


def test_line_is_the_users_and_not_torchs() -> None:
    found = tcs.explain(lambda x: torch.stft(x, 8, return_complex=True).abs(), torch.randn(32))
    assert all("test_explain.py:" in source for row in found.rows for source in row.sources)


def test_profile_times_each_kernel() -> None:
    found = tcs.explain(
        lambda z: (z @ z).exp(), torch.randn(8, 8, dtype=torch.complex64), profile=True
    )
    how = {time.name.rstrip("_0123456789"): time.how for time in found.times}
    assert how.pop("between kernels") == "rest"
    assert "generated" in how.values()
    assert all(time.microseconds >= 0 for time in found.times)
    assert found.stock_times
    assert "between kernels" in str(found)


def test_text_is_a_table() -> None:
    text = str(tcs.explain(lambda z: z * 2j, torch.randn(8, dtype=torch.complex64)))
    lines = text.splitlines()
    assert lines[0].split() == ["op", "count", "how", "source", "reason"]
    assert lines[1].startswith("aten.mul.Tensor")
    assert lines[-1].startswith("generated kernels: 1 (stock: ")


def test_real_function() -> None:
    assert "no complex ops" in str(tcs.explain(lambda x: x * 2, torch.randn(8)))


def test_error_of_the_function_is_passed_on() -> None:
    def fails(z: Tensor) -> Tensor:
        return z + torch.ones(3, 3, 3)

    with pytest.raises(Exception, match="shape"):
        tcs.explain(fails, torch.randn(2, 2, dtype=torch.complex64))
    assert not tcs.is_enabled()
