"""The operations of W2 by hand with real tensors."""

from __future__ import annotations

import torch
from torch import Tensor

from torch_complex_subclass.bench.cases import parts
from torch_complex_subclass.bench.workloads.w2_operations import CORE_RADIUS, draw_moves


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


def mera(tensors: Tensor, disentanglers: Tensor, isometries: Tensor) -> Tensor:
    """One layer of coarse-graining; each matrix is read once, for one row."""

    def applied(row: parts.Parts, matrix: parts.Parts) -> parts.Parts:
        re, im = parts.mul((row[0][..., None], row[1][..., None]), matrix)
        return re.sum(1), im.sum(1)

    pairs = parts.split(tensors.reshape(isometries.shape[0], -1, 2))
    disentangled = applied(pairs, parts.split(disentanglers))
    return parts.join(applied(disentangled, parts.conj(parts.split(isometries))))


def ring(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    """Contract a ring of four tensors: neighbours first, then both halves."""

    def half(left: Tensor, right: Tensor) -> Tensor:
        (p, m, k, _), (q, _, n, _) = left.shape, right.shape
        columns = right.transpose(1, 2).reshape(q * n, k, 2)
        return parts.matmul_transposed(left.reshape(p * m, k, 2), parts.split(columns)).reshape(
            p, m, q, n, 2
        )

    # Indices i a j c of the one, k c l a of the other.
    (p, m, q, n, _), (r, _, s, _, _) = (first := half(a, b)).shape, (second := half(c, d)).shape
    rows = first.permute(0, 2, 1, 3, 4).reshape(p * q, m * n, 2)
    columns = second.permute(0, 2, 3, 1, 4).reshape(r * s, m * n, 2)
    return parts.matmul_transposed(rows, parts.split(columns)).reshape(p, q, r, s, 2)


def entropy(state: Tensor) -> Tensor:
    """Entropy of a state `(m, n, 2)`, its singular values by the library's complex kernel."""
    p = torch.linalg.svdvals(torch.view_as_complex(state)).square()
    p = p / p.sum()
    terms: Tensor = torch.special.xlogy(p, p)
    return -terms.sum()


def gru(
    x: Tensor,
    h: Tensor,
    w_update: Tensor,
    w_reset: Tensor,
    w_state: Tensor,
    b_update: Tensor,
    b_reset: Tensor,
    b_state: Tensor,
) -> Tensor:
    """One step of a complex gated recurrent unit."""

    def mapped(x: Tensor, h: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return parts.matmul_transposed(torch.cat((x, h), -2), parts.split(weight)) + bias

    def gate(z: Tensor) -> Tensor:
        return torch.sigmoid(z.sum(-1, keepdim=True) / 2)

    update = gate(mapped(x, h, w_update, b_update))
    reset = gate(mapped(x, h, w_reset, b_reset))
    mixed = mapped(x, reset * h, w_state, b_state)
    size = mixed.square().sum(-1, keepdim=True).sqrt()
    bounded = mixed * (torch.tanh(size) / torch.where(size == 0, 1, size))
    return update * h + (1 - update) * bounded


def moves(state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Draw and weigh moves."""
    proposed, accepted, action = draw_moves(state)
    return proposed, accepted, parts.join((torch.cos(action), torch.sin(action)))
