"""The programs that are timed, one file for each family."""

from __future__ import annotations

from torch_complex_subclass.bench.cases import (
    elementwise,
    layouts,
    matrices,
    networks,
    physics,
    reductions,
    signals,
    spectral,
)
from torch_complex_subclass.bench.cases.case import EXTREME as EXTREME
from torch_complex_subclass.bench.cases.case import EXTREME_BYTES as EXTREME_BYTES
from torch_complex_subclass.bench.cases.case import SIZES as SIZES
from torch_complex_subclass.bench.cases.case import Case as Case
from torch_complex_subclass.bench.cases.case import Inputs as Inputs

_FAMILIES = (elementwise, reductions, layouts, matrices, networks, spectral, signals, physics)

CASES: dict[str, Case] = {case.name: case for family in _FAMILIES for case in family.CASES}
"""All cases by name."""
