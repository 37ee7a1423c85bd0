"""What compiled code saves of its inputs, and what it returns as their gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._inductor.utils import run_fw_bw_and_get_code

import torch_complex_subclass as tcs

c64 = torch.complex64


def learned(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=c64).requires_grad_()


def compiled(fn: Callable[..., Any]) -> Callable[..., Any]:
    torch.compiler.reset()
    return torch.compile(fn, fullgraph=True, dynamic=False)


def saved_by(result: Tensor) -> list[Tensor]:
    return list(result.grad_fn.saved_tensors)  # type: ignore[union-attr]


def places_of(*tensors: Tensor) -> set[int]:
    return {t.data_ptr() for t in tensors}


def assert_same_gradients(fn: Callable[..., Tensor], *inputs: Tensor) -> None:
    with tcs.enabled():
        got = torch.autograd.grad(compiled(fn)(*inputs).abs().sum(), inputs)
    want = torch.autograd.grad(fn(*inputs).abs().sum(), inputs)
    torch.testing.assert_close(got, want)


def assert_a_write_is_noticed(fn: Callable[..., Tensor], written: int) -> None:
    inputs = learned(6), learned(6)
    with tcs.enabled():
        result = compiled(fn)(*inputs).abs().sum()
        with torch.no_grad():
            inputs[written].mul_(2)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            result.backward()


def product(a: Tensor, b: Tensor) -> Tensor:
    return a * b.conj()


def product_and_matrix_product(a: Tensor, b: Tensor) -> Tensor:
    return (a @ b) * a.exp() * b


def view_of_an_input(a: Tensor, b: Tensor) -> Tensor:
    return torch.view_as_real(a).sum() * a * b


PROGRAMS = [product, product_and_matrix_product, view_of_an_input]


@pytest.mark.parametrize("fn", PROGRAMS, ids=lambda fn: fn.__name__)
def test_inputs_are_saved_themselves(fn: Callable[..., Tensor]) -> None:
    a, b = learned(4, 4), learned(4, 4)
    with tcs.enabled():
        saved = saved_by(compiled(fn)(a, b))
    assert {id(a), id(b)} <= {id(t) for t in saved}
    assert places_of(a, b).isdisjoint(places_of(*(t for t in saved if not t.is_complex())))
    assert_same_gradients(fn, a, b)


def test_no_view_of_an_input_is_made() -> None:
    with tcs.enabled():
        fn = compiled(lambda a, b: product(a, b).abs().sum())
        _, codes = run_fw_bw_and_get_code(lambda: fn(learned(8), learned(8)))
    assert len(codes) == 2
    assert not any("view_as_real" in code for code in codes)


def test_an_input_returned_as_real_is_a_view_of_it() -> None:
    def fn(z: Tensor) -> tuple[Tensor, Tensor]:
        return torch.view_as_real(z), z.exp()

    z = learned(5)
    with tcs.enabled():
        shown, exponential = compiled(fn)(z)
    assert shown.data_ptr() == z.data_ptr()
    assert shown.dtype == torch.float32
    torch.testing.assert_close(exponential, z.exp())


def test_a_view_and_a_permuted_input() -> None:
    base = torch.randn(3, 8, dtype=c64)
    for z in (base[:, ::2].detach(), base.mT.detach(), base[1].detach()):
        assert_same_gradients(product, z.requires_grad_(), learned(*z.shape))


def test_a_write_between_forward_and_backward_is_noticed() -> None:
    assert_a_write_is_noticed(product, 0)


def test_hooks_for_saved_tensors_get_the_input() -> None:
    a, b = learned(6), learned(6)
    packed: list[Tensor] = []

    def pack(t: Tensor) -> Tensor:
        packed.append(t)
        return t.clone()

    with tcs.enabled():
        fn = compiled(product)
        fn(a, b)
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
            result = fn(a, b)
        got = torch.autograd.grad(result.abs().sum(), (a, b))
    assert places_of(*packed) >= places_of(a, b)
    torch.testing.assert_close(got, torch.autograd.grad(product(a, b).abs().sum(), (a, b)))


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
def test_writes_are_noticed_though_another_input_is_kept_unchecked() -> None:
    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
            ctx.a = a  # kept without a check for writes
            ctx.save_for_backward(b)
            return a * b

        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
            (b,) = ctx.saved_tensors
            return grad * b.conj(), grad * ctx.a.conj()

    def fn(a: Tensor, b: Tensor) -> Tensor:
        return Product.apply(a, b)  # type: ignore[no-untyped-call, no-any-return]

    assert_same_gradients(fn, learned(4), learned(4))
    assert_a_write_is_noticed(fn, 1)


def test_hooks_that_are_graphs() -> None:
    """Torch finds both ends of a saved tensor by its name."""
    pack = torch.fx.symbolic_trace(lambda t: t * 1)
    unpack = torch.fx.symbolic_trace(lambda t: t * 1)
    a, b = learned(4, 4), learned(4, 4)
    with tcs.enabled(), torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        got = torch.autograd.grad(compiled(product)(a, b).abs().sum(), (a, b))
    torch.testing.assert_close(got, torch.autograd.grad(product(a, b).abs().sum(), (a, b)))


def test_an_input_is_saved_once() -> None:
    """Where the product saves it as complex, and its exponential as real numbers."""

    def fn(a: Tensor, b: Tensor) -> Tensor:
        return (a @ b) * b.exp()

    a, b = learned(40, 40), learned(40, 40)
    with tcs.enabled():
        saved = saved_by(compiled(fn)(a, b))
    assert sum(t is b for t in saved) <= 1
    assert_same_gradients(fn, a, b)


def test_sizes_without_a_value() -> None:
    fn = torch.compile(product, fullgraph=True, dynamic=True)
    torch.compiler.reset()
    with tcs.enabled():
        for n in (5, 9):
            a, b = learned(n), learned(n)
            got = torch.autograd.grad(fn(a, b).abs().sum(), (a, b))
            want = torch.autograd.grad(product(a, b).abs().sum(), (a, b))
            torch.testing.assert_close(got, want)


CONJUGATES: dict[str, Callable[[Tensor], Tensor]] = {
    "in a product": lambda z: product(z.exp(), z),
    "of a matrix product": lambda z: z.conj() @ z,
    "transposed": lambda z: z.mH * 2,
    "of a slice": lambda z: z[:2].conj() * 1j,
}


@pytest.mark.parametrize("name", CONJUGATES)
def test_gradients_have_no_conj_bit(name: str) -> None:
    fn = CONJUGATES[name]
    z = learned(4, 4)
    with tcs.enabled():
        (got,) = torch.autograd.grad(compiled(fn)(z).abs().sum(), z)
    (want,) = torch.autograd.grad(fn(z).abs().sum(), z)
    assert not got.is_conj()
    torch.testing.assert_close(got, want)


def test_one_gradient_of_two_inputs_is_added_to_once() -> None:
    a, b = learned(4), learned(4)
    with tcs.enabled():
        fn = compiled(lambda a, b: (a + b).conj() * 2j)
        for _ in range(2):
            fn(a, b).abs().sum().backward()
    got = a.grad, b.grad
    want = torch.autograd.grad(2 * ((a + b).conj() * 2j).abs().sum(), (a, b))
    torch.testing.assert_close(got, want)


def test_one_gradient_of_two_inputs_in_columns_is_added_to_once() -> None:
    a, b = (torch.randn(3, 4, dtype=c64).mT.requires_grad_() for _ in range(2))

    def fn(a: Tensor, b: Tensor) -> Tensor:
        return (a + b.view(4, 3)) * 2j

    with tcs.enabled():
        run = compiled(fn)
        for _ in range(2):
            run(a, b).abs().sum().backward()
    want = torch.autograd.grad(2 * fn(a, b).abs().sum(), (a, b))
    torch.testing.assert_close((a.grad, b.grad), want)


def test_a_gradient_that_comes_with_the_conj_bit() -> None:
    z = learned(4)
    with tcs.enabled():
        (compiled(lambda t: t + 1)(z).conj() * 2j).abs().sum().backward()
    assert z.grad is not None
    assert not z.grad.is_conj()
    torch.testing.assert_close((z.grad,), torch.autograd.grad(((z + 1).conj() * 2j).abs().sum(), z))


def test_an_optimizer_takes_the_gradient_of_a_conjugate() -> None:
    """Adam reads gradients as real numbers; of eager's, which has the conj bit, it cannot."""
    z = learned(4)
    with tcs.enabled():
        compiled(lambda t: (t.conj() * 2j).abs().sum())(z).backward()
    before = z.detach().clone()
    torch.optim.Adam([z]).step()
    assert not torch.equal(before, z)
