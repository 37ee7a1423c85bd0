"""The table itself: its keys, its rules' signatures, and what it covers."""

import inspect
import os
from pathlib import Path

import pytest
import torch
from torch._ops import OpOverload

from torch_complex_subclass.decompositions import registry
from torch_complex_subclass.decompositions.registry import TABLE, Kind
from torch_complex_subclass.errors import DuplicateRuleError

aten = torch.ops.aten
GOLDEN = Path(__file__).parent / "expect" / "covered_ops.txt"

COMPUTED = [r for r in TABLE.values() if r.fn is not None]
EXPLAINED = [r for r in TABLE.values() if r.kind in (Kind.NATIVE, Kind.UNSUPPORTED)]
each_rule = pytest.mark.parametrize("rule", list(TABLE.values()), ids=lambda r: str(r.op))


@each_rule
def test_keys_are_overloads_that_write_nothing(rule):
    assert isinstance(rule.op, OpOverload)
    assert TABLE[rule.op] is rule
    assert not rule.op._schema.is_mutable


def test_packet_is_refused():
    with pytest.raises(TypeError, match=r"such as aten\.add\.Tensor"):
        registry.native(aten.frexp, reason="a test")


def test_second_rule_names_the_first():
    with pytest.raises(DuplicateRuleError, match=r"aten\.mul\.Tensor .*arithmetic\.py:\d+"):
        registry.elementwise(aten.mul.Tensor)(lambda z, w: z)


@each_rule
def test_location_is_where_the_rule_is_written(rule):
    path, line = rule.location.rsplit(":", 1)
    assert "decompositions" in path
    assert not path.endswith("registry.py")
    assert int(line) > 0


@pytest.mark.parametrize("rule", EXPLAINED, ids=lambda r: str(r.op))
def test_reason_is_given(rule):
    assert len(rule.reason.split()) > 3
    assert rule.fn is None


@pytest.mark.parametrize("rule", COMPUTED, ids=lambda r: str(r.op))
def test_function_takes_what_the_schema_gives(rule):
    """Positional arguments by position, keyword-only ones by name, with and without defaults."""
    arguments = rule.op._schema.arguments
    positional = [a for a in arguments if not a.kwarg_only]
    # dtype, layout, device and pin_memory of a complex result are the dispatcher's concern.
    keywords = [a for a in arguments if a.kwarg_only]
    signature = inspect.signature(rule.fn)
    split = 1 if rule.kind is Kind.UNARY else 0
    signature.bind(*[object()] * (len(positional) + split), **{a.name: 0 for a in keywords})
    required = [a for a in positional if not a.has_default_value()]
    needed = {a.name: 0 for a in keywords if not a.has_default_value()}
    signature.bind(*[object()] * (len(required) + split), **needed)


@pytest.mark.parametrize("rule", COMPUTED, ids=lambda r: str(r.op))
def test_function_is_documented(rule):
    assert inspect.getdoc(rule.fn)


@each_rule
def test_data_arguments_exist(rule):
    names = {a.name for a in rule.op._schema.arguments}
    assert set(rule.data) <= names
    if rule.kind in (Kind.COMPONENTWISE, Kind.UNARY, Kind.ELEMENTWISE, Kind.BILINEAR):
        assert rule.data


def test_golden_list_of_covered_ops():
    """A new, lost or reclassified op shows as a diff; EXPECTTEST_ACCEPT=1 accepts it."""
    lines = sorted(f"{str(r.op).removeprefix('aten.')} {r.kind}" for r in TABLE.values())
    if os.environ.get("EXPECTTEST_ACCEPT"):
        GOLDEN.write_text("\n".join(lines) + "\n")
    # An older torch lacks some of the ops.
    assert lines == [line for line in GOLDEN.read_text().splitlines() if exists(line.split()[0])]


def exists(name):
    """True for the name of an overload that this torch has, without the namespace of aten."""
    *namespace, packet, overload = name.split(".")
    found = getattr(torch.ops, namespace[0] if namespace else "aten")
    return hasattr(getattr(found, packet, None), overload)
