"""W5: a complex convolutional network with whitening batch norm and modReLU."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from torch_complex_subclass.bench.workloads.normalization import modrelu, whiten

Layer = tuple[Tensor, Tensor, Tensor, Tensor]
"""Arguments of `block` but the first."""


def batch_norm(z: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Whiten each channel of `(b, c, h, w)` over the batch, then scale and shift by `(c,)`."""
    return whiten(z, (0, -2, -1)) * scale[:, None, None] + shift[:, None, None]


def block(z: Tensor, kernel: Tensor, scale: Tensor, shift: Tensor, bias: Tensor) -> Tensor:
    """Convolution `(o, i, 3, 3)` with stride 2, batch norm and modReLU with a real bias `(o,)`."""
    z = batch_norm(F.conv2d(z, kernel, stride=2, padding=1), scale, shift)
    return modrelu(z, bias[:, None, None])


def convolutional_network(
    x: Tensor, target: Tensor, weight: Tensor, first: Layer, second: Layer
) -> Tensor:
    """Scores `(b, k)` of images x `(b, 1, h, w)`, less their target.

    Moduli of the mean of each channel, times the real weight `(k, c)`.
    """
    z = block(block(x, *first), *second)
    return F.linear(z.mean((-2, -1)).abs(), weight) - target
