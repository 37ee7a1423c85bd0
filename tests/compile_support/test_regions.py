"""Transforms and regions around and inside compiled complex code."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, func, nn
from torch._higher_order_ops.associative_scan import associative_scan
from torch._higher_order_ops.invoke_subgraph import mark_compile_region
from torch._higher_order_ops.while_loop import while_loop
from torch.nn.attention.flex_attention import flex_attention
from torch.utils import checkpoint as ckpt

from torch_complex_subclass.testing.compare import Case
from torch_complex_subclass.testing.interpret import interpreted

C64 = torch.complex64

pytestmark = [
    # Said while Dynamo traces, of what it looks at itself.
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning"),
    # What the compiled function is compared with.
    pytest.mark.filterwarnings("ignore:flex_attention called without:UserWarning"),
]


def z(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=C64) / 2


def r(*shape: int) -> Tensor:
    return torch.randn(shape)


@mark_compile_region
def region(x: Tensor, y: Tensor) -> Tensor:
    return x * y + x.conj()


def branch(a: Tensor, b: Tensor) -> Tensor:
    return torch.cond(a.abs().sum() > 0, lambda x: x * b, lambda x: x.exp() + b, (a,))


def loop(a: Tensor) -> Tensor:
    start = (torch.tensor(0), a)
    return while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, x * 1j + x.conj()), start)[1]


def attention(q: Tensor, k: Tensor, v: Tensor, bias: Tensor) -> Tensor:
    return flex_attention(q, k, v, score_mod=lambda s, b, h, i, j: s + bias[i, j].real)


def block(x: Tensor, y: Tensor) -> Tensor:
    return (x @ y.mT).exp().abs()


def keep_products(context: Any, op: Any, *args: Any, **kwargs: Any) -> ckpt.CheckpointPolicy:
    save = op == torch.ops.aten.mm.default
    return ckpt.CheckpointPolicy.MUST_SAVE if save else ckpt.CheckpointPolicy.PREFER_RECOMPUTE


def selective(a: Tensor, b: Tensor) -> Tensor:
    contexts = partial(ckpt.create_selective_checkpoint_contexts, keep_products)
    return ckpt.checkpoint(block, a, b, use_reentrant=False, context_fn=contexts)


class Square(torch.autograd.Function):
    """Keeps a complex tensor and a complex number for the backward pass."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, s: complex) -> Tensor:
        ctx.save_for_backward(x)
        ctx.s = s
        return x * x * s

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return g * (2 * x * ctx.s).conj(), None


@torch.library.custom_op("torch_complex_subclass_tests::scale", mutates_args=())
def scale(x: Tensor, s: float) -> Tensor:
    return x * complex(s, 1)


@scale.register_fake
def _(x: Tensor, s: float) -> Tensor:
    return torch.empty_like(x)


scale.register_autograd(
    lambda ctx, g: (g * complex(ctx.s, -1), None),
    setup_context=lambda ctx, inputs, output: setattr(ctx, "s", inputs[1]),
)


@torch.library.custom_op("torch_complex_subclass_tests::turn_", mutates_args=("x",))
def turn_(x: Tensor) -> None:
    x.mul_(2j)


def hooked(a: Tensor) -> Tensor:
    b = a * 2
    if b.requires_grad:
        b.register_hook(lambda g: g * 1j)
    return (b * b).abs()


def grad_of_grad(a: Tensor) -> Tensor:
    first = func.grad(lambda y: (y**3).abs().square().sum())
    return func.grad(lambda x: first(x).abs().sum())(a)


def turned(a: Tensor) -> tuple[Tensor, Tensor]:
    b = a * 2
    turn_(b)
    turn_(a)
    return b * 3, a * 3


def one() -> tuple[Tensor]:
    return (z(3, 4),)


def two() -> tuple[Tensor, Tensor]:
    return z(3, 4), z(3, 4)


CASES = {
    "associative_scan": Case(
        lambda a: associative_scan(torch.mul, a, 0, combine_mode="generic"), one
    ),
    "autograd.Function": Case(lambda a: Square.apply(a, 1 + 2j), one),
    "checkpoint": Case(lambda a, b: ckpt.checkpoint(block, a, b, use_reentrant=False), two),
    "cond": Case(branch, two),
    "custom_op": Case(lambda a: scale((a.conj() * 2).T, 2.5) + 1, one),
    "custom_op that mutates": Case(turned, one, gradient=False),
    "flex_attention": Case(
        attention, lambda: (*(r(1, 2, 16, 16) for _ in range(3)), z(16, 16)), gradient=False
    ),
    "grad of grad": Case(grad_of_grad, one),
    "hook inside": Case(hooked, one),
    "nested_compile_region": Case(lambda a, b: region(region(a, b), b), two),
    "selective checkpoint": Case(selective, two),
    "while_loop": Case(loop, one, gradient=False),
}


@pytest.mark.parametrize("name", CASES)
def test_region(name: str) -> None:
    CASES[name].check(interpreted, inference=False, rtol=2e-5, atol=2e-5)


@torch.compiler.disable
def island(x: Tensor) -> Tensor:
    return x * 2j


def broken(a: Tensor) -> Tensor:
    b = a * a
    torch._dynamo.graph_break()
    c = b.conj() * 1j
    return (c + b).real if c.abs().sum() > 0 else b.real


@pytest.mark.parametrize("fn", [lambda a: island(a * a) + 1, broken], ids=["disable", "break"])
def test_several_graphs(fn: Callable[[Tensor], Tensor]) -> None:
    a = z(3).requires_grad_()
    got = torch.compile(fn, backend=interpreted)(a)
    torch.testing.assert_close(got, fn(a))
    seed = torch.ones_like(got)
    found = [torch.autograd.grad(result, a, seed) for result in (got, fn(a))]
    torch.testing.assert_close(*found)


class Unit(nn.Module):
    """Makes each weight a phase."""

    def forward(self, w: Tensor) -> Tensor:
        return w / w.abs()


def phases(module: nn.Module) -> None:
    nn.utils.parametrize.register_parametrization(module, "weight", Unit())


def double(parameter: Tensor) -> None:
    parameter.grad.mul_(2)


def hooks(module: nn.Module) -> None:
    module.weight.register_hook(lambda g: g * 1j)
    module.weight.register_post_accumulate_grad_hook(double)
    module.register_forward_hook(lambda m, args, result: result * (1 + 1j))


MODULES = {"hooks": hooks, "orthogonal": nn.utils.parametrizations.orthogonal, "phases": phases}


@pytest.mark.parametrize("name", MODULES)
def test_module(name: str) -> None:
    eager = nn.Linear(3, 3, dtype=C64)
    ours = copy.deepcopy(eager)
    MODULES[name](eager)
    MODULES[name](ours)
    ours.load_state_dict(eager.state_dict())
    x = z(5, 3)
    eager(x).abs().sum().backward()
    torch.compile(ours, fullgraph=True, backend=interpreted)(x).abs().sum().backward()
    for got, want in zip(ours.parameters(), eager.parameters(), strict=True):
        torch.testing.assert_close(got.grad, want.grad, rtol=2e-5, atol=2e-5)


def test_saved_tensors_hooks() -> None:
    a = z(3, 4).requires_grad_()
    fn = lambda t: (t * t.conj()).exp().abs().sum()  # noqa: E731
    (want,) = torch.autograd.grad(fn(a), a)
    compiled = torch.compile(fn, fullgraph=True, backend=interpreted)
    with torch.autograd.graph.saved_tensors_hooks(torch.clone, lambda t: t):
        (got,) = torch.autograd.grad(compiled(a), a)
    torch.testing.assert_close(got, want)


def step(module: nn.Module, x: Tensor) -> None:
    module(x).abs().sum().backward()


@pytest.mark.parametrize("whole", [False, True], ids=["backward", "step"])
def test_compiled_autograd(whole: bool) -> None:
    eager = nn.Linear(4, 3, dtype=C64)
    ours, x = copy.deepcopy(eager), z(5, 4)
    step(eager, x)
    if whole:
        with torch._dynamo.config.patch(compiled_autograd=True):
            torch.compile(step, backend="inductor_complex")(ours, x)
    else:
        compiler = torch.compile(fullgraph=True, backend="inductor_complex")
        with torch._dynamo.compiled_autograd._enable(compiler):
            step(torch.compile(ours, fullgraph=True, backend="inductor_complex"), x)
    torch.testing.assert_close(ours.weight.grad, eager.weight.grad)
