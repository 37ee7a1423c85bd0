"""Looks for NaN, infinities and zeros where the exact value is a number, over random bit patterns.

A rule runs in single precision. Its double precision form picks the points to look at, and only
saves time: mpmath decides each of them, and a sample of those that were not picked.

A part is wrong when it is NaN, infinite or zero, the exact part rounds to a finite number, and the
two are further apart than the rule's bound, where infinity is the number after the largest. A
normwise bound says nothing where the larger part is out of range; what is lost there is counted
apart. Operations that keep eager's plain formula may lose what eager loses at the same point.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from torch_complex_subclass.decompositions.registry import Pair
from torch_complex_subclass.testing.operations import Exact, Operation

Run = Callable[..., list[Tensor]]

CHUNK = 2**17
LARGEST_DECIDED = 50_000
"""Most points of an operation that mpmath decides; a line of the table with more says so."""


def random_numbers(n: int, generator: torch.Generator) -> Tensor:
    """Finite float32 values, every bit pattern of which is as likely as any other."""
    exponent = torch.randint(0, 255, (n,), generator=generator)
    rest = torch.randint(0, 2**24, (n,), generator=generator)
    bits = (rest >> 23 << 31) | (exponent << 23) | (rest & (2**23 - 1))
    return torch.where(bits >= 2**31, bits - 2**32, bits).to(torch.int32).view(torch.float32)


@dataclass
class Findings:
    """What a run over an operation found."""

    name: str
    patterns: int = 0
    picked: int = 0
    decided: int = 0
    sampled: int = 0
    """Points that the double precision form did not pick, decided to check that form."""
    defects: int = 0
    eagers: int = 0
    """Defects at points where eager has one too."""
    excused: int = 0
    """Those of them that an operation with eager's own formula may have."""
    lost: int = 0
    """Parts lost where the larger part of a normwise rule is out of range."""
    missed: int = 0
    """Defects among the sampled points."""
    worst: str = ""
    examples: list[list[Pair]] = field(default_factory=list)


def _broken(part: Tensor) -> Tensor:
    return ~part.isfinite() | (part == 0)


def _widened(operands: Sequence[Pair]) -> list[Pair]:
    return [Pair(z.re.double(), z.im.double()) for z in operands]


def _at(operands: Sequence[Pair], index: Tensor) -> list[Pair]:
    return [Pair(z.re[index], z.im[index]) for z in operands]


def judge(
    operation: Operation,
    got: Sequence[Tensor],
    operands: Sequence[Pair],
    exact: Exact,
    share: float = 1.0,
) -> tuple[Tensor, Tensor]:
    """Which points have a part wrong by `share` of the bound, which one lost with the larger."""
    bound = share * operation.bound(operands)
    wrong = torch.zeros(len(bound), dtype=torch.bool)
    errors = operation.errors(got, exact)
    for part, (head, _), error in zip(got, exact.parts, errors, strict=True):
        wrong |= _broken(part) & head.float().isfinite() & ~(error <= bound)
    outside = exact.size.float().isinf() & operation.normwise
    return wrong & ~outside, wrong & outside


def _pick(
    operation: Operation, run: Run, operands: Sequence[Pair], found: Findings
) -> tuple[Tensor, Tensor]:
    """Points with a part to decide, and those with a broken part that seems to be right.

    The double precision form counts as exact here, and half of the bound as all of it.
    """
    guess = list((operation.guess or operation)(*_widened(operands)))
    zero = torch.zeros_like(guess[0])
    size = functools.reduce(torch.maximum, [part.abs() for part in guess])
    got = run(*operands)
    wrong, lost = judge(operation, got, operands, Exact([(p, zero) for p in guess], size), 0.5)
    unknown = functools.reduce(torch.logical_or, [part.isnan() for part in guess])
    broken = functools.reduce(torch.logical_or, map(_broken, got))
    found.lost += int(lost.sum())
    picked = wrong | (broken & unknown)
    return picked.nonzero().flatten(), (broken & ~picked & ~lost).nonzero().flatten()


def _decide(operation: Operation, run: Run, operands: list[Pair], found: Findings) -> int:
    """Let mpmath decide some points; returns the number of defects among them."""
    if not len(operands[0].re):
        return 0
    got = run(*operands)
    exact = operation.exact(operands)
    defect, _ = judge(operation, got, operands, exact)
    found.decided += len(defect)
    if not defect.any():
        return 0
    bad = _at(operands, defect)
    theirs = operation.eager(*(torch.complex(*z) for z in bad))
    parts = [theirs.real, theirs.imag] if theirs.is_complex() else [theirs]
    bad_exact = Exact([(h[defect], r[defect]) for h, r in exact.parts], exact.size[defect])
    eagers = int(judge(operation, parts, bad, bad_exact)[0].sum())
    found.eagers += eagers
    found.excused += eagers if operation.plain else 0
    found.defects += int(defect.sum())
    found.examples.append(bad)
    if not found.worst:
        first = defect.nonzero()[0]
        found.worst = _describe(
            _at(operands, first),
            [part[first].item() for part in got],
            [head[first].item() for head, _ in exact.parts],
        )
    return int(defect.sum())


def _describe(operands: Sequence[Pair], got: list[float], want: list[float]) -> str:
    points = ", ".join(f"{z.re.item()!r}{z.im.item():+}j" for z in operands)
    return f"({points}) gives {got}, exact {want}"


def search(
    operation: Operation,
    patterns: int,
    seed: int,
    run: Run | None = None,
    samples: int = 300,
) -> Iterator[Findings]:
    """Run over `patterns` random points; yields the findings so far after every chunk.

    `run` computes the parts of the result, by the rule in eager when it is None.
    """
    run = run or operation
    generator = torch.Generator().manual_seed(seed)
    found = Findings(operation.name)
    left = samples
    while found.patterns < patterns:
        n = min(CHUNK, patterns - found.patterns)
        operands = [
            Pair(random_numbers(n, generator), random_numbers(n, generator))
            for _ in range(operation.count)
        ]
        picked, agreed = _pick(operation, run, operands, found)
        found.patterns += n
        found.picked += len(picked)
        picked = picked[: max(LARGEST_DECIDED - found.decided, 0)]
        _decide(operation, run, _at(operands, picked), found)
        order = torch.randperm(len(agreed), generator=generator)
        share = agreed[order[: -(-left * n // patterns)]]
        found.sampled += len(share)
        found.missed += _decide(operation, run, _at(operands, share), found)
        yield found
