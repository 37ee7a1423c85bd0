"""What is measured: a row for each case, size and mode, an outcome for each candidate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from torch_complex_subclass.bench.cases import Case
from torch_complex_subclass.bench.runner import Timing


@dataclass(frozen=True)
class Outcome:
    """How one candidate did; without a timing, `problem` says why."""

    timing: Timing | None = None
    problem: str | None = None
    compile_seconds: float | None = None
    """First call with empty caches."""
    warm_compile_seconds: float | None = None
    """First call of the same program again, with what that has left in the caches."""
    kernels: int | None = None
    fallbacks: dict[str, int] = field(default_factory=dict)
    overhead_seconds: float | None = None
    """A call on tiny inputs."""
    peak_bytes: int | None = None
    """What a call allocates at its peak."""


Quantity = Callable[[Outcome], float | None]


def seconds(outcome: Outcome) -> float | None:
    """Time of a call."""
    return outcome.timing.median if outcome.timing else None


def cold_seconds(outcome: Outcome) -> float | None:
    """Time of the first call with empty caches."""
    return outcome.compile_seconds


def warm_seconds(outcome: Outcome) -> float | None:
    """Time of the first call with filled caches."""
    return outcome.warm_compile_seconds


def peak(outcome: Outcome) -> float | None:
    """Bytes that a call allocates at its peak."""
    return outcome.peak_bytes


@dataclass(frozen=True)
class Row:
    """A case at a size, and what each candidate made of it."""

    case: Case
    size: str
    dtype: torch.dtype
    training: bool
    traffic: int | None
    """Bytes of inputs and results, each of which moves at least once; None: the case failed."""
    least_seconds: float | None
    """What the machine needs for that traffic, or for the matrix products."""
    outcomes: dict[str, Outcome]

    @property
    def mode(self) -> str:
        """What a call does."""
        return "training" if self.training else "inference"

    def ratio(self, who: str, quantity: Quantity = seconds, to: str = "ours") -> float | None:
        """Quantity of a candidate over that of another; above 1, the other does better."""
        above, below = (quantity(self.outcomes.get(name, Outcome())) for name in (who, to))
        return above / below if above and below else None


@dataclass(frozen=True)
class Settings:
    """What holds for all rows."""

    dtype: torch.dtype
    candidates: tuple[str, ...]
    """Names in WAYS, and `jax`; eager is run for its results even when it is not timed."""
    compile_mode: str | None
    rounds: int
    overhead: bool = True
    """Whether calls on tiny inputs, each a program of its own, are compiled and timed too."""
    warm: bool = True
    """Whether every candidate is compiled again, with filled caches."""
