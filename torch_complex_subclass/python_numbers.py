"""Traces Python complex numbers that change from call to call, or that a tensor holds.

Dynamo makes a float that changes an input of the graph. Of a complex number it makes a constant and
compiles again for each value, and it stops at `.item()` of a complex tensor and at `complex(x, y)`
of floats that change. Here such a number is a constant whose guard is installed where its value is
asked for. Arithmetic with tensors does not ask: the number is a tensor of no dimensions there, in
the dtype in which a Python number would take part, so that promotion is eager's. Whatever nothing
here knows of asks, which means one compilation for each value, as in stock torch: a power, a
comparison, a function that captures the number, the branch of a `cond`. A number that a tensor
holds has no value to ask for: what needs one is a graph break, as with stock floats.

A real number made of a changing one, such as its modulus, is rounded to bfloat16 beside a tensor of
that dtype before the operation; eager rounds once. As with floats, a quotient by a changing number
is infinite where eager raises ZeroDivisionError.

Symbolic complex numbers in torch would make this file unnecessary.
"""

from __future__ import annotations

import cmath
import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import torch

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.bfloat16_parts import has_bfloat16_parts

_PARTS = ("real", "imag")

_IN_PLACE: dict[Any, Callable[..., Any]] = {
    operator.iadd: operator.add,
    operator.isub: operator.sub,
    operator.imul: operator.mul,
    operator.itruediv: operator.truediv,
}
_MEASURES = (abs, operator.abs)
_OPERATORS = frozenset({operator.neg, operator.pos, *_MEASURES, *_IN_PLACE.values()})

_ARITHMETIC = ("add", "sub", "subtract", "mul", "multiply", "div", "divide", "true_divide")
_FUNCTIONS = frozenset(getattr(torch, name) for name in (*_ARITHMETIC, "eq", "ne", "where"))
_METHODS = frozenset({*_ARITHMETIC, *(f"{name}_" for name in _ARITHMETIC), "eq", "ne"})
# Methods that write a number into elements of a tensor, in the dtype of which it is then.
_WRITES = frozenset({"fill_", "masked_fill", "masked_fill_", "__setitem__"})
_MAKERS = (torch.tensor, torch.as_tensor)

ASKED = (
    "Value of a complex number that a tensor holds",
    "The program needs the value of a number that `.item()` or `complex()` took from a complex "
    "tensor. In one graph such a number can be added, subtracted, multiplied, divided, and written "
    "to tensors, and nothing else.",
    "Keep it in a tensor of no dimensions, without `.item()`.",
)


@functools.cache
def _number_class() -> Any:
    """Make the class; its base class is Dynamo's, which importing us must not import."""
    dynamo = compat.dynamo()

    class NumberVariable(dynamo.ConstantVariable):  # type: ignore[misc, name-defined]
        """A number in a tensor of no dimensions and double precision, or in two parts.

        `ask` installs the guards under which the number has its value, and returns it; it is None
        where data decide.
        """

        def __init__(
            self,
            *,
            kind: type,
            held: Any = None,
            parts: Callable[[Any, str], Any] | None = None,
            ask: Callable[[], Any] | None = None,
            **options: Any,
        ) -> None:
            dynamo.VariableTracker.__init__(self, **options)
            self.kind, self.held, self.parts, self.ask = kind, held, parts, ask

        @property
        def value(self) -> Any:
            return compat.break_graph(*ASKED) if self.ask is None else self.ask()

        def is_python_constant(self) -> bool:
            return self.ask is not None

        def is_constant_match(self, *values: Any) -> bool:
            return any(isinstance(v, self.kind) for v in values) and self.value in values

        def is_constant_none(self) -> bool:
            return False

        def python_type(self) -> type:
            return self.kind

        def __repr__(self) -> str:
            return f"{type(self).__name__}({self.kind.__name__})"

        debug_repr = __repr__

        def tensor(self, tx: Any) -> Any:
            """The number as a tensor of no dimensions."""
            if self.held is not None:
                return self.held
            assert self.parts is not None
            parts = (_double(tx, self.parts(tx, name)) for name in _PARTS)
            return compat.traced_call(tx, torch.complex, *parts)

        def part(self, tx: Any, name: str) -> Any:
            """Real or imaginary part of a complex number."""
            if compat.in_region(tx):
                return dynamo.ConstantVariable.create(getattr(self.value, name))
            if self.parts is not None:
                return self.parts(tx, name)
            return _measure(tx, self, operator.attrgetter(name), getattr(torch, name))

        def var_getattr(self, tx: Any, name: str) -> Any:
            if name == "conjugate":
                raise NotImplementedError  # by which Dynamo is told to look for a method
            is_part = name in _PARTS and self.kind is complex
            return self.part(tx, name) if is_part else super().var_getattr(tx, name)

        def tp_getattro_impl(self, tx: Any, name: str) -> Any:
            """What `var_getattr` became in torch 2.15, where methods are found without it."""
            is_part = name in _PARTS and self.kind is complex
            return self.part(tx, name) if is_part else super().tp_getattro_impl(tx, name)

        def call_method(
            self, tx: Any, name: str, args: Sequence[Any], kwargs: dict[str, Any]
        ) -> Any:
            if name != "conjugate" or args or kwargs or compat.in_region(tx):
                return super().call_method(tx, name, args, kwargs)
            return _derived(tx, operator.methodcaller(name), [self], torch.conj)

        def reconstruct(self, codegen: Any) -> None:
            self.held = self.tensor(codegen.tx)  # the same one each time Dynamo asks
            codegen(dynamo.UnspecializedPythonVariable.from_tensor_variable(self.held, None))

    return NumberVariable


def _is_number(variable: Any) -> bool:
    return type(variable) is _number_class()


def _double(tx: Any, part: Any) -> Any:
    """A real number as a tensor; the product is what torch knows to do without its value."""
    if _is_number(part):
        return part.tensor(tx)
    one = compat.traced_call(tx, torch.ones, (), dtype=torch.float64, device="cpu")
    return compat.traced_call(tx, operator.mul, one, part)


# What numbers are made of.


def _changing(builder: Any, value: complex) -> Any:
    """Return a number of two floats that are inputs of the graph; None for a constant."""
    tx, source = builder.tx, builder.get_source()
    if not cmath.isfinite(value) or not compat.changes(tx, source, value):
        return None
    compat.guard_type(source)
    return _number_class()(
        kind=complex,
        parts=lambda tx, name: compat.changing_part(tx, source, value, name),
        ask=lambda: compat.guarded_constant(source, value),
        source=source,
    )


def _taken(tx: Any, tensor: Any) -> Any:
    """Return the number that a tensor holds; None where torch breaks the graph for floats too."""
    value = compat.traced_value(tensor)
    if not compat.captures_numbers(tx) or type(value) is not compat.dynamo().FakeTensor:
        return None
    held = tensor.call_method(tx, "detach", [], {})
    held = compat.traced_method(tx, held, "reshape", ())
    if not value.is_complex():
        return compat.traced_call(tx, complex, held.call_method(tx, "item", [], {}))
    # A copy: the tensor may be written to before the number is read.
    held = compat.traced_method(tx, held, "to", torch.complex128, copy=True)
    return _number_class()(kind=complex, held=held)


def _constructed(tx: Any, args: Sequence[Any]) -> Any:
    """Trace `complex(...)` of what is no constant."""
    args = [_realized(a) for a in args]
    if len(args) == 1 and compat.is_plain_tensor(args[0]):
        return _taken(tx, args[0])
    if not 1 <= len(args) <= 2 or not all(map(_is_numeric, args)):
        return None
    if any(compat.numeric_type(a) is complex for a in args) or not any(map(_varies, args)):
        return None
    floats = [
        a if compat.numeric_type(a) is float else compat.traced_call(tx, float, a) for a in args
    ]
    floats += [compat.traced_call(tx, float, 0.0)] * (2 - len(args))
    parts = dict(zip(_PARTS, floats, strict=True))
    return _number_class()(
        kind=complex, parts=lambda _, name: parts[name], ask=_asking(complex, floats)
    )


def _derived(
    tx: Any,
    fn: Callable[..., Any],
    operands: Sequence[Any],
    on_tensors: Callable[..., Any] | None = None,
) -> Any:
    """Return the number that `fn` makes of others."""
    tensors = [o.tensor(tx) if _is_number(o) else o for o in operands]
    held = compat.traced_call(tx, on_tensors or fn, *tensors)
    kind = complex if compat.traced_value(held).is_complex() else float
    return _number_class()(kind=kind, held=held, ask=_asking(fn, operands))


def _measure(
    tx: Any, number: Any, fn: Callable[..., Any], on_tensors: Callable[..., Any] | None = None
) -> Any:
    """Return a real number made of a complex one; torch has its own for those that data decide."""
    real = _derived(tx, fn, [number], on_tensors)
    return real if real.ask is not None else real.held.call_method(tx, "item", [], {})


def _asking(fn: Callable[..., Any], operands: Sequence[Any]) -> Callable[[], Any] | None:
    """What asks the operands for their values and applies `fn`; None where one has none."""
    if any(o.ask is None if _is_number(o) else compat.is_data_decided(o) for o in operands):
        return None
    return lambda: fn(*(compat.value_asked(o) for o in operands))


# What takes numbers.


def _realized(variable: Any) -> Any:
    return compat.realized(variable, complex)


def _is_numeric(variable: Any) -> bool:
    return _is_number(variable) or compat.numeric_type(variable) is not None


def _varies(variable: Any) -> bool:
    return _is_number(variable) or compat.is_symbolic(variable)


def _operand(tx: Any, number: Any, tensor: Any, dtype: torch.dtype | None = None) -> Any:
    """The number as an operand beside `tensor`, or None where only its value will do."""
    value = compat.traced_value(tensor)
    if has_bfloat16_parts(value):
        if value.dim() == 0:
            return None  # a tensor of no dimensions would widen it, a number does not
        dtype = torch.complex64
    dtype = dtype or torch.result_type(value, 1j if number.kind is complex else 1.0)
    held = number.tensor(tx)
    place = compat.traced_value(held).device
    device = place if place.type == "cpu" else value.device
    return compat.traced_method(tx, held, "to", device, dtype)


def _beside_tensor(tx: Any, args: Sequence[Any]) -> list[Any] | None:
    """A tensor and a number, in any order, with the number as an operand; None for others."""
    if len(args) != 2:
        return None
    args = [_realized(a) for a in args]
    for i, (number, tensor) in enumerate((args, args[::-1])):
        if _is_number(number) and compat.is_plain_tensor(tensor):
            operand = _operand(tx, number, tensor)
            if operand is None:
                return None
            return [operand, tensor] if i == 0 else [tensor, operand]
    return None


def _operated(tx: Any, fn: Any, args: Sequence[Any]) -> Any:
    """Trace an operator with a number among its operands; None for others."""
    if fn not in _OPERATORS and fn not in _IN_PLACE:
        return None
    args = [_realized(a) for a in args]
    if fn is operator.sub and compat.is_symbolic(args[0]) and compat.is_complex_tensor(args[1]):
        # Torch would trace one op that it then fixes the number for.
        return compat.traced_call(
            tx, operator.add, compat.traced_call(tx, operator.neg, args[1]), args[0]
        )
    if not any(map(_is_number, args)):
        return None
    if _is_number(args[0]):
        fn = _IN_PLACE.get(fn, fn)
    if not all(map(_is_numeric, args)):
        operands = _beside_tensor(tx, args)
        return None if operands is None else compat.traced_call(tx, fn, *operands)
    return _measure(tx, args[0], fn) if fn in _MEASURES else _derived(tx, fn, args)


def traced_literals(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Return Dynamo's method `stock`, which makes variables of values, with ours for numbers."""

    @functools.wraps(stock)
    def wrap(self: Any, value: Any) -> Any:
        number = _changing(self, value) if type(value) is complex else None
        return stock(self, value) if number is None else number

    return wrap


def traced_operators(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Return Dynamo's method `stock`, which traces builtins, with ours for numbers."""

    @functools.wraps(stock)
    def call(self: Any, tx: Any, args: Any, kwargs: Any) -> Any:
        result = None
        if not kwargs and not compat.in_region(tx):
            result = _constructed(tx, args) if self.fn is complex else _operated(tx, self.fn, args)
        return stock(self, tx, args, kwargs) if result is None else result

    return call


def _made(tx: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Trace `torch.tensor(number)`; None for others."""
    if len(args) != 1 or kwargs.keys() - {"dtype"} or not _is_number(_realized(args[0])):
        return None
    number = _realized(args[0])
    if torch.get_default_device().type != "cpu":
        return None
    default = torch.result_type(torch.empty(0), 1j if number.kind is complex else 1.0)
    dtype = kwargs.get("dtype") or default
    return compat.traced_method(tx, number.tensor(tx), "to", "cpu", dtype, copy=True)


def traced_functions(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Return Dynamo's method `stock`, which traces functions of torch, with ours for numbers."""

    @functools.wraps(stock)
    def call(self: Any, tx: Any, args: Any, kwargs: Any) -> Any:
        if compat.in_region(tx):
            return stock(self, tx, args, kwargs)
        if self.value in _MAKERS:
            made = _made(tx, args, kwargs)
            return stock(self, tx, args, kwargs) if made is None else made
        if self.value in _FUNCTIONS and not kwargs:
            first = 1 if self.value is torch.where else 0
            replaced = _beside_tensor(tx, args[first:])
            args = args if replaced is None else [*args[:first], *replaced]
        return stock(self, tx, args, kwargs)

    return call


def traced_methods(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Return Dynamo's method `stock`, which traces methods of tensors, with ours for numbers."""

    @functools.wraps(stock)
    def call(self: Any, tx: Any, name: str, args: Any, kwargs: Any) -> Any:
        if compat.in_region(tx):
            return stock(self, tx, name, args, kwargs)
        result = None
        if name == "item" and not args and not kwargs and compat.traced_value(self).is_complex():
            result = _taken(tx, self)
        elif name in _METHODS and not kwargs:
            operands = _beside_tensor(tx, [self, *args])
            args = args if operands is None else operands[1:]
        elif name in _WRITES and not kwargs:
            args = _written(tx, self, args)
        return stock(self, tx, name, args, kwargs) if result is None else result

    return call


def _written(tx: Any, tensor: Any, args: Sequence[Any]) -> Sequence[Any]:
    """The arguments of a method that writes, with a number in the dtype of the tensor."""
    *places, number = [*args[:-1], *map(_realized, args[-1:])]
    value = compat.traced_value(tensor)
    if not _is_number(number) or not value.is_complex():
        return args
    operand = _operand(tx, number, tensor, value.dtype)
    return args if operand is None else [*places, operand]


# Replacements of what `torch_compat.number_tracers` finds.
TRACED = {
    "literals": traced_literals,
    "operators": traced_operators,
    "functions": traced_functions,
    "methods": traced_methods,
}
