"""Eager with every rounding error made anew, to see how far errors of that size can carry.

This is Monte Carlo arithmetic (Parker, 1997) at the level of aten ops, below autograd, so that the
backward pass is perturbed as well.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from torch_complex_subclass import torch_compat as compat

STRENGTH = 4.0
"""Largest relative perturbation in units of eps, the bound that most rules state in ulp."""

# Ops that move or choose numbers, or are exact: nothing is rounded.
# fmt: off
_EXACT = frozenset((
    "_neg_view", "_unsafe_view", "arange", "cat", "clone", "complex", "conj_physical",
    "constant_pad_nd", "copy_", "diag_embed", "diagonal_scatter", "empty", "empty_like",
    "empty_strided", "eye", "fill", "fill_", "flip", "full", "full_like", "gather", "index",
    "index_copy", "index_copy_", "index_fill", "index_fill_", "index_put", "index_put_",
    "index_select", "isfinite", "isinf", "isnan", "lift_fresh", "masked_fill", "masked_fill_",
    "masked_scatter", "masked_scatter_", "neg", "neg_", "new_empty", "new_empty_strided",
    "new_full", "new_ones", "new_zeros", "ones", "ones_like", "put", "put_", "real", "repeat",
    "roll", "scalar_tensor", "scatter", "scatter_", "select_backward", "select_scatter",
    "slice_backward", "slice_scatter", "squeeze_", "stack", "take", "tril", "triu", "unsqueeze_",
    "where", "zero_", "zeros", "zeros_like",
))
# fmt: on

# Kernels that round the operand of a function before they take it, so that the error of a result
# near a zero of the function is as if the operand were another: sinc multiplies it by pi.
_ROUND_FIRST = frozenset(("sinc",))

# Exact, but for zeros of complex numbers: of 0 torch's vector code makes 0, and its other code,
# which the last few numbers pass through, -0.
_EITHER_ZERO = frozenset(("neg", "neg_"))


class Perturbed(TorchDispatchMode):
    """Multiplies the result of each op by 1 + d, d random and at most `STRENGTH` eps.

    A part that is zero stays zero, with a random sign. Operands of kernels that round them are
    perturbed as well, and where that can give either sign it can give zero too.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.generator = torch.Generator().manual_seed(seed)

    def __torch_dispatch__(
        self, func: OpOverload, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        name = func._schema.name.split("::")[1]
        if name in _ROUND_FIRST:
            result = self._of_rounded(func, args)
        else:
            result = func(*args, **(kwargs or {}))
        if name not in _EXACT and not compat.returns_view(func):
            for leaf in pytree.tree_leaves(result):
                if isinstance(leaf, Tensor) and leaf.numel() > 0:
                    self._perturb(leaf)
        elif name in _EITHER_ZERO and result.is_complex() and not result.is_conj():
            parts = torch.view_as_real(result)
            noise = torch.rand(parts.shape, generator=self.generator) - 0.5
            parts.copy_(self._signed(parts, noise))
        return result

    def _of_rounded(self, func: OpOverload, args: Any) -> Tensor:
        """Call a kernel on perturbed operands; zero is as likely as another number that near it."""
        one, other = (func(*pytree.tree_map_only(Tensor, self._copy, args)) for _ in range(2))
        near_zero = one.abs() <= 2 * (one - other).abs()
        chosen = torch.rand(one.shape, generator=self.generator) < 0.5
        return torch.where(near_zero & chosen, torch.zeros_like(one), one)

    def _copy(self, t: Tensor) -> Tensor:
        copy = t.clone()
        self._perturb(copy)
        return copy

    def _perturb(self, t: Tensor) -> None:
        if t.is_complex():
            plain = t.resolve_conj()
            parts = torch.view_as_real(plain.clone() if plain is t else plain)
            t.copy_(torch.view_as_complex(self._moved(parts, plain.abs().unsqueeze(-1))))
        elif t.is_floating_point():
            t.copy_(self._moved(t, t.abs()))

    def _moved(self, parts: Tensor, size: Tensor) -> Tensor:
        """Return `parts` plus noise relative to `size`."""
        noise = torch.rand(parts.shape, generator=self.generator, dtype=torch.float64) * 2 - 1
        eps = torch.finfo(parts.dtype).eps
        moved = parts + (STRENGTH * eps * noise).to(parts.dtype) * size
        return torch.where(parts == 0, self._signed(parts, noise), moved)

    @staticmethod
    def _signed(parts: Tensor, noise: Tensor) -> Tensor:
        """Return `parts` with signs of noise for those of zeros."""
        sign = torch.where(noise < 0, -1.0, 1.0).to(parts.dtype)
        return torch.where(parts == 0, sign * 0.0, parts)
