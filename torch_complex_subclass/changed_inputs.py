"""Inputs that need a gradient and are written to, in the graph that is partitioned."""

from __future__ import annotations

import torch
from torch import fx
from torch.utils.checkpoint import CheckpointPolicy

aten = torch.ops.aten


def save_copies(graph: fx.Graph) -> None:
    """Have the partitioner save copies of inputs rather than make them anew in the backward graph.

    AOTAutograd copies an input that needs a gradient and is written to, and reads the copy only.
    The input has its new value by the time of the backward graph.
    """
    for node in graph.find_nodes(op="call_function", target=aten.clone.default):
        source = node.args[0]
        if source.op == "placeholder" and len(source.users) == 1:
            node.meta["recompute"] = CheckpointPolicy.MUST_SAVE
