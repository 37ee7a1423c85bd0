"""W2: waves, tensor networks and a condensate, in inference and time stepping."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.bench.cases import Case, Inputs
from torch_complex_subclass.bench.cases.case import Shape, normal
from torch_complex_subclass.bench.workloads import w2_by_hand as by_hand
from torch_complex_subclass.bench.workloads import w2_in_jax as in_jax
from torch_complex_subclass.bench.workloads import w2_operations as operations
from torch_complex_subclass.bench.workloads.system import System

_VORTICES = 10
_RING = "iab,jbc,kcd,lda->ijkl"

TIME = 0.3
"""At which the waves are summed."""
PHYSICS: dict[str, Any] = {"mass_sq": -0.5, "lambda_coupling": 0.1, "rank": 4}
STEP = 0.01
"""Of time, of the condensate."""


def _real(*shape: int, dtype: torch.dtype, generator: torch.Generator) -> Tensor:
    return torch.randn(shape, dtype=dtype.to_real(), generator=generator)


def _field(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    points, sources = shape
    draw = functools.partial(_real, dtype=dtype, generator=generator)
    return draw(points, 3), draw(sources, 3), draw(sources), draw(sources), draw(sources)


def _vortices(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    points, vortices = shape
    draw = functools.partial(_real, dtype=dtype, generator=generator)
    charges = draw(vortices).sign()
    return draw(points, 3), draw(vortices, 3), charges


def _lattice(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    return (normal(*shape, dtype=dtype, generator=generator),)


def draw_mera(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    """Tensors, unitary disentanglers and isometries; `shape` is their number, d, and c."""
    count, d, coarse = shape
    width = 2 * d * d
    tensors = normal(count, d, d, dtype=dtype, generator=generator)
    # One factorisation for each layer of pairs is what takes time; all pairs share it.
    unitary, _ = torch.linalg.qr(normal(width, width, dtype=dtype, generator=generator))
    phases = torch.exp(2j * torch.pi * torch.rand(count // 2, width, generator=generator))
    disentanglers = unitary.to(dtype) * phases.to(dtype)[:, None, :]
    isometry, _ = torch.linalg.qr(normal(width, coarse, dtype=dtype, generator=generator))
    isometries = isometry * phases.to(dtype)[:, :, None]
    return tensors, disentanglers.contiguous(), isometries.contiguous()


def _ring(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    physical, bond = shape
    draw = functools.partial(normal, dtype=dtype, generator=generator)
    return tuple(draw(physical, bond, bond) / bond for _ in range(4))


def _gru(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    batch, width, states = shape
    draw = functools.partial(normal, dtype=dtype, generator=generator)
    weights = [draw(states, width + states) / math.sqrt(width + states) for _ in range(3)]
    return draw(batch, width), draw(batch, states), *weights, *(draw(states) for _ in range(3))


def _triangulations(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    return (torch.randint(3, 40, shape, generator=generator).to(dtype.to_real()),)


def entropy(state: Tensor) -> Tensor:
    """Entropy between the two dimensions of `state`."""
    return operations.compute_entanglement_entropy_svd.fn(state, (state.shape[0], state.shape[1]))


def ring(*tensors: Tensor) -> Tensor:
    """Contract a ring of four tensors `(physical, bond, bond)` over its bonds."""
    return operations.contract_tensor_network_simple.fn(tensors, _RING)


def other_moves(got: Sequence[Tensor], want: Sequence[Tensor]) -> str | None:
    """Say where proposals are not of one distribution with eager's, which draws other numbers."""
    (states, accepted, factors), (wanted, _, _) = got, want
    if any(a.shape != b.shape or a.dtype != b.dtype for a, b in zip(got, want, strict=True)):
        return "shapes or dtypes are not eager's"
    if not torch.allclose(factors.abs(), torch.ones_like(accepted)):
        return "a factor of the amplitude is not of modulus 1"
    # Each state moves by -1, 0 or 1; a mean of n of them is sqrt(2 / 3 n) off, and so is eager's.
    sums = [t.sum(dtype=torch.float64) for t in (states, wanted)]
    off = float(abs(sums[0] - sums[1])) / len(states)
    allowed = 6 * math.sqrt(4 / (3 * len(states)))
    return None if off <= allowed else f"mean change is off by {off:.1e}, allowed {allowed:.0e}"


_FIELD = {"tiny": (4, 2), "small": (512, 10), "medium": (2048, 20), "large": (8192, 50)}
_MERA = {"tiny": (4, 2, 2), "small": (32, 8, 16), "medium": (64, 16, 32), "large": (128, 16, 32)}
_GRID = {"tiny": 4, "small": 16, "medium": 32, "large": 64, "extreme": 128}
_LATTICE = {size: (n, n, n) for size, n in _GRID.items()}
_ENTROPY = {"tiny": (2, 2), "small": (16, 16), "medium": (64, 64), "large": (128, 128)}
_RINGS = {"tiny": (2, 2), "small": (2, 8), "medium": (4, 16), "large": (4, 32)}
_GRU = {"tiny": (2, 2, 2), "small": (64, 16, 32), "medium": (256, 32, 64), "large": (1024, 64, 128)}
_MOVES = {"tiny": (4, 4), "small": (256, 16), "medium": (1024, 32), "large": (4096, 64)}


def _with_extreme(shapes: Mapping[str, Shape], extreme: Shape) -> dict[str, Shape]:
    return {**shapes, "extreme": extreme}


def _case(
    name: str,
    about: str,
    fn: Callable[..., Any],
    inputs: Callable[[Shape, torch.dtype, torch.Generator], Inputs],
    shapes: Mapping[str, Shape],
    **more: Any,
) -> Case:
    return Case(
        name=f"w2_{name}", group="w2", about=about, fn=fn, inputs=inputs, shapes=shapes, **more
    )


SYSTEM = System(
    name="w2",
    title="Waves, tensor networks and a condensate",
    about="Ten operations on waves, tensor networks and a condensate, without gradients.",
    source="Published: expectations for one H100 at size large, average 2.1; on the CPU its "
    "authors measured 0.90 on average and switched compilation off.",
    published={
        "w2_field": 2.2,
        "w2_vortex": 2.0,
        "w2_mera": 2.5,
        "w2_potential": 1.9,
        "w2_evolution": 1.8,
    },
    commands=("python -m torch_complex_subclass.bench.workloads.w2_command --size large",),
    cases=(
        _case(
            "field",
            "superposition of the waves of point sources",
            functools.partial(operations.compute_field_superposition.fn, t=TIME),
            _field,
            _with_extreme(_FIELD, (32768, 100)),
            hand=functools.partial(by_hand.superposition, t=TIME),
            jax=functools.partial(in_jax.superposition, t=TIME),
        ),
        _case(
            "vortex",
            "product of the fields of ten vortices",
            operations.compute_vortex_field.fn,
            _vortices,
            {size: (n, _VORTICES) for size, (n, _) in _with_extreme(_FIELD, (32768, 0)).items()},
            hand=by_hand.vortices,
            jax=in_jax.vortices,
        ),
        _case(
            "intensity",
            "squared modulus of a field",
            operations.compute_intensity.fn,
            _lattice,
            _LATTICE,
            hand=by_hand.intensity,
            jax=in_jax.intensity,
        ),
        _case(
            "mera",
            "one layer of a MERA: pairs, disentanglers, isometries",
            operations.contract_mera_layer.fn,
            draw_mera,
            _with_extreme(_MERA, (256, 16, 32)),
            hand=by_hand.mera,
            jax=in_jax.mera,
        ),
        _case(
            "network",
            "contraction of a ring of four tensors",
            ring,
            _ring,
            _with_extreme(_RINGS, (4, 64)),
            hand=by_hand.ring,
            jax=functools.partial(in_jax.contracted, equation=_RING),
            library=True,
        ),
        _case(
            "entropy",
            "entanglement entropy by singular values",
            entropy,
            _lattice,
            _with_extreme(_ENTROPY, (512, 512)),
            hand=by_hand.entropy,
            jax=in_jax.entropy,
            library=True,
        ),
        _case(
            "potential",
            "energy of a condensate on a lattice",
            functools.partial(operations.compute_condensate_potential.fn, **PHYSICS),
            _lattice,
            _LATTICE,
            hand=functools.partial(by_hand.potential, **PHYSICS),
            jax=functools.partial(in_jax.potential, **PHYSICS),
        ),
        _case(
            "evolution",
            "one Gross-Pitaevskii step of a condensate",
            functools.partial(operations.evolve_condensate_gp.fn, dt=STEP, **PHYSICS),
            _lattice,
            _LATTICE,
            hand=functools.partial(by_hand.evolution, dt=STEP, **PHYSICS),
            jax=functools.partial(in_jax.evolution, dt=STEP, **PHYSICS),
        ),
        _case(
            "gru",
            "one step of a complex gated recurrent unit",
            operations.rnn_step_gru.fn,
            _gru,
            _with_extreme(_GRU, (4096, 128, 256)),
            hand=by_hand.gru,
            jax=in_jax.gru,
        ),
        _case(
            "moves",
            "proposals of moves of triangulations, random numbers in the graph",
            operations.propose.fn,
            _triangulations,
            _with_extreme(_MOVES, (16384, 128)),
            hand=by_hand.moves,
            jax=in_jax.moves,
            differs=other_moves,
        ),
    ),
)
