"""The ten operations of W2, written with complex tensors and compiled at their first call.

Waves and vortices, tensor networks, a condensate on a periodic lattice, a recurrent step, and
proposals of a Monte Carlo walk. Lengths are in lattice spacings where there is a lattice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from torch_complex_subclass.bench.workloads.w2_devices import get_compiled

CORE_RADIUS = 0.1
"""Of a vortex, and what keeps the field of a source finite at its place."""

COUPLING = math.log(2.0)
"""Action of one triangle: the critical one of two-dimensional causal triangulations."""

LEAST_VERTICES = 3
"""Vertices that a closed slice of a triangulation has at least."""


@get_compiled
def compute_field_superposition(
    grid_points: Tensor,
    sources: Tensor,
    frequencies: Tensor,
    amplitudes: Tensor,
    phases: Tensor,
    t: float = 0.0,
    k: float = 1.0,
) -> Tensor:
    """Sum spherical waves: `psi(r) = sum_s A_s exp(i (k d_s + w_s t + phi_s)) / (d_s + 0.1)`.

    Shapes: grid_points `(n, 3)`, sources `(s, 3)`, the others `(s,)`; complex `(n,)`. d_s is the
    distance of r to source s, k the wave number.
    """
    distance = torch.linalg.vector_norm(grid_points[:, None, :] - sources, dim=-1)
    phase = k * distance + frequencies * t + phases
    waves: Tensor = amplitudes * torch.exp(1j * phase) / (distance + CORE_RADIUS)
    return waves.sum(dim=-1)


@get_compiled
def compute_vortex_field(
    grid_points: Tensor, vortex_centers: Tensor, vortex_charges: Tensor
) -> Tensor:
    """Product over vortices of `tanh(d / core radius) exp(i q theta)`.

    Shapes: grid_points `(n, 3)`, vortex_centers `(v, 3)`, vortex_charges `(v,)`; complex `(n,)`.
    theta is the azimuth about the vortex line, which is along z, and d the distance to the
    center. Around a vortex the phase winds q times.
    """
    offset = grid_points[:, None, :] - vortex_centers
    theta = torch.atan2(offset[..., 1], offset[..., 0])
    core = torch.tanh(torch.linalg.vector_norm(offset, dim=-1) / CORE_RADIUS)
    return (core * torch.exp(1j * vortex_charges * theta)).prod(dim=-1)


@get_compiled
def compute_intensity(field: Tensor) -> Tensor:
    """Squared modulus of a complex field of any shape."""
    return field.abs() ** 2


@get_compiled
def contract_mera_layer(tensors: Tensor, disentanglers: Tensor, isometries: Tensor) -> Tensor:
    """Coarse-grain neighbours: each pair is disentangled, then mapped to fewer dimensions.

    Shapes: tensors `(n, d, d)`, disentanglers U `(n/2, 2 d^2, 2 d^2)`, which act from the right,
    isometries W `(n/2, 2 d^2, c)`, which take coarse states to fine ones; `(n/2, c)`, the state
    after W^H. With unitary U and isometric W (W^H W = 1) no norm grows, and it is conserved where
    the disentangled pair is in the range of W.
    """
    pairs = tensors.reshape(isometries.shape[0], -1)
    disentangled = torch.einsum("pi,pij->pj", pairs, disentanglers)
    return torch.einsum("pi,pij->pj", disentangled, isometries.conj())


@get_compiled
def contract_tensor_network_simple(tensors: Tensor | Sequence[Tensor], equation: str) -> Tensor:
    """Contract a tensor, or several, as an equation of `torch.einsum` says."""
    return torch.einsum(equation, *([tensors] if isinstance(tensors, Tensor) else tensors))


@get_compiled
def compute_entanglement_entropy_svd(state: Tensor, dims: tuple[int, int]) -> Tensor:
    """Entropy `S = -sum p log p` of the Schmidt spectrum between two halves, in nats.

    `state` has `dims[0] * dims[1]` amplitudes in any shape, those of the first half outermost;
    it need not be normalized. The result is real, from 0 to `log(min(dims))`.
    """
    _, values, _ = torch.linalg.svd(state.reshape(dims), full_matrices=False)
    p: Tensor = values**2
    p = p / p.sum()
    terms: Tensor = torch.special.xlogy(p, p)
    return -terms.sum()


@get_compiled
def compute_condensate_potential(
    phi: Tensor, mass_sq: float, lambda_coupling: float, rank: int
) -> Tensor:
    """Energy of a condensate on a periodic lattice: kinetic, mass and interaction terms, summed.

    `V = sum |grad phi|^2 + mass_sq |phi|^2 + (2 lambda / rank) |phi|^rank`, with forward
    differences. `rank` is the order of the interaction, that is how many fields meet in a
    vertex: 4 is the contact interaction of Gross and Pitaevskii. phi is complex of any number of
    dimensions; the result is a real scalar. `evolve_condensate_gp` conserves it.
    """
    kinetic = sum((phi.roll(-1, dim) - phi).abs().square() for dim in range(phi.dim()))
    size = phi.abs()
    local: Tensor = mass_sq * size**2 + (2 * lambda_coupling / rank) * size**rank
    energy: Tensor = (kinetic + local).sum()
    return energy


@get_compiled
def evolve_condensate_gp(
    phi: Tensor, dt: float, mass_sq: float, lambda_coupling: float, rank: int
) -> Tensor:
    """One step of `i dphi/dt = -laplace phi + mass_sq phi + lambda |phi|^(rank - 2) phi`.

    Strang splitting: half a step of the local terms, a whole one of the Laplacian in Fourier
    space, half a step of the local terms. Each factor is a phase, so the norm is conserved to
    rounding; energy is, to second order in dt. The Laplacian is that of the periodic lattice, as
    in `compute_condensate_potential`, of which this is the motion; so is `rank`.
    """
    turned = phi * _local_phase(phi, 0.5 * dt, mass_sq, lambda_coupling, rank)
    spectrum = torch.fft.fftn(turned) * torch.exp(-1j * dt * _laplacian(phi))
    moved: Tensor = torch.fft.ifftn(spectrum)
    return moved * _local_phase(moved, 0.5 * dt, mass_sq, lambda_coupling, rank)


def _local_phase(
    phi: Tensor, dt: float, mass_sq: float, lambda_coupling: float, rank: int
) -> Tensor:
    """Factor of a step of the local terms, which leave the modulus as it is."""
    return torch.exp(-1j * dt * (mass_sq + lambda_coupling * phi.abs() ** (rank - 2)))


def _laplacian(phi: Tensor) -> Tensor:
    """Eigenvalues of minus the lattice Laplacian, in the order of `torch.fft.fftn`."""
    total = phi.real.new_zeros(())
    for dim, n in enumerate(phi.shape):
        angle = 2 * torch.pi * torch.fft.fftfreq(n, dtype=total.dtype, device=phi.device)
        total = total + (2 - 2 * torch.cos(angle)).view(-1, *(1,) * (phi.dim() - 1 - dim))
    return total


@get_compiled
def rnn_step_gru(
    x: Tensor,
    h: Tensor,
    w_update: Tensor,
    w_reset: Tensor,
    w_state: Tensor,
    b_update: Tensor,
    b_reset: Tensor,
    b_state: Tensor,
) -> Tensor:
    """One step of a gated recurrent unit on real or complex tensors.

    Shapes: x `(batch, i)`, h `(batch, s)`, weights `(s, i + s)`, biases `(s,)`; the new state has
    the shape of h. Of complex numbers the gates take (re + im) / 2 to be real, and tanh acts on
    the modulus and keeps the phase (Wolter and Yao, 2018).
    """
    seen = torch.cat((x, h), dim=-1)
    update = _gate(torch.nn.functional.linear(seen, w_update, b_update))
    reset = _gate(torch.nn.functional.linear(seen, w_reset, b_reset))
    mixed = torch.nn.functional.linear(torch.cat((x, reset * h), dim=-1), w_state, b_state)
    return update * h + (1 - update) * _bounded(mixed)


def _gate(z: Tensor) -> Tensor:
    return torch.sigmoid((z.real + z.imag) / 2 if z.is_complex() else z)


def _bounded(z: Tensor) -> Tensor:
    return torch.tanh(z.abs()) * z.sgn() if z.is_complex() else torch.tanh(z)


def cdt_propose_pachner_moves(
    state: Tensor, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Propose one move in each of a batch of causal triangulations in two dimensions.

    `state` `(batch, t)` has the numbers of vertices of the spatial slices, as real numbers. A
    move adds a vertex to a random slice (2 to 4 triangles), takes one away (4 to 2), or flips a
    link (2 to 2), which leaves the numbers; none goes below `LEAST_VERTICES`.

    Returns the proposed states `(batch, t)`; the probabilities `(batch,)` that Metropolis accepts
    them with; and the complex factors `(batch,)` exp(i dS) of the amplitude in real time.
    The random numbers are drawn inside the compiled graph. With a `generator` they depend on its
    state alone, which the call advances; without, on that of torch.
    """
    if generator is None:
        return propose(state)
    seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return propose(state)


@get_compiled
def propose(state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Draw and weigh the moves of `cdt_propose_pachner_moves` from torch's own generator."""
    proposed, accepted, action = draw_moves(state)
    return proposed, accepted, torch.exp(1j * action)


def draw_moves(state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the proposed states, the probabilities to accept them, and the change of action."""
    batch, slices = state.shape
    where, kind = (torch.rand(2, batch, dtype=state.dtype, device=state.device)).unbind()
    at = (where * slices).long().clamp(max=slices - 1)[:, None]
    length = state.gather(1, at)[:, 0]
    change = (kind * 3).floor().clamp(max=2) - 1
    change = torch.where(length + change < LEAST_VERTICES, 0, change)
    proposed = state.scatter_add(1, at, change[:, None])
    # Two triangles for each vertex; a slice of l vertices offers l places for a move.
    action = 2 * COUPLING * change
    places = torch.where(change == 0, 1, length / (length + change))
    accepted = (places * torch.exp(-action)).clamp(max=1)
    return proposed, accepted, action
