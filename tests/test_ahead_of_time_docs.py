"""The examples of docs/ahead_of_time.md, one after the other as a reader would run them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import torch_complex_subclass as tcs

PAGE = Path(__file__).parents[1] / "docs" / "ahead_of_time.md"


@pytest.fixture
def disabled() -> Iterator[None]:
    yield
    tcs.disable()


def examples() -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.mark.slow
@pytest.mark.usefixtures("disabled")
def test_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for text in examples():
        exec(compile(text, str(PAGE), "exec"), {"__name__": "example"})
    assert (tmp_path / "model.pt2").exists()


def test_examples_are_found() -> None:
    assert len(examples()) == 5
