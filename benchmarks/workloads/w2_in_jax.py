"""The operations of W2 in JAX."""

from __future__ import annotations

from typing import Any

from torch_complex_subclass.bench.workloads.random_keys import random_key
from torch_complex_subclass.bench.workloads.w2_operations import (
    CORE_RADIUS,
    COUPLING,
    LEAST_VERTICES,
)


def superposition(
    points: Any, sources: Any, frequencies: Any, amplitudes: Any, phases: Any, t: float
) -> Any:
    """Field of sources."""
    import jax.numpy as jnp

    distance = jnp.linalg.norm(points[:, None, :] - sources, axis=-1)
    phase = distance + frequencies * t + phases
    return (amplitudes * jnp.exp(1j * phase) / (distance + CORE_RADIUS)).sum(-1)


def vortices(points: Any, centers: Any, charges: Any) -> Any:
    """Field of vortices."""
    import jax.numpy as jnp

    offset = points[:, None, :] - centers
    theta = jnp.arctan2(offset[..., 1], offset[..., 0])
    core = jnp.tanh(jnp.linalg.norm(offset, axis=-1) / CORE_RADIUS)
    return (core * jnp.exp(1j * charges * theta)).prod(-1)


def intensity(field: Any) -> Any:
    """Squared modulus."""
    return abs(field) ** 2


def mera(tensors: Any, disentanglers: Any, isometries: Any) -> Any:
    """One layer of coarse-graining."""
    import jax.numpy as jnp

    pairs = tensors.reshape(tensors.shape[0] // 2, -1)
    disentangled = jnp.einsum("pi,pij->pj", pairs, disentanglers)
    return jnp.einsum("pi,pij->pj", disentangled, isometries.conj())


def contracted(*tensors: Any, equation: str) -> Any:
    """Contract tensors as an equation says."""
    import jax.numpy as jnp

    return jnp.einsum(equation, *tensors)


def entropy(state: Any) -> Any:
    """Entropy between the two dimensions of a state."""
    import jax
    import jax.numpy as jnp

    values = jnp.linalg.svd(state, compute_uv=False)
    p = values**2 / (values**2).sum()
    return -jax.scipy.special.xlogy(p, p).sum()


def potential(phi: Any, mass_sq: float, lambda_coupling: float, rank: int) -> Any:
    """Energy of a field."""
    import jax.numpy as jnp

    size = abs(phi)
    kinetic = sum(abs(jnp.roll(phi, -1, d) - phi) ** 2 for d in range(phi.ndim))
    return (kinetic + mass_sq * size**2 + (2 * lambda_coupling / rank) * size**rank).sum()


def evolution(phi: Any, dt: float, mass_sq: float, lambda_coupling: float, rank: int) -> Any:
    """A step of a field."""
    import jax.numpy as jnp

    def kicked(z: Any) -> Any:
        angle = mass_sq + lambda_coupling * abs(z) ** (rank - 2)
        return z * jnp.exp(-0.5j * dt * angle)

    waves = [2 - 2 * jnp.cos(2 * jnp.pi * jnp.fft.fftfreq(n)) for n in phi.shape]
    total = sum(jnp.meshgrid(*waves, indexing="ij"))
    turned = jnp.fft.fftn(kicked(phi)) * jnp.exp(-1j * dt * total)
    return kicked(jnp.fft.ifftn(turned)).astype(phi.dtype)


def gru(x: Any, h: Any, w_z: Any, w_r: Any, w_h: Any, b_z: Any, b_r: Any, b_h: Any) -> Any:
    """One step of a complex gated recurrent unit."""
    import jax
    import jax.numpy as jnp

    def gate(z: Any) -> Any:
        return jax.nn.sigmoid((z.real + z.imag) / 2)

    seen = jnp.concatenate((x, h), -1)
    update, reset = gate(seen @ w_z.T + b_z), gate(seen @ w_r.T + b_r)
    mixed = jnp.concatenate((x, reset * h), -1) @ w_h.T + b_h
    return update * h + (1 - update) * jnp.tanh(abs(mixed)) * jnp.sign(mixed)


def moves(state: Any) -> tuple[Any, Any, Any]:
    """Draw and weigh moves."""
    import jax
    import jax.numpy as jnp

    batch, slices = state.shape
    where, kind = jax.random.uniform(random_key(state), (2, batch), state.dtype)
    at = jnp.minimum((where * slices).astype(jnp.int32), slices - 1)
    each = jnp.arange(batch)
    length = state[each, at]
    change = jnp.minimum(jnp.floor(kind * 3), 2) - 1
    change = jnp.where(length + change < LEAST_VERTICES, 0, change)
    action = 2 * COUPLING * change
    places = jnp.where(change == 0, 1, length / (length + change))
    accepted = jnp.minimum(places * jnp.exp(-action), 1)
    return state.at[each, at].add(change), accepted, jnp.exp(1j * action)
