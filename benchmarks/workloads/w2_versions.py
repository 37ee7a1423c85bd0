"""The operations of W2 in JAX, and some by hand with real tensors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.bench.cases import parts
from torch_complex_subclass.bench.workloads.w2_operations import CORE_RADIUS

# By hand.


def superposition(
    points: Tensor,
    sources: Tensor,
    frequencies: Tensor,
    amplitudes: Tensor,
    phases: Tensor,
    t: float,
) -> Tensor:
    """Field of sources, `(n, 2)`."""
    distance = torch.linalg.vector_norm(points[:, None, :] - sources, dim=-1)
    phase = distance + frequencies * t + phases
    size = amplitudes / (distance + CORE_RADIUS)
    return parts.join(((size * torch.cos(phase)).sum(-1), (size * torch.sin(phase)).sum(-1)))


def vortices(points: Tensor, centers: Tensor, charges: Tensor) -> Tensor:
    """Field of vortices, `(n, 2)`: phases add where the factors multiply."""
    offset = points[:, None, :] - centers
    phase = (charges * torch.atan2(offset[..., 1], offset[..., 0])).sum(-1)
    core = torch.tanh(torch.linalg.vector_norm(offset, dim=-1) / CORE_RADIUS)
    size = core.log().sum(-1).exp()
    return parts.join((size * torch.cos(phase), size * torch.sin(phase)))


def intensity(field: Tensor) -> Tensor:
    """Squared modulus of a field `(..., 2)`."""
    return field.square().sum(-1)


def potential(phi: Tensor, mass_sq: float, lambda_coupling: float, rank: int) -> Tensor:
    """Energy of a field `(..., 2)`."""
    size_sq = phi.square().sum(-1)
    local = mass_sq * size_sq + (2 * lambda_coupling / rank) * size_sq ** (rank / 2)
    kinetic = sum((phi.roll(-1, d) - phi).square().sum(-1) for d in range(phi.dim() - 1))
    return (kinetic + local).sum()


def evolution(phi: Tensor, dt: float, mass_sq: float, lambda_coupling: float, rank: int) -> Tensor:
    """A step of a field `(..., 2)`, the transforms by the library's complex kernels."""

    def kicked(z: parts.Parts) -> parts.Parts:
        size_sq = z[0] * z[0] + z[1] * z[1]
        angle = -0.5 * dt * (mass_sq + lambda_coupling * size_sq ** (rank / 2 - 1))
        return parts.mul(z, (torch.cos(angle), torch.sin(angle)))

    shape = phi.shape[:-1]
    spectrum = torch.fft.fftn(torch.view_as_complex(parts.join(kicked(parts.split(phi)))))
    angle = phi.new_zeros(())
    for dim, n in enumerate(shape):
        wave = 2 * torch.pi * torch.fft.fftfreq(n, dtype=phi.dtype)
        angle = angle - dt * (2 - 2 * torch.cos(wave)).view(-1, *(1,) * (len(shape) - 1 - dim))
    turned = parts.mul(
        parts.split(torch.view_as_real(spectrum)), (torch.cos(angle), torch.sin(angle))
    )
    moved = torch.fft.ifftn(torch.view_as_complex(parts.join(turned)))
    return parts.join(kicked(parts.split(torch.view_as_real(moved))))


# In JAX.


def superposition_in_jax(
    points: Any, sources: Any, frequencies: Any, amplitudes: Any, phases: Any, t: float
) -> Any:
    """Field of sources."""
    import jax.numpy as jnp

    distance = jnp.linalg.norm(points[:, None, :] - sources, axis=-1)
    phase = distance + frequencies * t + phases
    return (amplitudes * jnp.exp(1j * phase) / (distance + CORE_RADIUS)).sum(-1)


def vortices_in_jax(points: Any, centers: Any, charges: Any) -> Any:
    """Field of vortices."""
    import jax.numpy as jnp

    offset = points[:, None, :] - centers
    theta = jnp.arctan2(offset[..., 1], offset[..., 0])
    core = jnp.tanh(jnp.linalg.norm(offset, axis=-1) / CORE_RADIUS)
    return (core * jnp.exp(1j * charges * theta)).prod(-1)


def intensity_in_jax(field: Any) -> Any:
    """Squared modulus."""
    return abs(field) ** 2


def mera_in_jax(tensors: Any, disentanglers: Any, isometries: Any) -> Any:
    """One layer of coarse-graining."""
    import jax.numpy as jnp

    pairs = tensors.reshape(tensors.shape[0] // 2, -1)
    disentangled = jnp.einsum("pi,pij->pj", pairs, disentanglers)
    return jnp.einsum("pi,pij->pj", disentangled, isometries.conj())


def entropy_in_jax(state: Any) -> Any:
    """Entropy between the two dimensions of a state."""
    import jax
    import jax.numpy as jnp

    values = jnp.linalg.svd(state, compute_uv=False)
    p = values**2 / (values**2).sum()
    return -jax.scipy.special.xlogy(p, p).sum()


def potential_in_jax(phi: Any, mass_sq: float, lambda_coupling: float, rank: int) -> Any:
    """Energy of a field."""
    import jax.numpy as jnp

    size = abs(phi)
    kinetic = sum(abs(jnp.roll(phi, -1, d) - phi) ** 2 for d in range(phi.ndim))
    return (kinetic + mass_sq * size**2 + (2 * lambda_coupling / rank) * size**rank).sum()


def evolution_in_jax(phi: Any, dt: float, mass_sq: float, lambda_coupling: float, rank: int) -> Any:
    """A step of a field."""
    import jax.numpy as jnp

    def kicked(z: Any) -> Any:
        angle = mass_sq + lambda_coupling * abs(z) ** (rank - 2)
        return z * jnp.exp(-0.5j * dt * angle)

    waves = [2 - 2 * jnp.cos(2 * jnp.pi * jnp.fft.fftfreq(n)) for n in phi.shape]
    total = sum(jnp.meshgrid(*waves, indexing="ij"))
    turned = jnp.fft.fftn(kicked(phi)) * jnp.exp(-1j * dt * total)
    return kicked(jnp.fft.ifftn(turned)).astype(phi.dtype)


def gru_in_jax(x: Any, h: Any, w_z: Any, w_r: Any, w_h: Any, b_z: Any, b_r: Any, b_h: Any) -> Any:
    """One step of a complex gated recurrent unit."""
    import jax
    import jax.numpy as jnp

    def gate(z: Any) -> Any:
        return jax.nn.sigmoid((z.real + z.imag) / 2)

    seen = jnp.concatenate((x, h), -1)
    update, reset = gate(seen @ w_z.T + b_z), gate(seen @ w_r.T + b_r)
    mixed = jnp.concatenate((x, reset * h), -1) @ w_h.T + b_h
    return update * h + (1 - update) * jnp.tanh(abs(mixed)) * jnp.sign(mixed)
