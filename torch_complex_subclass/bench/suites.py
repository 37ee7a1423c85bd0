"""The collections of cases that the command line offers."""

from __future__ import annotations

from collections import ChainMap

from torch_complex_subclass.bench import workloads
from torch_complex_subclass.bench.cases import CASES, Case

SUITES: dict[str, dict[str, Case]] = {"programs": CASES, "workloads": workloads.CASES}
"""Cases by name, by suite; no name is in two suites."""


def find(name: str) -> Case:
    """The case of this name, in whichever suite; KeyError where there is none."""
    return ChainMap(*SUITES.values())[name]
