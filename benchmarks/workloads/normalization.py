"""Normalization of complex activations, as W3 and W5 use it."""

from __future__ import annotations

import torch
from torch import Tensor

EPSILON = 1e-5
"""Added to variances and moduli that something is divided by."""


def whiten(z: Tensor, dims: tuple[int, ...]) -> Tensor:
    """Shift and map z so that over `dims` it has mean 0, E|z|^2 = 2 and E z^2 = 0.

    Its parts then have unit variance and no covariance, as in Trabelsi et al. (2018). The inverse
    square root of their covariance is a real-linear map, u z + v conj(z); u and v follow from the
    power E|z|^2 and the pseudo-variance E z^2 by the square root of a matrix of 2 by 2.
    """
    z = z - z.mean(dims, keepdim=True)
    power = z.abs().square().mean(dims, keepdim=True) + 2 * EPSILON
    pseudo = z.square().mean(dims, keepdim=True)
    root = (power.square() - pseudo.abs().square()).sqrt() / 2  # of the determinant
    trace = (power + 2 * root).sqrt()  # of the square root
    return (trace * z - pseudo / trace * z.conj()) / (2 * root)


def modrelu(z: Tensor, bias: Tensor) -> Tensor:
    """Shrink or stretch the modulus by `bias`, down to 0; the phase stays."""
    size = z.abs()
    return z * torch.relu(size + bias) / (size + EPSILON)
