"""What rules compute for extraordinary numbers stands in a branch of vector code."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
import torch
from torch import Tensor, fx

import torch_complex_subclass as tcs
from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.decompositions import rule_ops
from torch_complex_subclass.decompositions.rule_ops import choice_op, ordinarily

EXTRAORDINARY = (0.0, -0.0, 88.5, 89.0, -200.0, 1e30, math.inf, -math.inf, math.nan, 1e-40, 2e3)


def bits(z: Tensor) -> Tensor:
    """Parts as integers; all NaN are one."""
    parts = torch.view_as_real(z)
    same = torch.where(parts.isnan(), torch.nan, parts)
    return same.view(torch.int32 if z.dtype == torch.complex64 else torch.int64)


def test_exponential_has_its_special_values_in_a_branch() -> None:
    from torch._inductor import cpu_vec_isa
    from torch._inductor.utils import run_and_get_code

    is_vectorised = bool(cpu_vec_isa.pick_vec_isa())
    with tcs.enabled(), compat.without_caches():
        compiled = torch.compile(torch.exp, fullgraph=True)
        _, (code,) = run_and_get_code(compiled, torch.randn(64, dtype=torch.complex64))
    assert code.count("C10_LIKELY(tmp") == 2 * is_vectorised  # one for each part
    if is_vectorised:
        before, _, inside = code.partition("C10_LIKELY(tmp")
        assert "120.0" in inside  # the shift near overflow
        assert "120.0" not in before


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=str)
def test_no_number_depends_on_its_neighbours(dtype: torch.dtype) -> None:
    g = torch.Generator().manual_seed(1)
    special = [complex(*z) for z in itertools.product(EXTRAORDINARY, repeat=2)]
    ordinary = 20 * torch.randn(1024, dtype=dtype, generator=g)
    mixed = ordinary.clone()
    places = torch.randperm(1024, generator=g)[: len(special)]
    mixed[places] = torch.tensor(special, dtype=dtype)
    alike = torch.tensor(special, dtype=dtype).repeat_interleave(16)
    exp = torch.compile(torch.exp, fullgraph=True, dynamic=False, backend="inductor_complex")
    found = bits(exp(mixed))
    rest = torch.ones(1024, dtype=torch.bool)
    rest[places] = False
    assert torch.equal(found[rest], bits(exp(ordinary))[rest])
    assert torch.equal(found[places], bits(exp(alike))[::16])


def test_branches_inside_branches() -> None:
    """An exponential of an exponential, in one loop, of numbers of both kinds."""
    z = torch.randn(256, dtype=torch.complex128, generator=torch.Generator().manual_seed(3))
    z[::7] *= 400
    z[5] = complex(math.inf, math.nan)
    compiler = {"fullgraph": True, "dynamic": False, "backend": "inductor_complex"}
    once = torch.compile(torch.exp, **compiler)
    twice = torch.compile(lambda z: z.exp().exp(), **compiler)
    assert torch.equal(bits(twice(z)), bits(once(once(z))))


def test_eager_computes_one_of_the_two() -> None:
    def never() -> Any:
        raise AssertionError("computed what eager has no use for")

    with tcs.enabled():
        kept = ordinarily(never, never, lambda: (torch.ones(2),))
    assert torch.equal(*kept, torch.ones(2))


def test_exported_programs_have_no_choice() -> None:
    class Model(torch.nn.Module):
        def forward(self, z: Tensor) -> Tensor:
            return z.exp()

    z = torch.randn(4, dtype=torch.complex64)
    with tcs.enabled():
        program = torch.export.export(Model(), (z,)).run_decompositions(
            tcs.decompositions.export_table()
        )
    targets = [node.target for node in program.graph.nodes]
    assert choice_op() not in targets
    assert targets.count(torch.ops.aten.exp.default) == 1
    torch.testing.assert_close(program.module()(z), z.exp())


def test_devices_without_branches_compute_what_is_right_everywhere() -> None:
    from torch_complex_subclass.inductor_lowering import branches

    class Value:
        def get_device(self) -> torch.device:
            return torch.device("cuda")

    mask, fast, otherwise = Value(), Value(), Value()
    assert branches.choice(mask, fast, otherwise) is otherwise  # type: ignore[arg-type]


def test_disabled_leaves_no_choice() -> None:
    def graph() -> fx.Graph:
        make = torch.fx.experimental.proxy_tensor.make_fx
        return make(lambda x, y: ordinarily(lambda: x > y, lambda: (x,), lambda: (y,))[0])(
            torch.ones(2), torch.zeros(2)
        ).graph

    def has_choice() -> bool:
        return any(node.target is choice_op() for node in graph().nodes)

    assert not has_choice()
    with tcs.enabled():
        assert has_choice()
    assert not has_choice()
    assert rule_ops.in_aten()[choice_op()](1, 2, 3) == 3
