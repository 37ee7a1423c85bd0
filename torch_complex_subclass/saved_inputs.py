"""Complex inputs that the backward reads are saved themselves, not as real views.

The graph reads an input through its view as pairs of real numbers, and that view is what the
partitioner saves. To return it from the forward and to save it takes three microseconds: it is made
as a tensor, and autograd detaches what is a view. The input is there already. Both have the same
memory and the same version counter, so a write between forward and backward is seen either way.
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import fx

from torch_complex_subclass.inductor_lowering.ops import edge_op


def save_themselves(
    forward: fx.GraphModule, backward: fx.GraphModule, *, num_fwd_outputs: int
) -> None:
    """Rewrite what a partitioner gives, whose forward saves what follows its own results."""
    output = forward.graph.output_node()
    results = list(output.args[0])  # type: ignore[arg-type]
    received = {node.name: node for node in backward.graph.find_nodes(op="placeholder")}
    views = dict(_views_of_inputs(results[num_fwd_outputs:]))
    if not views:
        return
    for view, primal in views.items():
        _make_again(backward.graph, received[view.name], primal)
    saved = [views.get(node, node) for node in results[num_fwd_outputs:]]
    output.args = ([*results[:num_fwd_outputs], *saved],)
    forward.graph.eliminate_dead_code()
    for module in (forward, backward):
        module.recompile()


def _views_of_inputs(saved: list[object]) -> Iterator[tuple[fx.Node, fx.Node]]:
    """Each real view of an input that stands among what is saved, and the input."""
    for node in saved:
        if isinstance(node, fx.Node) and node.target is edge_op("as_real"):
            viewed = node.args[0]
            if isinstance(viewed, fx.Node) and viewed.op == "placeholder":
                yield node, viewed


def _make_again(graph: fx.Graph, received: fx.Node, primal: fx.Node) -> None:
    """Let the backward receive the input in the place of its view, and make the view."""
    with graph.inserting_after(graph.find_nodes(op="placeholder")[-1]):
        view = graph.call_function(edge_op("as_real"))
    received.replace_all_uses_with(view)
    view.args = (received,)
    view.meta, received.meta = received.meta, dict(primal.meta)
