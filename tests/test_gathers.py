"""Complex numbers read under masks, backwards and at other distances."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch._inductor import cpu_vec_isa
from torch._inductor.utils import run_and_get_code

import torch_complex_subclass as tcs
from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.testing.compare import assert_compiles


def moved(z: Tensor, w: Tensor) -> tuple[Tensor, ...]:
    columns = z.shape[-1]
    assigned = z.new_zeros(*z.shape[:-1], columns + 9)
    assigned[..., 4 : 4 + columns] = z * w
    return (
        F.pad(z * w, (3, 20)),
        F.pad(F.pad(z, (2, 5)) * 2j, (-1, 4)),
        assigned.exp(),
        torch.cat([z.conj(), w * z], -1) + 1,
        z.flip(-1).conj() * w,
        F.pad(torch.roll(z.flip(-1), 3, -1), (0, 7)) * 2,
        (z[..., ::3].abs() ** 2).sum() + w.real,
    )


@pytest.mark.parametrize(
    ("dtype", "shape"),
    [(torch.complex64, (2, 33)), (torch.complex64, (64,)), (torch.complex128, (3, 21))],
    ids=str,
)
def test_moved_operands(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    z, w = (torch.randn(shape, dtype=dtype) for _ in "zw")
    assert_compiles(
        moved,
        z,
        w,
        backend="inductor_complex",
        dynamic=False,
        gradient=False,
        rtol=2e-5,
        atol=1e-5,
    )


def test_memory_beyond_a_mask_is_not_read() -> None:
    memory = torch.full((48,), complex("nan"), dtype=torch.complex64)
    z = memory[3:40]
    z.copy_(torch.randn(37, dtype=torch.complex64))
    expected = F.pad(z * 2, (5, 22))
    with tcs.enabled():
        got = torch.compile(lambda t: F.pad(t * 2, (5, 22)), fullgraph=True, dynamic=False)(z)
    torch.testing.assert_close(got, expected)


@pytest.mark.parametrize("name", ["padded", "reversed"])
def test_vectors_are_read_where_they_are_whole(name: str) -> None:
    fn = {"padded": lambda z: F.pad(z * 2j, (0, 64)), "reversed": lambda z: z.flip(-1) * 2j}[name]
    with tcs.enabled(), compat.without_caches():
        compiled = torch.compile(fn, fullgraph=True, dynamic=False)
        _, code = run_and_get_code(compiled, torch.randn(3, 64, dtype=torch.complex64))
    has_vectors = bool(cpu_vec_isa.pick_vec_isa())
    assert ({"padded": "auto twice", "reversed": "flip("}[name] in code[0]) == has_vectors
    assert "tmpbuf" not in code[0]
