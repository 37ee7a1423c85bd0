"""Records what a rule does to fake tensors as nodes of a graph."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, fx
from torch._ops import OpOverload
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.decompositions import rule_ops

if TYPE_CHECKING:
    from torch._subclasses.fake_tensor import FakeTensorMode

aten = torch.ops.aten

RECORDED = "torch_complex_subclass_recorded"
"""Metadata of every node that the pass made."""

INNER = "torch_complex_subclass_inner"
"""Metadata of nodes whose value only the rule that they come from reads."""

RULE = "torch_complex_subclass_rule"
"""Metadata of nodes of an elementwise rule: its application's number, its op, the node's target.

Inductor hands the metadata of a node that does nothing, such as `x * 1.0`, on to its operand: the
target tells whose it was.
"""

# Metadata that describes a node's own value, or arguments it no longer has.
NOT_INHERITED = ("val", "tensor_meta", "eager_input_vals", "unbacked_bindings", compat.UNCHECKED)

# Inductor's vector code asks these of one element after the other.
_BY_COMPARISON: dict[OpOverload, Callable[[Tensor], Tensor]] = {
    aten.isinf.default: lambda t: t.abs() == torch.inf,
    aten.isnan.default: lambda t: t != t,
    aten.isfinite.default: lambda t: t.abs() < torch.inf,
}


class Recorder(TorchDispatchMode):
    """Runs aten ops on the fake tensors of a graph and appends each to the graph.

    Tensors are known by identity: `bind` tells which node a fake tensor stands for, and the
    recorder itself does so for results. Symbolic sizes are known by their expression; one that no
    node computes yet is built from its symbols.
    """

    def __init__(
        self,
        graph: fx.Graph,
        fake_mode: FakeTensorMode,
        decompositions: dict[Any, Callable[..., Any]],
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.graph = graph
        self.fake_mode = fake_mode
        self.decompositions = decompositions
        self.inherited: dict[str, Any] = {}
        self._nodes: dict[int, fx.Node] = {}
        self._alive: list[Tensor] = []
        self._expressions: dict[Any, fx.Node] = {}
        self._constants: dict[int, fx.Node] = {}
        self.created: list[fx.Node] = []

    def see(self, node: fx.Node) -> None:
        """Remember a node that computes a symbolic expression."""
        value = node.meta.get("val")
        if isinstance(value, torch.SymInt | torch.SymFloat | torch.SymBool):
            self._expressions.setdefault(value.node.expr, node)

    def bind(self, node: fx.Node) -> Tensor:
        """Return the fake tensor of `node`, known by it from here on."""
        value = node.meta["val"]
        if self._nodes.get(id(value), node) is not node:
            # Two nodes share one fake tensor; tell them apart.
            with compat.no_dispatch_modes():
                value = value.detach()
        self._nodes[id(value)] = node
        self._alive.append(value)
        return value  # type: ignore[no-any-return]

    def node_of(self, value: Tensor) -> fx.Node:
        """Return the node of a tensor that was bound or recorded."""
        return self._nodes[id(value)]

    def emit(self, op: Callable[..., Any], *args: Any, **kwargs: Any) -> fx.Node:
        """Append a call on nodes; return its node. Runs the op on the nodes' fake tensors."""
        with self:
            fake_args, fake_kwargs = pytree.tree_map_only(fx.Node, self.value, (args, kwargs))
            return self.node_of(op(*fake_args, **fake_kwargs))

    def emit_write(self, op: OpOverload, *args: fx.Node) -> None:
        """Append a call that changes its first argument and returns nothing."""
        node = self.graph.call_function(op, args)
        node.meta.update(self.inherited)
        node.meta["val"] = None

    def emit_constant(self, tensor: Tensor) -> fx.Node:
        """Append a constant of the graph's module; the same node for the same tensor."""
        if id(tensor) in self._constants:
            return self._constants[id(tensor)]
        module = self.graph.owning_module
        count = 0
        while hasattr(module, name := f"_complex_constant{count}"):
            count += 1
        module.register_buffer(name, tensor)  # type: ignore[union-attr]
        node = self.graph.get_attr(name)
        self._describe(node, self.fake_mode.from_tensor(tensor, static_shapes=True))
        self._constants[id(tensor)] = node
        self._alive.append(tensor)
        return node

    def emit_lifted(self, tensor: Tensor) -> fx.Node:
        """Append a constant for use: fake tensors meet one only through the op that lifts it."""
        return self.emit(aten.lift_fresh_copy.default, self.emit_constant(tensor))

    def mark_rule(self, op: Any, since: int, outputs: Iterable[fx.Node]) -> None:
        """Mark the nodes created from the number `since` on as those of one rule."""
        kept = set(outputs)
        for node in self.created[since:]:
            if node not in kept:
                node.meta[INNER] = True
            if node.op == "call_function":
                node.meta[RULE] = since, op, node.target

    def erase_unused(self) -> None:
        """Remove recorded nodes that nothing reads."""
        for node in reversed(self.created):
            if not node.users:
                self.graph.erase_node(node)

    def value(self, node: fx.Node) -> Any:
        """Return a node's value: its bound fake tensor, or its number."""
        value = node.meta["val"]
        return self.bind(node) if isinstance(value, Tensor) else value

    def __torch_dispatch__(
        self, func: OpOverload, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if func.namespace == "prim":  # a question such as the device, not a computation
            return func(*args, **kwargs)
        if func is aten.lift_fresh.default:  # a table of numbers that a rule looks up
            return self.value(self.emit_lifted(args[0]))
        decomposition = self.decompositions.get(func)
        if func in _BY_COMPARISON and args[0].is_floating_point():
            decomposition = _BY_COMPARISON[func]
        if decomposition is not None:
            with self:
                result = decomposition(*args, **kwargs)
            if result is not NotImplemented:
                return result
        if func not in rule_ops.in_aten():
            with self:
                # Ops made of others reach a mode as they are where autograd is off.
                result = func.decompose(*args, **kwargs)
            if result is not NotImplemented:
                return result
        try:
            result = func(*args, **kwargs)
        except (RuntimeError, ValueError):
            if func is not aten.view.default:
                raise
            # A part can lie otherwise than the complex value did when it was traced.
            with self:
                args = args[0].clone(memory_format=torch.contiguous_format), *args[1:]
            result = func(*args, **kwargs)
        node_args, node_kwargs = pytree.tree_map(self._argument, (args, kwargs))
        node = self.graph.call_function(func, node_args, node_kwargs)
        self._describe(node, result)
        return result

    def _describe(self, node: fx.Node, result: Any) -> None:
        self.created.append(node)
        node.meta.update(self.inherited)
        node.meta["val"] = result
        node.meta[RECORDED] = True
        if isinstance(result, Tensor):
            self._remember(result, node)
        elif isinstance(result, list | tuple):
            for i, item in enumerate(result):
                if isinstance(item, Tensor):
                    part = self.graph.call_function(operator.getitem, (node, i))
                    self._describe(part, item)
        else:
            self.see(node)

    def _remember(self, value: Tensor, node: fx.Node) -> None:
        # An op that returns its argument computes nothing new, but later uses may name either.
        self._nodes[id(value)] = node
        self._alive.append(value)

    def _argument(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return self._nodes[id(value)]
        if isinstance(value, torch.SymInt | torch.SymFloat | torch.SymBool):
            return self._symbolic(value)
        return value

    def _symbolic(self, value: Any) -> Any:
        expr = value.node.expr
        if expr.is_number:
            return int(expr) if isinstance(value, torch.SymInt) else float(expr)
        node = self._expressions.get(expr)
        if node is None:
            node = compat.emit_expression(self.graph, expr, self._expressions)
            node.meta["val"] = value
            self.see(node)
        return node

    def inherit(self, node: fx.Node) -> None:
        """Give nodes recorded from here on the metadata of the node they replace."""
        self.inherited = {k: v for k, v in node.meta.items() if k not in NOT_INHERITED}
