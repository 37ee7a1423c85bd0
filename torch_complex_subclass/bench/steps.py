"""What one timed call does: the function alone, or forward, backward and update."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.bench.cases import Case, Inputs

Function = Callable[..., Any]
Step = Callable[[], tuple[Tensor, ...]]

_LEARNING_RATE = 1e-4


def own_code(fn: Function) -> Function:
    """Copy a function with its bytecode, to which Dynamo ties what it has compiled.

    Two ways of compiling one function then share nothing, not even a guess at dynamic sizes.
    """
    if isinstance(fn, functools.partial):
        return functools.partial(own_code(fn.func), *fn.args, **fn.keywords)
    if not isinstance(fn, types.FunctionType):
        return fn
    copied = types.FunctionType(
        fn.__code__.replace(), fn.__globals__, fn.__name__, fn.__defaults__, fn.__closure__
    )
    copied.__kwdefaults__ = fn.__kwdefaults__
    return copied


def as_tuple(results: Any) -> tuple[Tensor, ...]:
    """Results of a function of a case, which may be one tensor."""
    return tuple(results) if isinstance(results, tuple | list) else (results,)


def _energy(results: tuple[Tensor, ...]) -> Tensor:
    """Sum of squared moduli, as one writes it for results that may be complex."""
    return functools.reduce(torch.add, [t.abs().square().sum() for t in results])


def _energy_by_hand(results: tuple[Tensor, ...]) -> Tensor:
    return functools.reduce(torch.add, [(t * t).sum() for t in results])


def _interleaved(t: Tensor) -> Tensor:
    return torch.view_as_real(t) if t.is_complex() else t


def make_step(
    case: Case,
    inputs: Inputs,
    training: bool,
    compile_with: Callable[[Function, bool], Function],
    by_hand: bool = False,
) -> Step:
    """Return a call without arguments on copies of `inputs`.

    `compile_with` is given a function and whether it is to be one graph. Results are those of the
    function, or the loss and its gradients; by hand, complex ones are real of shape `(..., 2)`.
    """
    fn = case.fn
    if by_hand:
        assert case.hand is not None
        fn = case.hand
    own = [t.clone() for t in inputs]
    own = [_interleaved(t) for t in own] if by_hand else own
    if not training:
        compiled = compile_with(fn, True)
        return lambda: as_tuple(compiled(*own))
    energy = _energy_by_hand if by_hand else _energy

    def loss(*args: Tensor) -> Tensor:
        return energy(as_tuple(fn(*args)))

    return _training_step(case, compile_with(loss, True), own, compile_with)


def _training_step(
    case: Case,
    loss: Function,
    inputs: list[Tensor],
    compile_with: Callable[[Function, bool], Function],
) -> Step:
    """Return a call that gives the loss and its gradients, after an update if there is one."""
    learned = [inputs[i].requires_grad_() for i in case.learned]
    if not case.adam:

        def differentiate() -> tuple[Tensor, ...]:
            value = loss(*inputs)
            return value.detach(), *torch.autograd.grad(value, learned)

        return differentiate

    optimizer = torch.optim.Adam(learned, lr=_LEARNING_RATE)
    update = compile_with(optimizer.step, False)

    def learn() -> tuple[Tensor, ...]:
        optimizer.zero_grad()
        value = loss(*inputs)
        value.backward()
        update()
        return value.detach(), *(t.grad for t in learned if t.grad is not None)

    return learn
