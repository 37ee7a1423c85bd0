"""What a case of the benchmark is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Shape = tuple[int, ...]
Inputs = tuple[Tensor, ...]

# From what host overhead decides, to the L1 cache, to far beyond the last-level cache.
SIZES = ("tiny", "small", "medium", "large")

EXTREME = "extreme"
EXTREME_BYTES = 40 * 10**9
"""Memory that a machine must have to run cases at that size."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One program, as a user writes it and in the ways it is compared with.

    All functions take the same inputs. `fn` is written with complex tensors. `hand` gets complex
    inputs as the real tensors `(..., 2)` that their memory is, returns complex results in that
    form, and is written for `torch.compile` by someone who knows it. `jax` gets arrays of JAX.
    Both may be missing.
    """

    name: str
    group: str
    about: str
    fn: Callable[..., Any]
    inputs: Callable[[Shape, torch.dtype, torch.Generator], Inputs]
    shapes: Mapping[str, Shape]
    """By size: all of SIZES, and `EXTREME` where there is one."""
    hand: Callable[..., Any] | None = None
    jax: Callable[..., Any] | None = None
    learned: tuple[int, ...] = ()
    """Positions of the inputs that training differentiates by; none: no training."""
    dtypes: tuple[torch.dtype, ...] = (torch.complex64, torch.complex128)
    """Complex dtypes that the program makes sense in."""
    adam: bool = False
    """Training ends with an update by Adam."""
    library: bool = False
    """Calls of GEMM or FFT take most of the time, whoever compiles the rest."""
    flops: Callable[[Shape], int] | None = None
    """Real operations of the matrix products in one call without gradient."""
    differs: Callable[[Sequence[Tensor], Sequence[Tensor]], str | None] | None = None
    """Says where results differ from eager's; None: by elements. For random results."""

    @property
    def training(self) -> bool:
        """Whether there is something to learn."""
        return bool(self.learned)

    def draw(self, size: str, dtype: torch.dtype) -> Inputs:
        """Random inputs of a size, the same ones at each call; `dtype` is complex."""
        return self.inputs(self.shapes[size], dtype, torch.Generator().manual_seed(0))


def normal(*shape: int, dtype: torch.dtype, generator: torch.Generator) -> Tensor:
    """A tensor of normal numbers of mean square 1."""
    return torch.randn(shape, dtype=dtype, generator=generator)
