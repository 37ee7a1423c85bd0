"""Graphs that AOTAutograd made of ComplexTensors: real ones, which read blocks of both parts.

A block `(..., 2)` comes in as one tensor, and each part is selected from it. The nodes that do so
count as ours, so that kernels read both parts by whole vectors, as those of complex graphs do.
"""

from __future__ import annotations

from torch import fx

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.recorder import RECORDED


def mark_reads(graph: fx.Graph) -> None:
    """Mark what reads the block of a ComplexTensor that is an input."""
    for node in graph.find_nodes(op="placeholder"):
        if compat.attribute_of_input(node) == "_block":
            for user in node.users:
                user.meta[RECORDED] = True
