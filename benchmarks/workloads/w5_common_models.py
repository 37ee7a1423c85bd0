"""W5: what users run most; models of their own modules, and programs of the other suite."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from torch_complex_subclass.bench.cases import CASES, Case, Inputs
from torch_complex_subclass.bench.cases.case import Shape, normal
from torch_complex_subclass.bench.cases.spectral import s4d_inputs
from torch_complex_subclass.bench.workloads import (
    w5_circuit,
    w5_circuit_versions,
    w5_convolutional,
    w5_imaging,
    w5_state_space,
)
from torch_complex_subclass.bench.workloads import w5_versions as versions
from torch_complex_subclass.bench.workloads.system import System

# The same programs at the same sizes; here they stand beside the models they are part of.
_SHARED = ("rotary_bfloat16", "fno", "s4d", "perceptron", "stft_mask", "angular_spectrum")


def _sequences(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    batch, channels, _, length = shape
    real = dtype.to_real()
    u = normal(batch, channels, length, dtype=real, generator=generator)
    skip = normal(channels, dtype=real, generator=generator)
    *parameters, _ = s4d_inputs(shape[1:], dtype, generator)
    return u, skip, *parameters


def _convolutional(
    x: Tensor,
    target: Tensor,
    weight: Tensor,
    kernel1: Tensor,
    scale1: Tensor,
    shift1: Tensor,
    bias1: Tensor,
    kernel2: Tensor,
    scale2: Tensor,
    shift2: Tensor,
    bias2: Tensor,
) -> Tensor:
    return w5_convolutional.convolutional_network(
        x,
        target,
        weight,
        (kernel1, scale1, shift1, bias1),
        (kernel2, scale2, shift2, bias2),
    )


def _images(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    batch, side, channels, classes = shape
    real = dtype.to_real()

    def layer(inputs: int) -> Inputs:
        kernel = normal(channels, inputs, 3, 3, dtype=dtype, generator=generator)
        scale, shift = (normal(channels, dtype=dtype, generator=generator) for _ in range(2))
        bias = normal(channels, dtype=real, generator=generator) / 4
        return kernel / (9 * inputs) ** 0.5, scale, shift, bias

    x = normal(batch, 1, side, side, dtype=dtype, generator=generator)
    target = normal(batch, classes, dtype=real, generator=generator)
    weight = normal(classes, channels, dtype=real, generator=generator)
    return x, target, weight, *layer(1), *layer(channels)


def _scans(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    batch, channels, side, steps = shape
    real = dtype.to_real()
    measured, coils = (
        normal(batch, channels, side, side, dtype=dtype, generator=generator) for _ in range(2)
    )
    mask = (torch.rand(side, side, dtype=real, generator=generator) < 0.4).to(real)
    steps_of = (torch.full((steps,), value, dtype=real) for value in (0.5, 0.1))
    return mask * measured, coils / channels**0.5, mask, *steps_of


def _patterns(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    count, side = shape
    turns = torch.rand(count, side, side, dtype=dtype.to_real(), generator=generator)
    masks = torch.exp(2j * torch.pi * turns)
    image, start = (normal(side, side, dtype=dtype, generator=generator) for _ in range(2))
    return start, masks, torch.fft.fft2(masks * image).abs()


def _angles(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    layers, qubits = shape
    real = dtype.to_real()
    spin = w5_circuit.spins(qubits, real)
    angles = normal(layers, qubits, 3, dtype=real, generator=generator)
    return angles, w5_circuit.controlled_signs(spin), -(spin * spin.roll(-1, 0)).sum(0)


SYSTEM = System(
    name="w5",
    title="What users run most",
    about=(
        "Rotary embedding in the form of Llama, Fourier neural operator, S4D kernel and layer, "
        "complex networks trained by Adam, MRI reconstruction, a variational quantum circuit, a "
        "mask on a short-time spectrum, propagation of light, and phase retrieval."
    ),
    cases=(
        *(dataclasses.replace(CASES[name], name=f"w5_{name}", group="w5") for name in _SHARED),
        Case(
            name="w5_s4d_layer",
            group="w5",
            about="S4D kernel and causal convolution with it by FFT",
            fn=w5_state_space.s4d_layer,
            hand=versions.s4d_layer,
            jax=versions.s4d_layer_in_jax,
            inputs=_sequences,
            shapes={
                "tiny": (1, 2, 2, 4),
                "small": (2, 4, 8, 64),
                "medium": (4, 32, 32, 256),
                "large": (8, 256, 64, 1024),
            },
            learned=(1, 2, 3, 4, 5),
            library=True,
        ),
        Case(
            name="w5_convolutional",
            group="w5",
            about="complex convolutions, whitening batch norm, modReLU; training ends with Adam",
            fn=_convolutional,
            hand=versions.convolutional_network,
            jax=versions.convolutional_network_in_jax,
            inputs=_images,
            shapes={
                "tiny": (2, 8, 2, 3),
                "small": (4, 16, 4, 10),
                "medium": (32, 28, 16, 10),
                "large": (256, 28, 32, 10),
            },
            learned=tuple(range(2, 11)),
            adam=True,
            library=True,
        ),
        Case(
            name="w5_mri",
            group="w5",
            about="unrolled reconstruction from masked spectra of several coils",
            fn=w5_imaging.reconstruct,
            hand=versions.reconstruct,
            jax=versions.reconstruct_in_jax,
            inputs=_scans,
            shapes={
                "tiny": (1, 2, 4, 2),
                "small": (1, 4, 16, 2),
                "medium": (2, 4, 64, 4),
                "large": (4, 8, 256, 4),
            },
            learned=(3, 4),
            library=True,
        ),
        Case(
            name="w5_phase_retrieval",
            group="w5",
            about="image from the moduli of masked spectra, by alternating projections",
            fn=w5_imaging.retrieve_phases,
            hand=versions.retrieve_phases,
            jax=versions.retrieve_phases_in_jax,
            inputs=_patterns,
            shapes={"tiny": (2, 4), "small": (2, 16), "medium": (4, 64), "large": (4, 512)},
            library=True,
        ),
        Case(
            name="w5_circuit",
            group="w5",
            about="energy of a variational circuit on a state vector",
            fn=w5_circuit.energy,
            hand=w5_circuit_versions.energy,
            jax=w5_circuit_versions.energy_in_jax,
            inputs=_angles,
            shapes={"tiny": (1, 2), "small": (2, 3), "medium": (2, 12), "large": (2, 18)},
            learned=(0,),
        ),
    ),
)
