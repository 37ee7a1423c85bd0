"""What users run most, against NumPy and SciPy in complex128 and against known properties."""

from __future__ import annotations

import numpy as np
import scipy
import torch
from torch import Tensor

from torch_complex_subclass.bench.workloads import CASES, w5_circuit, w5_imaging
from torch_complex_subclass.bench.workloads import w5_convolutional as convolutional


def tiny(name: str) -> tuple[object, tuple[Tensor, ...]]:
    """A program and its smallest inputs, in double precision."""
    case = CASES[name]
    dtype = torch.complex128 if torch.complex128 in case.dtypes else torch.complex64
    return case.fn, case.draw("tiny", dtype)


def numbers(tensors: tuple[Tensor, ...]) -> list[np.ndarray]:
    return [t.numpy() for t in tensors]


def assert_close(got: Tensor, want: np.ndarray) -> None:
    np.testing.assert_allclose(got.detach().numpy(), want, rtol=0, atol=1e-11 * np.abs(want).max())


# ---------------------------------------------------------------- networks


def test_rotary_turns_pairs() -> None:
    fn, (queries, keys, angles) = tiny("w5_rotary_bfloat16")
    cos, sin = angles.cos().double()[:, None], angles.sin().double()[:, None]
    for got, x in zip(fn(queries, keys, angles), (queries, keys), strict=True):
        even, odd = x.double()[..., ::2], x.double()[..., 1::2]
        want = torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)
        torch.testing.assert_close(got.double(), want, rtol=2**-8, atol=2**-8)


def real_form(weight: np.ndarray) -> np.ndarray:
    """Matrix of twice the size that acts on real parts above imaginary ones."""
    return np.block([[weight.real, -weight.imag], [weight.imag, weight.real]])


def test_perceptron_is_that_of_real_parts() -> None:
    fn, inputs = tiny("w5_perceptron")
    x, target, w1, b1, bias, w2, b2 = numbers(inputs)

    def stacked(z: np.ndarray) -> np.ndarray:
        return np.concatenate((z.real, z.imag), -1)

    re, im = np.split(stacked(x) @ real_form(w1).T + stacked(b1), 2, axis=-1)
    size = np.hypot(re, im)
    scale = np.maximum(size + bias, 0) / (size + 1e-3)
    hidden = np.concatenate((re * scale, im * scale), -1)
    out = hidden @ real_form(w2).T + stacked(b2) - stacked(target)
    re, im = np.split(out, 2, axis=-1)
    assert_close(fn(*inputs), re + 1j * im)


def test_convolutional_network() -> None:
    fn, inputs = tiny("w5_convolutional")
    x, target, weight, *layers = numbers(inputs)
    for kernel, scale, shift, bias in (layers[:4], layers[4:]):
        full = np.array(
            [
                [
                    sum(
                        scipy.signal.correlate2d(np.pad(z, 1), k.conj(), "valid")
                        for z, k in zip(image, filters, strict=True)
                    )
                    for filters in kernel
                ]
                for image in x
            ]
        )[..., ::2, ::2]
        x = np.empty_like(full)
        for c in range(len(scale)):
            parts = np.stack((full[:, c].real.ravel(), full[:, c].imag.ravel()))
            parts = parts - parts.mean(1, keepdims=True)
            covariance = parts @ parts.T / parts.shape[1] + 1e-5 * np.eye(2)
            re, im = np.linalg.inv(scipy.linalg.sqrtm(covariance)) @ parts
            z = (re + 1j * im) * scale[c] + shift[c]
            z = z / (np.abs(z) + 1e-5) * np.maximum(np.abs(z) + bias[c], 0)
            x[:, c] = z.reshape(full[:, c].shape)
    want = np.abs(x.mean((-2, -1))) @ weight.T - target
    np.testing.assert_allclose(fn(*inputs).numpy(), want, atol=1e-10)


def test_batch_norm_whitens() -> None:
    z = torch.randn(16, 2, 8, 8, dtype=torch.complex128)
    z = 3 * z + 2j * z.conj() + 5
    out = convolutional.batch_norm(z, torch.ones(2), torch.zeros(2))
    for channel in out.transpose(0, 1).flatten(1).numpy():
        parts = np.cov(channel.real, channel.imag, bias=True)
        np.testing.assert_allclose(parts, np.eye(2), atol=1e-4)


# ---------------------------------------------------------------- spectral operators


def test_fourier_operator_by_matrices_of_waves() -> None:
    fn, (x, low, high) = tiny("w5_fno")
    side, modes = x.shape[-1], low.shape[-1]
    waves = scipy.linalg.dft(side)
    spectrum = waves @ x.numpy() @ waves.T
    out = np.zeros(spectrum.shape, complex)
    for rows, weight in ((range(modes), low), (range(side - modes, side), high)):
        mixed = np.einsum("bixy,ioxy->boxy", spectrum[..., rows, :modes], weight)
        out[..., rows, :modes] = mixed
    # A real image: columns of negative frequency are conjugates, those of zero count once.
    twice = np.where(np.arange(side) == 0, 1, 2)
    back = waves.conj() @ (out * twice) @ waves.conj().T
    assert_close(fn(x, low, high), back.real / side**2)


def states_by_recurrence(
    c: np.ndarray, log_dt: np.ndarray, log_rate: np.ndarray, frequency: np.ndarray, u: np.ndarray
) -> np.ndarray:
    """Output of dx/dt = a x + u, y = 2 Re(c x), sampled with u held: `(h, l)` for u `(h, l)`."""
    a, dt = -np.exp(log_rate) + 1j * frequency, np.exp(log_dt)[:, None]
    state, out = np.zeros_like(c), []
    for now in u.T:
        state = np.exp(a * dt) * state + (np.exp(a * dt) - 1) / a * now[:, None]
        out.append(2 * (c * state).sum(-1).real)
    return np.stack(out, -1)


def test_s4d_kernel_is_the_response_to_an_impulse() -> None:
    fn, inputs = tiny("w5_s4d")
    *parameters, steps = numbers(inputs)
    impulse = np.zeros((len(parameters[0]), len(steps)))
    impulse[:, 0] = 1
    assert_close(fn(*inputs), states_by_recurrence(*parameters, impulse))


def test_s4d_layer_is_the_recurrence() -> None:
    fn, inputs = tiny("w5_s4d_layer")
    (u,), skip, *parameters = numbers(inputs)
    want = states_by_recurrence(*parameters, u) + skip[:, None] * u
    np.testing.assert_allclose(fn(*inputs)[0].numpy(), want, atol=1e-10 * np.abs(want).max())


def test_short_time_mask_frame_by_frame() -> None:
    fn, (x, window, mask) = tiny("w5_stft_mask")
    n, hop = len(window), len(window) // 4
    padded = np.pad(x.numpy(), ((0, 0), (n // 2, n // 2)), mode="reflect")
    total, weight = np.zeros_like(padded), np.zeros(padded.shape[-1])
    for k, column in enumerate(mask.numpy().T):
        here = slice(k * hop, k * hop + n)
        spectrum = scipy.fft.rfft(padded[:, here] * window.numpy()) * column
        total[:, here] += scipy.fft.irfft(spectrum, n) * window.numpy()
        weight[here] += window.numpy() ** 2
    inside = slice(n // 2, n // 2 + x.shape[-1])
    assert_close(fn(x, window, mask), total[:, inside] / weight[inside])


# ---------------------------------------------------------------- optics and images


def test_propagation_by_matrices_of_waves() -> None:
    fn, (field, grid) = tiny("w5_angular_spectrum")
    waves = scipy.linalg.dft(len(grid))
    k = 2 * np.pi * grid.numpy()
    phase = np.sqrt(np.maximum(20.0**2 - k[:, None] ** 2 - k**2, 0))
    spectrum = waves @ field.numpy() @ waves.T * np.exp(1j * phase)
    assert_close(fn(field, grid), waves.conj() @ spectrum @ waves.conj().T / len(grid) ** 2)


def test_adjoint_of_a_measurement() -> None:
    _, (measured, coils, mask, *_) = tiny("w5_mri")
    image = torch.randn_like(coils[:, 0])
    there = torch.linalg.vecdot(w5_imaging.measure(image, coils, mask).ravel(), measured.ravel())
    back = torch.linalg.vecdot(image.ravel(), w5_imaging.combine(measured, coils, mask).ravel())
    torch.testing.assert_close(there, back)


def test_reconstruction_by_dense_matrices() -> None:
    fn, (measured, coils, mask, rates, thresholds) = tiny("w5_mri")
    side = mask.shape[-1]
    waves = np.kron(*[scipy.linalg.dft(side, scale="sqrtn")] * 2)
    system = np.concatenate(
        [np.diag(mask.numpy().ravel()) @ waves @ np.diag(c.ravel()) for c in coils[0].numpy()]
    )
    data = measured[0].numpy().ravel()
    image = system.conj().T @ data
    for rate, threshold in zip(rates.numpy(), thresholds.numpy(), strict=True):
        image = image - rate * system.conj().T @ (system @ image - data)
        size = np.abs(image)
        image = image / (size + 1e-5) * np.maximum(size - threshold, 0)
    got = fn(measured, coils, mask, rates, thresholds)
    assert_close(got.ravel(), image)


def test_phases_are_retrieved() -> None:
    fn, (start, masks, moduli) = tiny("w5_phase_retrieval")
    image = start.numpy()
    for _ in range(4):
        spectra = scipy.fft.fft2(masks.numpy() * image)
        spectra = moduli.numpy() * np.exp(1j * np.angle(spectra))
        image = (scipy.fft.ifft2(spectra) / masks.numpy()).mean(0)
    assert_close(fn(start, masks, moduli), image)


def test_misfit_of_moduli_falls() -> None:
    _, (image, masks, moduli) = tiny("w5_phase_retrieval")

    def misfit(image: Tensor) -> float:
        return float((torch.fft.fft2(masks * image).abs() - moduli).norm())

    found = [misfit(w5_imaging.retrieve_phases(image, masks, moduli, steps)) for steps in range(5)]
    assert found == sorted(found, reverse=True)
    assert found[-1] < found[0] / 2


# ---------------------------------------------------------------- quantum circuit


def energy_by_matrices(angles: np.ndarray) -> float:
    """With every gate as a matrix on the whole state."""
    x, y, z = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
    qubits = angles.shape[1]

    def on(qubit: int, gate: np.ndarray) -> np.ndarray:
        return np.kron(np.kron(np.eye(2**qubit), gate), np.eye(2 ** (qubits - qubit - 1)))

    def turn(pauli: np.ndarray, angle: float) -> np.ndarray:
        return scipy.linalg.expm(-0.5j * angle * pauli)

    state = np.eye(2**qubits)[0].astype(complex)
    couplings, flips = 0, 0
    for qubit in range(qubits):
        couplings = couplings + on(qubit, z) @ on((qubit + 1) % qubits, z)
        flips = flips + on(qubit, x)
    for layer in angles:
        for qubit, (a, b, c) in enumerate(layer):
            state = on(qubit, turn(z, c) @ turn(y, b) @ turn(z, a)) @ state
        for qubit in range(qubits):
            down = (np.eye(len(state)) - on(qubit, z)) / 2
            other = (np.eye(len(state)) - on((qubit + 1) % qubits, z)) / 2
            state = (np.eye(len(state)) - 2 * down @ other) @ state
    return float((state.conj() @ (-couplings - flips) @ state).real)


def test_energy_by_matrices_on_the_whole_state() -> None:
    case = CASES["w5_circuit"]
    angles, signs, couplings = case.draw("small", torch.complex128)
    want = energy_by_matrices(angles.numpy())
    assert_close(w5_circuit.energy(angles, signs, couplings), np.array(want))


def test_gradient_by_shifted_angles() -> None:
    angles, signs, couplings = CASES["w5_circuit"].draw("small", torch.complex128)
    leaf = angles.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(w5_circuit.energy(leaf, signs, couplings), leaf)
    # Generators have eigenvalues +- 1/2, so that two shifts by a quarter turn are exact.
    for where in ((0, 0, 1), (0, 2, 2), (1, 1, 0)):
        shift = torch.zeros_like(angles)
        shift[where] = torch.pi / 2
        up, down = (w5_circuit.energy(angles + s, signs, couplings) for s in (shift, -shift))
        torch.testing.assert_close(gradient[where], (up - down) / 2)
