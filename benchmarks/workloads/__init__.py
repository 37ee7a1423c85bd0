"""The systems that this package is for, as programs that run, are checked and are timed.

One module for each system. It has the model code as a user of the system writes it, with complex
tensors, variants by hand where the system has them, and `SYSTEM`, from which the benchmark and
docs/workloads.md are made.
"""

if __name__ != "torch_complex_subclass.bench.workloads":
    raise ImportError("import torch_complex_subclass.bench.workloads, not the folder itself")

from torch_complex_subclass.bench.cases import Case
from torch_complex_subclass.bench.workloads import (
    w1_quadratic_form,
    w2_waves,
    w3_stochastic_operator,
    w4_geometric_models,
    w5_common_models,
)
from torch_complex_subclass.bench.workloads.system import System as System

SYSTEMS: tuple[System, ...] = (
    w1_quadratic_form.SYSTEM,
    w2_waves.SYSTEM,
    w3_stochastic_operator.SYSTEM,
    w4_geometric_models.SYSTEM,
    w5_common_models.SYSTEM,
)
"""All systems, in the order of the page."""

CASES: dict[str, Case] = {case.name: case for system in SYSTEMS for case in system.cases}
"""The cases of all systems by name."""
