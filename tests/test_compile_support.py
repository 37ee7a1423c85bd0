"""The page on what compiles: every test that it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "compile_support.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests?/[\w/]+\.py)(?:::(\w+))?(?:\[.*?\])?`", PAGE)))


@pytest.mark.parametrize(("path", "function"), NAMED, ids=str)
def test_named_test_exists(path: str, function: str) -> None:
    text = (ROOT / path).read_text()
    assert not function or f"def {function}(" in text
