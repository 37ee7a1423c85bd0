"""Results that are one node of the rewritten graph and were several of the traced one."""

from __future__ import annotations

from typing import Any

from torch import fx
from torch.utils import _pytree as pytree

from torch_complex_subclass.inductor_lowering.ops import edge_op
from torch_complex_subclass.recorder import Recorder


def keep_apart(
    output: fx.Node, traced: list[Any], gradients: set[fx.Node], recorder: Recorder
) -> None:
    """Return different tensors on one memory where different complex values were traced.

    A view of the whole, such as `z.detach()`, has become the node that it is a view of. Autograd
    takes one tensor, returned twice, for one result, which then needs a gradient or does not.
    Not so with gradients: of two tensors it takes each for the only one on its memory.
    """
    results, spec = pytree.tree_flatten(output.args)
    owners: dict[fx.Node, fx.Node] = {}
    for i, (result, value) in enumerate(zip(results, traced, strict=True)):
        if not isinstance(result, fx.Node) or value in gradients:
            continue
        if owners.setdefault(result, value) is not value:
            # Twice, so that nothing but the tensor is another.
            conjugate = recorder.emit(edge_op("conj_view"), result)
            results[i] = recorder.emit(edge_op("conj_view"), conjugate)
    output.args = pytree.tree_unflatten(results, spec)
