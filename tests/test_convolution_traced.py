"""Complex convolutions of few channels in a compiled graph: one real convolution for three."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, fx
from torch.utils.flop_counter import FlopCounterMode

import torch_complex_subclass as tcs
from torch_complex_subclass import convolution
from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.testing.compare import assert_compiles

aten = torch.ops.aten

Fn = Callable[..., Tensor]

# Function of input, weight and bias, and their shapes.
FEW: dict[str, tuple[Fn, list[tuple[int, ...]]]] = {
    "1d": (lambda *t: F.conv1d(*t, padding="same"), [(2, 3, 9), (4, 3, 3), (4,)]),
    "2d": (lambda *t: F.conv2d(*t, padding=1, stride=2), [(2, 3, 8, 7), (5, 3, 3, 2), (5,)]),
    "3d": (lambda *t: F.conv3d(*t, dilation=2), [(1, 2, 5, 5, 5), (3, 2, 2, 2, 2)]),
    "no batch": (F.conv1d, [(3, 9), (4, 3, 3), (4,)]),
    "few results": (F.conv1d, [(1, 60, 5), (8, 60, 3)]),
    "few results of a transposed one": (F.conv_transpose1d, [(1, 60, 5), (60, 8, 3)]),
    "transposed 1d": (F.conv_transpose1d, [(2, 3, 5), (3, 4, 3), (4,)]),
    "transposed 2d": (
        lambda *t: F.conv_transpose2d(*t, stride=2, output_padding=1),
        [(2, 4, 5, 5), (4, 3, 3, 3), (3,)],
    ),
    "transposed 3d": (F.conv_transpose3d, [(1, 2, 3, 3, 3), (2, 3, 2, 2, 2)]),
    "conjugate": (lambda z, w: F.conv2d(z.conj(), w.conj()), [(2, 3, 5, 5), (4, 3, 3, 3)]),
    "by name": (
        lambda z, w: F.conv2d(input=z, weight=w, bias=None, groups=1),
        [(2, 3, 5, 5), (4, 3, 3, 3)],
    ),
}

# These stay three real convolutions.
MANY: dict[str, tuple[Fn, list[tuple[int, ...]]]] = {
    "groups": (lambda *t: F.conv1d(*t, groups=2), [(2, 4, 6), (6, 2, 3), (6,)]),
    "groups by position": (
        lambda z, w: F.conv1d(z, w, None, 2, 1, 1, 2),
        [(2, 4, 6), (6, 2, 3)],
    ),
    "many channels": (F.conv1d, [(1, 12, 5), (12, 12, 3)]),
    "few results of very many": (F.conv1d, [(1, 80, 5), (8, 80, 3)]),
    "many results of a transposed one": (F.conv_transpose1d, [(1, 8, 5), (8, 60, 3)]),
    "channels innermost in 1d": (lambda z, w: F.conv1d(z, w.mT), [(2, 3, 9), (4, 3, 3)]),
}

ALL = {**FEW, **MANY}


def counting(counts: list[int]) -> Callable[..., Any]:
    """Make a backend that runs graphs as traced and counts their real convolutions."""

    def count(graph: fx.Graph) -> None:
        calls = graph.find_nodes(op="call_function", target=aten.convolution.default)
        counts.append(len(calls))

    def backend(gm: fx.GraphModule, inputs: Any) -> Any:
        return compat.interpret_with_aot(gm, inputs, count)

    return backend


def operands(shapes: list[tuple[int, ...]], dtype: torch.dtype) -> list[Tensor]:
    return [torch.randn(shape, dtype=dtype) for shape in shapes]


@pytest.mark.parametrize("name", ALL)
def test_values_and_gradients(name: str) -> None:
    fn, shapes = ALL[name]
    counts: list[int] = []
    with tcs.enabled():
        tensors = operands(shapes, torch.complex128)
        assert_compiles(fn, *tensors, backend=counting(counts), rtol=1e-12, atol=1e-12)
    assert set(counts) == {1 if name in FEW else 3}


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex32])
def test_layout(dtype: torch.dtype) -> None:
    """Channels lie innermost where they do in the input, and results have its dtype."""
    z, w = operands([(2, 3, 6, 6), (4, 3, 3, 3)], torch.complex64)
    z, w = z.contiguous(memory_format=torch.channels_last).to(dtype), w.to(dtype)
    counts: list[int] = []
    with tcs.enabled():
        tolerance = 2**-7 if dtype == torch.complex32 else 1e-4
        backend = counting(counts)
        gradient = dtype == torch.complex64  # eager has none for complex32
        assert_compiles(
            F.conv2d, z, w, backend=backend, gradient=gradient, rtol=tolerance, atol=tolerance
        )
    assert set(counts) == {1}


def test_small_imaginary_parts() -> None:
    """Each part has its own error: sums of both parts would round at the size of the larger."""
    z, w = (t.real + 1e-5j * t.imag for t in operands([(1, 4, 64), (4, 4, 3)], torch.complex64))
    with tcs.enabled():
        found = torch.compile(F.conv1d, fullgraph=True, backend=counting([]))(z, w).imag
    exact = F.conv1d(z.to(torch.complex128), w.to(torch.complex128)).imag
    largest = exact.abs().max().item()
    torch.testing.assert_close(found.double(), exact, rtol=0, atol=2**-20 * largest)
    assert (F.conv1d(z, w).imag - exact).abs().max() > 2**-15 * largest


def test_generated_code() -> None:
    def net(z: Tensor, first: Tensor, second: Tensor) -> Tensor:
        z = F.conv2d(z, first, padding=1)
        return F.conv2d(z * z.abs(), second, stride=2)

    shapes = [(2, 1, 8, 8), (4, 1, 3, 3), (3, 4, 3, 3)]
    with tcs.enabled(), compat.without_caches():
        assert_compiles(
            net, *operands(shapes, torch.complex64), backend="inductor", rtol=1e-4, atol=1e-4
        )


@pytest.mark.parametrize(
    "shapes",
    [
        [(1, 3, 8, 8), (2, 4, 3, 3)],
        [(8,), (2, 4, 3, 3)],
        [(1, 3, 8, 8), (2, 3)],
        [(1, 3, 8, 8), (2, 3, 3, 3), (3,)],
        [(1, 3, 2, 2), (2, 3, 3, 3)],
        [(1, 3, 8, 8, 8), (2, 3, 3, 3, 3)],
    ],
)
def test_wrong_shapes(shapes: list[tuple[int, ...]]) -> None:
    """Errors are those of stock torch.compile, with the sizes that the program has."""
    tensors = operands(shapes, torch.complex64)
    messages = []
    for scope in (contextlib.nullcontext, tcs.enabled):
        torch._dynamo.reset()
        with scope(), pytest.raises(RuntimeError) as raised:
            torch.compile(F.conv2d, fullgraph=True, backend=counting([]))(*tensors)
        messages.append(str(raised.value))
    assert messages[0] == messages[1]


@pytest.mark.parametrize("dtype", [torch.float32, torch.complex128])
def test_two_dtypes(dtype: torch.dtype) -> None:
    z, w = torch.randn(1, 2, 5, dtype=torch.complex64), torch.randn(2, 2, 3, dtype=dtype)
    with tcs.enabled(), pytest.raises(RuntimeError, match="should be the same"):
        torch.compile(F.conv1d, fullgraph=True, backend=counting([]))(z, w)


def test_symbolic_lengths() -> None:
    counts: list[int] = []
    z, w = operands([(2, 3, 9), (4, 3, 3)], torch.complex64)
    with tcs.enabled():
        compiled = torch.compile(F.conv1d, fullgraph=True, backend=counting(counts))
        torch._dynamo.mark_dynamic(z, 0)
        torch._dynamo.mark_dynamic(z, 2)
        torch.testing.assert_close(compiled(z, w), F.conv1d(z, w))
        longer = z.repeat(2, 1, 3)
        torch.testing.assert_close(compiled(longer, w), F.conv1d(longer, w))
    assert counts == [1]


def counts_of_unknown(unknown: str) -> list[int] | None:
    """Compile a convolution one of whose sizes has no value yet; None where torch refuses it."""
    counts: list[int] = []
    z, w, bias = operands([(2, 16, 9), (16, 16, 3), (16,)], torch.complex64)
    torch._dynamo.decorators.mark_unbacked(*((z, 1) if unknown == "channels" else (bias, 0)))
    try:
        found = torch.compile(F.conv1d, fullgraph=True, backend=counting(counts))(z, w, bias)
    except torch._dynamo.exc.UserError:
        return None
    torch.testing.assert_close(found, F.conv1d(z, w, bias))
    return counts


@pytest.mark.parametrize("unknown", ["channels", "results"])
def test_unknown_channels(unknown: str) -> None:
    """They are not asked for their size; torch 2.11 itself does."""
    stock = counts_of_unknown(unknown)
    torch._dynamo.reset()
    with tcs.enabled():
        assert counts_of_unknown(unknown) == stock


def test_other_devices() -> None:
    """Only CPUs were measured."""
    counts: list[int] = []
    fn, shapes = FEW["2d"]
    tensors = [t.to("meta") for t in operands(shapes, torch.complex64)]
    with tcs.enabled():
        found = torch.compile(fn, fullgraph=True, backend=counting(counts))(*tensors)
    assert found.shape == fn(*tensors).shape
    assert counts == [3]


def test_eager_programs() -> None:
    """A mode that looks into an op in an eager program sees what torch makes of it."""
    z, w = operands([(2, 3, 9), (4, 3, 3)], torch.complex64)

    def operations() -> int:
        with torch.inference_mode(), FlopCounterMode(display=False) as counter:
            F.conv1d(z, w)
        return counter.get_total_flops()

    stock = operations()
    with tcs.enabled():
        assert operations() == stock


def test_complex_tensors() -> None:
    """Torch takes those of the subclass apart, of any precision."""
    z, w = (tcs.to_bcomplex32(t) for t in operands([(1, 2, 6), (2, 2, 3)], torch.complex64))
    with tcs.enabled():
        found = torch.compile(F.conv1d, fullgraph=True, backend="aot_eager")(z, w)
    assert torch.equal(found, F.conv1d(z, w))


def test_disabling_restores_the_ops() -> None:
    before = {op: dict(op.py_kernels) for op in convolution.TRACED}
    with tcs.enabled(), tcs.enabled():
        assert all(op.py_kernels != before[op] for op in before)
    assert {op: op.py_kernels for op in before} == before
    counts: list[int] = []
    tensors = operands(FEW["1d"][1], torch.complex64)
    assert_compiles(FEW["1d"][0], *tensors, backend=counting(counts), rtol=1e-4, atol=1e-4)
    assert set(counts) == {3}


COMPOSITE = torch._C.DispatchKey.CompositeImplicitAutograd


def test_what_others_put_there_before() -> None:
    """It is called where the convolution stays torch's, and is there again afterwards."""
    calls: list[tuple[int, ...]] = []

    def others(z: Tensor, *rest: Any) -> Tensor:
        calls.append(tuple(z.shape))
        result: Tensor = aten.conv1d.default._op_dk(COMPOSITE, z, *rest)
        return result

    kernels = aten.conv1d.default.py_kernels
    aten.conv1d.default.py_impl(COMPOSITE)(others)
    try:
        z, w = torch.randn(2, 3, 9), torch.randn(4, 3, 3)
        with tcs.enabled():
            assert_compiles(F.conv1d, z, w, backend="aot_eager", rtol=1e-6, atol=1e-6)
        assert set(calls) == {(2, 3, 9)}
        assert kernels == {COMPOSITE: others}
    finally:
        del kernels[COMPOSITE]
        aten.conv1d.default._dispatch_cache.clear()


def test_what_others_put_there_since() -> None:
    kernels = aten.conv1d.default.py_kernels
    try:
        with tcs.enabled():
            kernels[COMPOSITE] = print
        assert kernels == {COMPOSITE: print}
    finally:
        del kernels[COMPOSITE]
