"""Ops on lists of tensors, against eager."""

import pytest
import torch
from torch.utils import _pytree as pytree

from torch_complex_subclass import ComplexTensor, enabled, explain
from torch_complex_subclass.decompositions.foreach import _UNARY
from torch_complex_subclass.testing.eager import random
from torch_complex_subclass.testing.interpret import interpreted

Z64 = torch.complex64


def lists(count):
    return [[random((2, 3), Z64), random((4,), Z64)] for _ in range(count)]


NUMBERS = [0.5, 2j]
VALUES = torch.tensor([0.5, 2j], dtype=Z64)
CALLS = {
    **{name: (getattr(torch, f"_foreach_{name}"), 1, ()) for name in _UNARY},
    "norm": (torch._foreach_norm, 1, (1,)),
    "add list": (lambda a, b: torch._foreach_add(a, b, alpha=2j), 2, ()),
    "add tensor": (torch._foreach_add, 1, (VALUES[1],)),
    "addcdiv tensor": (torch._foreach_addcdiv, 3, (VALUES,)),
    "addcmul tensor": (torch._foreach_addcmul, 3, (VALUES,)),
    "lerp": (torch._foreach_lerp, 2, (0.25,)),
    "lerp list": (torch._foreach_lerp, 3, ()),
    "pow list": (torch._foreach_pow, 2, ()),
    "pow of a number": (lambda a: torch._foreach_pow(2.0, a), 1, ()),
}
if hasattr(torch.ops.aten, "_foreach_clone"):
    CALLS["clone"] = (torch.ops.aten._foreach_clone, 1, ())
for name in ("add", "sub", "mul", "div", "pow"):
    packet = getattr(torch, f"_foreach_{name}")
    CALLS[f"{name} number"] = (packet, 1, (2j,))
    CALLS[f"{name} numbers"] = (packet, 1, (NUMBERS,))
for name in ("sub", "mul", "div"):
    CALLS[f"{name} list"] = (getattr(torch, f"_foreach_{name}"), 2, ())
for name in ("addcmul", "addcdiv"):
    CALLS[f"{name} number"] = (getattr(torch, f"_foreach_{name}"), 3, (0.5,))
    CALLS[f"{name} numbers"] = (getattr(torch, f"_foreach_{name}"), 3, (NUMBERS,))
each_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())


@each_call
def test_on_the_subclass(call):
    op, count, rest = call
    given = lists(count)
    wrapped = pytree.tree_map(ComplexTensor.from_complex, given)
    got = [t.to_complex() if t.is_complex() else t for t in op(*wrapped, *rest)]
    torch.testing.assert_close(got, list(op(*given, *rest)))


# Dynamo's fake tensors do not read complex values that an op asks for.
READ = {"add tensor", "addcdiv tensor", "addcmul tensor"}


@pytest.mark.parametrize("name", sorted(set(CALLS) - READ))
def test_compiled(name):
    op, count, rest = CALLS[name]
    given = lists(count)
    got = torch.compile(op, fullgraph=True, backend=interpreted)(*given, *rest)
    torch.testing.assert_close(list(got), list(op(*given, *rest)))


def test_in_place():
    (given,) = lists(1)
    wrapped = [ComplexTensor.from_complex(t.clone()) for t in given]
    torch._foreach_mul_(wrapped, 2j)
    torch._foreach_copy_(given, [t * 2j for t in given])
    torch.testing.assert_close([t.to_complex() for t in wrapped], given)
    torch._foreach_zero_(wrapped)
    assert not any(t.to_complex().any() for t in wrapped)


def clip(gradients):
    norms = torch._foreach_norm(gradients)
    return torch._foreach_mul(gradients, 1 / torch.stack(norms).norm())


def test_one_kernel_for_a_list_and_none_of_the_library():
    found = explain(clip, lists(1)[0])
    assert not found.fallbacks
    with enabled():
        got = torch.compile(clip, fullgraph=True)(lists(1)[0])
    assert all(t.isfinite().all() for t in got)
