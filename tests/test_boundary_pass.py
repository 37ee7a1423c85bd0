"""The graph pass: goldens of rewritten graphs, and its invariants one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from expecttest import assert_expected_inline
from torch import Tensor, fx
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx

import torch_complex_subclass as tcs
from torch_complex_subclass import boundary_pass
from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.testing.interpret import interpreted, rewritten

C64 = torch.complex64


def traced(fn: Callable[..., Any], *args: Any) -> fx.GraphModule:
    """Trace on fake tensors to aten, as AOTAutograd hands graphs to the pass."""
    with FakeTensorMode() as mode:
        fakes = [mode.from_tensor(a) if isinstance(a, Tensor) else a for a in args]
        return make_fx(fn)(*fakes)


def text(fn: Callable[..., Any], *args: Any) -> str:
    with tcs.enabled():
        return rewritten(traced(fn, *args))


def z(*shape: int) -> Tensor:
    return torch.zeros(shape, dtype=C64)


def test_product_reads_in_place_and_writes_once() -> None:
    assert_expected_inline(
        text(lambda a, b: a * b, z(2), z(2)),
        """\
a_1 = placeholder
b_1 = placeholder
as_real_default = as_real(a_1)
select_int = select.int(as_real_default, -1, 0)
select_int_1 = select.int(as_real_default, -1, 1)
as_real_default_1 = as_real(b_1)
select_int_2 = select.int(as_real_default_1, -1, 0)
select_int_3 = select.int(as_real_default_1, -1, 1)
mul_tensor = mul.Tensor(select_int, select_int_2)
mul_tensor_1 = mul.Tensor(select_int_1, select_int_3)
sub_tensor = sub.Tensor(mul_tensor, mul_tensor_1)
mul_tensor_2 = mul.Tensor(select_int, select_int_3)
mul_tensor_3 = mul.Tensor(select_int_1, select_int_2)
add_tensor = add.Tensor(mul_tensor_2, mul_tensor_3)
interleave_default = interleave(sub_tensor, add_tensor)
as_complex_default = as_complex(interleave_default)
return as_complex_default""",
    )


def test_conjugation_is_a_sign_and_a_bit_at_the_edge() -> None:
    assert_expected_inline(
        text(lambda a: (a * a).conj(), z(2)),
        """\
a_1 = placeholder
as_real_default = as_real(a_1)
select_int = select.int(as_real_default, -1, 0)
select_int_1 = select.int(as_real_default, -1, 1)
mul_tensor = mul.Tensor(select_int, select_int)
mul_tensor_1 = mul.Tensor(select_int_1, select_int_1)
sub_tensor = sub.Tensor(mul_tensor, mul_tensor_1)
mul_tensor_2 = mul.Tensor(select_int, select_int_1)
mul_tensor_3 = mul.Tensor(select_int_1, select_int)
add_tensor = add.Tensor(mul_tensor_2, mul_tensor_3)
interleave_default = interleave(sub_tensor, add_tensor)
as_complex_default = as_complex(interleave_default)
conj_view_default = conj_view(as_complex_default)
return conj_view_default""",
    )


def test_permuted_result_is_written_in_its_own_order() -> None:
    assert_expected_inline(
        text(lambda a: a * 2, z(3, 2).t()),
        """\
a_1 = placeholder
as_real_default = as_real(a_1)
select_int = select.int(as_real_default, -1, 0)
select_int_1 = select.int(as_real_default, -1, 1)
mul_tensor = mul.Tensor(select_int, 2)
mul_tensor_1 = mul.Tensor(select_int_1, 2)
permute_default = permute(mul_tensor, [1, 0])
permute_default_1 = permute(mul_tensor_1, [1, 0])
interleave_default = interleave(permute_default, permute_default_1)
permute_default_2 = permute(interleave_default, [1, 0, 2])
as_complex_default = as_complex(permute_default_2)
return as_complex_default""",
    )


def test_library_transform_gets_interleaved_memory() -> None:
    assert_expected_inline(
        text(lambda a: torch.fft.fft(a * 2).angle(), z(4)),
        """\
a_1 = placeholder
as_real_default = as_real(a_1)
select_int = select.int(as_real_default, -1, 0)
select_int_1 = select.int(as_real_default, -1, 1)
mul_tensor = mul.Tensor(select_int, 2)
mul_tensor_1 = mul.Tensor(select_int_1, 2)
interleave_default = interleave(mul_tensor, mul_tensor_1)
as_complex_default = as_complex(interleave_default)
_fft_c2c = _fft_c2c(as_complex_default, [0], 0, True)
as_real_default_1 = as_real(_fft_c2c)
select_int_2 = select.int(as_real_default_1, -1, 0)
select_int_3 = select.int(as_real_default_1, -1, 1)
atan2_default = atan2(select_int_3, select_int_2)
return atan2_default""",
    )


def test_write_to_an_input() -> None:
    assert_expected_inline(
        text(lambda a: torch.ops.aten.copy_.default(a, a * 2), z(4)),
        """\
a_1 = placeholder
as_real_default = as_real(a_1)
select_int = select.int(as_real_default, -1, 0)
select_int_1 = select.int(as_real_default, -1, 1)
mul_tensor = mul.Tensor(select_int, 2)
mul_tensor_1 = mul.Tensor(select_int_1, 2)
write_default = write(a_1, as_real_default, mul_tensor, mul_tensor_1)
return a_1""",
    )


def test_parts_joined_by_hand_are_used_as_they_are() -> None:
    def fn(x: Tensor, y: Tensor) -> Tensor:
        return torch.view_as_complex(torch.stack([x, y], -1)).angle()

    assert_expected_inline(
        text(fn, torch.zeros(3), torch.zeros(3)),
        """\
x_1 = placeholder
y_1 = placeholder
stack = stack([x_1, y_1], -1)
select_int = select.int(stack, -1, 0)
select_int_1 = select.int(stack, -1, 1)
atan2_default = atan2(select_int_1, select_int)
return atan2_default""",
    )


def test_real_graph_is_left_alone() -> None:
    module = traced(lambda x: (x.sin() + 1).sum(), torch.zeros(3))
    before = [(n.name, n.op, n.target, n.args, dict(n.meta)) for n in module.graph.nodes]
    report = boundary_pass.rewrite(module.graph, {})
    after = [(n.name, n.op, n.target, n.args, dict(n.meta)) for n in module.graph.nodes]
    assert before == after
    assert not report.entries


def test_real_nodes_beside_complex_ones_keep_their_metadata() -> None:
    def fn(x: Tensor, a: Tensor) -> tuple[Tensor, Tensor]:
        return x.sin(), a * 2

    module = traced(fn, torch.zeros(3), z(3))
    (sine,) = (n for n in module.graph.nodes if n.target is torch.ops.aten.sin.default)
    meta = dict(sine.meta)
    with tcs.enabled():
        rewritten(module)
    assert sine in module.graph.nodes
    assert dict(sine.meta) == meta


def test_replacements_inherit_metadata() -> None:
    module = traced(lambda a: a * a, z(3))
    (product,) = (n for n in module.graph.nodes if n.target is torch.ops.aten.mul.Tensor)
    product.meta["stack_trace"] = 'File "model.py", line 7, in forward'
    product.meta["partitioner_tag"] = "is_backward"
    with tcs.enabled():
        report = boundary_pass.rewrite(module.graph, compat.select_decompositions())
    made = [n for n in module.graph.nodes if n.target is torch.ops.aten.mul.Tensor]
    assert len(made) == 4
    assert {n.meta["partitioner_tag"] for n in made} == {"is_backward"}
    assert [e.source for e in report.entries] == ["model.py:7"]


def test_a_rule_that_fails_keeps_the_complex_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    from torch_complex_subclass import dispatch

    def fail(*args: Any) -> Any:
        raise ZeroDivisionError("of the rule")

    module = traced(lambda a: a.exp() * 1, z(3))
    with monkeypatch.context() as patched, tcs.enabled():
        patched.setattr(dispatch, "apply", fail)
        report = boundary_pass.rewrite(module.graph, compat.select_decompositions())
    assert {e.how for e in report.entries} == {"fallback"}
    assert "the rule raised ZeroDivisionError: of the rule" in report.entries[0].reason
    module.graph.lint()


def test_a_result_of_another_kind_keeps_the_complex_kernel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from torch_complex_subclass import dispatch

    module = traced(lambda a: a.exp(), z(3))
    with monkeypatch.context() as patched, tcs.enabled():
        patched.setattr(dispatch, "apply", lambda rule, args, kwargs: args[0].re)
        report = boundary_pass.rewrite(module.graph, compat.select_decompositions())
    assert [e.how for e in report.entries] == ["fallback"]
    assert "real result for a complex one" in report.entries[0].reason


def test_op_without_rule_runs_natively() -> None:
    a = torch.randn(3, 3, dtype=C64)
    compiled = torch.compile(lambda t: torch.linalg.inv(t * 2) @ t, backend=interpreted)
    torch.testing.assert_close(compiled(a), torch.linalg.inv(a * 2) @ a)


def test_rewriting_takes_time_linear_in_the_graph() -> None:
    """Counts nodes made for each node replaced: a proxy that does not depend on the machine."""

    def length(steps: int) -> tuple[int, int]:
        def fn(a: Tensor) -> Tensor:
            for _ in range(steps):
                a = a * a + 1j
            return a

        module = traced(fn, z(3))
        before = len(module.graph.nodes)
        with tcs.enabled():
            rewritten(module)
        return before, len(module.graph.nodes)

    (short_before, short), (long_before, long) = length(10), length(40)
    assert long_before - short_before == 60
    assert long - short == 30 * 8


# Dynamo asks any input for its gradient.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
def test_gradient_reads_an_input_as_it_was_before_the_write(dtype):
    leaf = torch.randn(3, dtype=dtype, requires_grad=True)

    def square(z):
        z.square_()
        return z.real * 2

    z = leaf.clone()
    torch.compile(square, fullgraph=True, backend=interpreted)(z)
    (gradient,) = torch.autograd.grad(z, leaf, torch.ones_like(z))
    torch.testing.assert_close(gradient, 2 * leaf.detach().conj())
