"""Emulates compilers that fuse a product with the sum it enters, and those that reorder sums.

Triton turns `a * b + c` into one fused operation, rounded once. `contracted` traces a function to
a graph of aten ops and runs it so: float32 in double precision, where the product of two values is
exact, and float64 in rational arithmetic. Where both terms of a sum are products the caller says
which is fused.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor, fx
from torch.fx.experimental.proxy_tensor import make_fx

from torch_complex_subclass.decompositions.compensated import two_sum

aten = torch.ops.aten

_SUMS = (aten.add.Tensor, aten.sub.Tensor)


def fused_multiply_add(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Value of a * b + c for float32 or float64, rounded once."""
    if a.dtype == torch.float64:
        return _by_fractions(a, b, c)
    # The double sum is rounded to odd: where it is not exact, its last bit is set, so that
    # rounding it again to single precision is right even half way between two numbers.
    total, error = two_sum(a.double() * b.double(), c.double())
    even = (total.view(torch.int64) & 1) == 0
    inexact = (error != 0) & total.isfinite()
    # Rounding to odd: of the two neighbours of the exact sum, the one whose last bit is set.
    toward = torch.where(error > 0, torch.inf, -torch.inf).double()
    total = torch.where(inexact & even, torch.nextafter(total, toward), total)
    return total.float()


def _by_fractions(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """The same element by element, in rational numbers; Python rounds them correctly."""
    operands = torch.broadcast_tensors(a, b, c)
    plain = operands[0] * operands[1] + operands[2]
    columns = (column.reshape(-1).tolist() for column in (*operands, plain))
    fused = [_fused(*row) for row in zip(*columns, strict=True)]
    return torch.tensor(fused, dtype=a.dtype).reshape(plain.shape)


def _fused(x: float, y: float, z: float, plain: float) -> float:
    """x * y + z rounded once; `plain` is the value rounded twice, kept where it is special."""
    if not all(map(math.isfinite, (x, y, z, plain))):
        return plain
    total = Fraction(x) * Fraction(y) + Fraction(z)
    return float(total) if total else plain


class _Contracting(fx.Interpreter):
    """Runs a graph with every sum of a product as one fused operation."""

    def __init__(self, module: fx.GraphModule, prefer: int) -> None:
        super().__init__(module)
        self.prefer = prefer
        self.fused = 0

    def run_node(self, n: fx.Node) -> Any:
        """Run one node, fused with the product that enters it if there is one."""
        if n.target not in _SUMS or n.kwargs:
            return super().run_node(n)
        chosen = self._product_among(n)
        if chosen is None:
            return super().run_node(n)
        self.fused += 1
        place, (a, b) = chosen
        other = self._value(n.args[1 - place], a.dtype)
        if n.target is aten.sub.Tensor:
            a = a if place == 0 else -a
            other = -other if place == 0 else other
        return fused_multiply_add(a, b, other)

    def _product_among(self, n: fx.Node) -> tuple[int, tuple[Tensor, Tensor]] | None:
        for place in (self.prefer, 1 - self.prefer):
            source = n.args[place]
            if isinstance(source, fx.Node) and source.target is aten.mul.Tensor:
                first = self._value(source.args[0])
                second = self._value(source.args[1], first.dtype)
                if first.dtype == second.dtype and first.is_floating_point():
                    return place, (first, second)
        return None

    def _value(self, arg: Any, dtype: torch.dtype | None = None) -> Tensor:
        if isinstance(arg, fx.Node):
            value: Tensor = self.env[arg]
            return value
        return torch.tensor(arg, dtype=dtype)


def contracted(
    fn: Callable[..., Any], *operands: Tensor, prefer: int = 0
) -> tuple[list[Tensor], int]:
    """Results of fn with every product fused into the sum it enters, and how many were.

    `prefer` is the place of the term that is fused where both are products.
    """
    module = make_fx(fn)(*operands)
    interpreter = _Contracting(module, prefer)
    # Values stay for products that are read again when a sum fuses them.
    interpreter.garbage_collect_values = False
    result = interpreter.run(*operands)
    return (list(result) if isinstance(result, tuple | list) else [result]), interpreter.fused
