"""The table: what may be written to it, and what it says."""

from __future__ import annotations

import inspect
from collections import Counter
from typing import Any

import pytest
import torch
from torch._ops import OpOverload

from torch_complex_subclass.decompositions import TABLE, Kind, Rule
from torch_complex_subclass.decompositions.registry import componentwise, native, unary
from torch_complex_subclass.errors import DuplicateRuleError

aten = torch.ops.aten
RULES = sorted(TABLE.values(), key=lambda rule: str(rule.op))
WITH_FUNCTION = [rule for rule in RULES if rule.fn is not None]


def name(rule: Rule) -> str:
    return str(rule.op)


def test_keys_are_overloads() -> None:
    assert all(isinstance(op, OpOverload) for op in TABLE)
    assert all(rule.op is op for op, rule in TABLE.items())


def test_second_rule_names_the_first() -> None:
    with pytest.raises(DuplicateRuleError, match=r"aten.abs.default already has a rule.*polar.py:"):
        unary(aten.abs.default, max_ulp=1)(lambda x, y: x)


def test_packet_is_refused() -> None:
    with pytest.raises(TypeError, match="keyed by overload"):
        componentwise(aten.add)
    with pytest.raises(TypeError, match="keyed by overload"):
        native(aten.add, reason="a packet")
    assert aten.add not in TABLE


@pytest.mark.parametrize("rule", WITH_FUNCTION, ids=name)
def test_function_takes_the_arguments_of_its_op(rule: Rule) -> None:
    signature = inspect.signature(rule.fn)  # type: ignore[arg-type]
    positional: list[Any] = []
    keywords: dict[str, Any] = {}
    for argument in rule.op._schema.arguments:
        if argument.kwarg_only:
            keywords[argument.name] = argument.default_value
        else:
            positional.append(argument.name)
    if rule.kind is Kind.UNARY:
        positional[:1] = ["x", "y"]
    signature.bind(*positional, **keywords)


@pytest.mark.parametrize("rule", WITH_FUNCTION, ids=name)
def test_function_can_leave_out_what_its_op_can(rule: Rule) -> None:
    signature = inspect.signature(rule.fn)  # type: ignore[arg-type]
    required = [
        a.name for a in rule.op._schema.arguments if not a.kwarg_only and not a.has_default_value()
    ]
    if rule.kind is Kind.UNARY:
        required[:1] = ["x", "y"]
    needed = {
        a.name: None
        for a in rule.op._schema.arguments
        if a.kwarg_only and not a.has_default_value()
    }
    signature.bind(*required, **needed)


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_rule_is_complete(rule: Rule) -> None:
    if rule.kind in (Kind.NATIVE, Kind.UNSUPPORTED):
        assert rule.reason
        assert rule.fn is None
    elif rule.kind is Kind.COMPONENTWISE:
        assert rule.data, "no argument of this op can be complex"
    else:
        assert rule.fn is not None
        assert rule.fn.__doc__ or rule.kind is Kind.CREATION


def refused_arguments(op: OpOverload) -> tuple[Any, ...]:
    z = torch.tensor([1 + 2j, 3 - 1j])
    args: list[Any] = []
    for argument in op._schema.arguments:
        if argument.kwarg_only or (argument.has_default_value() and args):
            break
        kind = str(argument.type)
        number = 0 if argument.name == "dim" else 1
        args.append(z if "Tensor" in kind else number if kind in ("int", "number") else [0])
    return tuple(args)


UNSUPPORTED = [rule for rule in RULES if rule.kind is Kind.UNSUPPORTED]


@pytest.mark.parametrize("rule", UNSUPPORTED, ids=name)
def test_eager_refuses_what_we_refuse(rule: Rule) -> None:
    args = refused_arguments(rule.op)
    if "clamp" in str(rule.op) and len(args) == 1:
        args = (*args, args[0] if rule.op._overloadname == "Tensor" else 1)
    with pytest.raises((RuntimeError, NotImplementedError)):
        rule.op(*args)


def test_most_rules_compute() -> None:
    """A change of these counts is a change of coverage; it belongs into the changelog."""
    kinds = Counter(rule.kind for rule in RULES)
    assert kinds[Kind.COMPONENTWISE] >= 70
    assert kinds[Kind.UNARY] >= 35
    assert kinds[Kind.NATIVE] <= 12
