"""Hints of explain: what each tells to write instead has eager's value and no such call."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from torch_complex_subclass import data_sized, report
from torch_complex_subclass.decompositions import TABLE
from torch_complex_subclass.explanation import hints
from torch_complex_subclass.testing.interpret import interpreted

Function = Callable[[Tensor], Tensor]


def determinant(m: Tensor) -> Tensor:
    return m[..., 0, 0] * m[..., 1, 1] - m[..., 0, 1] * m[..., 1, 0]


def solve(m: Tensor) -> Tensor:
    a, b, c, d = m[0, 0], m[0, 1], m[1, 0], m[1, 1]
    b0, b1 = m[:, 0] * 2
    return torch.stack([(d * b0 - b * b1) / (a * d - b * c), (a * b1 - c * b0) / (a * d - b * c)])


def exponential(m: Tensor) -> Tensor:
    w, v = torch.linalg.eigh(m + m.mH)
    return (v * torch.exp(1j * w)) @ v.mH


# What is written, what the hint tells to write, and the operand's shape.
REWRITES: dict[str, tuple[Function, Function, tuple[int, ...]]] = {
    "aten._linalg_det.default": (torch.linalg.det, determinant, (2, 2)),
    "aten._linalg_solve_ex.default": (lambda m: torch.linalg.solve(m, m[:, 0] * 2), solve, (2, 2)),
    "aten._linalg_svd.default": (
        lambda m: torch.linalg.svdvals(m).square().sum().sqrt(),
        lambda m: torch.linalg.vector_norm(m, dim=(-2, -1)),
        (4, 3),
    ),
    "aten.cumprod.default": (
        lambda z: z.cumprod(-1),
        lambda z: torch.polar(z.abs().cumprod(-1), z.angle().cumsum(-1)),
        (3, 20),
    ),
    "aten.linalg_inv_ex.default": (
        lambda m: torch.linalg.inv(m) @ m.mT,
        lambda m: torch.linalg.solve(m, m.mT),
        (4, 4),
    ),
    "aten.linalg_matrix_exp.default": (
        lambda m: torch.linalg.matrix_exp(1j * (m + m.mH)),
        exponential,
        (4, 4),
    ),
    "aten.logcumsumexp.default": (
        lambda z: z.real.exp().to(z.dtype).logcumsumexp(-1),
        lambda z: torch.log(torch.exp(z.real.exp().to(z.dtype)).cumsum(-1)),
        (3, 8),
    ),
    "aten.prod.dim_int": (
        lambda z: z.prod(-1),
        lambda z: z.unflatten(-1, (16, -1)).prod(-2).prod(-1),
        (3, 64),
    ),
}


def kept(fn: Function, z: Tensor) -> tuple[Tensor, set[str]]:
    """The result of the compiled function, and the ops that keep their complex kernel."""
    torch._dynamo.reset()
    with report.collected() as reports:
        result = torch.compile(fn, fullgraph=True, backend=interpreted)(z)
    entries = (entry for found in reports for entry in found.entries)
    return result, {entry.op for entry in entries if entry.how != "fused"}


@pytest.mark.parametrize("op", REWRITES)
def test_rewrite_has_the_value_and_no_such_call(op: str) -> None:
    written, instead, shape = REWRITES[op]
    z = torch.randn(shape, dtype=torch.complex128)
    assert op in kept(written, z)[1]
    result, ops = kept(instead, z)
    assert op not in ops
    torch.testing.assert_close(result, written(z))


def test_fill_of_parts_has_no_complex_kernel() -> None:
    assert kept(lambda z: z + torch.randn(8, dtype=z.dtype), torch.randn(8) + 0j)[1]
    parts = kept(
        lambda z: z + torch.complex(torch.randn(8), torch.randn(8)) * 0.5**0.5, torch.randn(8) + 0j
    )
    assert not parts[1]


def test_mask_that_keeps_the_shape_fuses() -> None:
    z = torch.randn(8, dtype=torch.complex64)
    assert not kept(lambda t: torch.where(t.real > 0, t, 0), z)[1]


@pytest.mark.parametrize("name", hints.ops_with_hints())
def test_hint_is_of_an_op_that_can_keep_its_kernel(name: str) -> None:
    namespace, packet, overload = name.split(".")
    op = getattr(getattr(getattr(torch.ops, namespace), packet), overload)
    rule = TABLE[op]
    assert rule.reason or rule.kind == "bilinear"
    assert hints.hint(name, "native", rule.reason)


def test_hints_by_reason() -> None:
    assert not hints.hint("aten.mul.Tensor", "fused", "")
    assert "rule" in hints.hint("my.op.default", "fallback", "no rule")
    assert "report" in hints.hint("aten.exp.default", "fallback", "the rule raised KeyError: 1")
    assert "where" in hints.hint("aten.slice.Tensor", "native", data_sized.REASON)
    assert not hints.hint("aten.ormqr.default", "native", "of no known kind")


def test_reasons_with_hints_are_reasons_of_rules() -> None:
    known = {rule.reason for rule in TABLE.values()} | {data_sized.REASON}
    for reason in hints.reasons_with_hints():
        assert reason in known or reason == "it discards an imaginary part"
