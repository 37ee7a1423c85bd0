"""Physics: a gate on a quantum state, propagation of light."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.bench.cases import parts
from torch_complex_subclass.bench.cases.case import Case, Inputs, Shape, normal

# In units of the wavelength over 2 pi: the number of waves, and the distance.
_WAVE_NUMBER = 20.0
_DISTANCE = 1.0
_PIXEL = 0.25


def _left_of_middle(amplitudes: int) -> int:
    """Number of states of the qubits before the middle one."""
    qubits = amplitudes.bit_length() - 1
    return 1 << qubits // 2


def apply_gate(state: Tensor, gate: Tensor, before: int) -> Tensor:
    """Apply a gate `(2, 2)` to one qubit of a state `(2^q,)`.

    `before` is the number of states of the qubits of higher significance.
    """
    pairs = state.reshape(before, 2, -1)
    return torch.einsum("ij,ajb->aib", gate, pairs).reshape(-1)


def _gate(state: Tensor, gate: Tensor) -> Tensor:
    return apply_gate(state, gate, _left_of_middle(state.shape[0]))


def _gate_by_hand(state: Tensor, gate: Tensor) -> Tensor:
    pairs = state.reshape(_left_of_middle(state.shape[0]), 2, -1, 2)
    zero, one = parts.split(pairs[:, 0]), parts.split(pairs[:, 1])

    def row(i: int) -> Tensor:
        a, b = parts.mul(parts.split(gate[i, 0]), zero), parts.mul(parts.split(gate[i, 1]), one)
        return parts.join((a[0] + b[0], a[1] + b[1]))

    return torch.stack((row(0), row(1)), dim=1).reshape(-1, 2)


def _gate_in_jax(state: Any, gate: Any) -> Any:
    import jax.numpy as jnp

    pairs = state.reshape(_left_of_middle(state.shape[0]), 2, -1)
    return jnp.einsum("ij,ajb->aib", gate, pairs).reshape(-1)


def _gate_inputs(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    (qubits,) = shape
    state = normal(2**qubits, dtype=dtype, generator=generator)
    gate, _ = torch.linalg.qr(normal(2, 2, dtype=dtype, generator=generator))
    # qr returns the layout of LAPACK, columns first.
    return state / torch.linalg.vector_norm(state), gate.contiguous()


def _propagate(field: Tensor, grid: Tensor) -> Tensor:
    k = 2 * torch.pi * grid
    kz = torch.sqrt((_WAVE_NUMBER**2 - k[:, None] ** 2 - k**2).clamp(min=0))
    turned = torch.fft.fft2(field) * torch.exp(1j * kz * _DISTANCE)
    result: Tensor = torch.fft.ifft2(turned)
    return result


def _propagate_by_hand(field: Tensor, grid: Tensor) -> Tensor:
    k = 2 * torch.pi * grid
    angle = torch.sqrt((_WAVE_NUMBER**2 - k[:, None] ** 2 - k**2).clamp(min=0)) * _DISTANCE
    spectrum = torch.view_as_real(torch.fft.fft2(torch.view_as_complex(field)))
    turned = parts.mul(parts.split(spectrum), (torch.cos(angle), torch.sin(angle)))
    return torch.view_as_real(torch.fft.ifft2(torch.view_as_complex(parts.join(turned))))


def _propagate_in_jax(field: Any, grid: Any) -> Any:
    import jax.numpy as jnp

    k = 2 * jnp.pi * grid
    kz = jnp.sqrt(jnp.clip(_WAVE_NUMBER**2 - k[:, None] ** 2 - k**2, 0))
    return jnp.fft.ifft2(jnp.fft.fft2(field) * jnp.exp(1j * kz * _DISTANCE))


def _propagate_inputs(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    (n,) = shape
    grid = torch.fft.fftfreq(n, _PIXEL, dtype=dtype.to_real())
    return normal(n, n, dtype=dtype, generator=generator), grid


CASES = (
    Case(
        name="quantum_gate",
        group="physics",
        about="a one-qubit gate on the middle qubit of a state vector",
        fn=_gate,
        hand=_gate_by_hand,
        jax=_gate_in_jax,
        inputs=_gate_inputs,
        shapes={"tiny": (3,), "small": (10,), "medium": (16,), "large": (23,)},
        learned=(0, 1),
    ),
    Case(
        name="angular_spectrum",
        group="physics",
        about="propagation of light: fft2, a phase for each frequency, inverse",
        fn=_propagate,
        hand=_propagate_by_hand,
        jax=_propagate_in_jax,
        inputs=_propagate_inputs,
        shapes={"tiny": (4,), "small": (32,), "medium": (256,), "large": (2048,)},
        learned=(0,),
    ),
)
