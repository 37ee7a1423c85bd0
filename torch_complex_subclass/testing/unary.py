"""The unary rules that have a reference, and the parts of what they return."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from torch_complex_subclass.decompositions import TABLE, Kind, Rule
from torch_complex_subclass.testing.references import REFERENCES


def op_name(rule: Rule) -> str:
    """Name of the rule's op without namespace and overload."""
    return rule.op._schema.name.split("::")[1]


def rules_by_name() -> dict[str, Rule]:
    """Rules that have a reference, by op name."""
    found = {op_name(rule): rule for rule in TABLE.values() if rule.kind is Kind.UNARY}
    return {name: rule for name, rule in sorted(found.items()) if name in REFERENCES}


def parts_of(result: Any) -> list[Tensor]:
    """Parts of a rule's or an op's result; one where the result is real."""
    if isinstance(result, tuple):
        return list(result)
    return [result.real, result.imag] if result.is_complex() else [result]
