"""What the tests of the op database accept besides eager's own values."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from torch_complex_subclass.testing.opinfo import FURTHER, assert_no_further

EXACT = torch.ones(3, dtype=torch.complex128)


def off_by(error: float) -> Tensor:
    return (EXACT + error).to(torch.complex64)


def judge(error: float, eagers: float, nearby: tuple[float, ...] = ()) -> None:
    assert_no_further(
        off_by(error),
        off_by(eagers),
        lambda: EXACT,
        lambda: [(off_by(other), EXACT) for other in nearby],
    )


def test_as_far_as_eager() -> None:
    judge(-1e-3, 1e-3)
    judge(0.9 * FURTHER * 1e-3, 1e-3)


@pytest.mark.parametrize("nearby", [(), (0.0, 1e-6)])
def test_further(nearby: tuple[float, ...]) -> None:
    with pytest.raises(AssertionError, match="not close"):
        judge(1.1 * FURTHER * 1e-3, 1e-3, nearby)


def test_eager_that_is_right_by_luck() -> None:
    judge(1e-3, 0.0, nearby=(0.0, 1e-3))
    with pytest.raises(AssertionError, match="not close"):
        judge(1.1 * FURTHER * 1e-3, 0.0, nearby=(0.0, 1e-3))


def test_eager_that_is_not_finite_allows_nothing() -> None:
    with pytest.raises(AssertionError, match="not close"):
        judge(1e-3, float("nan"), nearby=(1e-3,))


def test_reference_that_is_not_finite() -> None:
    with pytest.raises(AssertionError, match="not close"):
        assert_no_further(off_by(0.0), off_by(1.0), lambda: EXACT * torch.inf)


def test_other_shapes_and_values() -> None:
    with pytest.raises(AssertionError, match="shape"):
        assert_no_further(off_by(0.0)[:2], off_by(0.0), lambda: EXACT)
    with pytest.raises(AssertionError, match="not equal"):
        assert_no_further((off_by(1e-3), 1), (off_by(1e-3), 2), lambda: (EXACT, 2))
