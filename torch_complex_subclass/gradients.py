"""The gradients among the results of a graph, which are returned without conj bit.

Eager code hands on the conj bit of a gradient. An optimizer refuses such a gradient
(`view_as_real` of it raises), adding to it copies it first, and to set the bit takes a call. The
loop that computes the gradient conjugates it for nothing.
"""

from __future__ import annotations

from torch import fx

from torch_complex_subclass import torch_compat as compat


def among_results(graph: fx.Graph) -> set[fx.Node]:
    """Results of a joint graph that incoming gradients reach; none in other graphs."""
    reached: set[fx.Node] = set()
    for node in graph.nodes:
        if compat.is_tangent(node) or not reached.isdisjoint(node.all_input_nodes):
            reached.add(node)
    return reached.intersection(graph.output_node().all_input_nodes)
