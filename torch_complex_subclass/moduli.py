"""Squares of moduli, and their gradients, without the modulus.

`z.abs() ** 2` is how programs write a power, an intensity or a squared error. The sum of the
squares of both parts is the same number, with fewer roundings, and without scaling and roots; and
the gradient, which autograd writes as 2 |z| sgn(z), is 2 z. Infinite and NaN parts give what the
modulus gives; the gradient of an infinite number is infinite, where the product of infinity and a
phase is NaN.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, fx

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.decompositions.registry import Pair
from torch_complex_subclass.decompositions.scaling import squared_modulus
from torch_complex_subclass.recorder import NOT_INHERITED, Recorder

aten = torch.ops.aten

# The parts whose results are not rounded to fewer digits after each op.
_DTYPES = (torch.complex64, torch.complex128)

Factors = tuple[fx.Node | float, ...]


def squares(graph: fx.Graph) -> dict[fx.Node, fx.Node]:
    """The nodes of a graph that are the square of a modulus, and the complex values they are of."""
    powers = graph.find_nodes(op="call_function", target=aten.pow.Tensor_Scalar)
    products = graph.find_nodes(op="call_function", target=aten.mul.Tensor)
    pairs = [(node, (node.args[0],) * 2) for node in powers if node.args[1] == 2]
    pairs += [(node, node.args) for node in products]
    found = {}
    for node, (left, right) in pairs:
        z = _argument_of_modulus(left)
        if z is not None and z is _argument_of_modulus(right):
            found[node] = z
    return found


def square(z: Pair, op: Any, recorder: Recorder) -> fx.Node:
    """Record |z|^2 in place of a call of `op`."""
    since = len(recorder.created)
    with recorder:
        node = recorder.node_of(squared_modulus(*z))
    recorder.mark_rule(op, since, [node])
    return node


def simplify_gradients(graph: fx.Graph) -> None:
    """Replace products of |z|, other real factors and sgn(z) by those of the other factors and z.

    Enter the graph's fake tensor mode around it.
    """
    for phase in graph.find_nodes(op="call_function", target=aten.sgn.default):
        z = phase.args[0]
        for product in list(phase.users):
            if product.target is aten.mul.Tensor and _has_the_geometry_of(z, product):
                left, right = product.args
                factors = _without_modulus(right if left is phase else left, z)
                if factors:  # with none, z itself would stand for a new value
                    _replace(graph, product, factors, z)


def _argument_of_modulus(node: Any) -> fx.Node | None:
    if not isinstance(node, fx.Node) or node.target is not aten.abs.default:
        return None
    z: Any = node.args[0]
    return z if z.meta["val"].dtype in _DTYPES else None


def _has_the_geometry_of(z: fx.Node, product: fx.Node) -> bool:
    value, result = z.meta["val"], product.meta["val"]
    same_dtype = value.dtype in _DTYPES and value.dtype == result.dtype
    return same_dtype and compat.same_sizes(value.shape, result.shape)


def _without_modulus(node: Any, z: fx.Node) -> Factors | None:
    """What |z| is multiplied by in a real product, in order; None where it is no factor."""
    if not isinstance(node, fx.Node) or not _is_real_like(z, node):
        return None
    if node.target is aten.abs.default:
        return () if node.args[0] is z else None
    if node.target is aten.pow.Tensor_Scalar:
        base, exponent = node.args
        return _without_power(base, exponent, z)
    if node.target in (aten.mul.Scalar, aten.mul.Tensor):
        left, right = node.args
        pairs: Any = (left, right), (right, left)
        for factor, other in pairs:
            found = _without_modulus(factor, z)
            if found is not None and _is_real_factor(z, other):
                return (*found, other)
    return None


def _is_real_like(z: fx.Node, node: fx.Node) -> bool:
    value = node.meta["val"]
    return isinstance(value, Tensor) and value.dtype == z.meta["val"].dtype.to_real()


def _is_real_factor(z: fx.Node, other: Any) -> bool:
    return _is_real_like(z, other) if isinstance(other, fx.Node) else isinstance(other, int | float)


def _without_power(base: Any, exponent: Any, z: fx.Node) -> Factors | None:
    if _argument_of_modulus(base) is not z:
        return None
    return {1: (), 2: (base,)}.get(exponent)


def _replace(graph: fx.Graph, product: fx.Node, factors: Factors, z: fx.Node) -> None:
    """Multiply z instead of |z|, factor by factor, so that nothing overflows that did not."""
    inherited = {k: v for k, v in product.meta.items() if k not in NOT_INHERITED}
    result = z
    with graph.inserting_before(product):
        for factor in factors:
            op = aten.mul.Tensor if isinstance(factor, fx.Node) else aten.mul.Scalar
            value = factor.meta["val"] if isinstance(factor, fx.Node) else factor
            of = result.meta["val"]
            result = graph.call_function(op, (result, factor))
            result.meta = {**inherited, "val": op(of, value)}
    # The strides are those that were traced.
    result.meta["val"] = product.meta["val"]
    product.replace_all_uses_with(result)
    _erase(graph, product)


def _erase(graph: fx.Graph, node: fx.Node) -> None:
    """Remove a node and those that only it needs."""
    operands = node.all_input_nodes
    graph.erase_node(node)
    for operand in operands:
        if not operand.users and operand.op == "call_function":
            _erase(graph, operand)
