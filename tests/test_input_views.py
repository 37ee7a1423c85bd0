"""Loops over several complex inputs are one C++ kernel."""

from __future__ import annotations

import torch
from torch import Tensor

from torch_complex_subclass.testing.compare import assert_compiles
from torch_complex_subclass.testing.generated import generated_code


def z(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.complex64)


def rows_then_table(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Three loops that do not fuse, each with an input of its own."""
    rows = (a * a).sum(-1, keepdim=True)
    columns = (b * rows).sum(0)
    return (c * columns).sum(-1)


def calls(code: str) -> int:
    """How often the generated code calls a C++ kernel."""
    call = code[code.index("def call(") :]
    return sum(line.strip().startswith("cpp_fused") for line in call.splitlines())


def test_views_of_inputs_do_not_part_loops() -> None:
    args = z(30, 20), z(30, 40), z(25, 40)
    assert_compiles(rows_then_table, *args, backend="inductor_complex", gradient=False)
    assert calls(generated_code(rows_then_table, *args)) == 1


def test_input_that_is_written_between_loops() -> None:
    """What reads the memory of an input after a write sees what was written."""

    def fn(a: Tensor, b: Tensor) -> Tensor:
        rows = (a * a).sum(-1, keepdim=True)
        b.mul_(rows)
        return (b.conj() * b[0]).sum(-1)

    assert_compiles(fn, z(30, 20), z(30, 20), backend="inductor_complex", gradient=False)
