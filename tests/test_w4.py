"""Geometric models: against NumPy and SciPy, known solutions, and loops."""

from __future__ import annotations

import numpy as np
import pytest
import scipy
import torch
from torch import Tensor, fx

from torch_complex_subclass.bench.workloads import w4_dynamics as dynamics
from torch_complex_subclass.bench.workloads import w4_geometry as geometry
from torch_complex_subclass.bench.workloads import w4_recurrence as recurrence
from torch_complex_subclass.testing.interpret import interpreted


def normal(*shape: int, dtype: torch.dtype = torch.complex128) -> Tensor:
    return torch.randn(shape, dtype=dtype)


# ---------------------------------------------------------------- spinors


def test_dirac_matrices_anticommute() -> None:
    gamma = geometry.dirac_matrices(8, torch.complex128)
    assert gamma.shape == (8, 16, 16)
    delta = torch.eye(8)[..., None, None] * torch.eye(16)
    assert torch.equal(geometry.anticommutators(gamma), 2 * delta.to(gamma.dtype))


FORMS = {
    "k1": (geometry.k1_wedge, geometry.k1_wedge_loops, -1),
    "k2": (geometry.k2_tensor, geometry.k2_tensor_loops, 1),
}


@pytest.mark.parametrize(("einsum", "loops", "sign"), FORMS.values(), ids=FORMS)
def test_spinor_form(einsum: object, loops: object, sign: int) -> None:
    psi, gamma = normal(3, 4), normal(4, 4, 4)
    want = np.empty((3, 4, 4), complex)
    for b, m, n in np.ndindex(want.shape):
        p, g, h = psi[b].numpy(), gamma[m].numpy(), gamma[n].numpy()
        want[b, m, n] = p @ (g @ h + sign * h @ g) @ p
    np.testing.assert_allclose(einsum(psi, gamma).numpy(), want, atol=1e-12)
    np.testing.assert_allclose(loops(psi, gamma).numpy(), want, atol=1e-12)


@pytest.mark.parametrize("loops", [geometry.k1_wedge_loops, geometry.k2_tensor_loops])
def test_gradient_through_nested_loops(loops: object) -> None:
    compiled = torch.compile(loops, fullgraph=True, backend=interpreted)
    found = []
    for fn in (compiled, loops):
        torch.manual_seed(0)
        psi, gamma = normal(2, 4).requires_grad_(), normal(3, 4, 4).requires_grad_()
        found.append(torch.autograd.grad(fn(psi, gamma).abs().square().sum(), (psi, gamma)))
    torch.testing.assert_close(*found)


def test_christoffel_of_a_sphere_at_complex_angle() -> None:
    theta = torch.tensor([0.3 + 0.2j, 1.0 - 0.5j], dtype=torch.complex128)
    inverse = torch.zeros(2, 2, 2, dtype=theta.dtype)
    inverse[:, 0, 0], inverse[:, 1, 1] = 1, theta.sin() ** -2
    slopes = torch.zeros(2, 2, 2, 2, dtype=theta.dtype)
    slopes[:, 0, 1, 1] = (2 * theta).sin()
    want = torch.zeros_like(slopes)
    want[:, 0, 1, 1] = -theta.sin() * theta.cos()
    want[:, 1, 0, 1] = want[:, 1, 1, 0] = 1 / theta.tan()
    torch.testing.assert_close(geometry.christoffel(inverse, slopes), want)


def test_conjugation_in_place_is_kept() -> None:
    x, y = normal(5, 4), normal(5, 4)
    mine = x.clone()
    memory = mine.data_ptr()
    conjugated = x * torch.tensor([1, -1, -1, -1])
    paired = torch.compile(geometry.conjugate_and_pair, fullgraph=True, backend="inductor_complex")
    torch.testing.assert_close(paired(mine, y), (conjugated * y).sum(-1))
    assert torch.equal(mine, conjugated)
    assert mine.data_ptr() == memory


# ---------------------------------------------------------------- dynamics


def neighbours(side: int) -> np.ndarray:
    """Second difference of a periodic line."""
    shift = np.roll(np.eye(side), 1, axis=0)
    return shift + shift.T - 2 * np.eye(side)


def test_evolution_is_the_exponential_of_the_hamiltonian() -> None:
    side, spacing, dt = 4, 0.8, 0.01
    line, one = neighbours(side) / spacing**2, np.eye(side)
    laplacian = sum(
        np.kron(np.kron(a, b), c)
        for a, b, c in ((line, one, one), (one, line, one), (one, one, line))
    )
    field = normal(side, side, side)
    potential = normal(side, side, side, dtype=torch.float64)
    got = dynamics.spatial_laplacian(field, spacing).numpy().ravel()
    np.testing.assert_allclose(got, laplacian @ field.numpy().ravel(), atol=1e-12)
    hamiltonian = np.diag(potential.numpy().ravel()) - laplacian / 2
    want = scipy.linalg.expm(-1j * dt * hamiltonian) @ field.numpy().ravel()
    evolved = dynamics.hamiltonian_evolution(field, potential, dt, spacing)
    # The next term of the series: (norm of H dt)^5 / 120.
    bound = (np.linalg.norm(hamiltonian, 2) * dt) ** 5 / 120 * float(field.norm())
    assert np.linalg.norm(evolved.numpy().ravel() - want) < bound
    assert float(evolved.norm() / field.norm()) == pytest.approx(1, abs=bound)


def test_posterior_is_that_of_normal_noise() -> None:
    prior, fields, observed = torch.rand(2, 3).double() + 0.1, normal(2, 3, 5), normal(2, 5)
    sigma = 1.3
    off = (fields - observed[:, None]).numpy()
    # Each part of the noise has half of its mean square.
    each = scipy.stats.norm(scale=sigma / 2**0.5)
    likelihood = np.exp((each.logpdf(off.real) + each.logpdf(off.imag)).sum(-1))
    weights = prior.numpy() * likelihood
    weights /= weights.sum(-1, keepdims=True)
    posterior, mean = dynamics.bayesian_posterior(prior, fields, observed, sigma)
    np.testing.assert_allclose(posterior.numpy(), weights, rtol=1e-10)
    np.testing.assert_allclose(mean.numpy(), np.einsum("bk,bkn->bn", weights, fields), atol=1e-12)


# ---------------------------------------------------------------- recurrences


def test_recurrence_step_by_step() -> None:
    inputs, gain, turn = normal(4, 2, 3), normal(3), normal(3)
    state, means = np.zeros((2, 3), complex), []
    for x in inputs.numpy():
        state = (turn.numpy() * state + gain.numpy() * x) / (1 + np.abs(state) ** 2)
        means.append(state.mean())
    got, logged = recurrence.gated_recurrence(inputs, gain, turn)
    np.testing.assert_allclose(got.numpy(), state, atol=1e-12)
    np.testing.assert_allclose(logged.numpy(), means, atol=1e-12)


def test_what_a_loop_logs_stays_on_the_device() -> None:
    graphs: list[fx.GraphModule] = []

    def keep(gm: fx.GraphModule, example_inputs: object) -> fx.GraphModule:
        graphs.append(gm)
        return gm

    compiled = torch.compile(recurrence.gated_recurrence, fullgraph=True, backend=keep)
    compiled(normal(4, 2, 3), normal(3), normal(3))
    (graph,) = graphs
    assert not [node for node in graph.graph.nodes if "item" in str(node.target).split(".")]


def test_scan_is_the_loop() -> None:
    def loop(decay: Tensor, inputs: Tensor) -> Tensor:
        states = [inputs[0]]
        for a, x in zip(decay[1:], inputs[1:], strict=True):
            states.append(a * states[-1] + x)
        return torch.stack(states)

    scan = torch.compile(recurrence.linear_recurrence, fullgraph=True, backend=interpreted)
    decay, inputs = normal(7, 3).requires_grad_(), normal(7, 3).requires_grad_()
    found = []
    for fn in (scan, loop):
        out = fn(decay, inputs)
        gradients = torch.autograd.grad(out.abs().square().sum(), (decay, inputs))
        found.append((out.detach(), *gradients))
    torch.testing.assert_close(*found)
