"""Fourier transforms by device: what the interface promises, and that results are right."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

import torch_complex_subclass as tcs
from torch_complex_subclass import backend
from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.inductor_lowering import fft
from torch_complex_subclass.testing.compare import assert_compiles, assert_same

aten = torch.ops.aten
c64 = torch.complex64


@torch.library.custom_op("tests_fft::transform", mutates_args=())
def transform(z: Tensor, dims: Sequence[int], sign: int) -> Tensor:
    """Stands for the library of another device: unscaled, exponent of the given sign."""
    return torch.fft.fftn(z, dim=dims) if sign < 0 else torch.fft.ifftn(z, dim=dims, norm="forward")


@transform.register_fake
def _(z: Tensor, dims: Sequence[int], sign: int) -> Tensor:
    return torch.empty_like(z)


class OtherLibrary(fft.Transforms):
    """A third party's registration: one method, the other transforms stay torch's."""

    version = "1.0"

    def c2c(self, z: Tensor, dims: Sequence[int], normalization: int, forward: bool) -> Any:
        if normalization == 1:
            return NotImplemented
        result = torch.ops.tests_fft.transform(z, dims, -1 if forward else 1)
        points = 1
        for dim in dims:
            points *= z.shape[dim]
        return result * points ** fft.SCALES[normalization]


def code_of(fn: Callable[..., Any], *args: Any) -> str:
    from torch._inductor.utils import run_and_get_code

    torch._dynamo.reset()
    with tcs.enabled(), compat.without_caches():
        result, code = run_and_get_code(torch.compile(fn, fullgraph=True), *args)
    assert_same(result, fn(*args), rtol=1e-4, atol=1e-4)
    return "\n".join(code)


def there_and_back(z: Tensor) -> Tensor:
    return torch.fft.ifft2(torch.fft.fft2(z) * 2) + z


def test_a_third_party_registers_its_library() -> None:
    z = torch.randn(4, 6, 8, dtype=c64)
    with fft.registered("cpu", OtherLibrary()):
        code = code_of(there_and_back, z)
    assert len(re.findall(r"= torch\.ops\.tests_fft\.transform", code)) == 2
    assert "_fft_c2c" not in re.sub(r"#.*|cpp_fused\w*", "", code)
    assert "tests_fft" not in code_of(there_and_back, z)


def test_what_a_registration_leaves_out_stays_the_library_call() -> None:
    with fft.registered("cpu", OtherLibrary()):
        code = code_of(lambda z: torch.fft.fft(z, norm="ortho"), torch.randn(4, 8, dtype=c64))
    assert "torch._fft_c2c(" in code


def test_registration_is_part_of_the_identity_of_code() -> None:
    before = backend._graph_pass().uuid()
    with fft.registered("cpu", OtherLibrary()):
        registered = backend._graph_pass().uuid()
        assert ("cpu", f"{__name__}.OtherLibrary", "1.0") in registered[1]
    with fft.registered("other", OtherLibrary()):
        assert "other" in [device for device, *_ in fft.identity()]
    assert registered != before == backend._graph_pass().uuid()


@pytest.mark.parametrize(
    ("device", "transforms", "text"),
    [(3, fft.CPU, "device_type must be .* got 3"), ("cpu", OtherLibrary, "must be an object of")],
)
def test_bad_registrations_change_nothing(device: Any, transforms: Any, text: str) -> None:
    before = fft.identity()
    with pytest.raises(TypeError, match=text):
        fft.register(device, transforms)
    assert fft.identity() == before


LARGE = (4, 32, 8, 33)
"""Sizes of a tensor whose copies are spelled out."""


@pytest.mark.parametrize("normalization", fft.SCALES)
@pytest.mark.parametrize("forward", [False, True])
@pytest.mark.parametrize("dims", [[0], [1], [2], [0, 2], [2, 1], [1, 3], [0, 1, 3]], ids=str)
def test_copies_of_operands(dims: list[int], forward: bool, normalization: int) -> None:
    z = torch.randn(LARGE, dtype=c64)
    found = fft.CPU.c2c(z, dims, normalization, forward)
    exact = aten._fft_c2c.default(z, dims, normalization, forward)
    if found is NotImplemented:
        assert dims in ([0], [0, 1, 3])  # what is left is one batch
        return
    assert_same(found, exact, rtol=0, atol=1e-5 * exact.abs().max().item())


@pytest.mark.parametrize("normalization", fft.SCALES)
@pytest.mark.parametrize("last_size", [64, 65])
@pytest.mark.parametrize("dims", [[2, 3], [1, 2, 3], [0, 1, 2, 3]], ids=str)
def test_hermitian_transform_of_several_axes(
    dims: list[int], last_size: int, normalization: int
) -> None:
    z = torch.randn(LARGE, dtype=c64)
    found = fft.CPU.c2r(z, dims, normalization, last_size)
    exact = aten._fft_c2r.default(z, dims, normalization, last_size)
    assert_same(found, exact, rtol=0, atol=1e-5 * exact.abs().max().item())


@pytest.mark.parametrize(
    "z",
    [
        torch.randn(2, 3, 5, dtype=c64),
        torch.randn(LARGE, dtype=c64).mT,
        torch.randn(0, 32, 8, 33, dtype=c64),
    ],
    ids=["small", "not dense", "empty"],
)
def test_operands_that_stay_as_they_are(z: Tensor) -> None:
    assert fft.CPU.c2c(z, [1], 0, True) is NotImplemented
    assert fft.CPU.c2r(z, [z.dim() - 2, z.dim() - 1], 0, 8) is NotImplemented


SCALED = {
    "c2c": (torch.randn(4, 6, dtype=c64), aten._fft_c2c.default, True),
    "r2c": (torch.randn(4, 6), aten._fft_r2c.default, True),
    "c2r": (torch.randn(4, 6, dtype=c64), aten._fft_c2r.default, 10),
}


@pytest.mark.parametrize("dims", [[1], [0, 1]], ids=str)
@pytest.mark.parametrize("normalization", fft.SCALES)
@pytest.mark.parametrize("name", SCALED)
def test_scale_outside_the_library(name: str, normalization: int, dims: list[int]) -> None:
    z, op, last = SCALED[name]
    found = getattr(fft.ScalingTransforms(), name)(z, dims, normalization, last)
    assert (found is NotImplemented) == (normalization == 0)
    if normalization:
        assert_same(found, op(z, dims, normalization, last))


def test_scale_fuses_with_what_reads_the_result() -> None:
    with fft.registered("cpu", fft.ScalingTransforms()):
        code = code_of(lambda z: torch.fft.ifft(z).abs() + 1, torch.randn(4, 64, dtype=c64))
    assert "torch._fft_c2c(arg0_1, [1], 0, False)" in code
    assert code.count("cpp_fused") == 2  # defined and called


def test_scale_of_a_size_that_changes() -> None:
    with fft.registered("cpu", fft.ScalingTransforms()), tcs.enabled(), compat.without_caches():
        compiled = torch.compile(there_and_back, fullgraph=True, dynamic=True)
        for n in (6, 10):
            z = torch.randn(2, n, n + 2, dtype=c64)
            torch.testing.assert_close(compiled(z), there_and_back(z))


def middle_axis(z: Tensor, w: Tensor) -> Tensor:
    """A product that is transformed along an axis between others."""
    return torch.fft.fft(z * w, dim=-2).abs()


def real_round_trip(x: Tensor, w: Tensor) -> Tensor:
    return torch.fft.irfft2(torch.fft.rfft2(x) * w)


def test_copies_are_written_by_the_loop_before() -> None:
    z = torch.randn(LARGE, dtype=c64)
    assert_compiles(middle_axis, z, z, backend="inductor_complex", rtol=1e-4, atol=1e-3)
    assert code_of(middle_axis, z, z).count("cpp_fused") == 4


def test_real_transform_of_two_axes_and_its_gradient() -> None:
    x, w = torch.randn(4, 32, 8, 64), torch.randn(8, 33, dtype=c64)
    assert_compiles(real_round_trip, x, w, backend="inductor_complex", rtol=1e-4, atol=1e-3)
