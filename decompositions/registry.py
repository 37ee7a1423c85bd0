"""The table, and the only functions that write to it.

A rule maps one aten overload on complex tensors to real arithmetic. It is a pure function: it
takes and returns `Pair`s (real part, imaginary part), real tensors and Python numbers, never a
`ComplexTensor`; it does not promote dtypes and does not branch on data. Operands arrive promoted
to one real dtype (half types already widened); `dispatch.apply` does that, once for all rules.
"""

from __future__ import annotations

import enum
import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, TypeVar

from torch import Tensor
from torch._ops import OpOverload

from torch_complex_subclass.errors import DuplicateRuleError

Function = TypeVar("Function", bound=Callable[..., Any])


class Pair(NamedTuple):
    """Real and imaginary part of a complex value: two real tensors of one shape, or two floats."""

    re: Any
    im: Any


# What an operand of a rule can be: a complex value, a real tensor, or a real Python number.
Operand: TypeAlias = Pair | Tensor | float


class Interleaved(NamedTuple):
    """A complex value as its memory: a real tensor of shape `(..., 2)`."""

    memory: Tensor


class Kind(enum.StrEnum):
    """What a rule says about its op."""

    UNARY = "unary"
    """Elementwise in one complex operand; called as `fn(x, y, ...)`; has an error bound."""
    ELEMENTWISE = "elementwise"
    """Elementwise in any number of operands, each a `Pair`, a real tensor or a number."""
    COMPONENTWISE = "componentwise"
    """Acts on both parts alike: it moves elements, or it is linear with real coefficients."""
    BILINEAR = "bilinear"
    """A product; compiled code may choose the library's complex kernel instead."""
    REDUCTION = "reduction"
    """Combines elements of one operand."""
    CREATION = "creation"
    """Makes or converts a tensor; the rule settles the dtype itself."""
    MEMORY = "memory"
    """Reinterprets memory; its rule takes and returns complex values as `Interleaved`."""
    COMPOSITE = "composite"
    """Made of other aten ops on the complex tensors themselves, which have rules of their own."""
    NATIVE = "native"
    """Keeps the complex kernel, for the stated reason."""
    UNSUPPORTED = "unsupported"
    """Eager refuses it too, for the stated reason."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table."""

    op: OpOverload
    kind: Kind
    fn: Callable[..., Any] | None = None
    max_ulp: float | None = None
    """Bound on the error of either part in units in the last place of that part."""
    normwise: bool = False
    """The bound is in units in the last place of the larger part instead."""
    data: tuple[str, ...] = ()
    """Names of the arguments that can be complex and take part in type promotion."""
    reason: str = ""
    location: str = ""
    sums: bool = False
    """A componentwise op adds elements, and is computed in the compute dtype."""
    narrow: Callable[..., Any] | None = None
    """Computes on half types as they are, and rounds once; NotImplemented where it does not."""


TABLE: dict[OpOverload, Rule] = {}

# Names of the first operand in aten schemas.
DEFAULT_DATA = ("self", "input", "tensors", "tensor")


def _caller() -> str:
    frame = inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__") == __name__:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else "?"


def _record(
    op: OpOverload,
    kind: Kind,
    fn: Callable[..., Any] | None = None,
    *,
    max_ulp: float | None = None,
    normwise: bool = False,
    data: tuple[str, ...] = DEFAULT_DATA,
    reason: str = "",
    sums: bool = False,
    narrow: Callable[..., Any] | None = None,
) -> None:
    if not isinstance(op, OpOverload):
        raise TypeError(f"rules are keyed by overload, such as aten.add.Tensor; got {op!r}")
    if op in TABLE:
        raise DuplicateRuleError(f"{op} already has a rule, made at {TABLE[op].location}")
    names = tuple(a.name for a in op._schema.arguments if a.name in data)
    TABLE[op] = Rule(op, kind, fn, max_ulp, normwise, names, reason, _caller(), sums, narrow)


def _on_pair(fn: Function, z: Any, *args: Any, **kwargs: Any) -> Any:
    return fn(z.re, z.im, *args, **kwargs) if isinstance(z, Pair) else NotImplemented


def unary(
    *ops: OpOverload, max_ulp: float, normwise: bool = False, exact: bool = False
) -> Callable[[Function], Function]:
    """Register `fn(x, y, ...)`, elementwise in one complex operand, with its error bound.

    One that is exact in each dtype takes half types without a cast.
    """

    def register(fn: Function) -> Function:
        narrow = functools.partial(_on_pair, fn) if exact else None
        for op in ops:
            _record(op, Kind.UNARY, fn, max_ulp=max_ulp, normwise=normwise, narrow=narrow)
        return fn

    return register


class _Registrar:
    """Registers functions that are called with the arguments of their op."""

    def __init__(self, kind: Kind, data: tuple[str, ...]) -> None:
        self.kind = kind
        self.data = data

    def __call__(
        self,
        *ops: OpOverload,
        data: tuple[str, ...] | None = None,
        reason: str = "",
        max_ulp: float | None = None,
        normwise: bool = False,
        narrow: Callable[..., Any] | None = None,
    ) -> Callable[[Function], Function]:
        """Register for `ops`; `data` names the arguments that can be complex.

        `max_ulp` and `normwise` bound the error of one application, where a constant does.
        `reason` says why the complex kernel is kept for arguments that the rule gives
        NotImplemented for. `narrow`, called as the rule is, takes half types without a cast.
        """

        def register(fn: Function) -> Function:
            for op in ops:
                _record(
                    op,
                    self.kind,
                    fn,
                    max_ulp=max_ulp,
                    normwise=normwise,
                    data=data or self.data,
                    reason=reason,
                    narrow=narrow,
                )
            return fn

        return register


elementwise = _Registrar(Kind.ELEMENTWISE, ("self", "other"))
bilinear = _Registrar(Kind.BILINEAR, ("self", "mat1", "mat2", "vec", "other", "tensor"))
reduction = _Registrar(Kind.REDUCTION, ("self",))
creation = _Registrar(Kind.CREATION, ("self",))


memory = _Registrar(Kind.MEMORY, ("self", "src"))
composite = _Registrar(Kind.COMPOSITE, ())


def componentwise(
    *ops: OpOverload, data: tuple[str, ...] = DEFAULT_DATA, sums: bool = False
) -> None:
    """Register ops that are applied to the real and to the imaginary part alike.

    `sums` says that they add elements: parts in a half type are then added in float32.
    """
    for op in ops:
        _record(op, Kind.COMPONENTWISE, None, data=data, sums=sums)


def native(*ops: OpOverload, reason: str) -> None:
    """Register ops that keep their complex kernel."""
    for op in ops:
        _record(op, Kind.NATIVE, reason=reason)


def unsupported(*ops: OpOverload, reason: str) -> None:
    """Register ops that eager refuses for complex tensors."""
    for op in ops:
        _record(op, Kind.UNSUPPORTED, reason=reason)
