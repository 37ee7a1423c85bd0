"""W1: one quadratic form with complex parameters, written in seven ways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.bench.cases import Case, Inputs
from torch_complex_subclass.bench.cases.case import Shape, normal
from torch_complex_subclass.bench.workloads import w1_models as models
from torch_complex_subclass.bench.workloads.system import System

# Samples, features, classes, states; small is what the published figures are of.
SIZES = {
    "tiny": (2, 3, 2, 2),
    "small": (1000, 100, 10, 10),
    "medium": (10000, 100, 10, 10),
    "large": (10000, 100, 100, 10),
}


def _by_hand(x: Tensor, psi_re: Tensor, psi_im: Tensor, form_re: Tensor, form_im: Tensor) -> Tensor:
    """The states are summed first, in real arithmetic; what is left is one real product."""
    outer_re = torch.outer(psi_re, psi_re) + torch.outer(psi_im, psi_im)
    outer_im = torch.outer(psi_re, psi_im) - torch.outer(psi_im, psi_re)
    terms = form_re * outer_re[:, :, None] - form_im * outer_im[:, :, None]
    return x @ terms.sum((1, 2)).mT


def _by_hand_of_pairs(x: Tensor, psi: Tensor, form: Tensor) -> Tensor:
    return _by_hand(x, *psi.unbind(-1), *form.unbind(-1))


def _in_jax(x: Any, psi: Any, form: Any) -> Any:
    import jax.numpy as jnp

    return jnp.einsum("i,kija,ta,j->tk", psi.conj(), form, x, psi, optimize=True).real


def _in_jax_of_parts(x: Any, psi_re: Any, psi_im: Any, form_re: Any, form_im: Any) -> Any:
    import jax

    return _in_jax(x, jax.lax.complex(psi_re, psi_im), jax.lax.complex(form_re, form_im))


def _in_jax_of_pairs(x: Any, psi: Any, form: Any) -> Any:
    return _in_jax_of_parts(x, psi[..., 0], psi[..., 1], form[..., 0], form[..., 1])


def draw(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    """Samples, state and form, with results of size 1; `shape` as in the published setting."""
    batch, features, classes, states = shape
    x = normal(batch, features, dtype=dtype.to_real(), generator=generator)
    psi = normal(states, dtype=dtype, generator=generator)
    form = normal(classes, states, states, features, dtype=dtype, generator=generator)
    return x, psi / torch.linalg.vector_norm(psi), form / features**0.5


def _draw_parts(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    x, psi, form = draw(shape, dtype, generator)
    return tuple(t.contiguous() for t in (x, psi.real, psi.imag, form.real, form.imag))


def _draw_pairs(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    x, psi, form = draw(shape, dtype, generator)
    return x, torch.view_as_real(psi), torch.view_as_real(form)


@dataclass(frozen=True)
class _Storage:
    """What parameters are, and the ways to compute with them that are not of one model."""

    inputs: Callable[[Shape, torch.dtype, torch.Generator], Inputs]
    hand: Callable[..., Tensor]
    jax: Callable[..., Any]
    learned: tuple[int, ...]


_COMPLEX = _Storage(draw, _by_hand_of_pairs, _in_jax, (1, 2))
_PARTS = _Storage(_draw_parts, _by_hand, _in_jax_of_parts, (1, 2, 3, 4))
_PAIRS = _Storage(_draw_pairs, _by_hand_of_pairs, _in_jax_of_pairs, (1, 2))


def _case(name: str, about: str, fn: Callable[..., Tensor], storage: _Storage) -> Case:
    return Case(
        name=f"w1_{name}",
        group="w1",
        about=about,
        fn=fn,
        hand=storage.hand,
        jax=storage.jax,
        inputs=storage.inputs,
        shapes=SIZES,
        learned=storage.learned,
    )


SYSTEM = System(
    name="w1",
    title="One quadratic form with complex parameters",
    about="One quadratic form in a complex state, forward and backward, in seven ways to keep and "
    "use its parameters. All agree to 1e-5; small is the published setting.",
    source="Published: 0.82 ms eager for complex parameters, which did not compile; the fastest "
    "that did took 0.44 ms (2.32 ms eager), and three of the seven failed.",
    published={"w1_functional": 5.27, "w1_vmap": 1.78, "w1_parameters": 1.57},
    cases=(
        _case("functional", "real and imaginary part as real einsums", models.functional, _PARTS),
        _case("vmap", "for one sample and class, mapped", models.vmapped, _COMPLEX),
        _case("parameters", "complex tensors formed of parts", models.from_parts, _PARTS),
        _case("native", "complex parameters, one einsum", models.native, _COMPLEX),
        _case("original", "written out by elements", models.original, _PARTS),
        _case("structured", "real products of pairs", models.structured, _PAIRS),
        _case("hybrid", "real storage, complex computation", models.hybrid, _PAIRS),
    ),
)
