"""Checks many programs, and makes small what fails."""

from __future__ import annotations

import gc
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from tqdm import tqdm

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.fuzz.check import COMPILERS, Failure, InvalidProgramError, failures
from torch_complex_subclass.fuzz.generate import generate
from torch_complex_subclass.fuzz.judge import torch_is_at_fault
from torch_complex_subclass.fuzz.minimise import minimise
from torch_complex_subclass.fuzz.program import Program

# A long minimisation finds little more.
_MAX_CHECKS = 300


@dataclass(frozen=True)
class Plan:
    """What to run: programs `first` to `first + count` of a seed, until `seconds` are over."""

    seed: int
    first: int
    count: int
    backend: str = "rewritten"
    seconds: float | None = None
    max_failures: int = 5


@dataclass(frozen=True)
class Found:
    """A failure, the number of its program, and the program made small."""

    index: int
    failure: Failure
    program: Program


@dataclass
class Tally:
    """What a run has shown so far."""

    programs: int = 0
    steps: int = 0
    excluded: Counter[str] = field(default_factory=Counter)
    """Programs that torch itself gets wrong, by what it does."""
    invalid: int = 0
    """Programs that eager runs once, but not in double precision."""
    found: list[Found] = field(default_factory=list)


def run(plan: Plan, tally: Tally) -> None:
    """Check the programs of a plan; what is found is in `tally`, also when interrupted."""
    begin = time.monotonic()
    numbers = range(plan.first, plan.first + plan.count)
    # What torch has imported never becomes garbage; looking through it takes a fifth of the time.
    gc.collect()
    gc.freeze()
    bar = tqdm(numbers, desc="fuzz", unit="program", file=sys.stderr, disable=None)
    try:
        with compat.quiet_compiler(), bar:
            for index in bar:
                if plan.seconds is not None and time.monotonic() - begin > plan.seconds:
                    return
                _one(plan, index, tally)
                bar.set_postfix(failures=len(tally.found))
                if len(tally.found) >= plan.max_failures:
                    return
    finally:
        gc.unfreeze()


def _one(plan: Plan, index: int, tally: Tally) -> None:
    program = generate(plan.seed, index)
    tally.programs += 1
    tally.steps += len(program.steps)
    try:
        wrong = list(failures(program, COMPILERS[plan.backend]))
        why = torch_is_at_fault(program, wrong, plan.backend) if wrong else ""
    except InvalidProgramError:
        tally.invalid += 1
        return
    if wrong and why:
        tally.excluded[f"{wrong[0].kind} {wrong[0].where}: {why}".replace(" :", ":")] += 1
    elif wrong:
        small, last = _smallest(plan, program, wrong[0])
        tally.found.append(Found(index, last, small))


def _smallest(plan: Plan, program: Program, failure: Failure) -> tuple[Program, Failure]:
    """Make a program small; the failure may have other numbers then."""
    last, left = failure, _MAX_CHECKS

    def still_fails(candidate: Program) -> bool:
        nonlocal last, left
        left -= 1
        if left < 0:
            return False
        try:
            now = list(failures(candidate, COMPILERS[plan.backend]))
            if not any(map(failure.alike, now)):
                return False
            if torch_is_at_fault(candidate, now, plan.backend):
                return False
        except InvalidProgramError:
            return False
        last = next(filter(failure.alike, now))
        return True

    return minimise(program, still_fails), last
