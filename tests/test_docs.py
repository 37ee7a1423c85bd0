"""The site: its navigation names pages that exist, its links lead somewhere, its programs run.

`make docs` builds it; here nothing is built.
"""

from __future__ import annotations

import functools
import importlib.util
import re
import types
from pathlib import Path
from typing import Any

import pytest
import torch

import torch_complex_subclass as tcs
from torch_complex_subclass.testing.interpret import interpreted

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
GENERATED = "generated/tutorial/"

TOCTREE = re.compile(r"```\{toctree\}\n(.*?)```", re.DOTALL)
PYTHON = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def module(path: Path) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


repository_pages = module(DOCS / "repository_pages.py")


def entries() -> list[str]:
    text = "\n".join(TOCTREE.findall((DOCS / "index.md").read_text()))
    return [line for line in text.splitlines() if line and not line.startswith(":")]


@pytest.mark.parametrize("entry", entries())
def test_navigation_names_a_page(entry: str) -> None:
    if entry.startswith(GENERATED):
        assert (DOCS / "tutorial" / entry.removeprefix(GENERATED)).with_suffix(".py").is_file()
    elif entry.startswith("generated/"):
        assert f"docs/{entry}.md" in repository_pages.PAGES.values()
    else:
        assert entry in repository_pages.OPTIONAL or (DOCS / f"{entry}.md").is_file()


def test_every_page_is_in_the_navigation() -> None:
    missing = [page.stem for page in PAGES if page.stem != "index" and page.stem not in entries()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"\]\(generated/tutorial/\w+\.rst", "](index.md", page.read_text())
    assert repository_pages.relinked(text, f"docs/{page.name}", f"docs/{page.name}")


def test_links_of_copied_pages() -> None:
    for source, place in repository_pages.PAGES.items():
        assert repository_pages.relinked((ROOT / source).read_text(), source, place)


def test_link_to_a_page_elsewhere_leads_to_its_copy() -> None:
    text = "[a](decompositions/README.md#b) [c](docs/faq.md) [d](https://pytorch.org) [e](#f)"
    want = "[a](rules.md#b) [c](../faq.md) [d](https://pytorch.org) [e](#f)"
    assert (
        repository_pages.relinked(text, "CONTRIBUTING.md", "docs/generated/contributing.md") == want
    )
    assert repository_pages.relinked("[a](docs/tutorial)", "README.md", "docs/index.md") == "a"
    with pytest.raises(FileNotFoundError, match="leads to no file"):
        repository_pages.relinked("[a](missing.md)", "README.md", "docs/index.md")


def programs(name: str) -> str:
    return "\n".join(PYTHON.findall((DOCS / name).read_text()))


def assert_runs(text: str) -> None:
    """Run the programs of a page, which raise where they fail; some assert what they say."""
    try:
        exec(compile(text, "page", "exec"), {"torch": torch, "tcs": tcs})
    finally:
        tcs.disable()


# What compiles for a count of kernels is run where code is generated.
EXPLAINED = re.compile(r"^(?:found = |print\()tcs\.explain.*\n(?:.*found.*\n)*", re.MULTILINE)


@pytest.mark.parametrize("name", ["faq.md", "migration.md", "quick_start.md"])
def test_programs_of_a_page_run(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the rewritten graph in place of generated code."""
    compiled: Any = functools.partial(torch.compile, backend=interpreted)
    monkeypatch.setattr(torch, "compile", compiled)
    assert_runs(EXPLAINED.sub("", programs(name)))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["faq.md", "migration.md", "quick_start.md", "index.md"])
def test_programs_of_a_page_run_as_they_stand(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert_runs(programs(name))
