"""Applies a rule: promotes and casts its operands, calls it, rounds its results.

Everything that acts on complex values goes through `apply`: `ComplexTensor` in eager, the graph
pass, and the table given to export. Values are `Pair`s here; who holds them is the caller's
concern.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload

from torch_complex_subclass.decompositions.registry import TABLE, Kind, Pair, Rule
from torch_complex_subclass.dtypes import (
    compute_dtype,
    ready_to_round,
    real_dtype,
    result_dtype,
)

# Kinds that only move elements keep the dtype they are stored in; see also Rule.sums.
_WIDENED = (Kind.UNARY, Kind.ELEMENTWISE, Kind.BILINEAR, Kind.REDUCTION)


# Kinds whose rule, if there is one, does not act on pairs.
_WITHOUT_PAIRS = (Kind.COMPOSITE, Kind.MEMORY, Kind.NATIVE, Kind.UNSUPPORTED)


def lookup(op: object) -> Rule | None:
    """Return the rule for `op`, or None."""
    return TABLE.get(op) if isinstance(op, OpOverload) else None


def has_function(rule: Rule | None) -> bool:
    """True when `apply` can compute with this rule."""
    return rule is not None and rule.kind not in _WITHOUT_PAIRS


def tree_map(fn: Callable[[Any], Any], tree: Any) -> Any:
    """Map over lists, tuples and dicts; a Pair is a leaf."""
    if isinstance(tree, Pair):
        return fn(tree)
    if isinstance(tree, list | tuple):
        return type(tree)(tree_map(fn, item) for item in tree)
    if isinstance(tree, dict):
        return {key: tree_map(fn, item) for key, item in tree.items()}
    return fn(tree)


def leaves(tree: Any) -> list[Any]:
    """Leaves in order; a Pair is one leaf."""
    found: list[Any] = []
    tree_map(found.append, tree)
    return found


def split_number(value: Any) -> Any:
    """Turn a Python complex number into a pair of floats; leave everything else."""
    return Pair(value.real, value.imag) if isinstance(value, complex) else value


@functools.cache
def _argument_names(op: OpOverload) -> tuple[str, ...]:
    return tuple(a.name for a in op._schema.arguments)


def _by_position(
    op: OpOverload, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Pass by position what the schema has there; rules name these arguments as they like."""
    given, rest = list(args), dict(kwargs)
    positional = [a for a in op._schema.arguments if not a.kwarg_only]
    last = max((i for i, a in enumerate(positional) if a.name in rest), default=-1)
    given += [rest.pop(a.name, a.default_value) for a in positional[len(args) : last + 1]]
    return tuple(given), rest


def _cast_operand(value: Any, dtype: torch.dtype) -> Any:
    if isinstance(value, Pair):
        return Pair(_cast_operand(value.re, dtype), _cast_operand(value.im, dtype))
    same = not isinstance(value, Tensor) or value.dtype == dtype
    return value if same else ready_to_round(value, dtype).to(dtype)


def _is_operand(value: Any) -> bool:
    return isinstance(value, Pair | Tensor | int | float | torch.SymInt | torch.SymFloat)


def apply(rule: Rule, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Compute `rule.op(*args, **kwargs)`, where complex tensors are given as pairs.

    Returns what the op returns, with a `Pair` for each complex tensor, or NotImplemented when
    the rule does not cover these arguments.
    """
    args, kwargs = _by_position(rule.op, args, kwargs)
    args, kwargs = tree_map(split_number, args), tree_map(split_number, kwargs)
    if rule.kind is Kind.CREATION:
        assert rule.fn is not None
        return rule.fn(*args, **kwargs)

    names = _argument_names(rule.op)
    is_data = [name in rule.data for name in names]
    operands = [v for v, d in zip(args, is_data, strict=False) if d]
    operands += [v for name, v in kwargs.items() if name in rule.data]
    stored = real_dtype(result_dtype(v for v in leaves(operands) if _is_operand(v)))
    dtype = compute_dtype(stored) if rule.kind in _WIDENED or rule.sums else stored
    if dtype != stored and _asks_for(kwargs.get("dtype"), stored):
        kwargs = kwargs | {"dtype": None}  # rounded once, at the end

    if dtype != stored and rule.narrow is not None:
        result = rule.narrow(*_cast(rule, args, kwargs, stored)[0], **kwargs)
        if result is not NotImplemented:
            return result
    args, kwargs = _cast(rule, args, kwargs, dtype)
    result = _call(rule, args, kwargs, is_data)
    if dtype != stored and result is not NotImplemented:
        return tree_map(lambda v: _round(v, dtype, stored), result)
    return result


def _cast(
    rule: Rule, args: tuple[Any, ...], kwargs: dict[str, Any], dtype: torch.dtype
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Cast the arguments that take part in promotion to the real `dtype`."""
    names = _argument_names(rule.op)
    cast = functools.partial(_cast_operand, dtype=dtype)
    cast_args = (
        tree_map(cast, v) if name in rule.data else v for v, name in zip(args, names, strict=False)
    )
    return tuple(cast_args), {
        k: tree_map(cast, v) if k in rule.data else v for k, v in kwargs.items()
    }


def _asks_for(dtype: Any, real: torch.dtype) -> bool:
    """True for the complex dtype whose parts are `real`."""
    return dtype is not None and dtype.is_complex and real_dtype(dtype) == real


def _round(value: Any, computed: torch.dtype, stored: torch.dtype) -> Any:
    if isinstance(value, Pair):
        return Pair(_round(value.re, computed, stored), _round(value.im, computed, stored))
    return value.to(stored) if isinstance(value, Tensor) and value.dtype == computed else value


def _call(rule: Rule, args: tuple[Any, ...], kwargs: dict[str, Any], is_data: list[bool]) -> Any:
    if rule.kind is Kind.COMPONENTWISE:
        return _call_on_parts(rule, args, kwargs, is_data)
    assert rule.fn is not None
    if rule.kind is Kind.UNARY:
        z = args[0]
        return rule.fn(z.re, z.im, *args[1:], **kwargs) if isinstance(z, Pair) else NotImplemented
    return rule.fn(*args, **kwargs)


def _call_on_parts(
    rule: Rule, args: tuple[Any, ...], kwargs: dict[str, Any], is_data: list[bool]
) -> Any:
    if any(isinstance(v, Pair) for v, d in zip(args, is_data, strict=False) if not d):
        return NotImplemented
    dtype = kwargs.get("dtype")
    if dtype is not None:
        if not dtype.is_complex:
            return NotImplemented
        kwargs = kwargs | {"dtype": real_dtype(dtype)}
    parts = []
    for pick in (_real_part, _imaginary_part):
        part_args = [tree_map(pick, v) if d else v for v, d in zip(args, is_data, strict=False)]
        part_kwargs = {k: tree_map(pick, v) if k in rule.data else v for k, v in kwargs.items()}
        parts.append(rule.op(*part_args, **part_kwargs))
    return _join(*parts)


def _real_part(value: Any) -> Any:
    return value.re if isinstance(value, Pair) else value


def _imaginary_part(value: Any) -> Any:
    if isinstance(value, Pair):
        return value.im
    if isinstance(value, Tensor):
        return torch.zeros_like(value)
    return 0 if isinstance(value, int | float) else value


def _join(re: Any, im: Any) -> Any:
    if isinstance(re, list | tuple):
        return [_join(r, i) for r, i in zip(re, im, strict=True)]
    return Pair(re, im)
