"""Whether what compiled code gives is as good as eager's, given how errors carry in a program.

For each number of a result or a gradient, with x its value in double precision (eager's own where
the program is in double precision already):

    |ours - x| <= SLACK * max(|eager - x|, spread) + FLOOR * eps * |x|

where spread is the largest |p - x| over runs p of eager with every op's rounding perturbed (see
perturb.py). Runs are added until the number passes or there are many. So a badly conditioned
number is allowed what rounding does to it and no more, and a well conditioned one few ulp.
Numbers that are not finite in eager, in double precision or in a perturbed run are not compared:
where rules deviate from eager there is listed and tested elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.fuzz.observe import Seen

SLACK = 4.0
FLOOR = 16.0


def _finite(t: Tensor) -> Tensor:
    return torch.isfinite(t.real) & torch.isfinite(t.imag) if t.is_complex() else t.isfinite()


def wrong_numbers(ours: Tensor, eager: Tensor, exact: Tensor, others: Sequence[Tensor]) -> Tensor:
    """Mask of the elements of `ours` that are further from `exact` than the bound allows."""
    if not eager.is_complex() and not eager.is_floating_point():
        unsure = torch.zeros_like(eager, dtype=torch.bool)
        for other in (exact, *others):
            unsure |= other != eager
        return (ours != eager) & ~unsure
    eps, tiny = torch.finfo(eager.dtype).eps, torch.finfo(eager.dtype).tiny
    wide = torch.complex128 if eager.is_complex() else torch.float64
    x = exact.to(wide)
    spread = (eager.to(wide) - x).abs()
    compared = _finite(eager) & _finite(x)
    for other in others:
        compared &= _finite(other)
        spread = torch.maximum(spread, (other.to(wide) - x).abs())
    allowed = SLACK * spread + FLOOR * (eps * x.abs() + tiny)
    return compared & ~((ours.to(wide) - x).abs() <= allowed)


@dataclass(frozen=True)
class Wrong:
    """Numbers of one tensor, what they should be, and a mask of the wrong ones."""

    values: Tensor
    exact: Tensor
    mask: Tensor

    def like(self, other: Wrong) -> bool:
        """True when each number that is wrong here is wrong there, by the same within 1 %."""
        if not bool((other.mask | ~self.mask).all()):
            return False
        wide = torch.complex128 if self.exact.is_complex() else torch.float64
        ours, theirs, exact = (
            t.to(wide)[self.mask] for t in (self.values, other.values, self.exact)
        )
        same = (ours == theirs) | ((ours - theirs).abs() <= 0.01 * (ours - exact).abs())
        return bool((same | (ours.isnan() & theirs.isnan())).all())


def describe(ours: Tensor, eager: Tensor, exact: Tensor, wrong: Tensor) -> str:
    """One line about the first wrong element."""
    at = tuple(wrong.nonzero()[0].tolist())
    share = f"{int(wrong.sum())} of {wrong.numel()}"
    return f"{share} at {list(at)}: {ours[at]}, eager {eager[at]}, exact {exact[at]}"


def strides_that_matter(strides: Iterable[int], sizes: Iterable[int]) -> list[int]:
    """Strides of the dimensions that have more than one element."""
    return [s for s, n in zip(strides, sizes, strict=True) if n > 1]


def differences(ours: Seen, eager: Seen) -> Iterator[tuple[str, Any, Any]]:
    """What a caller can see to differ besides values: its name, ours, eager's.

    The neg bit is left out: a compiled result has its values with the sign applied.
    """
    pairs: list[tuple[str, Any, Any]] = [
        ("dtype", ours.value.dtype, eager.value.dtype),
        ("shape", tuple(ours.value.shape), tuple(eager.value.shape)),
        ("conj bit", ours.conj, eager.conj),
        ("requires_grad", ours.requires_grad, eager.requires_grad),
    ]
    if eager.value.numel() > 1 and ours.value.shape == eager.value.shape:
        got, want = (strides_that_matter(t.strides, t.value.shape) for t in (ours, eager))
        pairs.append(("strides", got, want))
    for what, got, want in pairs:
        if got != want:
            yield what, got, want
