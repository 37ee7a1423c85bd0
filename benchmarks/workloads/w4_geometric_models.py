"""W4: geometric models, the cases of `w4_geometry`, `w4_dynamics` and `w4_recurrence`."""

from __future__ import annotations

import functools

import torch

from torch_complex_subclass.bench.cases import Case, Inputs
from torch_complex_subclass.bench.cases.case import Shape, normal
from torch_complex_subclass.bench.workloads import w4_dynamics, w4_geometry, w4_recurrence
from torch_complex_subclass.bench.workloads import w4_flow_versions as flow
from torch_complex_subclass.bench.workloads import w4_geometry_versions as geometry
from torch_complex_subclass.bench.workloads.system import System

_COORDINATES = 8


def _spinors(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    (batch,) = shape
    gamma = w4_geometry.dirac_matrices(_COORDINATES, dtype)
    return normal(batch, gamma.shape[-1], dtype=dtype, generator=generator), gamma


def _metrics(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    batch, d = shape
    inverse = normal(batch, d, d, dtype=dtype, generator=generator)
    slopes = normal(batch, d, d, d, dtype=dtype, generator=generator)
    return inverse + inverse.mT, slopes + slopes.mT


def _components(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    x, y = (normal(*shape, dtype=dtype, generator=generator) for _ in range(2))
    return x, y


def _fields(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    (side,) = shape
    cube = side, side, side
    potential = normal(*cube, dtype=dtype.to_real(), generator=generator)
    return normal(*cube, dtype=dtype, generator=generator), potential


def _candidates(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    batch, count, size = shape
    prior = torch.rand(batch, count, dtype=dtype.to_real(), generator=generator) + 0.1
    fields = normal(batch, count, size, dtype=dtype, generator=generator) / size**0.5
    return prior, fields, normal(batch, size, dtype=dtype, generator=generator) / size**0.5


def _sequences(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    steps, batch, size = shape
    inputs = normal(steps, batch, size, dtype=dtype, generator=generator)
    gain, turn = (normal(size, dtype=dtype, generator=generator) for _ in range(2))
    return inputs, gain, turn


def _decays(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    angle = normal(*shape, dtype=dtype.to_real(), generator=generator)
    return torch.polar(torch.sigmoid(angle), angle), normal(
        *shape, dtype=dtype, generator=generator
    )


_SPINORS = {"tiny": (2,), "small": (16,), "medium": (1024,), "large": (16384,)}

SYSTEM = System(
    name="w4",
    title="Geometric models",
    about=(
        "Antisymmetric and symmetric forms of spinors, with 8 Dirac matrices, as one einsum and "
        "as nested loops over coordinates; Christoffel symbols of a complex metric; conjugation "
        "of a slice in place; a Hamiltonian step and a Bayesian update of complex fields; a "
        "recurrence that cannot be parallelized, which keeps what it logs on the device, and one "
        "that is an associative scan."
    ),
    source="the authors' expectation of compilation, 1.5 to 3 times",
    cases=(
        Case(
            name="w4_k1_wedge",
            group="w4",
            about="spinor form of commutators, one einsum",
            fn=w4_geometry.k1_wedge,
            hand=functools.partial(geometry.form, sign=-1),
            jax=functools.partial(geometry.form_in_jax, sign=-1),
            inputs=_spinors,
            shapes=_SPINORS,
            learned=(0, 1),
        ),
        Case(
            name="w4_k1_wedge_loops",
            group="w4",
            about="spinor form of commutators, nested loops",
            fn=w4_geometry.k1_wedge_loops,
            hand=functools.partial(geometry.looped_form, sign=-1),
            jax=functools.partial(geometry.looped_form_in_jax, sign=-1),
            inputs=_spinors,
            shapes=_SPINORS,
        ),
        Case(
            name="w4_k2_tensor",
            group="w4",
            about="spinor form of anticommutators, one einsum",
            fn=w4_geometry.k2_tensor,
            hand=functools.partial(geometry.form, sign=1),
            jax=functools.partial(geometry.form_in_jax, sign=1),
            inputs=_spinors,
            shapes=_SPINORS,
            learned=(0, 1),
        ),
        Case(
            name="w4_k2_tensor_loops",
            group="w4",
            about="spinor form of anticommutators, nested loops",
            fn=w4_geometry.k2_tensor_loops,
            hand=functools.partial(geometry.looped_form, sign=1),
            jax=functools.partial(geometry.looped_form_in_jax, sign=1),
            inputs=_spinors,
            shapes=_SPINORS,
        ),
        Case(
            name="w4_christoffel",
            group="w4",
            about="Christoffel symbols of a complex metric",
            fn=w4_geometry.christoffel,
            hand=geometry.christoffel,
            jax=geometry.christoffel_in_jax,
            inputs=_metrics,
            shapes={"tiny": (2, 3), "small": (16, 8), "medium": (1024, 8), "large": (16384, 8)},
            learned=(0, 1),
        ),
        Case(
            name="w4_conjugation",
            group="w4",
            about="components conjugated in place, then paired with others",
            fn=w4_geometry.conjugate_and_pair,
            hand=geometry.conjugate_and_pair,
            jax=geometry.conjugate_and_pair_in_jax,
            inputs=_components,
            shapes={"tiny": (2, 4), "small": (64, 8), "medium": (2**14, 8), "large": (2**19, 8)},
        ),
        Case(
            name="w4_hamiltonian",
            group="w4",
            about="time step of a field on a periodic grid",
            fn=w4_dynamics.hamiltonian_evolution,
            hand=flow.hamiltonian,
            jax=flow.hamiltonian_in_jax,
            inputs=_fields,
            shapes={"tiny": (4,), "small": (8,), "medium": (32,), "large": (96,)},
            # By the potential there is nothing to learn from a norm, which the step conserves.
            learned=(0,),
        ),
        Case(
            name="w4_posterior",
            group="w4",
            about="Bayesian update of candidate fields",
            fn=w4_dynamics.bayesian_posterior,
            hand=flow.posterior,
            jax=flow.posterior_in_jax,
            inputs=_candidates,
            shapes={
                "tiny": (2, 3, 4),
                "small": (4, 8, 32),
                "medium": (16, 32, 512),
                "large": (64, 64, 2048),
            },
            learned=(0, 1),
        ),
        Case(
            name="w4_recurrence",
            group="w4",
            about="loop whose every step needs the last state; a mean logged each time",
            fn=w4_recurrence.gated_recurrence,
            hand=flow.recurrence,
            jax=flow.recurrence_in_jax,
            inputs=_sequences,
            shapes={
                "tiny": (3, 2, 4),
                "small": (8, 4, 16),
                "medium": (32, 16, 64),
                "large": (32, 256, 256),
            },
            learned=(0, 1, 2),
        ),
        Case(
            name="w4_linear_recurrence",
            group="w4",
            about="linear recurrence as an associative scan",
            fn=w4_recurrence.linear_recurrence,
            hand=flow.linear_recurrence,
            jax=flow.linear_recurrence_in_jax,
            inputs=_decays,
            shapes={"tiny": (5, 3), "small": (16, 16), "medium": (256, 64), "large": (4096, 256)},
            learned=(0, 1),
        ),
    ),
)
