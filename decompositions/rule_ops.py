"""Ops that rules need and aten lacks. The first use of one registers it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass import torch_compat as compat

_OPS: list[RuleOp] = []


class RuleOp:
    """An op with a lowering of its own, and what it stands for in ops of aten."""

    def __init__(
        self,
        schema: str,
        kernel: Callable[..., Tensor],
        in_aten: Callable[..., Tensor] | None = None,
    ) -> None:
        """Declare the op; `in_aten` may return an argument, which a kernel must not."""
        self._schema, self._kernel = schema, kernel
        self.in_aten = in_aten or kernel
        _OPS.append(self)

    @functools.cached_property
    def overload(self) -> Any:
        """The op, registered."""
        name = self._schema.split("(")[0]
        self._library = torch.library.Library("torch_complex_subclass", "FRAGMENT")
        self._library.define(self._schema, tags=(torch.Tag.pt2_compliant_tag,))
        self._library.impl(name, self._kernel, "CompositeExplicitAutograd")
        return getattr(torch.ops.torch_complex_subclass, name).default

    def __call__(self, *args: Tensor) -> Tensor:
        """Call the op."""
        result: Tensor = self.overload(*args)
        return result


@functools.cache
def in_aten() -> dict[Any, Callable[..., Tensor]]:
    """Each op and what it stands for, as a decomposition table."""
    return {op.overload: op.in_aten for op in _OPS}


_choice = RuleOp(
    "where_ordinary(Tensor ordinary, Tensor fast, Tensor otherwise) -> Tensor",
    torch.where,
    lambda ordinary, fast, otherwise: otherwise,
)

_has_branches = False


def use_branches(use: bool) -> None:
    """Tell whether Inductor has a lowering for the choice that `ordinarily` leaves."""
    global _has_branches
    _has_branches = use


def ordinarily(
    ordinary: Callable[[], Tensor],
    fast: Callable[[], tuple[Tensor, ...]],
    otherwise: Callable[[], tuple[Tensor, ...]],
) -> tuple[Tensor, ...]:
    """Values of `otherwise`, for which vector code may take those of `fast` where `ordinary`.

    Where `ordinary` is true the two must have the same bits, so that no number depends on those
    beside it. Vector code computes `otherwise` for vectors that have a number that is not ordinary,
    and all other code, eager first, for all numbers.
    """
    results = otherwise()
    if not (_has_branches and compat.is_traced_by_mode()):
        return results
    mask = ordinary()
    return tuple(_choice(mask, *both) for both in zip(fast(), results, strict=True))


def choice_op() -> Any:
    """The op behind `ordinarily`."""
    return _choice.overload
