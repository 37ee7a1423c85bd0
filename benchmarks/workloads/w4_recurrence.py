"""W4: recurrences over a sequence, one that cannot be parallelized and one that can."""

from __future__ import annotations

import torch
from torch import Tensor

from torch_complex_subclass import torch_compat as compat


def gated_recurrence(inputs: Tensor, gain: Tensor, turn: Tensor) -> tuple[Tensor, Tensor]:
    """h_t = (turn h_(t-1) + gain x_t) / (1 + |h_(t-1)|^2), from 0; each step needs the last.

    Shapes: inputs `(t, b, n)`, gain and turn `(n,)`, results h_T `(b, n)` and the mean of h after
    each step, `(t,)`, which stays on the device.
    """
    state = torch.zeros_like(inputs[0])
    means = []
    for x in inputs:
        state = (turn * state + gain * x) / (1 + state.abs().square())
        means.append(state.mean())
    return state, torch.stack(means)


def _then(first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """The map h -> a h + b of both steps, one after the other."""
    (a, b), (c, d) = first, second
    return a * c, c * b + d


def linear_recurrence(decay: Tensor, inputs: Tensor) -> Tensor:
    """h_t = a_t h_(t-1) + x_t from 0, for all t by an associative scan.

    Shapes: decay a and inputs x `(t, n)`, result `(t, n)`.
    """
    result: Tensor = compat.associative_scan(_then, (decay, inputs))[1]
    return result
