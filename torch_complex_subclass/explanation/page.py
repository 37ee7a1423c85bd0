"""An explanation as a page of HTML that needs nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

import torch

from torch_complex_subclass.explanation import text
from torch_complex_subclass.explanation.style import STYLE

if TYPE_CHECKING:
    from torch_complex_subclass.explain import Explanation, Row
    from torch_complex_subclass.explanation.listing import Line
    from torch_complex_subclass.explanation.times import KernelTime

_WORDS = {
    "fused": "fused into generated kernels",
    "native": "calls of the library's complex kernel, on purpose",
    "fallback": "calls of it for want of a rule",
}


def document(found: Explanation) -> str:
    """The whole page."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>explain: {escape(found.name)}</title>\n"
        "<style>:root { color-scheme: light dark } body { margin: 0 }</style>\n</head>\n"
        f"<body>\n{fragment(found)}</body>\n</html>\n"
    )


def fragment(found: Explanation) -> str:
    """The page without its frame, for notebooks; its style touches nothing else."""
    parts = [
        f"<h1>What became of <code>{escape(found.name)}</code></h1>",
        *_summary(found),
        *_kept([row for row in found.rows if row.how != "fused"]),
        *_times(found),
        *_listing(found.lines),
        *_fused([row for row in found.rows if row.how == "fused"]),
        f"<footer>torch_complex_subclass, torch {escape(torch.__version__)}</footer>",
    ]
    body = "\n".join(parts)
    return f'<div class="tcs-explain">\n<style>{STYLE}</style>\n{body}\n</div>\n'


def _summary(found: Explanation) -> Iterator[str]:
    counts = {how: sum(r.count for r in found.rows if r.how == how) for how in _WORDS}
    yield "<ul class='tiles'>"
    for how, word in _WORDS.items():
        shown = how if counts[how] else "none"
        yield f"<li class='{shown}'><b>{counts[how]}</b> {escape(word)}</li>"
    yield "</ul>"
    yield f"<p>{escape(text.kernels(found))}</p>"
    if found.times:
        yield f"<p>{escape(text.in_all(found.times, found.stock_times))}</p>"


def _kept(rows: list[Row]) -> Iterator[str]:
    yield "<h2>What was not fused, and what to do</h2>"
    if not rows:
        yield "<p>Nothing: every complex op is part of a generated kernel.</p>"
    for row in rows:
        yield f"<section class='{row.how}'>"
        badge = _badge(row.how, f"{row.count} {row.how}")
        yield f"<h3><code>{escape(row.op)}</code> {badge}{_gradients(row)}</h3>"
        yield f"<p>{_places(row)}</p><p>Why: {escape(row.reason)}.</p>"
        if row.hint:
            yield f"<p>What to do: {escape(row.hint)}</p>"
        yield "</section>"


def _fused(rows: list[Row]) -> Iterator[str]:
    if not rows:
        return
    yield "<h2>What fused</h2>"
    yield "<div class='scroll'><table><tr><th>op</th><th>count</th><th>lines</th></tr>"
    for row in rows:
        op = f"<code>{escape(row.op)}</code>"
        yield f"<tr><td>{op}</td><td>{text.number(row)}</td><td>{_places(row)}</td></tr>"
    yield "</table></div>"


def _gradients(row: Row) -> str:
    return f" {row.backward} of them for gradients" if row.backward else ""


def _places(row: Row) -> str:
    return " ".join(f"<code>{escape(text.short(source))}</code>" for source in row.sources)


def _times(found: Explanation) -> Iterator[str]:
    kernels = [time for time in found.times if time.how != "rest"]
    if not found.times:
        return
    yield "<h2>Time of each kernel</h2>"
    yield "<ul class='times'>"
    longest = max((time.microseconds for time in kernels), default=0.0) or 1.0
    yield from (_bar(time, 100 * time.microseconds / longest) for time in kernels)
    yield "</ul>"
    yield from (f"<p>{escape(text.between(t))}</p>" for t in found.times if t.how == "rest")


def _bar(time: KernelTime, percent: float) -> str:
    return (
        f"<li><code>{escape(time.name)}</code> "
        f"<span>{escape(time.how)}, {escape(text.duration(time.microseconds))}</span>"
        f"<div class='{escape(time.how)}' style='width:{percent:.1f}%'></div></li>"
    )


def _listing(lines: tuple[Line, ...]) -> Iterator[str]:
    if lines:
        yield "<h2>Where the ops come from</h2>"
    for file, group in groupby(lines, lambda line: line.file):
        yield f"<h3><code>{escape(text.short(f'{file}:').rstrip(':'))}</code></h3>"
        yield "<div class='scroll'><table class='code'>"
        before = None
        for line in group:
            if before is not None and line.number > before + 1:
                yield "<tr><td>&#8942;</td><td></td><td></td></tr>"
            yield _line(line)
            before = line.number
        yield "</table></div>"


def _line(line: Line) -> str:
    worst = next((how for how in ("fallback", "native", "fused") if _count(line, how)), "")
    badges = " ".join(_badge(how, f"{n} {how}", _ops(line, how)) for how, n in _counts(line))
    return (
        f"<tr class='{worst}'><td>{line.number}</td><td>{badges}</td>"
        f"<td><pre>{escape(line.text)}</pre></td></tr>"
    )


def _counts(line: Line) -> Iterator[tuple[str, int]]:
    return ((how, n) for how in _WORDS if (n := _count(line, how)))


def _count(line: Line, how: str) -> int:
    return sum(count for _, way, count in line.ops if way == how)


def _ops(line: Line, how: str) -> str:
    return ", ".join(f"{op} x {count}" for op, way, count in line.ops if way == how)


def _badge(how: str, words: str, title: str = "") -> str:
    about = f" title='{escape(title)}'" if title else ""
    return f"<span class='badge {escape(how)}'{about}>{escape(words)}</span>"
