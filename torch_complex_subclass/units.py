"""Rules as single nodes, while a joint graph is split into forward and backward.

The partitioner chooses what the forward saves. It weighs a value by its size and by the number of
nodes between it and the backward, and does not recompute along chains of more than a hundred nodes.
That says something about time where an op is one node. A rule is up to hundreds, and no value
inside it is worth saving: masks of a large tensor would be stored rather than its small operands.
So each application of an elementwise rule is one node to it, a call of the op that the rule is for.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import fx

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.recorder import RULE

_NUMBER = "rule"
"""Keyword argument that tells the units apart."""


@dataclass(frozen=True)
class _Unit:
    """The nodes of one rule, as a graph from its operands to the values that others read."""

    body: fx.Graph
    is_tuple: bool


Units = dict[int, _Unit]


def partition(
    split: Callable[..., tuple[fx.GraphModule, fx.GraphModule]],
    joint: fx.GraphModule,
    *args: Any,
    **kwargs: Any,
) -> tuple[fx.GraphModule, fx.GraphModule]:
    """Call a partitioner on a joint graph whose rules are single nodes."""
    if compat.saves_by_budget(joint.graph):
        return split(joint, *args, **kwargs)
    joint.graph.eliminate_dead_code()
    joint.graph = compat.without_duplicates(joint.graph)
    units = contract(joint.graph)
    forward, backward = split(joint, *args, **kwargs)
    for module in (forward, backward):
        expand(module.graph, units)
        module.recompile()
    return forward, backward


def contract(graph: fx.Graph) -> Units:
    """Make each rule one node; `expand` takes what this returns."""
    members: dict[int, list[fx.Node]] = {}
    for node in graph.nodes:
        number, _, target = node.meta.get(RULE, (None, None, None))
        if number is not None and target is node.target:
            members.setdefault(number, []).append(node)
    return {
        number: _contract(graph, number, nodes)
        for number, nodes in members.items()
        if len(nodes) > 1
        and compat.is_recomputable(nodes[0].meta[RULE][1])
        and _stand_together(nodes)
    }


def expand(graph: fx.Graph, units: Units) -> None:
    """Put the nodes of the rules back, in a graph that has some of the units."""
    for node in list(graph.nodes):
        if _NUMBER in node.kwargs and RULE in node.meta:
            _expand(graph, node, units[node.kwargs[_NUMBER]])
    graph.eliminate_dead_code()


def _stand_together(nodes: list[fx.Node]) -> bool:
    """Whether no other node between the first and the last reads one of them."""
    own = set(nodes)
    node, last = nodes[0], nodes[-1]
    while node is not last:
        node = node.next
        if node not in own and not own.isdisjoint(node.all_input_nodes):
            return False
    return True


def _contract(graph: fx.Graph, number: int, nodes: list[fx.Node]) -> _Unit:
    own = set(nodes)
    operands = list(dict.fromkeys(a for n in nodes for a in n.all_input_nodes if a not in own))
    results = [node for node in nodes if not own.issuperset(node.users)]
    unit = _Unit(_body(operands, nodes, results), is_tuple=len(results) != 1)
    with graph.inserting_after(nodes[-1]):
        call = graph.call_function(nodes[0].meta[RULE][1], tuple(operands), {_NUMBER: number})
    call.meta = dict(nodes[-1].meta)
    values = [result.meta["val"] for result in results]
    call.meta["val"] = tuple(values) if unit.is_tuple else values[0]
    _replace(graph, call, results, own, unit.is_tuple)
    for node in reversed(nodes):
        graph.erase_node(node)
    return unit


def _body(operands: list[fx.Node], nodes: list[fx.Node], results: list[fx.Node]) -> fx.Graph:
    body = fx.Graph()
    env = {operand: body.placeholder(operand.name) for operand in operands}
    for node in nodes:
        env[node] = body.node_copy(node, env.__getitem__)
    body.output(tuple(env[result] for result in results))
    return body


def _replace(
    graph: fx.Graph, call: fx.Node, results: list[fx.Node], own: set[fx.Node], is_tuple: bool
) -> None:
    at = call
    for i, result in enumerate(results):
        new = call
        if is_tuple:
            with graph.inserting_after(at):
                new = at = graph.call_function(operator.getitem, (call, i))
            new.meta = {key: value for key, value in result.meta.items() if key != RULE}
        result.replace_all_uses_with(new, lambda user: user not in own)


def _expand(graph: fx.Graph, call: fx.Node, unit: _Unit) -> None:
    placeholders = unit.body.find_nodes(op="placeholder")
    env: dict[fx.Node, fx.Node] = dict(zip(placeholders, call.args, strict=True))  # type: ignore[arg-type]
    with graph.inserting_before(call):
        results: Any = graph.graph_copy(unit.body, env)
    if not unit.is_tuple:
        call.replace_all_uses_with(results[0])
    for user in list(call.users):
        user.replace_all_uses_with(results[user.args[1]])
        graph.erase_node(user)
    graph.erase_node(call)
