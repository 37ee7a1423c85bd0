"""The variational circuit of W5 by hand, on both parts of the state, and in JAX."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.bench.cases import parts
from torch_complex_subclass.bench.cases.parts import Parts


def _apply(state: Parts, a: Parts, b: Parts, before: int) -> Parts:
    """Apply the gate `[[conj(a), -conj(b)], [b, a]]`, the form of all rotations."""
    pairs = [part.reshape(before, 2, -1) for part in state]
    zero, one = ((pairs[0][:, i], pairs[1][:, i]) for i in (0, 1))
    minus_b = -b[0], b[1]
    up = parts.add(parts.mul(parts.conj(a), zero), parts.mul(minus_b, one))
    down = parts.add(parts.mul(b, zero), parts.mul(a, one))
    re, im = (torch.stack(both, dim=1).reshape(-1) for both in zip(up, down, strict=True))
    return re, im


def energy(angles: Tensor, signs: Tensor, couplings: Tensor, field: float = 1.0) -> Tensor:
    """Energy of the state."""
    first, tilt, last = angles.unbind(-1)
    size, other = torch.cos(tilt / 2), torch.sin(tilt / 2)
    both, between = (first + last) / 2, (first - last) / 2
    gates = torch.stack(
        (size * both.cos(), size * both.sin(), other * between.cos(), -other * between.sin()), -1
    )
    qubits = angles.shape[1]
    start = torch.zeros_like(signs)
    start[0] = 1
    state = start, torch.zeros_like(signs)
    for layer in gates:
        for qubit, gate in enumerate(layer):
            state = _apply(state, (gate[0], gate[1]), (gate[2], gate[3]), 2**qubit)
        state = state[0] * signs, state[1] * signs
    re, im = state
    total = (couplings * (re * re + im * im)).sum()
    for qubit in range(qubits):
        for part in state:
            up, down = part.reshape(2**qubit, 2, -1).unbind(1)
            total = total - 2 * field * (up * down).sum()
    return total


def _rotations_in_jax(angles: Any) -> Any:
    import jax.numpy as jnp

    first, tilt, last = (angles[..., i] for i in range(3))
    size, other = jnp.cos(tilt / 2), jnp.sin(tilt / 2)
    both, between = jnp.exp(0.5j * (first + last)), jnp.exp(0.5j * (first - last))
    top = jnp.stack((size * both.conj(), -other * between), axis=-1)
    bottom = jnp.stack((other * between.conj(), size * both), axis=-1)
    return jnp.stack((top, bottom), axis=-2)


def energy_in_jax(angles: Any, signs: Any, couplings: Any, field: float = 1.0) -> Any:
    """Energy of the state."""
    import jax.numpy as jnp

    qubits = angles.shape[1]
    state = (jnp.arange(signs.shape[0]) == 0).astype(jnp.result_type(angles, 1j))
    for layer in _rotations_in_jax(angles):
        for qubit, gate in enumerate(layer):
            pairs = state.reshape(2**qubit, 2, -1)
            state = jnp.einsum("ij,ajb->aib", gate, pairs).reshape(-1)
        state = state * signs
    total = (couplings * (state.real**2 + state.imag**2)).sum()
    for qubit in range(qubits):
        pairs = state.reshape(2**qubit, 2, -1)
        total = total - 2 * field * (pairs[:, 0].conj() * pairs[:, 1]).real.sum()
    return total
