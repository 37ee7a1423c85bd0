"""The table given to tracers."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx

from torch_complex_subclass.decompositions import table


def model(a: Tensor, b: Tensor) -> Tensor:
    return ((a * b.conj()).exp() @ b.mT).abs().sum()


def operands() -> tuple[Tensor, Tensor]:
    return torch.randn(3, 4, dtype=torch.complex64), torch.randn(3, 4, dtype=torch.complex64)


def test_traced_arithmetic_is_real() -> None:
    a, b = operands()
    traced = make_fx(model, decomposition_table=table())(a, b)
    torch.testing.assert_close(traced(a, b), model(a, b))
    arithmetic = ("mul", "exp", "mm", "abs", "sum")
    for node in traced.graph.nodes:
        name = str(node.target).split(".")[1] if node.op == "call_function" else ""
        if name in arithmetic:
            assert not any(n.meta["val"].is_complex() for n in node.all_input_nodes), node


def test_exported_program() -> None:
    class Model(torch.nn.Module):
        def forward(self, a: Tensor, b: Tensor) -> Tensor:
            return model(a, b)

    a, b = operands()
    program = torch.export.export(Model(), (a, b)).run_decompositions(table())
    targets = {str(n.target) for n in program.graph.nodes}
    assert "aten.sqrt.default" in targets
    torch.testing.assert_close(program.module()(a, b), model(a, b))


def test_only_ops_of_aten_are_left() -> None:
    """Twice the digits take the error of a product, an op of ours in compiled code."""
    z, _ = operands()
    traced = make_fx(torch.exp2, decomposition_table=table())(z)
    torch.testing.assert_close(traced(z), torch.exp2(z))
    calls = [n.target for n in traced.graph.nodes if n.op == "call_function"]
    assert {target.namespace for target in calls} == {"aten"}


def test_real_arguments_keep_the_op() -> None:
    assert table()[torch.ops.aten.mul.Tensor](torch.ones(2), torch.ones(2)) is NotImplemented
