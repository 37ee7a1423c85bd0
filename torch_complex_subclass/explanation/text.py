"""An explanation in the terminal."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch_complex_subclass.explain import Explanation, Row
    from torch_complex_subclass.explanation.times import KernelTime

_BAR = 30


def table(found: Explanation) -> str:
    """Lay out the ops, what to do about those that are not fused, times, and kernel counts."""
    cells = [("op", "count", "how", "source", "reason")]
    cells += [(r.op, number(r), r.how, place(r), r.reason) for r in found.rows]
    blocks = [_aligned(cells) if found.rows else ["no complex ops"]]
    blocks.append([f"{row.op}: {row.hint}" for row in found.rows if row.hint])
    if found.times:
        blocks.append(list(_bars(found.times)))
        blocks.append([in_all(found.times, found.stock_times)])
    blocks.append([kernels(found)])
    return "\n\n".join("\n".join(block) for block in blocks if block)


def number(row: Row) -> str:
    """How many there are, and how many of them are for gradients."""
    return f"{row.count} ({row.backward} backward)" if row.backward else str(row.count)


def place(row: Row) -> str:
    """The first line a row comes from, by a short name, and the number of others."""
    others = f" (+{len(row.sources) - 1})" if len(row.sources) > 1 else ""
    return short(row.source) + others


def short(source: str) -> str:
    """A path as it is seen from the working folder, where that is shorter."""
    file, _, number = source.rpartition(":")
    try:
        relative = os.path.relpath(file) if file else file
    except ValueError:  # another drive
        relative = file
    return f"{min(file, relative, key=len)}:{number}" if file else number


def kernels(found: Explanation) -> str:
    """One line: kernels here and without this package."""
    if found.stock_failure:
        reason = found.stock_failure
        return f"generated kernels: {found.kernels} (stock: does not compile, {reason})"
    before = sum(found.stock_fallbacks.values())
    return (
        f"generated kernels: {found.kernels} (stock: {found.stock_kernels} "
        f"and {before} calls of complex kernels)"
    )


def in_all(ours: Sequence[KernelTime], stock: Sequence[KernelTime]) -> str:
    """One line: the time of a call here and, where there is one, without this package."""
    here, there = (duration(sum(t.microseconds for t in times)) for times in (ours, stock))
    beside = f" (stock: {there})" if stock else ""
    return f"one call: {here}{beside}, with the profiler on"


def between(rest: KernelTime) -> str:
    """One line: the time that is spent in no kernel."""
    return f"{duration(rest.microseconds)} between kernels: calls, allocation and Python"


def duration(microseconds: float) -> str:
    """A time in the unit that suits it."""
    if microseconds < 1000:
        return f"{microseconds:.1f} us"
    return f"{microseconds / 1000:.2f} ms"


def _aligned(cells: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]


def _bars(times: Sequence[KernelTime]) -> Iterator[str]:
    longest = max((t.microseconds for t in times if t.how != "rest"), default=0.0) or 1.0
    for time in times:
        if time.how == "rest":
            yield between(time)
            continue
        bar = "#" * round(_BAR * time.microseconds / longest)
        yield f"{duration(time.microseconds):>10}  {bar.ljust(_BAR)}  {time.how:9}  {time.name}"
