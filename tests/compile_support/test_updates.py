"""Compiled updates of complex parameters: optimizers, clipping, averages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from torch_complex_subclass.testing.interpret import interpreted

# All of torch.optim but Adafactor and SparseAdam, which refuse complex parameters, and LBFGS and
# Muon, whose interface is another.
OPTIMIZERS = (
    "ASGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "NAdam",
    "RAdam",
    "RMSprop",
    "Rprop",
    "SGD",
)
OPTIONS: dict[str, dict[str, Any]] = {
    "foreach": {"lr": 0.05, "foreach": True},
    "single": {"lr": 0.05, "foreach": False},
    "tensor as rate": {"lr": torch.tensor(0.05)},
}


def parameters() -> list[nn.Parameter]:
    torch.manual_seed(1)
    made = [torch.randn(3, 4, dtype=torch.complex64), torch.randn(2, dtype=torch.complex64)]
    return [nn.Parameter(t) for t in (*made, torch.randn(3))]


def train(make: Callable[..., Any], options: dict[str, Any], compiled: bool) -> list[nn.Parameter]:
    """Three steps with gradients that do not depend on the parameters."""
    found = parameters()
    optimizer = make(found, **options)
    step = torch.compile(optimizer.step, backend=interpreted) if compiled else optimizer.step
    generator = torch.Generator().manual_seed(2)
    for _ in range(3):
        for p in found:
            p.grad = torch.randn(p.shape, dtype=p.dtype, generator=generator)
        step()
    return found


@pytest.mark.parametrize(
    "option",
    [pytest.param(name, marks=[] if name == "single" else [pytest.mark.slow]) for name in OPTIONS],
)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer(name: str, option: str) -> None:
    make, options = getattr(torch.optim, name), OPTIONS[option]
    want = train(make, options, compiled=False)
    got = train(make, options, compiled=True)
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("foreach", [False, True])
def test_clipping(foreach: bool) -> None:
    eager, ours = parameters(), parameters()
    for p, q in zip(eager, ours, strict=True):
        p.grad = torch.randn_like(p)
        q.grad = p.grad.clone()
    clip = torch.compile(nn.utils.clip_grad_norm_, backend=interpreted)
    norms = [
        f(ps, 0.5, foreach=foreach) for f, ps in ((nn.utils.clip_grad_norm_, eager), (clip, ours))
    ]
    torch.testing.assert_close(*norms)
    torch.testing.assert_close([p.grad for p in ours], [p.grad for p in eager])


def average(kept: list[Tensor], new: list[Tensor]) -> None:
    for x, y in zip(kept, new, strict=True):
        x.lerp_(y, 0.1)
        x.mul_(0.9).add_(y, alpha=0.1)
    torch._foreach_lerp_(kept, new, 0.2)
    torch._foreach_mul_(kept, 0.9)
    torch._foreach_add_(kept, new, alpha=0.1)


def test_moving_average() -> None:
    new = [t.detach() for t in parameters()]
    eager, ours = ([t * 2 for t in new] for _ in range(2))
    average(eager, new)
    torch.compile(average, fullgraph=True, backend=interpreted)(ours, new)
    torch.testing.assert_close(ours, eager)
