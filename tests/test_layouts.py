"""ComplexTensors at the edge of compiled code: as one block of both parts, or as parts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import torch_complex_subclass as tcs
from torch_complex_subclass import ComplexTensor, layouts
from torch_complex_subclass.testing.interpret import interpreted


def interleaved() -> ComplexTensor:
    t = torch.randn(4, 6, 2, dtype=torch.bfloat16)
    return ComplexTensor.from_interleaved(t).detach()  # type: ignore[return-value]


def planar() -> ComplexTensor:
    return ComplexTensor(*torch.randn(2, 4, 6, dtype=torch.bfloat16))


def apart() -> ComplexTensor:
    result = interleaved() * 2
    assert isinstance(result, ComplexTensor)
    return result


MAKE: dict[str, tuple[Callable[[], ComplexTensor], str]] = {
    "interleaved": (interleaved, layouts.BLOCK),
    "planar": (planar, layouts.BLOCK),
    "view": (lambda: interleaved()[1:].mT, layouts.PARTS),  # type: ignore[dict-item,return-value]
    "detached view": (lambda: interleaved()[1:].mT.detach(), layouts.BLOCK),  # type: ignore[dict-item,return-value]
    "apart": (apart, layouts.PARTS),
}


@pytest.mark.parametrize("name", MAKE)
def test_layout(name: str) -> None:
    make, layout = MAKE[name]
    z = make()
    names, context = z.__tensor_flatten__()
    assert context == layout
    inner = {name: getattr(z, name) for name in names}
    back = ComplexTensor.__tensor_unflatten__(inner, context, z.shape, z.stride())
    assert back.stride() == z.stride()
    z.mul_(2j)
    assert torch.equal(back.to_complex(), z.to_complex())


@pytest.mark.parametrize("layout", [layouts.BLOCK, layouts.PARTS])
@pytest.mark.parametrize("name", MAKE)
def test_gradient_takes_the_layout_that_compiled_code_expects(name: str, layout: str) -> None:
    z = MAKE[name][0]()
    found = z.__coerce_same_metadata_as_tangent__(layout)
    assert layouts.layout_of(found) == layout
    assert torch.equal(found.to_complex(), z.to_complex())
    assert z.__coerce_same_metadata_as_tangent__(layout, Tensor) is None


def mutate(z: Tensor, w: Tensor) -> Tensor:
    z.mul_(w)
    z[1:].add_(1j)
    return z.abs()


PROGRAMS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "arithmetic": lambda z, w: (z * w + 1j) * w.conj(),
    "mutation": mutate,
    "view": lambda z, w: z[1:],
    "modulus": lambda z, w: (z * w).abs(),
    "wide and back": lambda z, w: tcs.to_bcomplex32(z.to_complex() * 2) * w,
    "part": lambda z, w: (z * w).real,
}


@pytest.mark.parametrize("backend", ["aot_eager", interpreted], ids=["traced", "rewritten"])
@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("name", MAKE)
def test_compiled(name: str, program: str, backend: str) -> None:
    fn, make = PROGRAMS[program], MAKE[name][0]
    operands = [make(), make()]
    copies = [z.clone() for z in operands]
    for copy, z in zip(copies, operands, strict=True):
        assert copy is not z
    wanted = fn(*copies)
    found = torch.compile(fn, fullgraph=True, backend=backend)(*operands)
    assert type(found) is type(wanted)
    assert tcs.dtype_of(found) == tcs.dtype_of(wanted)
    for one, other in [(found, wanted), *zip(operands, copies, strict=True)]:
        assert torch.equal(plain(one), plain(other))


def plain(t: Tensor) -> Tensor:
    return t.to_complex() if isinstance(t, ComplexTensor) else t


@pytest.mark.parametrize("name", ["interleaved", "apart"])
@pytest.mark.parametrize("incoming", ["interleaved", "planar", "apart"])
def test_incoming_gradient_in_any_layout(name: str, incoming: str) -> None:
    def fn(z: Tensor) -> Tensor:
        return z * z

    z, grad = MAKE[name][0]().requires_grad_(), MAKE[incoming][0]()
    found = torch.compile(fn, fullgraph=True, backend="aot_eager")(z)
    (ours,) = torch.autograd.grad(found, z, grad)
    (wanted,) = torch.autograd.grad(fn(z), z, grad)
    assert torch.equal(plain(ours), plain(wanted))
