"""Inputs that share memory, one of them written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._dynamo.exc import Unsupported

import torch_complex_subclass as tcs
from torch_complex_subclass.fuzz.check import rewritten
from torch_complex_subclass.testing.interpret import interpreted


def read_beside_write(z: Tensor, w: Tensor) -> Tensor:
    z.sub_(3)
    return w * 2j


def write_to_conjugate(z: Tensor, w: Tensor) -> Tensor:
    w[:1].mul_(2)
    return z + 1


def view_of_other(z: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
    z.mul_(2)
    return w.mT, w.sum()


def row_of_other(z: Tensor, w: Tensor) -> Tensor:
    z.mul_(2)
    return w[0]


def rest_of_other(z: Tensor, w: Tensor) -> tuple[Tensor, ...]:
    z.mul_(2)
    return w[1:], w.conj(), torch.view_as_real(w.resolve_conj())


PROGRAMS = (read_beside_write, write_to_conjugate, view_of_other, row_of_other, rest_of_other)


def conjugates(z: Tensor) -> tuple[Tensor, Tensor]:
    return z, z.conj()


def slices(z: Tensor) -> tuple[Tensor, Tensor]:
    return z.conj()[1:], z[:2].mT


def later_rows(z: Tensor) -> tuple[Tensor, Tensor]:
    return z, z[1:]


INPUTS = (conjugates, slices, later_rows)


def outcome(fn: Callable[..., Any], make: Callable[..., Any], learned: bool) -> list[Tensor]:
    """Results, the inputs after the call, and the gradient of what these are views of."""
    leaf = torch.arange(9.0).reshape(3, 3) * (1 - 0.5j)
    leaf.requires_grad_(learned)
    inputs = make(leaf.clone())
    results = fn(*inputs)
    found = [*(results if isinstance(results, tuple) else (results,)), *inputs]
    if learned:
        sum(t.abs().square().sum() for t in found).backward()
        found.append(leaf.grad)
    return found


# Dynamo looks whether an input has a gradient, which torch warns of where it is no leaf.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
@pytest.mark.parametrize("learned", [False, True])
@pytest.mark.parametrize("backend", [interpreted, "inductor_complex"])
@pytest.mark.parametrize("make", INPUTS)
@pytest.mark.parametrize("program", PROGRAMS)
def test_agrees_with_eager(program, make, backend, learned):
    want = outcome(program, make, learned)
    got = outcome(torch.compile(program, backend=backend, fullgraph=True), make, learned)
    for theirs, ours in zip(want, got, strict=True):
        torch.testing.assert_close(ours, theirs)
        assert (ours.is_conj(), ours.shape) == (theirs.is_conj(), theirs.shape)


def test_an_input_as_a_result_keeps_its_conj_bit():
    """AOTAutograd makes it anew where inputs are merged; Dynamo hands the input itself back."""

    def other_itself(z: Tensor, w: Tensor) -> list[Tensor]:
        z.mul_(2)
        return [w, w * 1j]

    inputs, others = (conjugates(torch.arange(4.0) * (1 - 0.5j)) for _ in range(2))
    want = other_itself(*inputs)
    got = rewritten(other_itself, list(others))(*others)
    for theirs, ours in zip(want, got, strict=True):
        torch.testing.assert_close(ours, theirs)
        assert ours.is_conj() == theirs.is_conj()


def views_of_two_values(a: Tensor, z: Tensor, w: Tensor) -> tuple[Tensor, ...]:
    twice, thrice = a * 2, a * 3 + w.sum()
    z.add_(1)
    return twice.mT, twice[0], thrice.mT, thrice[0]


@pytest.mark.parametrize("backend", [interpreted, "inductor_complex"])
def test_views_of_intermediate_values_are_not_exchanged(backend):
    a = torch.arange(9.0).reshape(3, 3) * (1 + 2j)
    a.requires_grad_()
    want = views_of_two_values(a, *later_rows(a.detach().clone()))
    compiled = torch.compile(views_of_two_values, backend=backend, fullgraph=True)
    got = compiled(a, *later_rows(a.detach().clone()))
    for theirs, ours in zip(want, got, strict=True):
        torch.testing.assert_close(ours, theirs)


def write_to_first(z: Tensor, w: Tensor) -> Tensor:
    z.mul_(2)
    return w + 1


def parted() -> tcs.ComplexTensor:
    return tcs.ComplexTensor.from_complex(torch.arange(9.0).reshape(3, 3) * (1 - 0.5j))


def subclass_and_rows() -> tuple[Tensor, Tensor]:
    z = parted()
    return z, z[1:]


def subclass_and_memory() -> tuple[Tensor, Tensor]:
    z = torch.arange(9.0).reshape(3, 3) * (1 - 0.5j)
    return z, tcs.ComplexTensor.from_complex(z)


def subclass_and_part() -> tuple[Tensor, Tensor]:
    z = parted()
    return z, z.imag


def plain_and_part() -> tuple[Tensor, Tensor]:
    z = torch.arange(9.0).reshape(3, 3) * (1 - 0.5j)
    return z, z.imag


UNMERGED = (subclass_and_rows, subclass_and_memory, subclass_and_part, plain_and_part)


@pytest.mark.parametrize("make", UNMERGED)
def test_says_what_cannot_be_merged(make):
    compiled = torch.compile(write_to_first, backend=interpreted, fullgraph=True)
    with pytest.raises(Unsupported, match="Pass one of them, and make the other of it inside"):
        compiled(*make())


# Dynamo warns of each break that a backend asks for.
@pytest.mark.filterwarnings("ignore:Backend compiler exception")
@pytest.mark.parametrize("make", UNMERGED)
def test_breaks_the_graph_where_inputs_cannot_be_merged(make):
    inputs, others = make(), make()
    want = write_to_first(*inputs)
    got = torch.compile(write_to_first, backend=interpreted)(*others)
    for theirs, ours in zip((want, *inputs), (got, *others), strict=True):
        torch.testing.assert_close(as_plain(ours), as_plain(theirs))


def as_plain(t: Tensor) -> Tensor:
    return t.to_complex() if isinstance(t, tcs.ComplexTensor) else t


def rows() -> tuple[Tensor, Tensor]:
    z = parted()
    return z[:1], z[1:]


def columns_in_turn() -> tuple[Tensor, Tensor]:
    z = tcs.ComplexTensor.from_complex(torch.arange(8.0).reshape(2, 4) * (1 - 0.5j))
    return z[:, ::2], z[:, 1::2]


@pytest.mark.parametrize("make", [rows, columns_in_turn])
def test_subclasses_apart_in_one_memory_are_compiled(make):
    inputs, others = make(), make()
    want = write_to_first(*inputs)
    got = torch.compile(write_to_first, backend=interpreted, fullgraph=True)(*others)
    torch.testing.assert_close(as_plain(got), as_plain(want))
    torch.testing.assert_close(as_plain(others[0]), as_plain(inputs[0]))


def test_eager_code_between_graphs_is_not_compiled():
    """A mask breaks the graph; Dynamo then sees the Python code of the subclass."""

    def chosen(z: Tensor) -> Tensor:
        return (z * 2)[z.abs() > 2] * 1j

    got = torch.compile(chosen, backend=interpreted)(parted())
    torch.testing.assert_close(as_plain(got), as_plain(chosen(parted())))
