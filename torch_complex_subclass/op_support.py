"""What is supported: one row for each complex aten overload, from the table and a list.

The list, `complex_overloads.txt`, says what eager does with an overload; it is found by experiment
(scripts/list_complex_overloads.py). The table of rules says what this package does with it.
"""

from __future__ import annotations

import fnmatch
import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch._ops import OpOverload

from torch_complex_subclass import dispatch
from torch_complex_subclass.decompositions.registry import TABLE, Kind, Rule
from torch_complex_subclass.inplace import functional_form
from torch_complex_subclass.routes import REASON, goes_to_library
from torch_complex_subclass.torch_compat import is_composite, is_dispatched, returns_view

LIST = Path(__file__).with_name("complex_overloads.txt")

# Kinds beside those of the rules.
WRITES = "writes"
COMPOSITE = "composite"
NO_RULE = "no rule"

# Notes on rules whose overload is not in the list.
_OF_GRAPHS = "torch makes it in graphs only; not tried"
_NOT_TRIED = "not in the list of tried overloads"


@dataclass(frozen=True, slots=True)
class Entry:
    """What the list says about an overload, as eager does it."""

    name: str
    dtypes: tuple[str, ...]
    gradient: bool
    vmap: str
    made_of: tuple[str, ...]
    refusal: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the op support table."""

    op: str
    """The overload, `add.Tensor`; of aten where no namespace is given."""
    dtypes: str
    """Complex dtypes that eager takes, in bits: `32 64 128`; `-` where it refuses them."""
    kind: str
    """The word its rule was registered with, or `writes`, `composite`, `no rule`."""
    compiled: str
    """`fused`, `native`, `view`, `refused`, or `-` where it returns no tensor."""
    gradient: str
    """Whether backward through eager's op reaches a complex operand; `-` where eager refuses."""
    vmap: str
    """Whether `torch.vmap` runs it; `loop` when it does so entry by entry."""
    ulp: str
    """Bound on the error of either part in units in the last place; `-` where none is stated."""
    note: str


def _parse(line: str) -> Entry:
    name, dtypes, gradient, vmap, made_of, refusal = (
        "" if field == "-" else field for field in line.split("\t")
    )
    parts = tuple(made_of.split(",")) if made_of else ()
    widths = tuple(dtypes.split(",")) if dtypes else ()
    return Entry(name, widths, bool(gradient), vmap, parts, refusal)


@functools.cache
def entries() -> dict[str, Entry]:
    """Return the list, by overload without `aten.`."""
    lines = LIST.read_text().splitlines()
    found = (_parse(line) for line in lines if not line.startswith("#"))
    return {entry.name: entry for entry in found}


def listed_version() -> str:
    """Return the torch version that the list was made with."""
    return LIST.read_text().split("of torch ", 1)[1].split(",", 1)[0]


def overload(name: str) -> OpOverload | None:
    """Return the overload of that name, `add.Tensor` or `prims.device_put.default`, or None.

    What torch does not dispatch, no tensor is asked for, and counts as missing.
    """
    *namespace, packet, form = name.split(".")
    found = getattr(torch.ops, *namespace or ["aten"])
    found = getattr(getattr(found, packet, None), form, None)
    return found if isinstance(found, OpOverload) and is_dispatched(found) else None


def _short(op: OpOverload) -> str:
    return str(op).removeprefix("aten.")


def _of_rule(op: OpOverload, rule: Rule) -> tuple[str, str, str]:
    """Kind, how it is compiled, and a note."""
    kind = rule.kind.value
    if rule.kind is Kind.UNSUPPORTED:
        return kind, "refused", rule.reason
    if rule.kind is Kind.NATIVE:
        return kind, "native", rule.reason
    if goes_to_library(op):
        return kind, "native", REASON
    note = f"in part; otherwise native: {rule.reason}" if rule.reason else ""
    return kind, "view" if returns_view(op) else "fused", note


_ORDER = ("-", "view", "fused", "native", "refused")


def _of_parts(names: Iterable[str], seen: frozenset[str]) -> str:
    """How ops that stand for another one are compiled, together."""
    found = ["-"]
    for name in names:
        part = overload(name)
        if part is not None and name not in seen:
            found.append(_compiled(part, seen | {name})[1])
    return max(found, key=_ORDER.index)


def _compiled(op: OpOverload, seen: frozenset[str] = frozenset()) -> tuple[str, str, str]:
    """Kind, how it is compiled, and a note; `seen` are the ops that this one is part of."""
    rule = dispatch.lookup(op)
    if rule is not None:
        return _of_rule(op, rule)
    entry = entries().get(_short(op))
    if entry is not None and not entry.dtypes:
        return Kind.UNSUPPORTED.value, "refused", f"eager: {entry.refusal}"
    if op._schema.is_mutable:
        return _of_writing(op, seen)
    made_of = entry.made_of if entry is not None else ()
    how = _of_parts(made_of, seen | {_short(op)})
    if is_composite(op):
        return COMPOSITE, how, _made_of(made_of, "made of")
    if not any("Tensor" in str(r.type) for r in op._schema.returns):
        return NO_RULE, "-", "it returns no tensor"
    if made_of and how != "-":
        return NO_RULE, how, _made_of(made_of, "Inductor makes it of")
    if returns_view(op):
        return NO_RULE, "native", "ComplexTensor refuses it: the result would alias both parts"
    return NO_RULE, "native", "it keeps the complex kernel"


def _made_of(names: Iterable[str], verb: str) -> str:
    short = [name.removesuffix(".default") for name in names]
    shown = ", ".join(short[:6]) + (", ..." if len(short) > 6 else "")
    return f"{verb} {shown}" if short else "no complex op is left of it"


def _of_writing(op: OpOverload, seen: frozenset[str]) -> tuple[str, str, str]:
    """Of an op that writes to an argument: what its functional form says."""
    functional = functional_form(op)
    if functional is not None:
        how = _compiled(functional, seen)[1]
        note = f"computed by {_short(functional)}"
        return WRITES, "fused" if how == "view" and not _changes_view(op) else how, note
    if is_composite(op):
        made_of = entries()[_short(op)].made_of if _short(op) in entries() else ()
        return COMPOSITE, _of_parts(made_of, seen | {_short(op)}), _made_of(made_of, "made of")
    if _changes_view(op):
        return NO_RULE, "native", "ComplexTensor refuses it: it changes a tensor's memory"
    return NO_RULE, "native", "the complex kernel writes to copies"


def _changes_view(op: OpOverload) -> bool:
    return torch.Tag.inplace_view in op.tags


def _bound(rule: Rule | None) -> str:
    if rule is None or rule.max_ulp is None:
        return "-"
    return f"{rule.max_ulp:g}" + (" normwise" if rule.normwise else "")


def _row(op: OpOverload) -> Row:
    entry = entries().get(_short(op))
    kind, compiled, note = _compiled(op)
    computed_by = functional_form(op) if kind == WRITES else op
    rule = dispatch.lookup(computed_by)
    ulp = _bound(rule)
    if entry is None:
        untried = note or (_NOT_TRIED if op.namespace == "aten" else _OF_GRAPHS)
        return Row(_short(op), "?", kind, compiled, "?", "?", ulp, untried)
    if not entry.dtypes:
        return Row(entry.name, "-", kind, compiled, "-", "-", ulp, note)
    dtypes = " ".join(d.removeprefix("c") for d in entry.dtypes)
    gradient = "yes" if entry.gradient else "no"
    vmap = "yes" if entry.vmap == "vmap" else entry.vmap or "no"
    return Row(entry.name, dtypes, kind, compiled, gradient, vmap, ulp, note)


@functools.cache
def rows() -> tuple[Row, ...]:
    """Return the op support table, by name of the overload.

    Overloads that the installed torch does not have are left out.
    """
    listed = (overload(name) for name in entries())
    ops = {op for op in listed if op is not None} | set(TABLE)
    return tuple(sorted((_row(op) for op in ops), key=lambda row: row.op))


# What stands in front of a function's name in Python, and in front of its op's. First match.
_IN_PYTHON = {
    "torch.ops.aten.": "",
    "torch.nn.functional.": "",
    "torch.tensor.": "",
    "torch.fft.": "fft_",
    "torch.linalg.": "linalg_",
    "torch.special.": "special_",
    "torch.": "",
    "aten.": "",
}


def _as_op(name: str) -> str:
    for module, prefix in _IN_PYTHON.items():
        if name.startswith(module):
            return prefix + name.removeprefix(module)
    return name


def matching(pattern: str) -> list[Row]:
    """Rows whose overload matches a shell-style pattern, or contains a plain text.

    Case does not matter, a pattern may stop at the dot, as `add*` matches `add.Tensor`, and names
    may be Python's: `aten.add`, `torch.add` and `torch.Tensor.add` are `add`, and `torch.fft.fft`
    is `fft_fft`.
    """
    text = _as_op(pattern.lower())
    if not any(c in text for c in "*?["):
        return [row for row in rows() if text in row.op.lower()]
    names = ((row, row.op.lower()) for row in rows())
    return [
        row
        for row, name in names
        if fnmatch.fnmatchcase(name, text) or fnmatch.fnmatchcase(name.rpartition(".")[0], text)
    ]


_PAGE = """\
# Op support

Every aten overload that takes or gives complex tensors, on the CPU, for strided tensors.
Made by `python -m torch_complex_subclass ops --markdown`; do not edit.
What eager does was tried on torch {version} (`scripts/list_complex_overloads.py`); left out are
overloads for which no arguments were found that run, even real ones: sparse, quantized, of GPUs.

* **dtypes**: complex dtypes that eager takes, in bits.
* **kind**: the word its [rule](../decompositions/README.md) is registered with;
  `writes`: in place or `out=`, computed by its functional form;
  `composite`: torch makes it of other ops first; `no rule`: it keeps the complex kernel, also in
  compiled code, where `explain` calls it a fallback.
* **gradient**: backward through eager's op reaches a complex operand.
* **vmap**: `torch.vmap` runs it; `loop`: entry by entry.
* **ulp**: bound on the error of either part, where the rule states one.
* `?`: not tried.

Overloads: {counts}.
"""

_SECTIONS = {
    "fused": "Fused: real arithmetic in generated kernels",
    "view": "Views: no work",
    "native": "Native: the library's complex kernel",
    "-": "Neither: it returns no tensor, or no complex op is left of it",
    "refused": "Refused: eager refuses complex tensors too",
}
_HEADINGS = ("op", "dtypes", "kind", "gradient", "vmap", "ulp", "note")


def as_markdown(found: Iterable[Row]) -> str:
    """Return the rows as a page, one section for each way of compiling."""
    found = list(found)
    sections = {how: [r for r in found if r.compiled == how] for how in _SECTIONS}
    counts = ", ".join(f"{len(s)} {_COUNTED.get(h, h)}" for h, s in sections.items() if s)
    text = _PAGE.format(version=listed_version(), counts=counts)
    for how, title in _SECTIONS.items():
        if sections[how]:
            text += f"\n## {title}\n\n{_table(sections[how])}"
    return text


_COUNTED = {"view": "views", "-": "neither"}


def _table(found: Iterable[Row]) -> str:
    lines = [_HEADINGS, tuple("---" for _ in _HEADINGS)]
    lines += [tuple(_cell(str(getattr(r, name)), name) for name in _HEADINGS) for r in found]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(text: str, column: str) -> str:
    return f"`{text}`" if column == "op" else text.replace("|", "\\|").replace("*", "\\*")
