"""Elementwise ops on bcomplex32 in eager by compiled kernels: values, and which calls take one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

import torch_complex_subclass as tcs
from torch_complex_subclass import ComplexTensor, bcomplex32, eager_kernels, torch_compat
from torch_complex_subclass.testing.bcomplex32 import (
    UNARY,
    assert_same_bits,
    ordinary,
    random,
)

aten = torch.ops.aten


class Compilations:
    """Kernels made, and calls of them."""

    def __init__(self) -> None:
        self.made = 0
        self.called = 0


@pytest.fixture
def kernels(monkeypatch: pytest.MonkeyPatch) -> Iterator[Compilations]:
    """Switch kernels on, whose graphs are run as they are, without a compiler."""
    count = Compilations()

    def interpret(graph_module: Any, inputs: Any) -> Any:
        count.made += 1

        def run(memories: list[Tensor]) -> Any:
            count.called += 1
            return graph_module(*memories)

        return run

    monkeypatch.setattr(torch_compat, "compile_real_graph", interpret)
    monkeypatch.setattr(eager_kernels, "_KERNELS", eager_kernels._Kernels())
    with tcs.config.patch(eager_kernels=True):
        yield count


def planar(*shape: int) -> ComplexTensor:
    return ComplexTensor._wrap(*(torch.randn(shape).bfloat16() for _ in range(2)))


@pytest.mark.parametrize("name", UNARY)
def test_unary(kernels: Compilations, name: str) -> None:
    z, fn = random(5, 3), getattr(torch, name)
    assert_same_bits(fn(z), ordinary(fn, z))
    assert kernels.called == 1


BINARY: dict[str, Callable[..., Any]] = {
    "add": torch.add,
    "add, alpha": lambda z, w: torch.add(z, w, alpha=3),
    "addcdiv": lambda z, w: torch.addcdiv(z, w, z, value=0.5),
    "addcmul": lambda z, w: torch.addcmul(z, z, w, value=2),
    "div": torch.div,
    "eq": torch.eq,
    "lerp": lambda z, w: torch.lerp(z, w, 0.25),
    "logaddexp": torch.logaddexp,
    "mul": torch.mul,
    "ne": torch.ne,
    "pow": torch.pow,
    "rsub": lambda z, w: torch.rsub(z, w),
    "sub": torch.sub,
    "where": lambda z, w: torch.where(torch.arange(3) > 0, z, w),
    "xor": torch.logical_xor,
}

# Pairs of operands that lie in memory, or are broadcast, in all ways that differ.
LAYOUTS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "vectors": lambda: (random(3), random(3)),
    "matrices": lambda: (random(4, 3), random(4, 3)),
    "both transposed": lambda: (random(3, 4).t(), random(3, 4).t()),
    "one transposed": lambda: (random(3, 4).t(), random(4, 3)),
    "every other": lambda: (random(4, 6)[:, ::2], random(4, 3)),
    "parts apart": lambda: (planar(4, 3), random(4, 3)),
    "row": lambda: (random(4, 3), random(3)),
    "column": lambda: (random(4, 1), random(4, 3)),
    "row and column": lambda: (random(4, 1), random(1, 3)),
    "inner broadcast": lambda: (random(2, 4, 3), random(2, 1, 3)),
    "expanded": lambda: (random(3).expand(4, 3), random(4, 3)),
    "no dimensions": lambda: (random(4, 3), random()),
    "complex64": lambda: (random(4, 3), torch.randn(4, 3, dtype=torch.complex64)),
    "conj bit": lambda: (random(4, 3), torch.randn(4, 3, dtype=torch.complex64).conj()),
    "neg bit": lambda: (random(4, 3), torch.randn(4, 3, dtype=torch.complex64).conj().imag),
    "float32": lambda: (random(4, 3), torch.randn(3)),
    "bfloat16": lambda: (torch.randn(4, 3).bfloat16(), random(4, 3)),
    "int64": lambda: (random(4, 3), torch.arange(1, 4)),
    "complex128 without dimensions": lambda: (random(3), torch.tensor(1 / 3 + 1j).cdouble()),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(kernels: Compilations, layout: str) -> None:
    z, w = LAYOUTS[layout]()
    for fn in (torch.mul, torch.sub):
        assert_same_bits(fn(z, w), ordinary(fn, z, w))
    assert kernels.called == 2


@pytest.mark.parametrize("name", BINARY)
def test_binary(kernels: Compilations, name: str) -> None:
    for z, w in ((random(4, 3), random(4, 3)), (random(4, 3), random(3))):
        assert_same_bits(BINARY[name](z, w), ordinary(BINARY[name], z, w))
    assert kernels.called == 2


NUMBERS = [2, -1.5, 0.1, 1e40, float("nan"), float("inf"), -0.0, 2j, 0.1 - 3j]


@pytest.mark.parametrize("fn", [torch.add, torch.sub, torch.mul, torch.div, torch.rsub])
@pytest.mark.parametrize("number", NUMBERS, ids=str)
def test_numbers(kernels: Compilations, fn: Any, number: complex) -> None:
    z = random(7)
    assert_same_bits(fn(z, number), ordinary(fn, z, number))
    assert kernels.called == 1


class TestKernelsMade:
    def test_one_for_all_sizes(self, kernels: Compilations) -> None:
        for n in (2, 3, 7, 1000):
            random(n) * random(n)
            random(n, 3, 2) * random(n, 3, 2)
        assert (kernels.made, kernels.called) == (1, 8)

    def test_one_for_all_numbers(self, kernels: Compilations) -> None:
        for k in range(5):
            random(4) * (k + 0.5)
        assert (kernels.made, kernels.called) == (1, 5)

    def test_one_for_each_op_dtype_and_broadcast(self, kernels: Compilations) -> None:
        z = random(3, 4)
        calls: list[Callable[[], Any]] = [
            lambda: z * z,
            lambda: z + z,
            lambda: z * z.real,
            lambda: z * z.to(torch.complex64),
            lambda: z * z[0],
            lambda: z * z[:, :1],
            lambda: z**2,
            lambda: z**3,
        ]
        for call in calls * 2:
            call()
        assert (kernels.made, kernels.called) == (len(calls), 2 * len(calls))

    def test_signed_zeros_are_two_constants(self, kernels: Compilations) -> None:
        z = tcs.zeros(3, dtype=bcomplex32)
        for value in (0.0, -0.0):
            found = torch.addcmul(z, z, z, value=value)
            assert_same_bits(found, ordinary(lambda v: torch.addcmul(z, z, z, value=v), value))
        assert kernels.made == 2

    def test_no_more_than_the_most(
        self, kernels: Compilations, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(eager_kernels, "MOST_VARIANTS", 2)
        z = random(3)
        for exponent in (2, 3, 4, 2):
            assert_same_bits(z**exponent, ordinary(torch.pow, z, exponent))
        assert (kernels.made, kernels.called) == (2, 3)

    def test_rule_that_looks_numbers_up(self, kernels: Compilations) -> None:
        """Its table is a constant of the kernel, for operands of all sizes."""
        for size in (3, 1000):
            z = random(size)
            assert_same_bits(z.exp2(), ordinary(torch.exp2, z))
        assert (kernels.made, kernels.called) == (1, 2)

    def test_threads_share_one(self, kernels: Compilations) -> None:
        z, found = random(1000), []
        threads = [threading.Thread(target=lambda: found.append(z.exp())) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (kernels.made, kernels.called) == (1, 8)
        for result in found:
            assert_same_bits(result, ordinary(torch.exp, z))


class TestOrdinaryWay:
    """Calls that no kernel serves."""

    @pytest.mark.parametrize("shape", [(), (1,), (0,), (3, 0), (1, 1)])
    def test_fewer_than_two_elements(self, kernels: Compilations, shape: tuple[int, ...]) -> None:
        z = random(*shape)
        assert_same_bits(z * z, ordinary(torch.mul, z, z))
        assert kernels.made == 0

    def test_other_dtypes(self, kernels: Compilations) -> None:
        z = tcs.randn(3, dtype=torch.complex64)
        ComplexTensor.from_complex(z) * 2
        assert kernels.made == 0

    def test_bcomplex32_without_dimensions(self, kernels: Compilations) -> None:
        """It widens nothing, and numbers as operands of a kernel would."""
        z, x = random(), torch.randn(3)
        assert_same_bits(z * x, ordinary(torch.mul, z, x))
        assert kernels.made == 0

    def test_switched_off(self, kernels: Compilations) -> None:
        with tcs.config.patch(eager_kernels=False):
            random(3).exp()
        assert kernels.made == 0

    @pytest.mark.parametrize("fn", [torch.mul, torch.eq])
    def test_shapes_that_do_not_fit(self, kernels: Compilations, fn: Any) -> None:
        with pytest.raises(RuntimeError, match=r"size of tensor a \(3\) must match"):
            fn(random(3), random(4))

    def test_what_the_rule_refuses(self, kernels: Compilations) -> None:
        with pytest.raises(NotImplementedError, match="div_floor"):
            random(3).div(2, rounding_mode="floor")
        with pytest.raises(NotImplementedError, match="complex numbers have no order"):
            torch.lt(random(3), random(3))

    def test_fake_tensors(self, kernels: Compilations) -> None:
        with torch._subclasses.FakeTensorMode() as mode:
            z = mode.from_tensor(random(3))
            assert (z * z).shape == (3,)
        assert kernels.made == 0

    def test_compiled_code(self, kernels: Compilations) -> None:
        z = random(3)
        got = torch.compile(lambda z: z * z + 1, backend="aot_eager", fullgraph=True)(z)
        assert_same_bits(got, ordinary(lambda z: z * z + 1, z))
        assert kernels.made == 0


class TestAutograd:
    def test_gradients(self, kernels: Compilations) -> None:
        def gradients() -> tuple[Tensor, ...]:
            z, w = (t.detach().requires_grad_() for t in (a, b))
            value = ((z * w).exp() / (w + 2.5)).abs().sum()
            return torch.autograd.grad(value, (z, w))

        a, b = random(4, 3), random(3)
        for got, want in zip(gradients(), ordinary(gradients), strict=True):
            assert_same_bits(got, want)
        assert kernels.called > 8

    def test_in_place(self, kernels: Compilations) -> None:
        def change(z: Tensor) -> Tensor:
            z = z.clone()
            view = z[1:]
            view.mul_(2.5).add_(view)
            z.sqrt_()
            return z

        z = random(4, 3)
        assert_same_bits(change(z), ordinary(change, z))
        assert kernels.called == 3

    def test_in_place_gradient(self, kernels: Compilations) -> None:
        def gradient() -> Tensor:
            leaf = z.detach().requires_grad_()
            value = (leaf * 1.5).mul_(leaf).exp_().abs().sum()
            return torch.autograd.grad(value, leaf)[0]

        z = random(5)
        assert_same_bits(gradient(), ordinary(gradient))

    def test_results_are_viewed_without_a_copy(self, kernels: Compilations) -> None:
        z = random(3) * random(3)
        z.as_interleaved().zero_()
        assert not z.any()

    @pytest.mark.parametrize(
        "transform",
        [
            lambda f, z: torch.func.vmap(f)(z),
            lambda f, z: torch.func.grad(lambda z: f(z).abs().sum())(z),
            lambda f, z: torch.func.vjp(f, z)[1](z)[0],
            lambda f, z: torch.func.jvp(f, (z,), (z,))[1],
        ],
        ids=["vmap", "grad", "vjp", "jvp"],
    )
    def test_transforms(self, kernels: Compilations, transform: Any) -> None:
        def f(z: Tensor) -> Tensor:
            return (z * z).exp() + 1.5

        z = random(4, 3)
        assert_same_bits(transform(f, z), ordinary(transform, f, z))

    def test_inference_mode(self, kernels: Compilations) -> None:
        z = random(3)
        with torch.inference_mode():
            assert_same_bits(z * z, ordinary(torch.mul, z, z))
        assert kernels.called == 1


def test_failure_is_said_once(kernels: Compilations, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(graph_module: Any, inputs: Any) -> Any:
        raise OSError("no disk")

    monkeypatch.setattr(torch_compat, "compile_real_graph", fail)
    z = random(3)
    with pytest.warns(UserWarning, match=r"no eager kernel for aten.exp.*OSError: no disk"):
        assert_same_bits(z.exp(), ordinary(torch.exp, z))
    for fn in (torch.sin, torch.exp):  # a warning would be an error
        assert_same_bits(fn(z), ordinary(fn, z))
