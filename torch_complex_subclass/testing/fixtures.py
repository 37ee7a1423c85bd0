"""Fixtures of every test: a seed, and a fresh compiler."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def seed() -> None:
    """Seed torch's generator, so that a failure repeats."""
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def reset_compiler() -> Iterator[None]:
    """Drop compiled code; it would count against the next test's recompile limit."""
    yield
    if "torch._dynamo" in sys.modules:
        torch._dynamo.reset()


def pytest_configure() -> None:
    """Give each worker of pytest-xdist one thread."""
    if os.environ.get("PYTEST_XDIST_WORKER"):
        torch.set_num_threads(1)
