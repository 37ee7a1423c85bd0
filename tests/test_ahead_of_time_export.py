"""Exported programs whose arithmetic is real; names of tests give the upstream threads."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils import _pytree as pytree

from torch_complex_subclass import boundary_pass
from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.decompositions import export_table, table
from torch_complex_subclass.testing.compare import duplicate

each_way = pytest.mark.parametrize("strict", [False, True], ids=["non-strict", "strict"])


class Module(nn.Module):
    """Calls a function with itself, and has the tensors given."""

    def __init__(self, function: Callable[..., Any], **tensors: Tensor) -> None:
        super().__init__()
        self.function = function
        for name, tensor in tensors.items():
            if isinstance(tensor, nn.Parameter):
                self.register_parameter(name, tensor)
            else:
                self.register_buffer(name, tensor)

    def forward(self, *inputs: Tensor) -> Any:
        return self.function(self, *inputs)


def number(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.complex64)


def exported(module: nn.Module, *inputs: Tensor, strict: bool = False, **sizes: Any) -> Any:
    """Export and decompose, check the results, and return the program."""
    shapes = {"dynamic_shapes": (tuple(sizes.values()),)} if sizes else {}
    program = torch.export.export(module, inputs, strict=strict, **shapes)
    decomposed = program.run_decompositions(export_table())
    check(decomposed, module, *inputs)
    return decomposed


def check(program: ExportedProgram, module: nn.Module, *inputs: Tensor) -> None:
    wanted = module(*map(duplicate, inputs))
    torch.testing.assert_close(program.module()(*map(duplicate, inputs)), wanted)


def complex_ops(program: ExportedProgram) -> list[str]:
    """Ops of a program whose results are complex."""
    return [
        str(node.target)
        for node in program.graph.nodes
        if node.op == "call_function"
        and any(
            isinstance(v, Tensor) and v.is_complex() for v in pytree.tree_leaves(node.meta["val"])
        )
    ]


def rotate(module: Any, x: Tensor) -> Tensor:
    z = torch.view_as_complex(x.unflatten(-1, (-1, 2)))
    return torch.view_as_real(z * module.freqs).flatten(-2)


def chain(module: nn.Module, a: Tensor, b: Tensor) -> Tensor:
    return ((a * b.conj()).exp() @ b.mT).abs().sum()


def pieces(module: nn.Module, z: Tensor) -> Tensor:
    return torch.cat([z[:2] * 2, z[:, 2:].T.exp()]).tanh().abs()


def literals(module: nn.Module, x: Tensor) -> Tensor:
    return (x * (1 + 2j) + torch.tensor(2j) + torch.full((4,), 1j) + torch.polar(x, x)).abs()


FREQUENCIES = torch.polar(torch.ones(16, 4), torch.arange(64.0).view(16, 4))
REAL_ONLY: dict[str, tuple[nn.Module, list[Tensor]]] = {
    "chain": (Module(chain), [number(3, 4), number(3, 4)]),
    "literals 160749": (Module(literals), [torch.randn(4)]),
    "pieces": (Module(pieces), [number(4, 4)]),
    "parts": (Module(lambda m, z: (z.real + 1, z.imag, torch.view_as_real(z))), [number(3, 4)]),
    "parts of a parameter": (
        Module(lambda m, x: (x * m.w).real, w=nn.Parameter(number(4))),
        [torch.randn(4)],
    ),
    "rotary TensorRT 3456": (Module(rotate, freqs=FREQUENCIES), [torch.randn(2, 16, 8)]),
    "sum of a literal product turbine 744": (
        Module(lambda m, re, im: (re + 1j * im).abs()),
        [torch.randn(4), torch.randn(4)],
    ),
    "zero imaginary part executorch 8539": (
        Module(lambda m, x: torch.complex(x, torch.zeros_like(x)).abs()),
        [torch.randn(4, 5)],
    ),
}


@each_way
@pytest.mark.parametrize("name", REAL_ONLY)
def test_no_complex_value_between_inputs_and_outputs(name: str, strict: bool) -> None:
    module, inputs = REAL_ONLY[name]
    assert complex_ops(exported(module, *inputs, strict=strict)) == []


def test_complex_results_are_joined_once() -> None:
    program = exported(Module(lambda m, a, b: (a - b) * 2j + b.exp()), number(4), number(4))
    assert complex_ops(program) == ["aten.complex.default"]


def test_library_calls_are_what_is_left() -> None:
    module = Module(lambda m, z: torch.linalg.inv(torch.fft.fft(z.exp()) * 2j).abs())
    left = complex_ops(exported(module, number(4, 4)))
    calls = [op for op in left if "complex" not in op and "getitem" not in op]
    assert calls == ["aten._fft_c2c.default", "aten.linalg_inv_ex.default"]


def test_written_input_and_buffer() -> None:
    def write(module: Any, z: Tensor) -> Tensor:
        z.mul_(1j)
        z[0] = 2
        module.state.add_(z)
        return module.state.abs()

    inputs = [number(4)]
    modules = [Module(write, state=torch.ones(4, dtype=torch.complex64)) for _ in range(2)]
    program = torch.export.export(modules[0], (inputs[0].clone(),))
    decomposed = program.run_decompositions(export_table()).module()
    got, wanted = inputs[0].clone(), inputs[0].clone()
    torch.testing.assert_close(decomposed(got), modules[1](wanted))
    torch.testing.assert_close(got, wanted)
    torch.testing.assert_close(dict(decomposed.named_buffers()), dict(modules[1].named_buffers()))


def test_real_program_is_that_of_torch() -> None:
    module = Module(lambda m, x: torch.nn.functional.gelu(x @ x.T).softmax(-1))
    program = torch.export.export(module, (torch.randn(4, 4),))
    ours, stock = program.run_decompositions(export_table()), program.run_decompositions()
    assert [n.target for n in ours.graph.nodes] == [n.target for n in stock.graph.nodes]


@each_way
def test_sizes_stay_dynamic_8539(strict: bool) -> None:
    module, inputs = REAL_ONLY["zero imaginary part executorch 8539"]
    program = exported(module, *inputs, strict=strict, x={0: Dim("batch", min=2, max=64)})
    assert complex_ops(program) == []
    check(program, module, torch.randn(7, 5))


@each_way
@pytest.mark.parametrize("length", [Dim("length", min=4, max=64), Dim.AUTO], ids=["Dim", "AUTO"])
def test_fft_of_any_length_135087(length: Any, strict: bool) -> None:
    module = Module(lambda m, x: torch.fft.rfft(x).abs())
    program = exported(module, torch.randn(3, 8), strict=strict, x={1: length})
    for n in (7, 12):
        check(program, module, torch.randn(3, n))


# What torch 2.11 says while it loads constants.
@pytest.mark.filterwarnings("ignore:The given buffer is not writable:UserWarning")
def test_saved_and_loaded_160749() -> None:
    module, inputs = REAL_ONLY["literals 160749"]
    file = io.BytesIO()
    torch.export.save(exported(module, *inputs), file)
    file.seek(0)
    check(torch.export.load(file), module, *inputs)


def test_branches() -> None:
    def branch(module: nn.Module, z: Tensor) -> Tensor:
        w = z * 2j
        return torch.cond(z.real.sum() > 0, lambda t: t.exp(), lambda t: t.conj() + w, (w,))

    module = Module(branch)
    program = exported(module, number(4))
    for sign in (1, -1):
        check(program, module, sign * number(4).real.abs().to(torch.complex64))


def test_a_write_between_two_ops_is_seen() -> None:
    """Parts are reused only while nothing was written to them, to their source or to the value."""

    def through_value(z: Tensor) -> Tensor:
        w = z * 2j
        w[0] = 7
        return w + 1

    def through_source(z: Tensor) -> Tensor:
        w = z.conj() + 0
        z.mul_(3)
        return w.abs() + z.abs()

    z = number(4)
    for program in (through_value, through_source):
        traced = make_fx(program, decomposition_table=table())(z.clone())
        torch.testing.assert_close(traced(z.clone()), program(z.clone()))


def test_compiling_a_program_leaves_it_as_it_was() -> None:
    """The pass shares the program's symbols of sizes; a constant it meets is given none."""
    module = Module(lambda self, z: (self.w @ z).abs(), w=nn.Parameter(number(4, 4)))
    program = torch.export.export(
        module, (number(4, 4, 8),), dynamic_shapes=(({0: Dim("batch", min=2, max=64)},),)
    )
    before = set(program.range_constraints)
    compiled = program.module()
    report = boundary_pass.rewrite(compiled.graph, compat.select_decompositions())
    assert report.entries
    decomposed = program.run_decompositions()
    check(decomposed, module, number(6, 4, 8))
    assert set(decomposed.range_constraints) == before
