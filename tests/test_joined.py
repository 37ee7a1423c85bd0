"""Joined values of traced ComplexTensors: their parts are taken before they are put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, fx

import torch_complex_subclass as tcs
from torch_complex_subclass import ComplexTensor, blocks, boundary_pass
from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.backend import enabled

aten = torch.ops.aten


def autocast(z: Tensor, w: Tensor) -> Tensor:
    with tcs.autocast("cpu"):
        return ((z @ w) * 2 @ w).abs()


PROGRAMS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "conversion": lambda z, w: (tcs.to_bcomplex32(z) * tcs.to_bcomplex32(w.mT)).to_complex(),
    "transposed": lambda z, w: tcs.to_bcomplex32(z.mT).mT.to_complex() * w.mT,
    "autocast": autocast,
}


def joins(graph: fx.Graph) -> list[fx.Node]:
    """What puts parts together to `(..., 2)`; operands of products are joined too, otherwise."""
    graph.eliminate_dead_code()
    targets = aten.cat.default, aten.select_scatter.default
    return [n for n in graph.nodes if n.target in targets and n.meta["val"].shape[-1] == 2]


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_copies_between_input_and_result(name: str) -> None:
    z, w = (torch.randn(s, dtype=torch.complex64, requires_grad=True) for s in ((6, 8), (8, 6)))
    fn = (lambda z, w: autocast(z, w @ z)) if name == "autocast" else PROGRAMS[name]
    found: list[fx.Node] = []

    def backend(gm: fx.GraphModule, inputs: Any) -> Any:
        def rewrite(graph: fx.Graph) -> None:
            blocks.mark_reads(graph)
            boundary_pass.rewrite(graph, compat.select_decompositions())
            found.extend(joins(graph))

        with enabled():
            return compat.interpret_with_aot(gm, inputs, rewrite)

    ours = torch.compile(fn, fullgraph=True, backend=backend)(z, w)
    wanted = fn(z, w)
    assert not isinstance(ours, ComplexTensor)
    torch.testing.assert_close(ours, wanted)
    gradients = [torch.autograd.grad(t.abs().sum(), (z, w)) for t in (ours, wanted)]
    torch.testing.assert_close(*gradients)
    assert not found


def test_a_wider_tensor_is_no_pair() -> None:
    def fn(t: Tensor, z: Tensor) -> Tensor:
        return t.select_scatter(t[:, 1] * 2, -1, 0)[:, 1] + z.abs()

    t, z = torch.randn(4, 3), torch.randn(4, dtype=torch.complex64)
    found = torch.compile(fn, fullgraph=True, backend="inductor_complex")(t, z)
    torch.testing.assert_close(found, fn(t, z))


def test_a_part_that_is_read_by_places_in_memory() -> None:
    def fn(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        both = torch.stack([x, y], -1)
        return torch.as_strided(both[..., 0], (3,), (2,), 1) * 2, torch.view_as_complex(both) * 2

    x, y = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([11.0, 12.0, 13.0])
    torch.testing.assert_close(torch.compile(fn, backend="inductor_complex")(x, y), fn(x, y))
