"""Views of complex inputs come first, so that loops on both sides of them are one kernel.

Loops that follow each other are functions of one C++ kernel, called once, and their threads start
once. A call of a library ends that, and to Inductor a view that torch makes is one: with it in
between, each input that is read later would cost another call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch._inductor import ir, scheduler

from torch_complex_subclass.inductor_lowering.memory import LibraryView

aten = torch.ops.aten

_COPY_NOTHING = (
    *(aten.view_as_real.default, aten.view_as_complex.default),
    *(aten._conj.default, aten._neg_view.default),
)


def _is_view(node: Any) -> bool:
    """True for a view by torch on the CPU, and for what hands on its result."""
    call = getattr(node, "node", None)
    if isinstance(call, ir.MultiOutput):
        (call,) = call.inputs
    if not isinstance(call, LibraryView) or call.op_overload not in _COPY_NOTHING:
        return False
    return bool(call.get_device_or_error().type == "cpu")


def _with_views_first(nodes: list[Any]) -> list[Any]:
    """Put first, in order, the views that need nothing of what is computed or written."""
    first, rest, there = [], [], set[str]()
    for node in nodes:
        if _is_view(node) and all(dep.name in there for dep in node.unmet_dependencies):
            there.update(node.get_buffer_names())
            first.append(node)
        else:
            rest.append(node)
    return first + rest


def _ordered(stock: Callable[[Any], None]) -> Callable[[Any], None]:
    """Do it where the order is final, before what each node is the last to use is listed."""

    def compute_last_usage(self: Any) -> None:
        self.nodes = _with_views_first(self.nodes)
        stock(self)

    return compute_last_usage


def replacements() -> list[tuple[Any, str, Any]]:
    """Object, attribute and new value of every edit."""
    owner = scheduler.Scheduler
    return [(owner, "compute_last_usage", _ordered(owner.compute_last_usage))]
