"""Rules as single nodes for the partitioner: what is saved, and that graphs come back whole."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, fx

import torch_complex_subclass as tcs
from torch_complex_subclass import backend, units
from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.bench.cases import CASES
from torch_complex_subclass.recorder import RULE

aten = torch.ops.aten


def graph_with_rule(crossed: bool) -> fx.GraphModule:
    """A rule of three nodes, and one node that reads it: amid the rule if `crossed`."""
    graph = fx.Graph()
    x = graph.placeholder("x")
    x.meta["val"] = torch.ones(3)

    def call(op: Any, *args: Any, in_rule: bool = True) -> fx.Node:
        node = graph.call_function(op, args)
        node.meta["val"] = torch.ones(3)
        if in_rule:
            node.meta[RULE] = 0, aten.exp.default, op
        return node

    first = call(aten.mul.Tensor, x, 3)
    amid = call(aten.neg.default, first, in_rule=False) if crossed else first
    second = call(aten.sin.default, amid)
    third = call(aten.add.Tensor, first, second)
    after = call(aten.neg.default, first, in_rule=False)
    graph.output((third, second, after))
    return fx.GraphModule(torch.nn.Module(), graph)


def test_a_rule_becomes_one_node_and_comes_back() -> None:
    module = graph_with_rule(crossed=False)
    x = torch.randn(3)
    expected = module(x)
    found = units.contract(module.graph)
    calls = [n for n in module.graph.nodes if n.target is aten.exp.default]
    assert [len(n.meta["val"]) for n in calls] == [3]
    module.graph.lint()
    units.expand(module.graph, found)
    module.graph.lint()
    module.recompile()
    assert aten.exp.default not in {node.target for node in module.graph.nodes}
    torch.testing.assert_close(module(x), expected, rtol=0, atol=0)


def test_an_operand_with_the_metadata_of_a_rule_is_no_part_of_it() -> None:
    """Inductor replaces `x * 1.0` by x and hands its metadata on."""
    module = graph_with_rule(crossed=False)
    x, first = list(module.graph.nodes)[:2]
    x.meta[RULE] = first.meta[RULE]
    found = units.contract(module.graph)
    module.graph.lint()
    units.expand(module.graph, found)
    module.graph.lint()
    assert x in module.graph.nodes


def test_a_rule_that_a_path_leaves_and_enters_stays() -> None:
    module = graph_with_rule(crossed=True)
    before = str(module.graph)
    assert not units.contract(module.graph)
    assert str(module.graph) == before


def test_the_forward_saves_small_operands_instead_of_masks() -> None:
    case = CASES["s4d"]
    drawn = enumerate(case.draw("small", torch.complex64))
    inputs = [t.requires_grad_(i in case.learned) for i, t in drawn]
    with tcs.enabled():
        out = torch.compile(case.fn, fullgraph=True, dynamic=False)(*inputs)
    saved = out.grad_fn.saved_tensors
    assert all(any(t is z for z in inputs) for t in saved)
    got = torch.autograd.grad(out.square().sum(), inputs[:-1])
    want = torch.autograd.grad(case.fn(*inputs).square().sum(), inputs[:-1])
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-4)


class Counting:
    """A user's own partitioner, which counts its calls and the nodes that it is given."""

    @staticmethod
    def make(identity: Any) -> Any:
        class Partitioner(compat.partitioner_base()):  # type: ignore[misc]
            sizes: list[int] = []  # noqa: RUF012

            def __call__(self, joint: fx.GraphModule, *args: Any, **kwargs: Any) -> Any:
                self.sizes.append(len(joint.graph.nodes))
                return compat.stock_partitioner()(joint, *args, **kwargs)

            def uuid(self) -> Any:
                return identity

            def __reduce__(self) -> Any:
                return str, (str(identity),)

        return Partitioner()


@pytest.fixture
def slot() -> Iterator[None]:
    before = compat.get_partitioner()
    yield
    tcs.disable()
    compat.set_partitioner(before)


def gradient(fn: Any, z: Tensor) -> Tensor:
    return torch.autograd.grad(fn(z).abs().sum(), z)[0]


@pytest.mark.usefixtures("slot")
def test_the_users_partitioner_splits_the_graph() -> None:
    own = Counting.make("own")
    compat.set_partitioner(own)
    z = torch.randn(5, dtype=torch.complex64, requires_grad=True)
    with tcs.enabled():
        assert compat.get_partitioner() is not own
        compiled = torch.compile(lambda t: t.sinh().log1p(), fullgraph=True)
        got = gradient(compiled, z)
    torch.testing.assert_close(got, gradient(lambda t: t.sinh().log1p(), z))
    assert len(own.sizes) == 1
    assert own.sizes[0] < 60  # the rules of sinh and log1p alone have more nodes than that
    assert compat.get_partitioner() is own


@pytest.mark.usefixtures("slot")
def test_a_partitioner_set_while_enabled_stays() -> None:
    tcs.enable()
    own = Counting.make("own")
    compat.set_partitioner(own)
    tcs.disable()
    assert compat.get_partitioner() is own


def test_identity_in_cache_keys() -> None:
    assert backend._partitioner(None).uuid() == backend.source_digest()
    assert backend._partitioner(Counting.make("own")).uuid() == ("own", backend.source_digest())
    assert backend._partitioner(Counting.make(None)).uuid() is None
    again = pickle.loads(pickle.dumps(backend._partitioner(None)))
    assert again.uuid() == backend._partitioner(None).uuid()


@pytest.mark.usefixtures("slot")
def test_nodes_are_run_where_memory_has_a_budget() -> None:
    from torch._functorch import config

    z = torch.randn(64, dtype=torch.complex64, requires_grad=True)

    def fn(t: Tensor) -> Tensor:
        return t.sinh().log1p().exp()

    with tcs.enabled(), config.patch(activation_memory_budget=0.5):
        got = gradient(torch.compile(fn, fullgraph=True), z)
    torch.testing.assert_close(got, gradient(fn, z))
