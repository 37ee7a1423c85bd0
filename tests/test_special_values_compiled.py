"""The tables of special values in code that Inductor generates, in every lane and in the tail.

Inductor's C++ is built with -fno-signed-zeros, so the sign of a zero is what is at risk.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from torch_complex_subclass.testing import unary
from torch_complex_subclass.testing.axis_limits import limits
from torch_complex_subclass.testing.special_rows import Case
from torch_complex_subclass.testing.special_values import TABLES, both_parts, check, columns

TAIL = 15
"""Elements beyond the last whole vector of 16, the widest there is."""

# Conjugation is a view, and the others of its kind are the same rule.
FUNCTIONS = [name for name in TABLES if not name.startswith("_")]


def padded(listed: tuple[Case, ...]) -> tuple[Case, ...]:
    """Repeat the first cases until TAIL of them are beyond the last whole vector."""
    return listed + listed[: (TAIL - len(listed)) % 16]


def rotations(listed: tuple[Case, ...]) -> Iterator[tuple[Case, ...]]:
    """Every rotation that brings other cases to the end, where the tail of a loop has them."""
    for start in range(0, len(listed), TAIL):
        yield listed[start:] + listed[:start]


def parts(result: Tensor) -> tuple[Tensor, Tensor]:
    # Not `.real`, which hides how the parts were written.
    return both_parts(
        tuple(torch.view_as_real(result).unbind(-1)) if result.is_complex() else result
    )


def points(names: list[str]) -> tuple[Case, ...]:
    """Every point of the functions' tables, once; the values in them do not matter."""
    listed = [case for name in names for case in TABLES[name] + limits(name)]
    return tuple({f"{case.x} {case.y}": case for case in listed}.values())


DTYPES = [torch.float32, pytest.param(torch.float64, marks=pytest.mark.slow)]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("group", range(4))
def test_compiled_values(group: int, dtype: torch.dtype) -> None:
    """One compiled function a group."""
    names = FUNCTIONS[group::4]
    ops = [unary.rules_by_name()[name].op for name in names]

    def every(z: Tensor) -> list[Tensor]:
        return [op(z) for op in ops]

    compiled = torch.compile(every, fullgraph=True, backend="inductor_complex", dynamic=False)
    for listed in rotations(padded(points(names))):
        results = compiled(torch.complex(*columns(listed, dtype)))
        place = {f"{case.x} {case.y}": i for i, case in enumerate(listed)}
        for name, result in zip(names, results, strict=True):
            known = TABLES[name] + limits(name)
            rows = [place[f"{case.x} {case.y}"] for case in known]
            re, im = parts(result)
            check(name, known, (re[rows], im[rows]))


def test_rotations_bring_every_case_to_the_tail() -> None:
    listed = padded(TABLES["exp"])
    assert len(listed) % 16 == TAIL
    assert {case for turn in rotations(listed) for case in turn[-TAIL:]} == set(listed)
