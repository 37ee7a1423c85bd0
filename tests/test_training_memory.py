"""What a compiled training step holds at its peak, in complex64 and under `tcs.autocast`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, fx, nn
from torch._dynamo.backends.common import aot_autograd

import torch_complex_subclass as tcs
from torch_complex_subclass.bench.memory import peak_bytes
from torch_complex_subclass.decompositions import expanded

aten = torch.ops.aten


class Residual(nn.Module):
    """Layers z + linear(z)."""

    def __init__(self, depth: int, width: int) -> None:
        super().__init__()
        layers = (nn.Linear(width, width, dtype=torch.complex64) for _ in range(depth))
        self.layers = nn.ModuleList(layers)

    def forward(self, z: Tensor) -> Tensor:
        for layer in self.layers:
            z = z + layer(z)
        return z


def peak(net: nn.Module, z: Tensor, narrow: bool) -> int:
    """Bytes that forward, loss and backward hold at most."""

    @torch.compile(fullgraph=True)
    def loss() -> Tensor:
        with tcs.autocast("cpu", enabled=narrow):
            return net(z).abs().square().mean()

    def step() -> Tensor:
        net.zero_grad()
        value = loss()
        value.backward()
        return value

    torch._dynamo.reset()
    with tcs.enabled():
        return peak_bytes(step, torch.device("cpu"))


@pytest.mark.slow
def test_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    """Autocast holds at least 35 % less, where weights are small beside what is saved."""
    monkeypatch.setattr(expanded, "multiplies_bfloat16", lambda device: True)
    torch.manual_seed(0)
    net, z = Residual(12, 64), torch.randn(4096, 64, dtype=torch.complex64)
    assert peak(net, z, narrow=True) <= 0.65 * peak(net, z, narrow=False)


def joined(fn: Callable[..., Any], *tensors: Tensor) -> list[int]:
    """Numbers in each tensor that the graph of `fn` puts together for its products."""
    found: list[int] = []

    def note(gm: fx.GraphModule, inputs: object) -> fx.GraphModule:
        products = [n for n in gm.graph.nodes if n.target in (aten.mm.default, aten.bmm.default)]
        assert products
        copies = [n for n in gm.graph.nodes if n.target is aten.cat.default]
        found.extend(n.meta["val"].numel() for n in copies if n.meta["val"].shape[-1] != 2)
        return gm

    torch._dynamo.reset()
    torch.compile(fn, fullgraph=True, backend=aot_autograd(fw_compiler=note))(*tensors)
    return sorted(found)


@pytest.mark.parametrize(("n", "m"), [(50, 6), (6, 50)])
def test_the_larger_operand_is_joined_once(n: int, m: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expanded, "multiplies_bfloat16", lambda device: True)
    a = tcs.to_bcomplex32(torch.randn(n, 10, dtype=torch.complex64))
    b = tcs.to_bcomplex32(torch.randn(10, m, dtype=torch.complex64))
    assert joined(lambda a, b: a @ b, a, b) == [2 * 10 * 6] * 2 + [2 * 10 * 50]
