"""What a system is: its cases, and what its authors published of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch_complex_subclass.bench.cases import Case


@dataclass(frozen=True, kw_only=True)
class System:
    """A program that users run, as cases of the benchmark, with the text of its page."""

    name: str
    """The group of all its cases: w1, w2, ..."""
    title: str
    about: str
    """A paragraph of Markdown: what it computes, and what is compared."""
    cases: tuple[Case, ...]
    source: str = ""
    """What the published figures were measured on."""
    published: Mapping[str, float] = field(default_factory=dict)
    """How many times as fast as eager its authors found it compiled, by case."""
    commands: tuple[str, ...] = ()
    """Other commands of this system than the benchmark, to repeat what the page shows."""
