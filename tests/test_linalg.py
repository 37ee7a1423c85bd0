"""Products of matrices and vectors, and library calls, against eager."""

from typing import Any

import pytest
import torch
from torch import Tensor

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.decompositions import linalg
from torch_complex_subclass.decompositions.registry import Pair
from torch_complex_subclass.testing.compare import assert_compiles
from torch_complex_subclass.testing.eager import assert_matches, each_dtype, random

aten = torch.ops.aten
c64 = torch.complex64
c128 = torch.complex128

PRODUCTS = [
    (aten.mm.default, (2, 3), (3, 4)),
    (aten.mm.default, (5, 3), (3, 4)),
    (aten.mm.default, (2, 0), (0, 4)),
    (aten.bmm.default, (2, 2, 3), (2, 3, 4)),
    (aten.mv.default, (2, 3), (3,)),
    (aten.dot.default, (3,), (3,)),
    (aten.vdot.default, (3,), (3,)),
    (aten.dot.default, (0,), (0,)),
]
SUMS = [
    (aten.addmm.default, (2, 4), (2, 3), (3, 4)),
    (aten.addmm.default, (4,), (5, 3), (3, 4)),
    (aten.baddbmm.default, (2, 2, 4), (2, 2, 3), (2, 3, 4)),
    (aten.addmv.default, (2,), (2, 3), (3,)),
    (aten.addr.default, (2, 3), (2,), (3,)),
]


@pytest.mark.parametrize(("op", "left", "right"), PRODUCTS, ids=str)
@each_dtype
def test_product(op, left, right, dtype):
    assert_matches(op, random(left, dtype), random(right, dtype))


@pytest.mark.parametrize(("op", "start", "left", "right"), SUMS, ids=str)
@pytest.mark.parametrize("factors", [(1, 1), (0.5, 2), (2j, 1 - 1j), (0, 1)], ids=str)
@pytest.mark.parametrize("dtype", [c64, c128], ids=str)
def test_sum_of_products(op, start, left, right, factors, dtype):
    beta, alpha = factors
    operands = (random(shape, dtype) for shape in (start, left, right))
    assert_matches(op, *operands, beta=beta, alpha=alpha)


def test_beta_zero_does_not_read_its_operand():
    nan = torch.full((2, 2), complex("nan"))
    a, b = random((2, 3), torch.complex64), random((3, 2), torch.complex64)
    assert_matches(aten.addmm.default, nan, a, b, beta=0)


@pytest.mark.parametrize("equation", ["ij,jk->ik", "ij,ij->", "ij,jk->ki", "ij,kl->jl"])
def test_einsum(equation):
    z = random((3, 3), torch.complex64)
    assert_matches(lambda a, b: torch.einsum(equation, a, b), z, z.mH)


@pytest.mark.parametrize(
    "f",
    [torch.linalg.inv, torch.linalg.pinv, torch.linalg.svdvals, torch.linalg.det,
     torch.linalg.eigvals, torch.matrix_exp, torch.fft.fft, torch.fft.ifft2],
    ids=lambda f: f.__name__,
)  # fmt: skip
@pytest.mark.parametrize("dtype", [c64, c128], ids=str)
def test_library_call(f, dtype):
    assert_matches(f, random((4, 4), dtype))


def test_kernel_of_kernels_keeps_its_conjugations():
    """Torch excludes the conj key inside __torch_dispatch__; pinv then returned another matrix."""
    z = random((4, 3), c128)
    inverse = assert_matches(torch.linalg.pinv, z).to_complex()
    torch.testing.assert_close(inverse @ z, torch.eye(3, dtype=c128))


# ---------------------------------------------------------------- products that are written out


def gate(state: Tensor, u: Tensor) -> Tensor:
    """A gate on the middle qubit, and its neighbours fused into it."""
    turned = torch.einsum("ab,xby->xay", u, state.view(4, u.shape[0], -1) * 1j)
    return turned.reshape(-1).abs()


@pytest.mark.parametrize("size", [2, 4])
def test_gate_fuses_with_what_is_around(size: int) -> None:
    operands = (torch.randn(4 * size * 16, dtype=c64), torch.randn(size, size, dtype=c64))
    with compat.counted_kernels() as counted, torch.no_grad():
        torch.compile(gate, fullgraph=True, backend="inductor_complex")(*operands)
    assert not counted.fallbacks
    assert counted.kernels == 1


@pytest.mark.parametrize("left", [c64, torch.float32], ids=str)
@pytest.mark.parametrize("right", [c64, torch.float32], ids=str)
@pytest.mark.parametrize(
    "sizes",
    [
        *((3, 1, 20), (3, 2, 20), (3, 4, 20)),
        *((1, 7, 5), (5, 7, 1), (1, 7, 1), (1, 3, 20)),
        (2, 1024, 2),
    ],
)
def test_products_written_out(sizes: Any, left: torch.dtype, right: torch.dtype) -> None:
    rows, count, columns = sizes
    a, b = torch.randn(rows, count, dtype=left), torch.randn(count, columns, dtype=right)
    pairs = [Pair(z.real, z.imag) if z.is_complex() else z for z in (a, b)]
    if not isinstance(pairs[0], Pair) and not isinstance(pairs[1], Pair):
        pairs[0] = Pair(a, torch.zeros_like(a))
    want = (a.to(c128) @ b.to(c128)).to(c64)
    got = torch.complex(*linalg.mm(*pairs))
    torch.testing.assert_close(got, want, rtol=1e-5, atol=2e-7 * count)
    assert linalg.is_written_out(a, b)


def test_kernel_of_a_state_space_is_not_stored() -> None:
    """Only the real part is computed, in the loop that computes its factors."""

    def kernel(c: Tensor, a: Tensor, times: Tensor) -> Tensor:
        return torch.einsum("hn,hnl->hl", c, torch.exp(a[..., None] * times)).real

    operands = (torch.randn(3, 8, dtype=c64), torch.randn(3, 8, dtype=c64), torch.arange(40.0))
    assert_compiles(
        kernel, *operands, backend="inductor_complex", dynamic=False, rtol=1e-5, atol=1e-5
    )
    with compat.counted_kernels() as counted, torch.no_grad():
        torch.compile(kernel, fullgraph=True, backend="inductor_complex")(*operands)
    assert not counted.fallbacks
    assert counted.kernels <= 2


def mixed_modes(z: Tensor, weight: Tensor) -> Tensor:
    """Weights of a Fourier neural operator on a few modes; the product is a batch over modes."""
    return torch.einsum("bixy,ioxy->boxy", z[:, :, :4, :6], weight) * 2


def test_many_small_products_of_matrices_side_by_side() -> None:
    operands = torch.randn(2, 3, 8, 9, dtype=c64), torch.randn(3, 5, 4, 6, dtype=c64)
    assert_compiles(mixed_modes, *operands, backend="inductor_complex", rtol=1e-5, atol=1e-5)
    with compat.counted_kernels() as counted, torch.no_grad():
        torch.compile(mixed_modes, fullgraph=True, backend="inductor_complex")(*operands)
    assert not counted.fallbacks


@pytest.mark.parametrize("left", [c64, torch.float32], ids=str)
def test_batch_that_lies_side_by_side_is_written_out(left: torch.dtype) -> None:
    a = torch.randn(20, 3, 4, dtype=left)
    b = torch.randn(4, 5, 20, dtype=c64).permute(2, 0, 1)
    assert linalg.is_written_out(a, b)
    got = linalg.bmm(Pair(a.real, a.imag) if a.is_complex() else a, Pair(b.real, b.imag))
    torch.testing.assert_close(torch.complex(*got), a.to(c64) @ b)
    assert got.re.permute(1, 2, 0).is_contiguous()


@pytest.mark.parametrize(
    "b",
    [
        torch.empty(20, 4, 5),
        torch.empty(4, 5, 8).permute(2, 0, 1),
        torch.empty(64, 65, 20).permute(2, 0, 1),
    ],
    ids=["one after the other", "few", "large"],
)
def test_batches_left_to_the_library(b: Tensor) -> None:
    assert not linalg.is_written_out(torch.empty(b.shape[0], 4, b.shape[1]), b)


@pytest.mark.parametrize("size", [5, 6])
def test_columns_are_left_to_the_library(size: int) -> None:
    """From 2**7 products on, where the other factor lies side by side."""
    by_side = torch.empty(size, size, 20).permute(2, 0, 1)
    columns = torch.empty(20, size, size).mT
    is_small = size**3 <= 2**7
    assert linalg.is_written_out(by_side, columns) == is_small
    assert linalg.is_written_out(columns, by_side) == is_small
    assert linalg.is_written_out(by_side, columns.contiguous())


def test_gradient_of_a_gate_is_written_out() -> None:
    """One sum for each of the four elements, in the loops that compute both factors."""

    def energy(state: Tensor, gate: Tensor) -> Tensor:
        return torch.einsum("ij,ajb->aib", gate, state).abs().square().sum()

    state, gate = torch.randn(32, 2, 64, dtype=c64), torch.randn(2, 2, dtype=c64)
    compiled = torch.compile(energy, fullgraph=True, backend="inductor_complex", dynamic=False)
    leaf = gate.clone().requires_grad_()
    with compat.counted_kernels() as counted:
        compiled(state, leaf).backward()
    assert not counted.fallbacks
    (want,) = torch.autograd.grad(energy(state.to(c128), g := gate.to(c128).requires_grad_()), g)
    torch.testing.assert_close(leaf.grad, want.to(c64))


@pytest.mark.parametrize(
    ("left", "right"),
    [((3, 2, 1100), (3, 1100, 2)), ((1, 2, 2), (1, 2, 20))],
    ids=["long sums", "gate"],
)
def test_batched_products_written_out(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    a, b = torch.randn(left, dtype=c64), torch.randn(right, dtype=c64)
    assert linalg.is_written_out(a, b)
    got = torch.complex(*linalg.bmm(Pair(a.real, a.imag), Pair(b.real, b.imag)))
    torch.testing.assert_close(got, (a.to(c128) @ b.to(c128)).to(c64), rtol=1e-5, atol=2e-4)


@pytest.mark.parametrize(
    "shapes",
    [
        *(((3, 5), (5, 20)), ((5, 3), (3, 20)), ((2, 2), (2, 2))),
        *(((2, 1023), (1023, 2)), ((3, 2048), (2048, 3))),
        *(((2, 2), (2, 4)), ((2, 4), (4, 2))),
    ],
)
def test_products_left_to_the_library(shapes: Any) -> None:
    assert not linalg.is_written_out(*(torch.empty(shape) for shape in shapes))


def test_empty_sum_is_zero() -> None:
    a, b = torch.empty(2, 0, dtype=c64), torch.empty(0, 20, dtype=c64)
    got = linalg.mm(Pair(a.real, a.imag), Pair(b.real, b.imag))
    assert (torch.complex(*got) == torch.zeros(2, 20, dtype=c64)).all()
