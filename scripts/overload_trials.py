"""What an aten overload does with complex tensors, found by calling it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from overload_calls import (
    Call,
    borrowed,
    complex_variants,
    copied,
    is_complex,
    made_up,
    of_width,
    tensors,
)
from torch import Tensor
from torch._ops import OpOverload
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from torch_complex_subclass.inplace import functional_form
from torch_complex_subclass.torch_compat import select_decompositions, vmap_loops

DTYPES = {"c32": torch.complex32, "c64": torch.complex64, "c128": torch.complex128}
MAX_BASES = 40


@dataclass(frozen=True)
class Finding:
    """One line of the list."""

    overload: str
    dtypes: tuple[str, ...]
    gradient: bool
    vmap: str
    made_of: tuple[str, ...]
    refusal: str

    def line(self) -> str:
        name = self.overload.removeprefix("aten.")
        made_of = ",".join(self.made_of)
        fields = (
            name,
            ",".join(self.dtypes) or "-",
            "grad" if self.gradient else "-",
            self.vmap,
            made_of or "-",
            self.refusal or "-",
        )
        return "\t".join(fields)


def by_position(op: OpOverload, call: Call) -> tuple[list[Any], Call]:
    """Arguments in order and by name; `decompose` takes none that is named self."""
    positional = itertools.takewhile(lambda a: a.name in call, op._schema.arguments)
    names = [a.name for a in positional if not a.kwarg_only]
    return [call[n] for n in names], {k: v for k, v in call.items() if k not in names}


def run(op: OpOverload, call: Call) -> Any:
    """Call the overload on copies, with tensors to write to where it has an `out=`."""
    torch.manual_seed(0)
    return op(**copied(call))


def _with_outputs(op: OpOverload, call: Call) -> Call:
    """Add empty tensors for `out=`, shaped and typed as the functional form's results are."""
    names = [a for a in op._schema.arguments if a.is_out]
    if not names:
        return call
    functional = functional_form(op) or _form_without_outputs(op, call)
    if functional is None:
        raise TypeError(f"{op} has no form that says what it writes")
    results = tensors(run(functional, call))
    if not tensors(call):  # what is written to alone says whether a new tensor is complex
        results = [r.to(torch.complex64) for r in results]
    if any("List" in str(a.type) for a in names):
        return call | {names[0].name: [torch.empty_like(r) for r in results]}
    return call | {a.name: torch.empty_like(r) for a, r in zip(names, results, strict=True)}


def _form_without_outputs(op: OpOverload, call: Call) -> OpOverload | None:
    packet = getattr(torch.ops.aten, op._schema.name.split("::")[1])
    for name in packet.overloads():
        form = getattr(packet, name)
        if not form._schema.is_mutable and {a.name for a in form._schema.arguments} >= set(call):
            return form
    return None


def _succeeds(op: OpOverload, call: Call) -> Call | None:
    """The call completed by its outputs when it runs, else None."""
    try:
        full = _with_outputs(op, copied(call))
        result = run(op, full)
    except Exception:
        return None
    # A kernel that is asked for nothing refuses nothing.
    returned = any("Tensor" in str(r.type) for r in op._schema.returns)
    return None if returned and not any(t.numel() for t in tensors(result)) else full


def working_call(op: OpOverload, bases: Iterable[Call]) -> tuple[Call | None, str]:
    """A complex call that works, else the message of one that fails where a real one works."""
    refusal = ""
    for base in itertools.islice(bases, MAX_BASES):
        if refusal and _is_tiny(base):  # one element needs no order: cummax returns it as it is
            continue
        for variant in complex_variants(base):
            full = _succeeds(op, variant)
            if full is not None and (is_complex(full) or is_complex(run(op, full))):
                return full, ""
        if not refusal and not is_complex(base) and _succeeds(op, base) is not None:
            refusal = _refusal(op, base)
    return None, refusal


def _is_tiny(call: Call) -> bool:
    return max((t.numel() for t in tensors(call)), default=2) < 2


def _refusal(op: OpOverload, base: Call) -> str:
    """Eager's message for the first complex variant, or a note when it gave none."""
    for variant in complex_variants(base):
        if not is_complex(variant):
            continue
        try:
            run(op, _with_outputs(op, variant))
        except Exception as error:
            text = " ".join(str(error).split("\n")[0].split())
            return text[:100] or type(error).__name__
    return ""


def has_gradient(op: OpOverload, call: Call) -> bool:
    """True when backward through the call reaches a complex operand, or a real one of none."""
    if any(a.is_out for a in op._schema.arguments):
        return False
    differentiable = [t for t in tensors(call) if t.is_complex()]
    differentiable = differentiable or [t for t in tensors(call) if t.is_floating_point()]
    # Some ops refuse to be differentiated in a target or a weight, and have a gradient else.
    choices = [differentiable, *([t] for t in differentiable[:3])]
    return any(_has_gradient_in(op, call, choice) for choice in choices)


def _has_gradient_in(op: OpOverload, call: Call, operands: list[Tensor]) -> bool:
    chosen = {id(t) for t in operands}
    leaves: list[Tensor] = []

    def leaf(t: Tensor) -> Tensor:
        fresh = t.detach().clone()
        if id(t) not in chosen:
            return fresh
        leaves.append(fresh.requires_grad_())
        return fresh.clone()  # a leaf cannot be written to, and has no grad_fn when returned

    try:
        arguments = pytree.tree_map_only(Tensor, leaf, call)
        output = op(**arguments)
    except Exception:
        return False
    written = arguments if op._schema.is_mutable and not op._schema.returns else None
    results = [t for t in tensors((output, written)) if t.grad_fn is not None]
    # Of singular vectors, only some functions have a gradient; of singular values, all.
    return any(_reaches(r, leaves) for r in results)


def _reaches(result: Tensor, leaves: list[Tensor]) -> bool:
    try:
        seed = torch.ones_like(result)
        found = torch.autograd.grad(result, leaves, seed, retain_graph=True, allow_unused=True)
    except Exception:
        return False
    return any(g is not None for g in found)


def under_vmap(op: OpOverload, call: Call) -> str:
    """`vmap` when torch.vmap runs it, `loop` when it does so entry by entry, else `-`."""
    values, spec = pytree.tree_flatten(copied(call))
    places = [i for i, v in enumerate(values) if isinstance(v, Tensor)]

    def one(*batched: Tensor) -> Any:
        filled = list(values)
        for place, t in zip(places, batched, strict=True):
            filled[place] = t
        arguments = pytree.tree_unflatten(filled, spec)
        output = op(**arguments)
        return tensors(output if op._schema.returns else arguments)

    if not places or not any("Tensor" in str(r.type) for r in op._schema.returns):
        return "-"
    for found, loops in (("vmap", False), ("loop", True)):
        try:
            stacked = [torch.stack([values[i], values[i]]) for i in places]
            with vmap_loops(loops):
                torch.vmap(one, randomness="different")(*stacked)
        except Exception:
            continue
        return found
    return "-"


class _RecordComplex(TorchDispatchMode):
    """Overloads called with a complex operand or result, not looked into."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, None] = {}

    def __torch_dispatch__(
        self, func: OpOverload, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if is_complex((args, kwargs, result)):
            self.found[str(func)] = None
        return result


def made_of(op: OpOverload, call: Call) -> tuple[str, ...]:
    """Complex ops that torch, or Inductor's table, makes of the call; empty when neither does."""
    table = select_decompositions()
    args, kwargs = by_position(op, copied(call))
    with torch.no_grad(), _RecordComplex() as record:
        try:
            result = op.decompose(*args, **kwargs)
            if result is NotImplemented and op in table:
                result = table[op](*args, **kwargs)
        except Exception:
            return ()
    if result is NotImplemented:
        return ()
    return tuple(sorted(n.removeprefix("aten.") for n in record.found if n != str(op)))


def bases(
    op: OpOverload, calls: dict[OpOverload, list[Call]], guess: bool = True
) -> Iterator[Call]:
    """Calls to try: recorded ones, those of other forms, and made-up ones."""

    def first(call: Call) -> tuple[bool, bool]:
        return _is_tiny(call), not is_complex(call)

    own = [{k: v for k, v in c.items() if k not in _outputs(op)} for c in calls.get(op, [])]
    others = sorted(borrowed(op, calls), key=first)
    known = sorted(own, key=first) + others[:8]
    return itertools.chain(known, made_up(op) if guess else [])


def _outputs(op: OpOverload) -> set[str]:
    return {a.name for a in op._schema.arguments if a.is_out}


def examine(
    op: OpOverload, calls: dict[OpOverload, list[Call]], guess: bool = True
) -> Finding | None:
    """Everything the list says about an overload; None when no call of it was found to work."""
    call, refusal = working_call(op, bases(op, calls, guess))
    if call is None:
        return Finding(str(op), (), False, "-", (), refusal) if refusal else None
    plain = {k: v for k, v in call.items() if k not in _outputs(op)}
    works = [n for n, d in DTYPES.items() if _succeeds(op, of_width(plain, d)) is not None]
    vmap = under_vmap(op, call)
    return Finding(str(op), tuple(works), has_gradient(op, call), vmap, made_of(op, call), "")
