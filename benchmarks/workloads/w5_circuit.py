"""W5: a variational quantum circuit on a state vector, as an eigensolver uses it."""

from __future__ import annotations

import torch
from torch import Tensor

from torch_complex_subclass.bench.cases.physics import apply_gate


def rotations(angles: Tensor) -> Tensor:
    """Gates Rz(c) Ry(b) Rz(a) of angles `(..., 3)`, as `(..., 2, 2)`."""
    a, b, c = angles.unbind(-1)
    size, other = torch.cos(b / 2), torch.sin(b / 2)
    both, between = torch.exp(0.5j * (a + c)), torch.exp(0.5j * (a - c))
    top = torch.stack((size * both.conj(), -other * between), dim=-1)
    bottom = torch.stack((other * between.conj(), size * both), dim=-1)
    return torch.stack((top, bottom), dim=-2)


def spins(qubits: int, dtype: torch.dtype) -> Tensor:
    """Value of Z, 1 or -1, of each qubit in each state of the basis: `(q, 2^q)`."""
    states = torch.arange(2**qubits)
    return torch.stack([1 - 2 * (states >> (qubits - 1 - q) & 1) for q in range(qubits)]).to(dtype)


def controlled_signs(spin: Tensor) -> Tensor:
    """Diagonal of a ring of controlled Z gates between neighbours, `(2^q,)`."""
    both_down = (1 - spin) * (1 - spin.roll(-1, 0)) / 4
    return torch.prod(1 - 2 * both_down, dim=0)


def energy(angles: Tensor, signs: Tensor, couplings: Tensor, field: float = 1.0) -> Tensor:
    """Energy sum_s couplings_s |psi_s|^2 - field sum_q <X_q> of the state of the circuit.

    Each layer rotates each qubit, then applies the diagonal of signs. Shapes: angles `(l, q, 3)`,
    signs and couplings `(2^q,)`, all real; qubit 0 is the leading bit of a state.
    """
    gates = rotations(angles)
    qubits = angles.shape[1]
    state = torch.zeros_like(signs, dtype=gates.dtype)
    state[0] = 1
    for layer in gates:
        for qubit, gate in enumerate(layer):
            state = apply_gate(state, gate, 2**qubit)
        state = state * signs
    total = (couplings * state.abs().square()).sum()
    for qubit in range(qubits):
        up, down = state.reshape(2**qubit, 2, -1).unbind(1)
        total = total - 2 * field * (up.conj() * down).real.sum()
    return total
