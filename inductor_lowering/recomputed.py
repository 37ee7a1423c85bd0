"""Values of much smaller tensors are computed again by each reader, not stored.

Inductor stores a value that is used twice and reads more than four buffers, whatever the sizes of
those. An outer product of two vectors reads four (two parts each) and what scales it, and its
gradients sum it over rows and over columns: stored, it goes out to memory once and back for each
sum, where two vectors in the innermost cache give it for a few operations.

Applies only to graphs with complex values, whose numbers are two reads each, and on the CPU:
elsewhere it was not measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, fx
from torch._inductor import ir
from torch._inductor.utils import sympy_product
from torch._inductor.virtualized import V

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.inductor_lowering import interleaved, reduced_values

aten = torch.ops.aten

LEAST_RATIO = 8
"""Bytes of a value for each byte that it is computed from."""

MOST_OPERATIONS = 32
"""Operations of one element beyond which a value is stored all the same."""

_QUICK = frozenset(
    (
        *("add", "sub", "mul", "truediv", "neg", "abs", "square", "fma", "maximum", "minimum"),
        *("load", "constant", "index_expr", "to_dtype", "where", "copysign", "signbit"),
        *("eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_not"),
    )
)
"""Operations that take no longer than to read a number."""

_FOLDS = (aten.view.default, aten._unsafe_view.default, aten.reshape.default)
"""Views through which the address of an element may take quotients and remainders."""


def _bytes_read(value: ir.Pointwise) -> float:
    """Bytes that a value is computed from; without limit where a size is unknown."""
    sizes = [V.graph.get_dep_size_hint(dep) for dep in value.get_reads()]
    return sum(sizes) if all(sizes) else math.inf


def _is_of_small_tensors(value: ir.Pointwise) -> bool:
    elements = V.graph.sizevars.optimization_hint(sympy_product(value.get_size()))
    return LEAST_RATIO * _bytes_read(value) <= elements * value.get_dtype().itemsize


def is_cheaper_than_memory(value: Any) -> bool:
    """True for a loop of few quick operations over elements of much smaller tensors."""
    if not isinstance(value, ir.Pointwise) or value.get_device_or_error().type != "cpu":
        return False
    count = value.inner_fn_opcount()
    if count.num_ops > MOST_OPERATIONS or not _QUICK.issuperset(count.used_ops):
        return False
    return _is_of_small_tensors(value)


def _readers(node: fx.Node) -> Iterator[fx.Node]:
    """Nodes that read a value, directly or through views, and those views."""
    for user in node.users:
        yield user
        if reduced_values.is_view(user):
            yield from _readers(user)


def _is_no_larger(made: Any, own: Any) -> bool:
    return isinstance(made, Tensor) and compat.is_never_more(made.numel(), own.numel())


def _is_read_as_it_lies(node: fx.Node) -> bool:
    """True where no reader sees the value in other rows, or more elements than it has."""
    own = node.meta.get("val")
    return isinstance(own, Tensor) and all(
        reader.target not in _FOLDS and _is_no_larger(reader.meta.get("val"), own)
        for reader in _readers(node)
    )


def computed_again(stock: Callable[..., bool]) -> Callable[..., bool]:
    """Answer whether a value is stored because it is used more than once."""

    def should_realize_on_reuse(self: Any, users: int, **kwargs: Any) -> bool:
        if not stock(self, users, **kwargs):
            return False
        node = reduced_values.node_of(self.data)
        if node is None or not interleaved.has_complex_values(V.graph):
            return True
        return not (is_cheaper_than_memory(self.data) and _is_read_as_it_lies(node))

    return should_realize_on_reuse
