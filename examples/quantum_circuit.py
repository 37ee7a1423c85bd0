"""The ground state of a chain of spins, by a variational circuit on a state vector.

One compiled graph runs the gates on the complex state and gives the energy; its gradient trains the
angles of the gates.
"""

from __future__ import annotations

import torch
from torch import Tensor

import torch_complex_subclass as tcs

QUBITS, LAYERS = 3, 3


def rotations(angles: Tensor) -> Tensor:
    """Gates Rz(b) Ry(a) of angles `(..., 2)`, as `(..., 2, 2)`."""
    a, b = angles.unbind(-1)
    cos, sin, phase = torch.cos(a / 2), torch.sin(a / 2), torch.exp(0.5j * b)
    rows = (cos * phase.conj(), -sin * phase.conj()), (sin * phase, cos * phase)
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def energy(angles: Tensor, spins: Tensor) -> Tensor:
    """<H> of H = -sum Z_q Z_(q+1) - sum X_q after the circuit; spins `(q, 2^q)` are 1 or -1."""
    flips = (1 - spins[:-1]) * (1 - spins[1:]) / 4  # 1 where two neighbours are down
    state = torch.zeros(2**QUBITS, dtype=torch.complex64)
    state[0] = 1
    for layer in rotations(angles):
        for qubit, gate in enumerate(layer):
            pairs = state.reshape(2**qubit, 2, -1)
            state = torch.einsum("ij,ajb->aib", gate, pairs).reshape(-1)
        state = state * (1 - 2 * flips).prod(0)  # controlled Z gates
    total = -((spins[:-1] * spins[1:]).sum(0) * state.abs().square()).sum()
    for qubit in range(QUBITS):
        up, down = state.reshape(2**qubit, 2, -1).unbind(1)
        total = total - 2 * (up.conj() * down).real.sum()
    return total


def ground_energy(spins: Tensor) -> float:
    """Smallest eigenvalue of H as a dense matrix."""
    states = torch.arange(2**QUBITS)
    matrix = torch.diag(-(spins[:-1] * spins[1:]).sum(0))
    for qubit in range(QUBITS):
        matrix[states, states ^ (1 << qubit)] -= 1
    return torch.linalg.eigvalsh(matrix)[0].item()


def main() -> None:
    torch.manual_seed(0)
    states = torch.arange(2**QUBITS)
    spins = torch.stack([1.0 - 2 * (states >> (QUBITS - 1 - q) & 1) for q in range(QUBITS)])
    angles = torch.randn(LAYERS, QUBITS, 2, requires_grad=True)

    tcs.enable()
    compiled = torch.compile(energy, fullgraph=True)
    gradients = [torch.autograd.grad(fn(angles, spins), angles)[0] for fn in (compiled, energy)]
    difference = (gradients[0] - gradients[1]).abs().max().item()
    assert difference <= 1e-4, f"gradients of compiled and eager differ by {difference}"

    optimizer = torch.optim.Adam([angles], lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        value = compiled(angles, spins)
        value.backward()
        optimizer.step()
    exact = ground_energy(spins)
    assert value.item() <= exact + 0.1, f"energy {value.item()}, the ground state has {exact}"
    print(f"quantum circuit: energy {value.item():.3f}, the ground state has {exact:.3f}")


if __name__ == "__main__":
    main()
