"""W4: a Hamiltonian step on a complex field, and a Bayesian update of candidate fields."""

from __future__ import annotations

import torch
from torch import Tensor

ORDER = 4
"""Terms of the series of an exponential."""


def spatial_laplacian(field: Tensor, spacing: float = 1.0) -> Tensor:
    """Second differences along the last three dimensions, which are periodic."""
    neighbours = torch.zeros_like(field)
    for dim in (-3, -2, -1):
        neighbours = neighbours + field.roll(1, dim) + field.roll(-1, dim)
    return (neighbours - 6 * field) / spacing**2


def hamiltonian_evolution(
    field: Tensor, potential: Tensor, dt: float = 0.02, spacing: float = 1.0
) -> Tensor:
    """exp(-i H dt) field with H = -laplacian / 2 + potential, in units where hbar = mass = 1.

    The exponential is its series to the fourth order. Shapes: field and the real potential are
    `(..., g, g, g)`.
    """
    term = field
    for order in range(1, ORDER + 1):
        energy = potential * term - spatial_laplacian(term, spacing) / 2
        term = (-1j * dt / order) * energy
        field = field + term
    return field


def compute_evidence_weights(fields: Tensor, observed: Tensor, deviation: float = 1.0) -> Tensor:
    """Logarithm of how likely each field makes what was observed, up to a constant.

    The noise is circular complex normal, of mean square `deviation`^2. Shapes: fields `(b, k, n)`,
    observed `(b, n)`, result `(b, k)`, real.
    """
    misfit = (fields - observed[:, None]).abs().square().sum(-1)
    return -misfit / deviation**2


def bayesian_posterior(
    prior: Tensor, fields: Tensor, observed: Tensor, deviation: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Probabilities `(b, k)` of the fields given what was observed, and the mean field `(b, n)`.

    Shapes: prior `(b, k)`, real and positive; fields `(b, k, n)`, observed `(b, n)`.
    """
    evidence = compute_evidence_weights(fields, observed, deviation)
    posterior = torch.softmax(prior.log() + evidence, dim=-1)
    return posterior, (posterior[..., None] * fields).sum(1)
