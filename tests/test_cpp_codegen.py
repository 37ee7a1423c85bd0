"""Vector access to interleaved memory in generated C++: where it applies, and that it is right."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import torch_complex_subclass as tcs
from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.bench.cases import CASES
from torch_complex_subclass.inductor_lowering import accumulators
from torch_complex_subclass.testing.compare import assert_compiles
from torch_complex_subclass.testing.generated import generated_code
from torch_complex_subclass.testing.ulp import ulp_error


def is_vectorised() -> bool:
    from torch._inductor import cpu_vec_isa

    return bool(cpu_vec_isa.pick_vec_isa())


def is_avx512() -> bool:
    from torch._inductor import cpu_vec_isa

    return isinstance(cpu_vec_isa.pick_vec_isa(), cpu_vec_isa.VecAVX512)


def test_chain_of_ten_ops_is_one_kernel_and_two_backward() -> None:
    args = [torch.randn(4096, dtype=torch.complex64, requires_grad=True) for _ in range(3)]
    with tcs.enabled():
        compiled = torch.compile(CASES["arithmetic"].fn, fullgraph=True)
        with torch.no_grad(), compat.counted_kernels() as inference:
            compiled(*args)
        with compat.counted_kernels() as forward:
            out = compiled(*args)
        with compat.counted_kernels() as backward:
            torch.autograd.grad(out, args, torch.ones_like(out))
    assert (inference.kernels, forward.kernels) == (1, 1)
    assert backward.kernels <= 2
    assert not inference.fallbacks + forward.fallbacks + backward.fallbacks


def test_both_parts_are_read_and_written_by_whole_vectors() -> None:
    code = generated_code(
        lambda a, b: a * b, *(torch.randn(64, dtype=torch.complex64) for _ in "ab")
    )
    assert code.count("deinterleave2(") == (2 if is_vectorised() else 0)
    assert code.count("at::vec::interleave2(") == is_vectorised()
    assert "tmpbuf" not in code


def test_a_real_program_keeps_its_code() -> None:
    from torch._inductor.utils import run_and_get_code

    def fn(x: Tensor) -> Tensor:
        return x[..., 0] * 2 + x[..., 1]

    x = torch.randn(64, 2)
    with compat.without_caches():
        _, stock = run_and_get_code(torch.compile(fn), x)
    torch._dynamo.reset()
    ours = generated_code(fn, x)
    kernels = [text.split("def call")[0].split("cpp_pybinding")[1] for text in (stock[0], ours)]
    assert kernels[0] == kernels[1]


def mixed(a: Tensor, b: Tensor) -> tuple[Tensor, ...]:
    turned = (a.mT * 2 + b.mT,) if a.dim() > 1 else ()
    return (
        *turned,
        (a * b.conj() + 1j).exp(),
        a.imag * 2 + b.real,
        a + b.real,
        (a * b).sum(-1),
        (a.abs() ** 2).sum(),
    )


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=str)
@pytest.mark.parametrize("shape", [(1,), (7,), (16,), (33,), (3, 40), (40, 3), (5, 6, 7)], ids=str)
def test_every_length_of_tail(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    a, b = (torch.randn(shape, dtype=dtype) for _ in "ab")
    assert_compiles(
        mixed, a, b, backend="inductor_complex", dynamic=False, gradient=False, rtol=2e-5, atol=1e-4
    )


def test_tails_are_read_and_written_by_parts_of_vectors() -> None:
    code = generated_code(
        lambda a, b: a * b, *(torch.randn(39, dtype=torch.complex64) for _ in "ab")
    )
    turned = generated_code(
        lambda a, b: a + b.mT, *(torch.randn(17, 17, dtype=torch.complex64) for _ in "ab")
    )
    assert "tmpbuf" not in code + turned
    assert ("loadu(in_ptr0 + static_cast<int64_t>(2L*x0) + 16, 0)" in code) == is_avx512()


def parts_of_rows(a: Tensor, b: Tensor) -> tuple[Tensor, ...]:
    changed = a * 2
    changed[..., 1:-2] = b[..., 1:-2] * a[..., 3:]
    return changed, F.pad(a * b, (2, 3)) + 1, torch.cat((a, b * 2), -1) * 1j


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=str)
@pytest.mark.parametrize("shape", [(3, 8), (2, 41)], ids=str)
def test_parts_of_rows_under_a_mask(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    a, b = (torch.randn(shape, dtype=dtype) for _ in "ab")
    assert_compiles(parts_of_rows, a, b, backend="inductor_complex", dynamic=False, gradient=False)


def test_masked_loads_are_of_vectors() -> None:
    code = generated_code(parts_of_rows, *(torch.randn(2, 64, dtype=torch.complex64) for _ in "ab"))
    assert "tmpbuf" not in code


def all_but_the_first_negated(x: Tensor, y: Tensor) -> Tensor:
    x[..., 1:].neg_()
    return (x * y).sum(-1)


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=str)
def test_a_slice_written_into_shares_the_loads_of_the_whole(dtype: torch.dtype) -> None:
    x, y = (torch.randn(5, 24, dtype=dtype) for _ in "xy")
    code = generated_code(all_but_the_first_negated, x.clone(), y)
    assert "all_zero" not in code
    # A padded operand has no memory behind the lanes that its mask leaves out.
    padded = generated_code(lambda x: F.pad(x, (2, 3)) * 2, x)
    assert ("all_zero" in padded) == is_vectorised()
    given = x.clone()
    compiled = torch.compile(all_but_the_first_negated, backend="inductor_complex", dynamic=False)
    found = compiled(given, y)
    torch.testing.assert_close(found, all_but_the_first_negated(x, y))
    assert torch.equal(given, x)


def test_long_sums_stay_in_registers() -> None:
    code = generated_code(lambda z: (z.abs() ** 2).sum(), torch.randn(2**17, dtype=torch.complex64))
    assert ("noexcept" in code) == is_vectorised()
    assert "sqrt" not in code


def test_a_loop_that_checks_an_index_may_throw() -> None:
    def gathered(z: Tensor, index: Tensor) -> Tensor:
        return (z[index].abs() ** 2).sum()

    z, index = torch.randn(2**17, dtype=torch.complex64), torch.arange(2**17)
    assert "noexcept" not in generated_code(gathered, z, index)
    assert not accumulators.may_throw("auto tmp0 = tmp1 * tmp2;")
    assert accumulators.may_throw('TORCH_CHECK((tmp1 < 8L), "index out of bounds");')
    index[-1] = 2**17
    with pytest.raises((IndexError, RuntimeError), match="out of bounds"):
        torch.compile(gathered, backend="inductor_complex")(z, index)


def test_a_rolled_operand_is_read_by_whole_vectors() -> None:
    code = generated_code(
        lambda a, b: torch.fft.fftshift(a, dim=-1) * b,
        *(torch.randn(4, 64, dtype=torch.complex64) for _ in "ab"),
    )
    assert ("auto address" in code) == is_vectorised()
    assert "tmpbuf" not in code


def turned_around(a: Tensor, b: Tensor) -> tuple[Tensor, ...]:
    """Transposed operands, and results that are stored transposed."""
    return (
        a + b.mT.conj() * 2,
        (b.mT * (1 + 2j)).contiguous(),
        (a.mT.abs() + b.imag).sum(),
        a.mT.contiguous().mul(b).mT.contiguous(),
    )


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=str)
@pytest.mark.parametrize("shape", [(16, 16), (32, 48), (17, 33), (2, 40, 16), (3, 5)], ids=str)
def test_transposed_tiles(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    a, b = torch.randn(shape, dtype=dtype), torch.randn(shape, dtype=dtype).mT.contiguous()
    assert_compiles(turned_around, a, b, backend="inductor_complex", dynamic=False, gradient=False)


@pytest.mark.parametrize("fn", [lambda a, b: a + b.mT, lambda a, b: (b.mT * 2j).contiguous()])
def test_transposed_tiles_are_moved_by_pairs(fn: Callable[..., Tensor]) -> None:
    code = generated_code(fn, *(torch.randn(64, 64, dtype=torch.complex64) for _ in "ab"))
    assert "tmpbuf" not in code
    assert ("interleave2(" in code) == is_vectorised()
    assert ("alignas(64)" in code) == is_vectorised()


def test_parts_that_share_no_element_are_one_loop() -> None:
    code = generated_code(torch.add, *(torch.randn(4096, dtype=torch.complex64) for _ in "ab"))
    assert code.count("for(int64_t x0") == 1


def test_write_in_place_at_every_length() -> None:
    def fn(a: Tensor, b: Tensor) -> Tensor:
        a.mul_(b)
        return a.real * 2

    for length in (15, 64, 70001):
        a, b = (torch.randn(length, dtype=torch.complex64) for _ in "ab")
        assert_compiles(fn, a, b, backend="inductor_complex", dynamic=False, gradient=False)


def test_write_in_place_is_one_loop_without_temporaries() -> None:
    def fn(a: Tensor, b: Tensor) -> None:
        a.mul_(b)

    code = generated_code(fn, *(torch.randn(4096, dtype=torch.complex64) for _ in "ab"))
    assert code.count("for(int64_t x0") == 1
    assert "empty_strided_cpu(" not in code


WRITES = {
    "reversed": lambda a: a.add_(a.flip(0)),
    "reversed copy": lambda a: a.copy_(a.flip(0)),
    "rolled": lambda a: a.mul_(a.roll(1, 0)),
    "transposed": lambda a: a.copy_(a.mT * 1j),
    "another view": lambda a: a.T.mul_(a.conj() * 2),
    "overlapping": lambda a: a[1:].add_(a[:-1] * 1j),
    "one row": lambda a: a.sub_(a[0] * 1),
    "mean": lambda a: a.sub_(a.mean(0)),
    "twice": lambda a: (a.mul_(a.flip(1)), a.add_(a.flip(0))),
    "own element": lambda a: a.mul_(a * 2),
}


@pytest.mark.parametrize("name", WRITES)
def test_write_in_place_of_what_other_elements_give(name: str) -> None:
    a = torch.randn(32, 32, dtype=torch.complex64)

    def fn(a: Tensor) -> None:
        WRITES[name](a)

    assert_compiles(fn, a, backend="inductor_complex", dynamic=False, gradient=False)


def test_both_parts_of_bfloat16_are_read_once() -> None:
    def pairs() -> Tensor:
        return tcs.to_bcomplex32(torch.randn(64, dtype=torch.complex64)).detach()

    code = generated_code(lambda a, b: a * b + a, pairs(), pairs())
    assert code.count("words::loadu(") == (4 if is_vectorised() else 0)
    assert ("c10::convert<float>" in code) != is_vectorised()


def narrow_programs(a: Tensor, b: Tensor, half: Tensor) -> tuple[Tensor, ...]:
    return (
        a * b + a.exp(),
        a + b.mT.contiguous().mT * 2,
        torch.fft.fftshift(a, dim=-1) * b,
        (a.mT.contiguous() + b.mT).mT.abs(),
        torch.view_as_complex(half.float()) * 2j,
    )


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=str)
def test_vectors_of_256_bits(dtype: torch.dtype) -> None:
    """Those of AVX2, also where the machine has wider ones."""
    from torch._inductor import config

    a, b = (torch.randn(37, 45, dtype=dtype) for _ in "ab")
    operands = (a, b, torch.randn(37, 48, 2).bfloat16())
    with config.patch({"cpp.simdlen": 256}):
        assert_compiles(
            narrow_programs, *operands, backend="inductor_complex", dynamic=False, gradient=False
        )
        code = generated_code(lambda a, b: a * b + a.exp(), a, b)
    assert "_mm512" not in code
    wanted = on_x86() and dtype == torch.complex64
    assert ("_mm256_cvtps_pd" in code) == wanted


def on_x86() -> bool:
    from torch._inductor import cpu_vec_isa

    return isinstance(cpu_vec_isa.pick_vec_isa(), cpu_vec_isa.VecAVX2 | cpu_vec_isa.VecAVX512)


def test_sine_and_cosine_are_the_accurate_ones() -> None:
    """ATen's own are those within 3.5 ulp on x86 and those within 1 ulp elsewhere."""
    code = generated_code(torch.exp, torch.randn(64, dtype=torch.complex64))
    assert ("_u10(" in code) == on_x86()
    assert (".sin()" in code) == (is_vectorised() and not on_x86())
    assert code.count("sine_and_cosine = ") == on_x86()  # once for both
    real = generated_code(torch.sin, torch.randn(64))
    assert (".sin()" in real) == is_vectorised()
    assert "_u10(" not in real


def test_sine_and_cosine_are_almost_correctly_rounded() -> None:
    g = torch.Generator().manual_seed(3)
    size = torch.exp2(60 * torch.rand(20_000, generator=g, dtype=torch.float64) - 20).float()
    near = (torch.round(size.double() / (torch.pi / 2)) * (torch.pi / 2)).float()
    x = torch.cat([size, near[size < 2.0**24], torch.tensor([0.0])])
    x = torch.cat([x, -x])
    kernel = torch.compile(
        lambda z: (z.real.sin(), z.real.cos(), z.sum()),
        fullgraph=True,
        backend="inductor_complex",
    )
    sine, cosine, _ = kernel(torch.complex(x, x))
    zero = torch.zeros_like(x, dtype=torch.float64)
    for got, want in ((sine, x.double().sin()), (cosine, x.double().cos())):
        assert ulp_error(got, (want, zero), None).max() <= (0.76 if on_x86() else 1)
    assert torch.equal(sine[x == 0].signbit(), x[x == 0].signbit())


def test_angles_of_every_size() -> None:
    """Also next to multiples of a quarter turn, where a part has the digits of the rest alone."""
    g = torch.Generator().manual_seed(2)
    size = torch.exp2(24 * torch.rand(3000, generator=g, dtype=torch.float64)).float()
    near = (torch.round(size.double() / (torch.pi / 2)) * (torch.pi / 2)).float()
    y = torch.cat([size, near, torch.tensor([125.0, 2.0**22, 1e30])])
    y = torch.cat([y, -y])
    kernel = torch.compile(torch.exp, fullgraph=True, backend="inductor_complex", dynamic=False)
    got = kernel(torch.complex(torch.zeros_like(y), y))
    for part, want in ((got.real, y.double().cos()), (got.imag, y.double().sin())):
        assert ulp_error(part, (want, torch.zeros_like(want)), None).max() <= 2


def test_copysign_calls_no_function() -> None:
    code = generated_code(torch.sqrt, torch.randn(64, dtype=torch.complex64))
    assert ("(-0.0)" in code) == is_vectorised()
    assert ("copysign" in code) != is_vectorised()
    assert "copysign" in generated_code(torch.copysign, torch.randn(64), torch.randn(64))


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=str)
def test_bits_and_masks_stay_in_registers(dtype: torch.dtype) -> None:
    """The scale of the square comes from exponent bits, the infinite parts from two masks."""
    code = generated_code(torch.reciprocal, torch.randn(64, dtype=dtype))
    assert ("bit_cast(at::vec::" in code) == is_vectorised()
    assert "tmpbuf" not in code
    if dtype == torch.complex128:
        assert "cast<int32_t" not in code
    real = generated_code(lambda x: x.view(torch.int32), torch.randn(64))
    assert "bit_cast(at::vec::" not in real


def test_buffer_local_to_a_loop() -> None:
    """A norm followed by an activation, trained: the kernel keeps a row of moduli for itself."""

    def loss(a: Tensor, gain: Tensor, bias: Tensor) -> Tensor:
        b = a * torch.rsqrt(a.abs().square().mean(-1, keepdim=True) + 1e-6) * gain
        modulus = b.abs()
        c = b * (torch.relu(modulus + bias) / modulus.clamp_min(1e-6))
        return (c @ c.mH).abs().square().mean()

    args = (
        torch.randn(256, 128, dtype=torch.complex64),
        torch.randn(128, dtype=torch.complex64),
        torch.full((128,), -0.1),
    )
    assert_compiles(loss, *args, backend="inductor_complex")
