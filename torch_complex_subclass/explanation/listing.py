"""The user's lines that complex ops come from, with those around them."""

from __future__ import annotations

import linecache
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from torch_complex_subclass.report import Entry

# Lines shown before and after one that has an op.
_AROUND = 2


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the user's code, and how many ops of it ended in which way."""

    file: str
    number: int
    text: str
    ops: tuple[tuple[str, str, int], ...]
    """Pairs of op and `fused`, `native` or `fallback`, with their number; forward and backward."""


def lines(entries: Iterable[Entry]) -> tuple[Line, ...]:
    """Lines with ops, and those around them, by file and number.

    A file that cannot be read gives none.
    """
    found: defaultdict[str, defaultdict[int, Counter[tuple[str, str]]]]
    found = defaultdict(lambda: defaultdict(Counter))
    for entry in entries:
        file, _, number = entry.source.rpartition(":")
        if file:
            found[file][int(number)][entry.op, entry.how] += 1
    return tuple(
        Line(file, number, text, _ops(counts.get(number, Counter())))
        for file, counts in sorted(found.items())
        for number, text in _shown(file, counts)
    )


def _ops(counts: Counter[tuple[str, str]]) -> tuple[tuple[str, str, int], ...]:
    return tuple((op, how, count) for (op, how), count in sorted(counts.items()))


def _shown(file: str, numbers: Iterable[int]) -> list[tuple[int, str]]:
    text = linecache.getlines(file)
    wanted = {m for n in numbers for m in range(n - _AROUND, n + _AROUND + 1)}
    return [(n, text[n - 1].rstrip()) for n in sorted(wanted) if 1 <= n <= len(text)]
