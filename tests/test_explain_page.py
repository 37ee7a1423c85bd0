"""The page and the text of an explanation: complete, escaped, and of one piece."""

from __future__ import annotations

import dataclasses
import html.parser
from pathlib import Path

import pytest

import torch_complex_subclass as tcs
from torch_complex_subclass.explain import Row
from torch_complex_subclass.explanation.listing import Line, lines
from torch_complex_subclass.explanation.times import KernelTime
from torch_complex_subclass.report import Entry

EVIL = "<script>alert('&')</script>"
VOID = {"meta", "br"}

FOUND = tcs.Explanation(
    name=EVIL,
    rows=(
        Row("my::op<int>", 1, "fallback", "no rule", ("model.py:3",)),
        Row("aten.linalg_inv_ex.default", 2, "native", EVIL, ("model.py:3", "model.py:7"), 1),
        Row("aten.mul.Tensor", 5, "fused", "", ("model.py:3",)),
    ),
    lines=(
        Line(
            "model.py", 3, EVIL, (("aten.mul.Tensor", "fused", 5), ("my::op<int>", "fallback", 1))
        ),
        Line("model.py", 7, "    return a", ()),
    ),
    kernels=3,
    stock_kernels=2,
    stock_fallbacks={"aten.mul.Tensor": 5},
    times=(KernelTime(EVIL, "generated", 1500.0, 1), KernelTime("rest", "rest", 20.0, 1)),
    stock_times=(KernelTime("aten::mul", "library", 3000.0, 5),),
)


class Reader(html.parser.HTMLParser):
    """Collects tags and text, and checks that every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    assert not reader.open
    return reader


def test_page_is_escaped_and_needs_nothing_from_elsewhere() -> None:
    page = read(FOUND.html())
    assert "script" not in page.tags
    assert page.text.count(EVIL) == 5  # the title and heading, a reason, a line and a kernel
    assert not page.links
    assert "url(" not in FOUND.html()
    assert "@import" not in FOUND.html()


@pytest.mark.parametrize(
    "wanted",
    [
        "my::op<int>",
        "model.py:7",
        "1 fallback",
        "2 native",
        "1 of them for gradients",
        "1.50 ms",
        "3.00 ms",
        "5 fused",
    ],
)
def test_page_holds(wanted: str) -> None:
    assert wanted in read(FOUND.html()).text


def test_hints_are_on_the_page_and_in_the_text() -> None:
    for row in FOUND.rows[:2]:
        assert row.hint
        assert row.hint in read(FOUND.html()).text
        assert row.hint in str(FOUND)


def test_notebook_shows_the_same_without_a_frame() -> None:
    shown = FOUND._repr_html_()
    assert shown in FOUND.html()
    assert not {"html", "body", "title"} & set(read(shown).tags)


def test_save_writes_the_page(tmp_path: Path) -> None:
    file = FOUND.save(tmp_path / "page.html")
    assert file.read_text(encoding="utf-8") == FOUND.html()
    with pytest.raises(FileNotFoundError):
        FOUND.save(tmp_path / "missing" / "page.html")


def test_page_without_anything() -> None:
    empty = dataclasses.replace(FOUND, rows=(), lines=(), times=())
    assert "every complex op is part of a generated kernel" in read(empty.html()).text


def test_lines_are_those_with_ops_and_around(tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text("".join(f"line {n}\n" for n in range(1, 21)))
    entries = [Entry("op", "fused", "", f"{file}:{n}") for n in (1, 1, 12)]
    entries += [Entry("op", "fused", "", ""), Entry("op", "fused", "", "<eval>:3")]
    found = lines(entries)
    assert [line.number for line in found] == [1, 2, 3, 10, 11, 12, 13, 14]
    assert found[0].ops == (("op", "fused", 2),)
    assert found[0].text == "line 1"
