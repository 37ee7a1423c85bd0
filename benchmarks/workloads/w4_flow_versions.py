"""The steps of `w4_dynamics` and `w4_recurrence` by hand with real tensors, and in JAX."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.bench.cases import parts
from torch_complex_subclass.bench.workloads.w4_dynamics import ORDER

# By hand.


def hamiltonian(field: Tensor, potential: Tensor, dt: float = 0.02) -> Tensor:
    """Step of a field `(g, g, g, 2)`: its second differences act on each part."""
    term = field
    for order in range(1, ORDER + 1):
        near = sum(term.roll(step, dim) for dim in (-4, -3, -2) for step in (1, -1))
        re, im = parts.split(potential[..., None] * term - (near - 6 * term) / 2)
        term = parts.join((im, -re)) * (dt / order)
        field = field + term
    return field


def posterior(prior: Tensor, fields: Tensor, observed: Tensor) -> tuple[Tensor, Tensor]:
    """Probabilities and mean field."""
    evidence = -(fields - observed[:, None]).square().sum((-2, -1))
    weights = torch.softmax(prior.log() + evidence, dim=-1)
    return weights, (weights[..., None, None] * fields).sum(1)


def recurrence(inputs: Tensor, gain: Tensor, turn: Tensor) -> tuple[Tensor, Tensor]:
    """Last state and means."""
    gains, turns = parts.split(gain), parts.split(turn)
    state = parts.split(torch.zeros_like(inputs[0]))
    means = []
    for x in inputs:
        scale = 1 / (1 + state[0] * state[0] + state[1] * state[1])
        re, im = parts.add(parts.mul(turns, state), parts.mul(gains, parts.split(x)))
        state = re * scale, im * scale
        means.append(parts.join((state[0].mean(), state[1].mean())))
    return parts.join(state), torch.stack(means)


def _then(first: tuple[Tensor, ...], second: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Two linear maps, each as the parts of its factor and of its addend."""
    factor = parts.mul((first[0], first[1]), (second[0], second[1]))
    turned = parts.mul((second[0], second[1]), (first[2], first[3]))
    return *factor, *parts.add(turned, (second[2], second[3]))


def linear_recurrence(decay: Tensor, inputs: Tensor) -> Tensor:
    """All states, by a scan over four real tensors."""
    leaves = *parts.split(decay), *parts.split(inputs)
    _, _, re, im = compat.associative_scan(_then, leaves)
    return parts.join((re, im))


# In JAX.


def hamiltonian_in_jax(field: Any, potential: Any, dt: float = 0.02) -> Any:
    """Step of a field."""
    import jax.numpy as jnp

    term = field
    for order in range(1, ORDER + 1):
        near = sum(jnp.roll(term, step, dim) for dim in (-3, -2, -1) for step in (1, -1))
        term = (-1j * dt / order) * (potential * term - (near - 6 * term) / 2)
        field = field + term
    return field


def posterior_in_jax(prior: Any, fields: Any, observed: Any) -> tuple[Any, Any]:
    """Probabilities and mean field."""
    import jax
    import jax.numpy as jnp

    evidence = -(abs(fields - observed[:, None]) ** 2).sum(-1)
    weights = jax.nn.softmax(jnp.log(prior) + evidence, axis=-1)
    return weights, (weights[..., None] * fields).sum(1)


def recurrence_in_jax(inputs: Any, gain: Any, turn: Any) -> tuple[Any, Any]:
    """Last state and means, as a loop of XLA."""
    import jax
    import jax.numpy as jnp

    # At 0 the gradient of a modulus is not a number in JAX, so its square is spelled out.
    def step(state: Any, x: Any) -> tuple[Any, Any]:
        state = (turn * state + gain * x) / (1 + state.real**2 + state.imag**2)
        return state, state.mean()

    return jax.lax.scan(step, jnp.zeros_like(inputs[0]), inputs)


def linear_recurrence_in_jax(decay: Any, inputs: Any) -> Any:
    """All states."""
    import jax

    def then(first: tuple[Any, Any], second: tuple[Any, Any]) -> tuple[Any, Any]:
        return first[0] * second[0], second[0] * first[1] + second[1]

    return jax.lax.associative_scan(then, (decay, inputs))[1]
