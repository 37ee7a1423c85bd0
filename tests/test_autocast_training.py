"""The examples, trained under `tcs.autocast` and in complex64 from one seed: the same result."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import torch_complex_subclass as tcs

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(autouse=True)
def examples(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    known = set(sys.modules)
    yield
    for name in set(sys.modules) - known:
        if str(EXAMPLES) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def trained(
    make: Callable[[], nn.Module], loss: Callable[[nn.Module, int], Tensor], steps: int, **how: Any
) -> tuple[dict[bool, nn.Module], dict[bool, list[float]]]:
    """Networks and losses, by whether products were narrow."""
    nets, losses = {}, {}
    for narrow in (False, True):
        torch.manual_seed(0)
        nets[narrow], losses[narrow] = make(), []
        optimizer = torch.optim.Adam(nets[narrow].parameters(), **how)
        for i in range(steps):
            optimizer.zero_grad()
            with tcs.autocast("cpu", enabled=narrow):
                value = loss(nets[narrow], i)
            value.backward()
            optimizer.step()
            losses[narrow].append(value.item())
    return nets, losses


def assert_same_training(losses: dict[bool, list[float]]) -> None:
    """The last losses differ by at most a hundredth of the first one."""
    wide, narrow = losses[False], losses[True]
    assert wide[-1] < wide[0] / 4
    assert narrow != wide
    assert abs(narrow[-1] - wide[-1]) <= 0.01 * wide[0]


def test_fourier_operator() -> None:
    from fourier_operator import FourierLayer

    torch.manual_seed(1)
    x = torch.randn(8, 4, 8, 8)
    with torch.no_grad():
        y = FourierLayer(4, 3)(x)
    _, losses = trained(
        lambda: FourierLayer(4, 3), lambda net, i: F.mse_loss(net(x), y), 100, lr=2e-2
    )
    assert_same_training(losses)


class Scores(nn.Module):
    """Scores of an attention over complex tokens whose queries and keys are turned."""

    def __init__(self) -> None:
        super().__init__()
        self.queries, self.keys = (nn.Linear(8, 8, dtype=torch.complex64) for _ in range(2))

    def forward(self, tokens: Tensor, freqs: Tensor) -> Tensor:
        queries, keys = (linear(tokens) * freqs for linear in (self.queries, self.keys))
        return torch.einsum("bid,bjd->bij", queries, keys.conj()).abs()


def test_rotary_embedding() -> None:
    from rotary_embedding import angles

    torch.manual_seed(1)
    tokens, freqs = torch.randn(4, 16, 8, dtype=torch.complex64), angles(16, 16)
    with torch.no_grad():
        wanted = Scores()(tokens, freqs)
    _, losses = trained(Scores, lambda net, i: F.mse_loss(net(tokens, freqs), wanted), 100, lr=2e-2)
    assert_same_training(losses)


@pytest.mark.slow
def test_digits() -> None:
    """Within a point of accuracy on the test images."""
    from _digits.data import CLASSES, SIDE, Digits
    from _digits.model import FourierClassifier

    digits = Digits.load()
    batches = list(digits.batches(256, 120, 0))

    def loss(net: nn.Module, i: int) -> Tensor:
        images, labels = batches[i]
        return F.cross_entropy(net(images), labels)

    nets, losses = trained(lambda: FourierClassifier(SIDE, CLASSES), loss, 120, lr=3e-4)
    assert_same_training(losses)
    accuracies = []
    for narrow, net in nets.items():
        with torch.no_grad(), tcs.autocast("cpu", enabled=narrow):
            right = net(digits.test_images).argmax(-1) == digits.test_labels
        accuracies.append(right.float().mean().item())
    assert min(accuracies) > 0.95
    assert abs(accuracies[0] - accuracies[1]) <= 0.01
