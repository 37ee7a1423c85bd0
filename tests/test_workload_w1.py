"""W1: the seven models are one function, in values and gradients, eager and compiled."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from torch_complex_subclass.bench.workloads import w1_models as models
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
    [
        models.Functional,
        models.Vmap,
        models.ComplexParameters,
        models.Native,
        models.Original,
        models.Structured,
        models.Hybrid,
    ],
)
def test_models_agree(model: type[nn.Module], compiled: bool) -> None:
    x, psi, form = draw(SHAPE, torch.complex64, torch.Generator().manual_seed(0))
    got, want = results(model(psi, form), x, compiled), exact(x, psi, form)
    assert len(got) == 3
    for a, b in zip(got, want, strict=True):
        assert float((a - b).abs().max() / b.abs().max()) < TOLERANCE
