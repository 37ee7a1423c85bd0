"""W1: the seven models are one function, in values and gradients, eager and compiled."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from torch_complex_subclass.bench.workloads import w1_models as models
from torch_complex_subclass.bench.workloads import w1_table
from torch_complex_subclass.bench.workloads.w1_quadratic_form import draw
from torch_complex_subclass.testing.interpret import interpreted

TOLERANCE = 1e-5

SHAPE = (50, 100, 10, 10)


def results(model: Any, x: Tensor, compiled: bool = False) -> list[Tensor]:
    """Scores, and gradients by the state and the form in the complex convention."""

    def scored(x: Tensor) -> tuple[Tensor, Tensor]:
        scores = model(x)
        return scores, scores.square().sum()

    fn = torch.compile(scored, fullgraph=True, backend=interpreted) if compiled else scored
    scores, loss = fn(x)
    loss.backward()
    return [scores.detach(), *model.gradients()]


def exact(x: Tensor, psi: Tensor, form: Tensor) -> list[Tensor]:
    """The same in double precision by the definition, and its gradients by formulas."""
    x, psi, form = x.double(), psi.to(torch.complex128), form.to(torch.complex128)
    terms = psi.conj()[None, :, None, None] * form * psi[None, None, :, None]
    weights = terms.sum((1, 2)).real
    scores = x @ weights.mT
    slope = (2 * scores.mT @ x)[:, None, None, :]  # of the loss by the weights
    by_form = slope * (psi[:, None] * psi.conj()[None, :])[None, :, :, None]
    hermitian = (slope * (form + form.conj().transpose(1, 2))).sum((0, 3))
    return [scores, hermitian @ psi, by_form]


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "rewritten"])
@pytest.mark.parametrize(
    "model",
    models.MODELS,
)
def test_models_agree(model: type[nn.Module], compiled: bool) -> None:
    x, psi, form = draw(SHAPE, torch.complex64, torch.Generator().manual_seed(0))
    got, want = results(model(psi, form), x, compiled), exact(x, psi, form)
    assert len(got) == 3
    for a, b in zip(got, want, strict=True):
        assert float((a - b).abs().max() / b.abs().max()) < TOLERANCE


def test_table_is_ranked_by_compiled_time() -> None:
    figures = [(2.0, 0.1), (1.0, 0.2), (3.0, 0.1), (0.5, 0.0)]
    lines = w1_table.table(["a", "b"], figures, ["ok", "ok"]).splitlines()
    assert lines[2] == "| 1 | b | 0.500 ± 0.000 | 3.000 ± 0.100 | 6.00 | ok |"
    assert lines[3] == "| 2 | a | 1.000 ± 0.200 | 2.000 ± 0.100 | 2.00 | ok |"


def test_steps_are_timed_in_turn() -> None:
    calls: list[str] = []
    steps = [lambda name=name: calls.append(name) for name in "ab"]
    assert len(w1_table.timed(steps, trials=2, runs=2)) == 2
    assert "".join(calls) == "aabbaabb"


def test_status_says_how_far_off() -> None:
    one = [torch.ones(2)]
    assert w1_table.status(one, one) == "ok"
    assert w1_table.status([1.5 * one[0]], one) == "off by 5e-01"
