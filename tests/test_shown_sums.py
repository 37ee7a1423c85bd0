"""A sum of which results show one part is written where that lies, and by no further loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from torch_complex_subclass.testing.compare import assert_compiles
from torch_complex_subclass.testing.generated import generated_code

# A loop over interleaved memory that is written in whole.
WRITES_BOTH = "vec::interleave2"


def z(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.complex64)


def overlap(a: Tensor, b: Tensor) -> Tensor:
    return (a * b.conj()).sum(-1)


def values(form: Callable[[Tensor], Any], dynamic: bool | None = None) -> str:
    """Compare with eager, and return the generated code."""

    def fn(a: Tensor, b: Tensor) -> Any:
        return form(overlap(a, b))

    args = z(40, 5, 64), z(40, 5, 64)
    assert_compiles(fn, *args, backend="inductor_complex", dynamic=dynamic, gradient=False)
    return generated_code(fn, *args)


@pytest.mark.parametrize("view", ["as it is", "viewed"])
def test_real_part_is_written_by_the_sum(view: str) -> None:
    code = values(lambda s: (s if view == "as it is" else s.view(4, 50)).real)
    assert WRITES_BOTH not in code
    assert "empty_strided_cpu((40, 5), (10, 2)" in code
    assert "empty_strided_cpu((40, 5, 2)" not in code


READ_ELSEWHERE = {
    "the sum too": lambda s: (s.real, s.real + 1),
    "the value": lambda s: (s, s.real),
    "by a view": lambda s: (s.view(200).real, s.real * 2),
    "both parts": lambda s: (s.real, s.imag),
    "the real view": torch.view_as_real,
    "in another order": lambda s: s.mT.real,
    "the other part": lambda s: s.imag,
    "of half of it": lambda s: s[:20].real,
}


@pytest.mark.parametrize("name", READ_ELSEWHERE)
def test_what_is_read_elsewhere_lies_as_before(name: str) -> None:
    assert "(10, 2), torch.float32" not in values(READ_ELSEWHERE[name])


def test_sizes_that_change() -> None:
    values(lambda s: s.real, dynamic=True)


def test_sum_without_dimensions() -> None:
    assert_compiles(lambda a, b: torch.vdot(a, b).real, z(100), z(100), backend="inductor_complex")


def test_gradient() -> None:
    assert_compiles(
        lambda a, b: overlap(a, b).real, z(40, 64), z(40, 64), backend="inductor_complex"
    )
