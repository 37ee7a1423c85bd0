"""Values that end in one reduction are computed in its loop, not stored."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, fx

from torch_complex_subclass.inductor_lowering import reduced_values
from torch_complex_subclass.inductor_lowering.ops import edge_op
from torch_complex_subclass.recorder import INNER
from torch_complex_subclass.testing.compare import assert_compiles
from torch_complex_subclass.testing.generated import generated_code

aten = torch.ops.aten

SIZES = (3, 9, 40)


def stores(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> bool:
    """True when the generated code allocates a buffer of `SIZES`."""
    allocation = f"empty_strided_cpu(({', '.join(map(str, SIZES))})"
    return allocation in generated_code(fn, *args, **kwargs)


def long_values(rates: Tensor, weights: Tensor, steps: Tensor, times: Tensor) -> Tensor:
    """Real parts of weights `(h, n)` by exponentials of rates `(h, n)` at times `(l,)`."""
    growth = rates * torch.exp(steps)[:, None]
    scaled = weights * (torch.exp(growth) - 1) / rates
    return (scaled[..., None] * torch.exp(growth[..., None] * times)).real


def summed(*operands: Tensor) -> Tensor:
    return long_values(*operands).sum(1)


def largest_of_view(*operands: Tensor) -> Tensor:
    return long_values(*operands).transpose(0, 1).amax(0)


def read_twice(*operands: Tensor) -> Tensor:
    long = long_values(*operands)
    return long.sum((0, 1)) * long.amax((0, 1))


def operands(dtype: torch.dtype = torch.complex64) -> tuple[Tensor, ...]:
    h, n, length = SIZES
    real = dtype.to_real()
    rates = torch.complex(-torch.rand(h, n, dtype=real), torch.randn(h, n, dtype=real))
    weights = torch.randn(h, n, dtype=dtype)
    return rates, weights, torch.rand(h, dtype=real) - 6, torch.arange(length, dtype=real)


REDUCED_ONCE = [summed, largest_of_view]


@pytest.mark.parametrize("fn", REDUCED_ONCE)
def test_value_read_by_one_reduction_is_not_stored(fn: Callable[..., Any]) -> None:
    assert not stores(fn, *operands())


@pytest.mark.parametrize("fn", REDUCED_ONCE)
def test_it_would_be_stored(fn: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reduced_values, "end_of_all", lambda node: None)
    assert stores(fn, *operands())


def test_value_read_by_two_reductions_is_stored() -> None:
    assert stores(read_twice, *operands())


@pytest.mark.parametrize("fn", [*REDUCED_ONCE, read_twice])
def test_results_and_gradients_are_those_of_eager(fn: Callable[..., Any]) -> None:
    assert_compiles(fn, *operands(torch.complex128), backend="inductor_complex")


def chain(*steps: tuple[Any, tuple[Any, ...]], end: Any = aten.sum.dim_IntList) -> fx.Node:
    """First value of a graph that applies steps to a tensor of `(16, 16)`, then reduces."""
    graph = fx.Graph()
    value = result = graph.call_function(aten.neg.default, (graph.placeholder("x"),))
    value.meta["val"] = torch.empty(16, 16)
    for op, args in steps:
        seen = op(result.meta["val"], *args)
        result = graph.call_function(op, (result, *args))
        result.meta["val"] = seen
    made = result.meta["val"]
    result = graph.call_function(end, (result, [0]))
    result.meta["val"] = end(made, [0]) if isinstance(made, Tensor) else made
    graph.output(result)
    return value


EXP = (aten.exp.default, ())


@pytest.mark.parametrize(
    ("steps", "once"),
    [
        ([], True),
        ([(aten.permute.default, ([1, 0],))], True),
        ([EXP, (aten.slice.Tensor, (0, 1, 12)), EXP], True),
        ([(aten.slice.Tensor, (0, 0, 7))], False),
        ([(aten.slice.Tensor, (1, 0, 15))], False),
        ([(aten.expand.default, ([2, 16, 16],))], False),
        ([EXP, (aten.unfold.default, (0, 4, 1))], False),
        ([(aten.add.Tensor, (torch.empty(2, 1, 1),))], False),
        ([(aten.cumsum.default, (0,))], False),
        ([(aten.split.Tensor, (8,))], False),
        ([(aten.unbind.int, ())], False),
        ([(aten.frexp.Tensor, ())], False),
        ([EXP] * (reduced_values.FARTHEST_END - 1), True),
        ([EXP] * reduced_values.FARTHEST_END, False),
    ],
)
def test_values_of_which_a_reduction_reads_each_element_once(steps: Any, once: bool) -> None:
    assert (reduced_values.end_of_all(chain(*steps)) is not None) is once


def test_variances_may_read_twice() -> None:
    assert reduced_values.end_of_all(chain(end=aten.var.dim)) is None


def test_views_in_a_list_compile() -> None:
    def fn(z: Tensor) -> tuple[Tensor, ...]:
        first, second = (z * z).abs().chunk(2)
        mantissa, _ = torch.frexp(z.abs())
        return first.sum(0), second * 2, mantissa.sum(0), z.exp().unbind(0)[1]

    assert_compiles(fn, torch.randn(4, 17, dtype=torch.complex64), backend="inductor_complex")


def parts_of_a_rule(together: bool) -> fx.Node:
    """First of two results of a rule, which end in one reduction or in one each."""
    graph = fx.Graph()
    values = torch.empty(16, 16)

    def call(op: Any, *args: Any, shape: Tensor = values) -> fx.Node:
        node = graph.call_function(op, args)
        node.meta["val"] = shape
        return node

    inside = call(aten.exp.default, graph.placeholder("x"))
    inside.meta[INNER] = True
    re, im = call(aten.cos.default, inside), call(aten.sin.default, inside)
    if together:
        call(aten.sum.dim_IntList, call(aten.add.Tensor, re, im), [0], shape=values[0])
    else:
        call(aten.sum.dim_IntList, re, [0], shape=values[0])
        call(aten.sum.dim_IntList, im, [1], shape=values[:, 0])
    return re


@pytest.mark.parametrize("together", [True, False])
def test_what_parts_share_is_computed_once(together: bool) -> None:
    assert (reduced_values.end_of_all(parts_of_a_rule(together)) is not None) is together


def called(graph: fx.Graph, op: Any, *args: Any) -> fx.Node:
    """Node of a call on values of `(16, 16)`, with what it makes."""
    node = graph.call_function(op, args)
    shown = [arg.meta["val"] if isinstance(arg, fx.Node) else arg for arg in args]
    node.meta["val"] = op(*shown)
    return node


Readers = Callable[[Callable[..., fx.Node], fx.Node], Any]
JOIN = edge_op("interleave")


def product(call: Callable[..., fx.Node], value: fx.Node) -> fx.Node:
    return call(aten.mul.Tensor, call(aten.exp.default, value), call(aten.sin.default, value))


def turned(call: Callable[..., fx.Node], value: fx.Node) -> fx.Node:
    return call(aten.permute.default, value, [1, 0])


def rows_from(call: Callable[..., fx.Node], value: fx.Node, start: int) -> fx.Node:
    return call(aten.slice.Tensor, value, 0, start, start + 12)


MEETING: dict[str, Readers] = {
    "a join": lambda call, v: call(JOIN, call(aten.exp.default, v), v),
    "a sum": lambda call, v: call(aten.sum.dim_IntList, product(call, v), [0]),
    "a sum of a view": lambda call, v: call(aten.amax.default, turned(call, product(call, v)), [0]),
    "equal views": lambda call, v: call(JOIN, turned(call, v), turned(call, v)),
    "equal views, then others": lambda call, v: call(
        JOIN,
        rows_from(call, call(aten.exp.default, turned(call, v)), 2),
        rows_from(call, turned(call, v), 2),
    ),
}
APART: dict[str, Readers] = {
    "a join and a sum": lambda call, v: (
        call(JOIN, v, v),
        call(aten.sum.dim_IntList, product(call, v), [0]),
    ),
    "two reductions": lambda call, v: (
        call(aten.sum.dim_IntList, product(call, v), [0]),
        call(aten.amax.default, v, [0]),
    ),
    "a scan": lambda call, v: call(aten.cumsum.default, product(call, v), 0),
    "shifted views": lambda call, v: call(
        JOIN, *[call(aten.sub.Tensor, rows_from(call, v, 0), rows_from(call, v, 4))] * 2
    ),
    "a value and a view of it": lambda call, v: call(
        aten.sum.dim_IntList, call(aten.add.Tensor, v, turned(call, v)), [0]
    ),
    "parts in other places": lambda call, v: call(JOIN, v, turned(call, v)),
    "other places further on": lambda call, v: call(
        JOIN, turned(call, call(aten.neg.default, v)), call(aten.sin.default, v)
    ),
    "memory": lambda call, v: call(JOIN, *[call(aten.as_strided.default, v, [16], [1])] * 2),
    "what is to be stored": lambda call, v: call(JOIN, *[call(aten.angle.default, v)] * 2),
    "nothing": lambda call, v: None,
}


def value_with(readers: Readers) -> fx.Node:
    graph = fx.Graph()
    x = graph.placeholder("x")
    x.meta["val"] = torch.empty(16, 16)
    call = functools.partial(called, graph)
    value = call(aten.neg.default, x)
    readers(call, value)
    return value


@pytest.mark.parametrize("name", MEETING)
def test_readers_of_a_value_may_meet_at_one_place(name: str) -> None:
    assert reduced_values.end_of_all(value_with(MEETING[name])) is not None


@pytest.mark.parametrize("name", APART)
def test_a_value_that_is_read_apart_is_stored(name: str) -> None:
    assert reduced_values.end_of_all(value_with(APART[name])) is None


def test_many_readers_that_meet_again_and_again_are_seen_once() -> None:
    def readers(call: Callable[..., fx.Node], value: fx.Node) -> None:
        for _ in range(30):
            value = product(call, value)
        call(JOIN, value, value)

    assert reduced_values.end_of_all(value_with(readers)) is not None


def unfolded(x: Tensor, w: Tensor) -> Tensor:
    return torch.log1p(x.abs()).unfold(-1, 8, 2) * w


def repeated(x: Tensor, w: Tensor) -> Tensor:
    return torch.exp(x).repeat(8) * w


@pytest.mark.parametrize(("end", "limit"), [("a join", 5), ("a sum", reduced_values.MOST_BUFFERS)])
def test_a_result_reads_as_many_buffers_as_inductor_lets_it(end: str, limit: int) -> None:
    found = reduced_values.end_of_all(value_with(MEETING[end]))
    assert found is not None
    with torch._inductor.config.patch(realize_acc_reads_threshold=5):
        assert reduced_values.most_buffers(found) == limit


def test_parts_are_computed_together_after_sums_that_follow_one_another() -> None:
    def fn(z: Tensor, x: Tensor, y: Tensor) -> Tensor:
        first = x.sum(-1, keepdim=True)
        second = (y * first).tanh().sum(-1, keepdim=True)
        size = z.exp().abs()
        return torch.complex(size * first, size * second)

    args = (torch.randn(9, 40, dtype=torch.complex64), torch.randn(9, 40), torch.randn(9, 40))
    once = generated_code(lambda z: z.exp().abs(), args[0]).count("exp(")
    assert 0 < generated_code(fn, *args).count("exp(") <= once


ENLARGED = [
    (unfolded, (torch.randn(206), torch.randn(8, dtype=torch.complex64))),
    (repeated, (torch.randn(206), torch.randn(8 * 206, dtype=torch.complex64))),
]


@pytest.mark.parametrize(("fn", "args"), ENLARGED)
def test_a_value_that_is_read_many_times_is_stored_as_without(
    fn: Callable[..., Any], args: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    allocation = "empty_strided_cpu((206, ), (1, ), torch.float32)"
    stored = generated_code(fn, *args).count(allocation)
    monkeypatch.setattr(reduced_values, "end_of_all", lambda node: None)
    assert stored == generated_code(fn, *args).count(allocation)


def less_its_largest(z: Tensor) -> Tensor:
    size = z.abs()
    return z.sgn() * (size - size.amax(-1, keepdim=True))


def times_its_size(z: Tensor) -> Tensor:
    return z.tanh() * (1 + z.abs().sum(-1, keepdim=True))


def phase_of_grid(x: Tensor, z: Tensor) -> Tensor:
    return torch.fft.fft2(z * torch.exp(1j * (x[:, None] ** 2 + x**2).sqrt()))


ROWS = torch.randn(9, 40, dtype=torch.complex64)
RESULTS = [
    (less_its_largest, (ROWS,)),
    (times_its_size, (ROWS,)),
    (phase_of_grid, (torch.linspace(0, 1, 40), torch.randn(40, 40, dtype=torch.complex64))),
]


def parts_stored(fn: Callable[..., Any], *args: Any) -> int:
    """Real buffers of the size of the last argument that the generated code allocates."""
    rows, columns = args[-1].shape
    allocation = f"empty_strided_cpu(({rows}, {columns}), ({columns}, 1), torch.float32)"
    return generated_code(fn, *args).count(allocation)


@pytest.mark.parametrize(("fn", "args"), RESULTS)
def test_parts_of_a_result_are_not_stored_first(
    fn: Callable[..., Any], args: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = parts_stored(fn, *args)
    monkeypatch.setattr(reduced_values, "end_of_all", lambda node: None)
    assert parts_stored(fn, *args) >= stored + 2


@pytest.mark.parametrize(("fn", "args"), RESULTS)
def test_results_of_rows_are_those_of_eager(fn: Callable[..., Any], args: Any) -> None:
    assert_compiles(
        fn,
        *(t.to(torch.promote_types(t.dtype, torch.float64)) for t in args),
        backend="inductor_complex",
    )


def test_part_of_a_product_is_not_stored_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stored for its operations, the sine would be computed apart from the cosine."""

    def fn(*operands: Tensor) -> Tensor:
        return long_values(*operands, torch.arange(float(SIZES[-1]))).sum(1)

    assert not stores(fn, *operands()[:3])
    monkeypatch.setattr(reduced_values, "FARTHEST_END", 1)
    assert stores(fn, *operands()[:3])
