"""scikit-learn's handwritten digits: 1,797 images of 8 by 8 pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor

SIDE = 8
CLASSES = 10


@dataclass(frozen=True)
class Digits:
    """Images `(n, 8, 8)` in [0, 1] and labels `(n,)`, split into training and test."""

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor

    @staticmethod
    def load() -> Digits:
        """Read the images that scikit-learn ships; a fifth of each class is for the test."""
        images, labels = load_digits(return_X_y=True)
        split = train_test_split(images, labels, test_size=0.2, random_state=0, stratify=labels)
        train_images, test_images = (
            torch.tensor(part, dtype=torch.float32).view(-1, SIDE, SIDE) / 16 for part in split[:2]
        )
        train_labels, test_labels = (torch.tensor(part) for part in split[2:])
        return Digits(train_images, train_labels, test_images, test_labels)

    def batches(self, size: int, steps: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield `steps` batches of equal size, reshuffled in each epoch."""
        generator = torch.Generator().manual_seed(seed)
        order = torch.empty(0, dtype=torch.int64)
        for _ in range(steps):
            if len(order) < size:
                order = torch.randperm(len(self.train_labels), generator=generator)
            chosen, order = order[:size], order[size:]
            yield self.train_images[chosen], self.train_labels[chosen]
