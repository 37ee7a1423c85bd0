"""Mixed precision: what `tcs.autocast` computes in which dtype, its gradients, and its limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import torch_complex_subclass as tcs
from torch_complex_subclass import ComplexTensor, bcomplex32
from torch_complex_subclass.testing.interpret import interpreted

WIDE = torch.complex64


def matrix(*shape: int, dtype: torch.dtype = WIDE) -> Tensor:
    return torch.randn(shape or (4, 4), dtype=dtype)


def is_narrow(t: Tensor) -> bool:
    return tcs.dtype_of(t) is bcomplex32


def is_plain(t: Tensor, dtype: torch.dtype = WIDE) -> bool:
    return t.dtype == dtype and not isinstance(t, ComplexTensor)


PRODUCTS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "operator": lambda a, b: a @ b,
    "matmul": torch.matmul,
    "mm": torch.mm,
    "method": lambda a, b: a.mm(b),
    "mv": lambda a, b: torch.mv(a, b[0]),
    "bmm": lambda a, b: torch.bmm(a[None], b[None]),
    "addmm": lambda a, b: torch.addmm(a, a, b, beta=0.5, alpha=2),
    "baddbmm": lambda a, b: torch.baddbmm(a[None], a[None], b[None]),
    "linear": lambda a, b: F.linear(a, b, a[0]),
    "named": lambda a, b: F.linear(input=a, weight=b),
    "einsum": lambda a, b: torch.einsum("ij,kj->ki", a, b),
    "tensordot": lambda a, b: torch.tensordot(a, b, dims=1),
    "multi_dot": lambda a, b: torch.linalg.multi_dot([a, b, a]),
}

DELICATE: dict[str, Callable[[Tensor], Tensor]] = {
    "exp": torch.exp,
    "log": lambda z: z.log(),
    "power": lambda z: z**2,
    "abs": abs,
    "angle": torch.angle,
    "sum": lambda z: z.sum(0),
    "mean": torch.mean,
    "cumsum": lambda z: torch.cumsum(z, 0),
    "norm": torch.linalg.vector_norm,
    "normalize": F.normalize,
    "fft": torch.fft.fft,
    "irfft": lambda z: torch.fft.irfft(z),
    "det": torch.linalg.det,
    "loss": lambda z: F.l1_loss(z, z * 2),
}

MIXED: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "sum": lambda z, w: z + w,
    "reflected": lambda z, w: w - z,
    "real": lambda z, w: z * w.real,
    "cat": lambda z, w: torch.cat([w, z]),
    "where": lambda z, w: torch.where(w.real > 0, z, w),
}

OWN_DTYPE: dict[str, Callable[[Tensor], Tensor]] = {
    "sum": lambda z: z + z,
    "number": lambda z: z * 2j,
    "scalar tensor": lambda z: z * torch.tensor(2.0),
    "view": lambda z: z[1:].t().conj(),
    "shift": torch.fft.fftshift,
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_are_narrow(name: str) -> None:
    fn, a, b = PRODUCTS[name], matrix(), matrix()
    with tcs.autocast("cpu"):
        found = fn(a, b)
    assert is_narrow(found)
    torch.testing.assert_close(found.to_complex(), fn(a, b), rtol=0, atol=2**-4)


@pytest.mark.parametrize("name", DELICATE)
def test_delicate_functions_are_wide(name: str) -> None:
    """And plain: what follows them in the dtype of the model is none of our class."""
    narrow, fn = tcs.to_bcomplex32(matrix()), DELICATE[name]
    with tcs.autocast("cpu"):
        found = fn(narrow)
    wanted = fn(narrow.to_complex())
    assert is_plain(found, wanted.dtype)
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("name", MIXED)
def test_mixtures_are_wide(name: str) -> None:
    narrow, w = tcs.to_bcomplex32(matrix()), matrix()
    with tcs.autocast("cpu"):
        found = MIXED[name](narrow, w)
    assert is_plain(found)
    assert torch.equal(found, MIXED[name](narrow.to_complex(), w))


@pytest.mark.parametrize("name", OWN_DTYPE)
def test_other_functions_keep_the_dtype(name: str) -> None:
    with tcs.autocast("cpu"):
        assert is_narrow(OWN_DTYPE[name](tcs.to_bcomplex32(matrix())))
        assert is_plain(OWN_DTYPE[name](matrix()))


def test_writing_into_a_wide_tensor() -> None:
    narrow, out = tcs.to_bcomplex32(matrix()), matrix()
    wanted = narrow.to_complex() + narrow.to_complex()
    with tcs.autocast("cpu"):
        out[:] = narrow
        out += narrow
        narrow += wanted
    assert torch.equal(out, wanted)
    assert is_narrow(narrow)


def test_what_is_left_alone() -> None:
    """Real tensors, complex128, other devices, products into `out=`."""
    x, z = torch.randn(3, 3), matrix(3, 3)
    with tcs.autocast("cpu"):
        assert (x @ x).dtype == torch.float32
        assert is_plain(z.to(torch.complex128) @ z.to(torch.complex128), torch.complex128)
        assert is_plain(torch.mm(z, z, out=torch.empty_like(z)))
        assert is_plain(torch.empty_like(z, device="meta") @ torch.empty_like(z, device="meta"))
    assert is_plain(z @ z)


def test_nesting() -> None:
    z = matrix()
    with tcs.autocast("cpu"):
        with tcs.autocast("cpu", enabled=False):
            assert is_plain(z @ z)
            with tcs.autocast("cpu", dtype=bcomplex32):
                assert is_narrow(z @ z)
            assert is_plain(z @ z)
        assert is_narrow(z @ z)
        with tcs.autocast("cuda", enabled=False):
            assert is_narrow(z @ z)
    assert is_plain(z @ z)


def test_an_error_inside_ends_the_block() -> None:
    with pytest.raises(RuntimeError), tcs.autocast("cpu"):
        matrix(2, 3) @ matrix(2, 3)
    assert is_plain(matrix() @ matrix())


def test_beside_the_autocast_of_torch() -> None:
    """Each casts its own kind of tensor, whichever is the outer one."""
    x, z = torch.randn(3, 3), matrix(3, 3)
    for first, second in (
        (tcs.autocast("cpu"), torch.autocast("cpu")),
        (torch.autocast("cpu"), tcs.autocast("cpu")),
    ):
        with first, second:
            assert (x @ x).dtype == torch.bfloat16
            assert is_narrow(z @ z)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((torch.device("cpu"),), TypeError, "device_type must be a string"),
        (("abacus",), ValueError, "abacus"),
        (("meta",), ValueError, "no autocast for device_type 'meta'"),
        (("cpu", torch.bfloat16), ValueError, "use torch.autocast beside it"),
        (("cpu", "bcomplex32"), ValueError, "got bcomplex32"),
    ],
)
def test_bad_arguments(arguments: tuple[Any, ...], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text), tcs.autocast(*arguments):
        pass


class Layer(torch.nn.Module):
    """Every list of functions at work, with parameters in complex64."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(matrix(4, 4) / 2)
        self.bias = torch.nn.Parameter(matrix(4))
        self.conv = torch.nn.Conv1d(4, 4, 3, padding=1, dtype=WIDE)

    def forward(self, z: Tensor) -> Tensor:
        hidden = z + F.linear(z, self.weight, self.bias)
        spectrum = torch.zeros_like(hidden)
        spectrum[1:] = torch.einsum("ij,jk->ik", torch.fft.fft(hidden)[1:], self.weight)
        return (self.conv(spectrum.mT).real.square().mean() + spectrum.abs().mean()).float()


def step(layer: Layer, z: Tensor, run: Callable[[Tensor], Tensor]) -> list[Tensor]:
    layer.zero_grad()
    loss = run(z)
    loss.backward()
    return [loss.detach(), *(p.grad for p in layer.parameters() if p.grad is not None)]


@pytest.mark.parametrize("inside", [True, False], ids=["inside", "around"])
def test_compiled(inside: bool) -> None:
    """The context is traced, or was active when the function was called: eager's gradients."""
    layer, z = Layer(), matrix(8, 4)

    def run(z: Tensor) -> Tensor:
        with tcs.autocast("cpu"):
            return layer(z)

    compiled = torch.compile(run if inside else layer, fullgraph=True, backend=interpreted)
    wanted, exact = step(layer, z, run), step(layer, z, layer)
    with tcs.autocast("cpu", enabled=not inside):
        found = step(layer, z, compiled)
    for ours, eager, wide in zip(found, wanted, exact, strict=True):
        assert is_plain(ours, wide.dtype)
        assert not torch.equal(ours, wide)
        torch.testing.assert_close(ours, eager, rtol=0, atol=2**-6 * wide.abs().max().item())
        torch.testing.assert_close(ours, wide, rtol=0, atol=2**-5 * wide.abs().max().item())


def test_compiled_outside_and_inside() -> None:
    """Entering or leaving the block compiles again; the decorator is traced too."""
    w = matrix()

    @tcs.autocast("cpu")
    def decorated(z: Tensor) -> Tensor:
        with tcs.autocast("cpu", enabled=False):
            unchanged = z @ w
        return z @ w - unchanged

    compiled = torch.compile(lambda z: z @ w, fullgraph=True, backend=interpreted)
    z = matrix()
    assert is_plain(compiled(z))
    with tcs.autocast("cpu"):
        assert is_narrow(compiled(z))
    assert is_plain(compiled(z))
    difference = torch.compile(decorated, fullgraph=True, backend=interpreted)(z)
    assert is_plain(difference)
    assert 0 < difference.abs().max() < 2**-4


@pytest.mark.parametrize("inside", [True, False], ids=["inside", "around"])
def test_compiled_numbers_on_the_left(inside: bool) -> None:
    """Their operators are functions that torch wrapped in Python."""

    def reflected(z: Tensor, x: Tensor) -> list[Tensor]:
        return [1 - x, 1 / x, 2**x, 1 - z, 1 / z, 2**z, 1 - z @ z, 2 ** (z @ z)]

    def run(z: Tensor, x: Tensor) -> list[Tensor]:
        with tcs.autocast("cpu"):
            return reflected(z, x)

    compiled = torch.compile(run if inside else reflected, fullgraph=True, backend=interpreted)
    z, x = matrix() / 4, torch.rand(4) + 1
    with tcs.autocast("cpu", enabled=not inside):
        found = compiled(z, x)
    for ours, eager in zip(found, run(z, x), strict=True):
        assert tcs.dtype_of(ours) == tcs.dtype_of(eager)
        torch.testing.assert_close(ours.to(eager.dtype), eager, rtol=2**-6, atol=2**-6)


def test_compiled_after_a_batched_product_of_a_parameter() -> None:
    """Dynamo names the block of this product, and no part of it."""
    w, z = torch.nn.Parameter(matrix()), matrix(3, 4, 4)

    def run(w: Tensor) -> Tensor:
        with tcs.autocast("cpu"):
            return (w @ z).abs()

    ours = torch.compile(run, fullgraph=True, backend=interpreted)(w)
    assert ours.dtype == torch.float32
    torch.testing.assert_close(ours, run(w), rtol=2**-6, atol=2**-6)
    assert not torch.equal(ours, (w @ z).abs())


def test_optimizer_states_are_wide() -> None:
    layer, z = Layer(), matrix(8, 4)
    optimizer = torch.optim.Adam(layer.parameters(), lr=1e-2)
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        with tcs.autocast("cpu"):
            loss = layer(z)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2
    states = [t for s in optimizer.state.values() for t in s.values() if t.dim()]
    assert all(is_plain(t) for t in states)


@pytest.mark.slow
def test_generated_code() -> None:
    layer, z = Layer(), matrix(8, 4)

    def run(z: Tensor) -> Tensor:
        with tcs.autocast("cpu"):
            return layer(z)

    with tcs.enabled():
        found = step(layer, z, torch.compile(run, fullgraph=True))
    for ours, eager in zip(found, step(layer, z, run), strict=True):
        torch.testing.assert_close(ours, eager, rtol=0, atol=2**-6 * eager.abs().max().item())
