"""Which functions `tcs.autocast` computes in which dtype.

They follow torch's lists for real dtypes: what is a product of matrices gains from the narrow
dtype and accumulates in float32; what adds up many numbers, has poles or grows exponentially loses
by it. A function in no list computes in the dtype of its operands.

The lists hold functions and not names, so a user's function of the same name is in none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from torch_complex_subclass.torch_compat import constant_in_graphs

Functions = frozenset[Callable[..., Any]]

_SPACES = (torch, Tensor, F, torch.linalg, torch.special)


def _named(names: str | Iterable[str], spaces: Iterable[object] = _SPACES) -> Functions:
    """Collect the functions of these names from the namespaces that have them."""
    names = names.split() if isinstance(names, str) else list(names)
    found = [getattr(space, name, None) for space in spaces for name in names]
    return frozenset(fn for fn in found if callable(fn))


def _public(space: Any) -> list[str]:
    return [name for name in dir(space) if not name.startswith("_")]


CONVOLUTIONS = _named(
    "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d", [F]
)

_TRANSPOSED = _named("conv_transpose1d conv_transpose2d conv_transpose3d", [F])

NARROW = _named("""
    addbmm addmm addmv addr baddbmm bmm chain_matmul einsum linear matmul mm multi_dot mv tensordot
    vecdot __matmul__ __rmatmul__
""")
"""Computed in bcomplex32."""

_EXPONENTIALS = """
    acos acosh arccos arccosh arcsin arcsinh arctan arctanh asin asinh atan atanh cos cosh exp exp2
    expm1 float_power log log10 log1p log2 logaddexp logaddexp2 pow reciprocal rsqrt sigmoid silu
    sin sinc sinh softplus sqrt tan tanh expit __pow__ __rpow__
"""

_MODULI = "abs absolute angle sgn __abs__ renorm dist norm normalize cosine_similarity rms_norm"

_REDUCTIONS = """
    corrcoef cov cumprod cumsum dot inner logcumsumexp logsumexp mean nanmean nansum prod std
    std_mean sum trace trapezoid trapz cumulative_trapezoid var var_mean vdot
"""

_FACTORISATIONS = """
    cholesky cholesky_inverse cholesky_solve det geqrf inverse lu lu_solve logdet matrix_exp
    matrix_power ormqr pinverse qr slogdet svd triangular_solve
"""

_LOSSES = [name for name in _public(F) if name.endswith("_loss") or "cross_entropy" in name]

_MOVEMENTS = ("fftshift", "ifftshift")

WIDE = (
    _named(_EXPONENTIALS)
    | _named(_MODULI)
    | _named(_REDUCTIONS)
    | _named(_FACTORISATIONS)
    | _named(_LOSSES, [F])
    | _named((name for name in _public(torch.fft) if name not in _MOVEMENTS), [torch.fft])
    | _named("stft istft", [torch, Tensor])
    | _named(_public(torch.linalg), [torch.linalg])
) - NARROW
"""Computed in complex64."""

_ARITHMETIC = "add sub subtract mul multiply div divide true_divide"
_OPERATORS = "add sub mul truediv"

PROMOTED = (
    _named(_ARITHMETIC)
    | _named(f"__{side}{name}__" for side in ("", "r") for name in _OPERATORS.split())
    | _named("""
        addcdiv addcmul allclose cat column_stack concat concatenate cross dstack eq equal hstack
        index_add index_copy index_put isclose kron lerp masked_scatter ne outer row_stack rsub
        scatter scatter_add stack vstack where __eq__ __ne__
    """)
)
"""Computed in the widest dtype among operands, as everywhere, but in a plain tensor."""

PROMOTED_IN_PLACE = (
    _named(f"{name}_" for name in _ARITHMETIC.split())
    | _named(f"__i{name}__" for name in _OPERATORS.split())
    | _named("""
        addcdiv_ addcmul_ copy_ index_add_ index_copy_ index_put_ lerp_ masked_scatter_ scatter_
        scatter_add_ __setitem__
    """)
)
"""The same, into their first argument, whose dtype is what counts."""


def is_transposed(convolution: Callable[..., Any]) -> bool:
    """True for a transposed convolution among `CONVOLUTIONS`."""
    return convolution in _TRANSPOSED


# A list further down goes first.
_LIST_OF = (
    dict.fromkeys(WIDE, "WIDE")
    | dict.fromkeys(PROMOTED_IN_PLACE, "PROMOTED_IN_PLACE")
    | dict.fromkeys(PROMOTED, "PROMOTED")
    | dict.fromkeys(NARROW, "NARROW")
    | dict.fromkeys(CONVOLUTIONS, "CONVOLUTIONS")
)


@constant_in_graphs
def list_of(fn: Callable[..., Any]) -> str:
    """Name the list that a function is in; an empty string for none.

    Dynamo asks while it traces and holds the answer. It would guard on membership in a set by
    another object than the function where torch wrapped it in Python, as it did `Tensor.__rsub__`.
    """
    return _LIST_OF.get(fn, "")
