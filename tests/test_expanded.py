"""Products of bcomplex32 by real products of bfloat16: rounded once, whatever the layout."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch._dynamo.backends.common import aot_autograd

import torch_complex_subclass as tcs
from torch_complex_subclass import ComplexTensor, bcomplex32
from torch_complex_subclass.decompositions import expanded

aten = torch.ops.aten
EXACT = torch.complex128


def matrix(*shape: int) -> ComplexTensor:
    return tcs.to_bcomplex32(torch.randn(shape, dtype=torch.complex64))


def real(z: Tensor) -> Tensor:
    """The real part; as a complex tensor where torch multiplies these by no others."""
    return z.real if isinstance(z, ComplexTensor) else z.real.to(z.dtype)


PRODUCTS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "mm": lambda a, b, z: a @ b,
    "by columns": lambda a, b, z: b.mT @ a.mH,
    "one by columns": lambda a, b, z: a.mH.mT.conj() @ b.mT.contiguous().mT,
    "left by columns": lambda a, b, z: a.mH @ z,
    "batch by columns": lambda a, b, z: a.expand(2, -1, -1).mH @ z.expand(2, -1, -1),
    "sliced": lambda a, b, z: a[:, ::2] @ b[::2],
    "real": lambda a, b, z: a @ real(b),
    "real left": lambda a, b, z: real(a) @ b,
    "bmm": lambda a, b, z: torch.bmm(a.expand(3, -1, -1), b.unflatten(-1, (3, -1)).movedim(1, 0)),
    "addmm": lambda a, b, z: torch.addmm(z, a, b, beta=0.5, alpha=2),
    "row": lambda a, b, z: torch.addmm(z[0], a, b),
    "column": lambda a, b, z: torch.addmm(z[:, :1], a, b),
    "number": lambda a, b, z: torch.addmm(z[0, 0], a, b),
    "baddbmm": lambda a, b, z: torch.baddbmm(z[None], a[None], b[None], alpha=0.5),
    "complex factor": lambda a, b, z: torch.addmm(z, a, b, beta=2j),
}


def operands() -> tuple[ComplexTensor, ComplexTensor, ComplexTensor]:
    return matrix(24, 40), matrix(40, 36), matrix(24, 36)


def exactly(t: ComplexTensor) -> Tensor:
    return t.to_complex().to(EXACT)


@pytest.mark.parametrize("fast", [True, False], ids=["expanded", "in float32"])
@pytest.mark.parametrize("name", PRODUCTS)
def test_is_rounded_once(name: str, fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within half a bfloat16 ulp of each part, and what float32 sums are off."""
    monkeypatch.setattr(expanded, "multiplies_bfloat16", lambda device: fast)
    found = PRODUCTS[name](*(tensors := operands()))
    wanted = PRODUCTS[name](*map(exactly, tensors))
    assert tcs.dtype_of(found) is bcomplex32
    for ours, exact in zip((found.real, found.imag), (wanted.real, wanted.imag), strict=True):
        error = (ours.double() - exact).abs()
        slack = 2**-20 * wanted.abs().max()
        assert (error <= 2**-8 * exact.abs() + slack).all()


def test_products_are_real_and_narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the device has units for it, the graph holds no product of float32."""
    monkeypatch.setattr(expanded, "multiplies_bfloat16", lambda device: True)
    targets = []

    def note(gm: torch.fx.GraphModule, inputs: object) -> torch.fx.GraphModule:
        targets.extend(n for n in gm.graph.nodes if n.target in (aten.mm.default, aten.bmm.default))
        return gm

    a, b, _ = operands()
    torch.compile(lambda a, b: a @ b, fullgraph=True, backend=aot_autograd(fw_compiler=note))(a, b)
    assert [n.meta["val"].dtype for n in targets] == [torch.bfloat16] * 2
    assert [tuple(n.meta["val"].shape) for n in targets] == [(24, 36)] * 2
