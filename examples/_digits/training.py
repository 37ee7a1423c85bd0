"""The same training in several ways of running it, one step of each in turn."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from _digits.data import CLASSES, SIDE, Digits
from _digits.model import FourierClassifier

SEED = 0
BATCH = 256
LEARNING_RATE = 3e-4
# Compilation, and the first runs of what it made.
WARM_UP_STEPS = 10

Loss = Callable[[Tensor, Tensor], Tensor]


def loss_function(net: FourierClassifier) -> Loss:
    """Return the function that is compiled: images and labels to the loss."""

    def loss(images: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(net(images), labels)

    return loss


@dataclass
class Replica:
    """One network, how it is run, and what was measured; `backend` None is eager."""

    name: str
    backend: str | None
    losses: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        torch.manual_seed(SEED)
        self.net = FourierClassifier(SIDE, CLASSES)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=LEARNING_RATE)
        self.loss, self.update = loss_function(self.net), self.optimizer.step
        if self.backend is not None:
            self.loss = torch.compile(self.loss, fullgraph=True, backend=self.backend)
            self.update = torch.compile(self.update, backend=self.backend)

    def step(self, images: Tensor, labels: Tensor) -> None:
        """Take one training step and note its loss and time."""
        start = time.perf_counter()
        self.optimizer.zero_grad()
        loss = self.loss(images, labels)
        loss.backward()
        self.update()
        self.seconds.append(time.perf_counter() - start)
        self.losses.append(loss.item())

    @torch.no_grad()
    def accuracy(self, images: Tensor, labels: Tensor) -> float:
        """Share of images classified correctly."""
        return (self.net(images).argmax(-1) == labels).float().mean().item()

    @property
    def typical_seconds(self) -> float:
        """Median time of a step after the warm-up."""
        return median(self.seconds[WARM_UP_STEPS:])


def train(replicas: list[Replica], digits: Digits, steps: int) -> None:
    """Train all replicas on the same batches, one step each in turn.

    Taking turns gives every replica the same share of whatever else the machine does.
    """
    batches = digits.batches(BATCH, steps, SEED)
    with tqdm(batches, total=steps, desc="training", unit="step") as bar:
        for images, labels in bar:
            for replica in replicas:
                replica.step(images, labels)
            bar.set_postfix({r.name: f"{r.losses[-1]:.4f}" for r in replicas}, refresh=False)
