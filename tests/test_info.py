"""The subcommand info: what it finds here, as text and as JSON."""

from __future__ import annotations

import json

import pytest
import torch

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.__main__ import main


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["info", *arguments]) == 0
    return capsys.readouterr().out


def test_text_names_what_a_report_needs(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys)
    for section in ("versions", "devices", "enabled", "compiler", "caches", "optional packages"):
        assert f"\n{section}:\n" in f"\n{text}"
    assert torch.__version__ in text
    assert "tcs.enable() switches it on" in text


def test_json_holds_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(printed(capsys, "--json"))
    assert found["versions"]["torch"] == torch.__version__
    assert found["compiler"]["path"]
    assert "version" in found["compiler"]["version"]
    assert found["enabled"] == {"in_this_process": False, "backend_inductor_complex": True}


def test_missing_compiler(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compat, "cpp_compiler", lambda: (None, None))
    assert main(["info"]) == 1
    assert "install g++ 11 or later" in capsys.readouterr().out


def test_torch_that_was_never_tried(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    remark = "this torch is newer than 2.0, the newest that tests were run under"
    assert remark not in printed(capsys)
    monkeypatch.setattr(compat, "NEWEST_TRIED", (2, 0))
    assert remark in printed(capsys)


@pytest.mark.parametrize(
    ("version", "untried"),
    [("2.11.0", False), ("2.15.1+cu132", False), ("2.16.0a0+git1", True), ("3.0", True)],
)
def test_newer_versions_are_untried(version: str, untried: bool) -> None:
    assert compat.is_untried(version) is untried
