"""Gradients of bcomplex32, and bcomplex32 under torch.compile."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import torch_complex_subclass as tcs
from torch_complex_subclass import ComplexTensor, bcomplex32

WIDE = torch.complex64
FIXED = torch.randn(3, 3, dtype=WIDE, generator=torch.Generator().manual_seed(1))


def matrix() -> ComplexTensor:
    return tcs.to_bcomplex32(torch.randn(3, 3, dtype=WIDE))


def assert_close(found: Any, wanted: Any, ulps: float = 2) -> None:
    """Agreement within `ulps` of bfloat16, relative to the largest element."""
    assert tcs.dtype_of(found) == tcs.dtype_of(wanted)
    found, wanted = (
        (t.to_complex() if isinstance(t, ComplexTensor) else t).detach() for t in (found, wanted)
    )
    torch.testing.assert_close(found, wanted, rtol=0, atol=ulps * 2**-8 * wanted.abs().max().item())


LOSSES = {
    "abs": lambda z: z.abs().sum(),
    "real": lambda z: z.real.square().sum(),
    "imag of a product": lambda z: (z * z).imag.square().sum(),
    "interleaved": lambda z: z.as_interleaved().square().sum(),
    "expanded": lambda z: z.real.sum() + z[0].expand(3, 3).imag.sum(),
    "plain": lambda z: (z * 2).to_complex().abs().sum(),
    "wider operand": lambda z: (z * FIXED).abs().sum(),
    "wider operand of a result": lambda z: ((z + z) @ FIXED).abs().sum(),
    "wider real operand": lambda z: (z * FIXED.real).abs().sum(),
    "complex64": lambda z: z.exp().to(WIDE).abs().sum(),
    "complex64 by torch": lambda z: torch.real(z.exp().to(WIDE)).sum(),
    "there and back": lambda z: (z.to(torch.complex128) * 3).to(bcomplex32).abs().sum(),
    "product": lambda z: (z @ z.mH).abs().sum(),
    "fft": lambda z: torch.fft.fft(z).abs().sum(),
    "solve": lambda z: torch.linalg.solve(z, FIXED).abs().sum(),
    "norm": lambda z: torch.linalg.vector_norm(z),
    "in place": lambda z: (z * 1).mul_(2j).add_(z).abs().sum(),
    "into a part": lambda z: into_a_part(z).abs().sum(),
    "parts": lambda z: ComplexTensor.from_parts(z.imag, z.real * 2).abs().sum(),
}


def into_a_part(z: Tensor) -> Tensor:
    w = z * 1
    w.real.mul_(3)
    return w


@pytest.mark.parametrize("name", LOSSES)
def test_gradient(name: str) -> None:
    """That of complex64 but for roundings; in the dtype of the leaf."""
    loss, z = LOSSES[name], matrix().requires_grad_()
    wide = ComplexTensor.from_complex(z.detach().to_complex()).requires_grad_()
    (found,) = torch.autograd.grad(loss(z), z)
    (wanted,) = torch.autograd.grad(loss(wide).to(torch.float32), wide)
    assert isinstance(found, ComplexTensor)
    assert tcs.dtype_of(found) is bcomplex32
    wanted = wanted if isinstance(wanted, ComplexTensor) else ComplexTensor.from_complex(wanted)
    assert_close(found, wanted.to(bcomplex32), ulps=8)


def test_gradient_has_the_range_of_float32() -> None:
    """It is far beyond complex32, in a mixed product and in a conversion."""
    z = matrix().requires_grad_()
    for loss in ((z * 1) * (FIXED * 1e20), (z * 1).to(WIDE) * 1e20):
        (grad,) = torch.autograd.grad(loss.abs().sum(), z)
        assert tcs.dtype_of(grad) is bcomplex32
        assert grad.abs().isfinite().all()
        assert grad.abs().max() > 1e19


def test_gradients_of_mixed_leaves() -> None:
    """Each leaf gets its own dtype, float16 parts too."""
    z, w = matrix().requires_grad_(), FIXED.clone().requires_grad_()
    h = ComplexTensor(FIXED.real.half(), FIXED.imag.half()).requires_grad_()
    x = torch.ones(3, 3, dtype=torch.bfloat16, requires_grad=True)
    ((z * w).abs().sum() + (h * FIXED).abs().sum() + (z * x).abs().sum()).backward()
    for leaf in (z, w, h, x):
        assert tcs.dtype_of(leaf.grad) == tcs.dtype_of(leaf)
    assert h.grad.real.dtype == torch.float16


@pytest.mark.parametrize(
    "pick",
    [torch.trace, lambda z: z.put(torch.tensor([1, 4]), z[0, :2])],
    ids=["trace", "put"],
)
def test_gradient_whose_formula_makes_a_tensor(pick: Any) -> None:
    """Torch makes it by the dtype it sees, complex32, which would overflow."""
    z = matrix().requires_grad_()
    wide = ComplexTensor.from_complex(z.detach().to_complex()).requires_grad_()
    (found,) = torch.autograd.grad((pick(z) * 1e20).abs().sum(), z)
    (wanted,) = torch.autograd.grad((pick(wide) * 1e20).abs().sum(), wide)
    assert tcs.dtype_of(found) is bcomplex32
    assert_close(found, wanted.to(bcomplex32), ulps=8)


def test_half_parts_keep_their_gradients() -> None:
    """Also where they are no leaf, or plain, and meet a ComplexTensor."""
    h = ComplexTensor(FIXED.real.half(), FIXED.imag.half()).requires_grad_()
    plain = FIXED.to(torch.complex32).requires_grad_()
    wide = ComplexTensor.from_complex(FIXED)
    (((h * h) * wide).abs().sum() + (plain * wide).abs().sum()).backward()
    for leaf in (h, plain):
        assert tcs.dtype_of(leaf.grad) == torch.complex32


def test_gradient_of_the_conversion() -> None:
    for leaf in (FIXED.clone(), FIXED.to(torch.complex128)):
        leaf.requires_grad_()
        tcs.to_bcomplex32(leaf).abs().sum().backward()
        assert leaf.grad.dtype == leaf.dtype
        assert_close(leaf.grad.to(WIDE), leaf.detach().sgn().to(WIDE))


def test_second_order() -> None:
    z = matrix().requires_grad_()
    for loss in (z.abs().square().sum(), z.real.pow(3).sum() + (z * FIXED).imag.square().sum()):
        (first,) = torch.autograd.grad(loss, z, create_graph=True)
        (second,) = torch.autograd.grad(first.abs().square().sum(), z)
        assert tcs.dtype_of(second) is bcomplex32
        assert second.abs().max() > 0


def test_forward_mode() -> None:
    z, tangent = matrix(), matrix()
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(z, tangent)
        for fn in (lambda v: v * v, lambda v: v.to_complex(), lambda v: v.real):
            result, derivative = torch.autograd.forward_ad.unpack_dual(fn(dual))
            assert tcs.dtype_of(derivative) == tcs.dtype_of(result)
        assert_close(torch.autograd.forward_ad.unpack_dual(dual * dual).tangent, 2 * z * tangent)


@pytest.mark.parametrize(
    "loss",
    [lambda z: (z * FIXED).abs().sum(), lambda z: (z * z * (FIXED * 1e20)).abs().sum()],
    ids=["leaf", "result"],
)
def test_functional_gradient(loss: Any) -> None:
    z = matrix()
    found = torch.func.grad(loss)(z)
    assert tcs.dtype_of(found) is bcomplex32
    leaf = z.detach().requires_grad_()
    assert_close(found, torch.autograd.grad(loss(leaf), leaf)[0])


def test_vmap() -> None:
    z = matrix()
    assert torch.equal(torch.vmap(lambda v: v * v.conj())(z), z * z.conj())


PROGRAMS = {
    "chain": lambda z, w: (z * w + 1j).exp() * 2.5 - w,
    "matmul": lambda z, w: z @ w + z,
    "modulus": lambda z, w: (z * w).abs(),
    "part": lambda z, w: (z * w).real,
    "widen": lambda z, w: z.to(WIDE) * w,
    "narrow": lambda z, w: (z.to(WIDE) * w).to(bcomplex32),
    "mixed": lambda z, w: (z * FIXED).sum(0) + w[0],
    "in place": lambda z, w: (z * 1).mul_(w),
    "view": lambda z, w: (z * w)[1:].t(),
    "ask": lambda z, w: z * 2 if tcs.dtype_of(w) is bcomplex32 else z,
    "create": lambda z, w: z + tcs.zeros_like(w) + tcs.full((3, 3), 1j, dtype=bcomplex32),
    "fft": lambda z, w: torch.fft.fft(z * w),
}


def loss_of(result: Tensor) -> Tensor:
    return (result.to_complex() if isinstance(result, ComplexTensor) else result).abs().sum()


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("grad", [False, True], ids=["forward", "backward"])
def test_traced(name: str, grad: bool) -> None:
    """The graph that AOTAutograd makes gives what eager does, rounding by rounding."""
    program, z, w = PROGRAMS[name], matrix().requires_grad_(grad), matrix().requires_grad_(grad)
    wanted = program(z, w)
    found = torch.compile(program, fullgraph=True, backend="aot_eager")(z, w)
    assert type(found) is type(wanted)
    assert_close(found, wanted, ulps=0)
    if grad:
        pairs = zip(*(torch.autograd.grad(loss_of(r), (z, w), allow_unused=True)
                      for r in (found, wanted)), strict=True)  # fmt: skip
        for one, other in pairs:
            assert (one is None) == (other is None)
            if other is not None:
                assert_close(one, other, ulps=0)


@pytest.mark.filterwarnings("ignore:ComplexTensor does not implement _stable_hash_for_caching")
class TestGeneratedCode:
    @pytest.mark.parametrize("name", ["chain", "matmul", "narrow", "mixed"])
    def test_program(self, name: str) -> None:
        program, z, w = PROGRAMS[name], matrix(), matrix()
        with tcs.enabled():
            found = torch.compile(program, fullgraph=True)(z, w)
        assert_close(found, program(z, w))

    def test_parameter_and_gradient(self) -> None:
        class Layer(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.weight = torch.nn.Parameter(matrix())

            def forward(self, z: Tensor) -> Tensor:
                return (z @ self.weight).abs().square().sum()

        layer, z = Layer(), matrix()
        with tcs.enabled():
            loss = torch.compile(layer, fullgraph=True)(z)
            loss.backward()
        (wanted,) = torch.autograd.grad(layer(z), layer.weight)
        assert tcs.dtype_of(layer.weight.grad) is bcomplex32
        assert_close(layer.weight.grad, wanted, ulps=4)

    def test_mutated_input(self) -> None:
        def program(z: Tensor, w: Tensor) -> Tensor:
            z.mul_(w)
            return z + 1

        (z, w), other = (matrix(), matrix()), None
        other = z.clone()
        with tcs.enabled():
            found = torch.compile(program, fullgraph=True)(z, w)
        assert_close(found, program(other, w))
        assert_close(z, other)
