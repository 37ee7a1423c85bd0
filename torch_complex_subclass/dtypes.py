"""Complex and real dtype pairs, compute dtypes, and eager's type promotion."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Any, TypeAlias

import torch
from torch import Tensor


class _Traits:
    """What a dtype is asked; apart, since every name in the body of an enumeration is a member."""

    itemsize = 4
    is_complex = True
    is_floating_point = False
    is_signed = True


class BComplex32(_Traits, enum.Enum):
    """Class of `bcomplex32`, its one object: complex numbers with parts in bfloat16.

    An enumeration, since its members survive copies and pickles as they are and may be constants
    of a graph. Torch knows a tensor of this dtype as one of complex32.
    """

    bcomplex32 = "bcomplex32"

    def to_real(self) -> torch.dtype:
        """Return the dtype of the parts."""
        return torch.bfloat16

    def to_complex(self) -> BComplex32:
        """Return the dtype itself, which is complex already."""
        return self

    def __repr__(self) -> str:
        return "torch_complex_subclass.bcomplex32"

    __str__ = __repr__


bcomplex32 = BComplex32.bcomplex32

# The dtype that torch knows tensors of bcomplex32 by: of its size, and complex.
OUTER = torch.complex32

# The dtype of this name that newer versions of torch have.
TORCH_BCOMPLEX32: torch.dtype | None = getattr(torch, "bcomplex32", None)

# What a rule's dtype can be.
Dtype: TypeAlias = torch.dtype | BComplex32

REAL_OF: dict[Dtype, torch.dtype] = {
    torch.complex32: torch.float16,
    bcomplex32: torch.bfloat16,
    torch.complex64: torch.float32,
    torch.complex128: torch.float64,
}
COMPLEX_OF: dict[torch.dtype, Dtype] = {real: cplx for cplx, real in REAL_OF.items()}

# Parts in a half type are computed in float32 and rounded once, as Inductor does.
_COMPUTE = {torch.float16: torch.float32, torch.bfloat16: torch.float32}


def real_dtype(dtype: Dtype) -> torch.dtype:
    """Return the dtype of the parts of `dtype`; a real dtype is returned as it is."""
    return REAL_OF.get(dtype, dtype)  # type: ignore[arg-type]


def complex_dtype(dtype: Dtype) -> Dtype:
    """Return the complex dtype whose parts are `dtype`.

    Raises TypeError for a dtype that has none.
    """
    if dtype.is_complex:
        return dtype
    assert isinstance(dtype, torch.dtype)
    try:
        return COMPLEX_OF[dtype]
    except KeyError:
        names = ", ".join(str(d) for d in COMPLEX_OF)
        raise TypeError(f"no complex dtype has parts of {dtype}; use one of {names}") from None


def torch_dtype(dtype: Dtype) -> torch.dtype:
    """Return the dtype that torch knows a tensor of `dtype` by."""
    return OUTER if isinstance(dtype, BComplex32) else dtype


def compute_dtype(real: torch.dtype) -> torch.dtype:
    """Return the dtype that parts of dtype `real` are computed in."""
    return _COMPUTE.get(real, real)


def default_complex_dtype() -> torch.dtype:
    """Return the dtype that torch gives a Python complex number.

    complex64 where the default is bfloat16: a number alone makes no bcomplex32.
    """
    return torch.promote_types(torch.get_default_dtype(), torch.complex32)


def _number_dtype(value: object, is_complex: bool) -> torch.dtype:
    if is_complex:
        return default_complex_dtype()
    if isinstance(value, bool | torch.SymBool):
        return torch.bool
    if isinstance(value, int | torch.SymInt):
        return torch.int64
    return torch.get_default_dtype()


def promote_types(a: Dtype, b: Dtype) -> Dtype:
    """Return the dtype that holds both; `torch.promote_types` with bcomplex32 beside its dtypes.

    bcomplex32 stays with bfloat16, integers and bool. Whatever needs more digits than bfloat16
    or more range than float16 gives complex64 or complex128, by the width of the parts.
    """
    if isinstance(a, torch.dtype) and isinstance(b, torch.dtype):
        return torch.promote_types(a, b)
    return complex_dtype(torch.promote_types(real_dtype(a), real_dtype(b)))


def _combine(higher: Dtype | None, lower: Dtype | None) -> Dtype | None:
    """Promote across categories: a lower one changes the kind of number, not its width."""
    if higher is None or lower is None:
        return lower if higher is None else higher
    if higher.is_complex:
        return higher
    if higher.is_floating_point:
        if higher == torch.bfloat16 and isinstance(lower, BComplex32):
            return lower
        # Other complex values make complex64 of bfloat16, as in torch, which has no bcomplex32.
        return promote_types(higher, torch.complex32) if lower.is_complex else higher
    if higher == torch.bool or lower.is_floating_point or lower.is_complex:
        return promote_types(higher, lower)
    return higher


def _promote(dtypes: Iterable[Dtype]) -> Dtype | None:
    result: Dtype | None = None
    for dtype in dtypes:
        result = dtype if result is None else promote_types(result, dtype)
    return result


def result_dtype(operands: Iterable[Any]) -> Dtype:
    """Return the dtype of eager's result for these operands.

    An operand is a tensor, a pair of tensors (complex), a Python number or a pair of numbers.
    Tensors with dimensions take precedence over those without, and these over numbers.
    """
    shaped: list[Dtype] = []
    zero_dim: list[Dtype] = []
    numbers: list[Dtype] = []
    for operand in operands:
        is_pair = isinstance(operand, tuple)
        first = operand[0] if is_pair else operand
        if not isinstance(first, Tensor):
            numbers.append(_number_dtype(first, is_pair))
            continue
        dtype = complex_dtype(first.dtype) if is_pair else first.dtype
        (shaped if first.dim() else zero_dim).append(dtype)
    result = _combine(_combine(_promote(shaped), _promote(zero_dim)), _promote(numbers))
    if result is None:
        raise TypeError("type promotion needs at least one operand")
    return result


def ready_to_round(part: Tensor, dtype: torch.dtype | None) -> Tensor:
    """Return a real tensor that torch converts to `dtype` as `part` rounded to nearest even once.

    Torch converts float64 to bfloat16 by way of float32, which rounds twice. Here the first step
    rounds to odd: the last bit of an inexact float32 is set, so that a value just off the middle
    between two bfloat16 is not taken for the middle (Boldo and Melquiond, 2008).
    """
    twice = part.dtype == torch.float64 and dtype == torch.bfloat16
    return _round_to_odd(part) if twice else part


def _round_to_odd(x: Tensor) -> Tensor:
    """Round float64 to float32; of the two neighbours of an inexact value, take the odd one."""
    near = x.to(torch.float32)
    back = near.to(torch.float64)
    bits = near.view(torch.int32)
    inexact_even = (back != x) & ~x.isnan() & (bits & 1 == 0)
    step = torch.where(x.abs() > back.abs(), 1, -1).to(torch.int32)
    return torch.where(inexact_even, bits + step, bits).view(torch.float32)


STORED_ONLY = "torch stores numbers in its own bcomplex32, and has no kernels that compute in it"


def is_stored_only(value: Any) -> bool:
    """True when a node's value is, or contains, a tensor of the bcomplex32 inside torch."""
    if isinstance(value, list | tuple):
        return any(map(is_stored_only, value))
    return isinstance(value, Tensor) and value.dtype is TORCH_BCOMPLEX32


def has_complex(value: Any) -> bool:
    """True when a node's value is, or contains, a complex tensor."""
    if isinstance(value, list | tuple):
        return any(map(has_complex, value))
    return isinstance(value, Tensor) and value.is_complex()
