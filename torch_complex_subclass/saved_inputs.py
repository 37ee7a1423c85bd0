"""Complex inputs that the backward reads are saved themselves, not as real views.

The graph reads an input through its view as pairs of real numbers, and that view is what the
partitioner saves. To return it from the forward and to save it takes three microseconds: it is made
as a tensor, and autograd detaches what is a view. The input is there already. Both have the same
memory and the same version counter, so a write between forward and backward is seen either way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import fx

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.inductor_lowering.ops import edge_op


def save_themselves(
    forward: fx.GraphModule, backward: fx.GraphModule, *, num_fwd_outputs: int
) -> None:
    """Rewrite what a partitioner gives, whose forward saves what follows its own results."""
    output = forward.graph.output_node()
    results: Sequence[Any] = output.args[0]  # type: ignore[assignment]
    if not any(map(_viewed_input, results[num_fwd_outputs:])):
        return
    received = {node.name: node for node in backward.graph.find_nodes(op="placeholder")}
    saved: list[Any] = []
    for node in results[num_fwd_outputs:]:
        primal = _viewed_input(node)
        if primal is None or node.name not in received:
            saved.append(node)
        elif _receive(backward.graph, received, node.name, primal):
            saved.append(primal)
    output.args = ([*results[:num_fwd_outputs], *saved],)
    forward.graph.eliminate_dead_code()
    for module in (forward, backward):
        module.recompile()


def _viewed_input(node: Any) -> fx.Node | None:
    """The input that a saved node is the real view of."""
    if not isinstance(node, fx.Node) or node.target is not edge_op("as_real"):
        return None
    primal = node.args[0]
    if not isinstance(primal, fx.Node) or primal.op != "placeholder":
        return None
    # What is saved without a check for writes has its place behind all others.
    return None if compat.UNCHECKED in {*primal.meta, *node.meta} else primal


def _receive(graph: fx.Graph, received: dict[str, fx.Node], view: str, primal: fx.Node) -> bool:
    """Let the backward make the view; True where the input takes the place of what it received.

    Where it receives the input already, nothing takes that place. Hooks for saved tensors that are
    graphs find both ends of a saved tensor by its name, so the input keeps its own.
    """
    old = received[view]
    is_new = primal.name not in received
    if is_new:
        with graph.inserting_before(old):
            received[primal.name] = graph.placeholder(primal.name)
        received[primal.name].meta = dict(primal.meta)
    with graph.inserting_after(graph.find_nodes(op="placeholder")[-1]):
        again = graph.call_function(edge_op("as_real"), (received[primal.name],))
    again.meta = dict(old.meta)
    old.replace_all_uses_with(again)
    graph.erase_node(old)
    return is_new
