"""Nodes that keep their complex kernel: what it makes of the conj bit, and of strides."""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch import fx
from torch._ops import OpOverload

from torch_complex_subclass import data_sized, dispatch, routes
from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.decompositions.registry import Rule
from torch_complex_subclass.recorder import Recorder

aten = torch.ops.aten

_PRODUCTS = frozenset({aten.bmm.default, aten.mm.default})

# Complex kernels whose results never carry the conj bit.
PLAIN_RESULTS = _PRODUCTS | {aten._fft_c2c.default, aten._fft_r2c.default}


def reason_to_keep(node: fx.Node, rule: Rule | None) -> str:
    """Say why a node keeps its complex kernel; an empty text where its rule is applied."""
    if data_sized.is_one(node):
        return data_sized.REASON
    if rule is None:
        return "no rule"
    if not dispatch.has_function(rule):
        return rule.reason
    return routes.REASON if routes.keeps_library_call(node, rule) else ""


def honours_conj_bit(node: fx.Node) -> bool:
    """True for views and products.

    Other kernels copy an operand to clear the bit, and some give the result other strides than
    Inductor, which knows no such bit, has planned for.
    """
    op = node.target
    return op in _PRODUCTS or (isinstance(op, OpOverload) and compat.returns_view(op))


def ask_for_less(node: fx.Node, recorder: Recorder) -> None:
    """Let a singular value decomposition leave out vectors that nothing reads.

    A gradient reads them, so in training they stay.
    """
    if node.target is not aten._linalg_svd.default:
        return
    read = {user.args[1] for user in node.users if user.target is operator.getitem and user.users}
    if read == {1} and all(user.target is operator.getitem for user in node.users):
        matrix: fx.Node = node.args[0]  # type: ignore[assignment]
        driver = {k: v for k, v in node.kwargs.items() if k == "driver"}
        node.args, node.kwargs = (matrix, False, False), driver
        node.meta["val"] = aten._linalg_svd.default(recorder.value(matrix), False, False)


def planned_result(node: fx.Node, recorder: Recorder, operands_changed: bool) -> Any:
    """Return the fake result of the kernel on the operands that it is given."""
    traced = node.meta.get("val")
    if node.target is operator.getitem:
        whole: Any = node.args[0]
        return whole.meta["val"][node.args[1]]
    if not operands_changed or not isinstance(node.target, OpOverload):
        return traced
    args = fx.map_arg(node.args, recorder.value)
    kwargs = fx.map_arg(node.kwargs, recorder.value)
    return node.target(*args, **kwargs)


def copy_with_value(node: fx.Node, value: Any) -> fx.Node:
    """Append a copy of `node` that has the fake result `value`."""
    copy = node.graph.node_copy(node)
    copy.meta = node.meta | {"val": value}
    return copy
