"""What the process does that runs cases in JAX.

It reads request.json and inputs.pt in a folder, writes results.pt and answer.json there.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.dlpack import from_dlpack

from torch_complex_subclass.bench import suites
from torch_complex_subclass.bench.candidates import reason
from torch_complex_subclass.bench.cases import Case
from torch_complex_subclass.bench.runner import interleaved

# Those of torch.optim.Adam.
_LEARNING_RATE, _BETA_1, _BETA_2, _EPSILON = 1e-4, 0.9, 0.999, 1e-8

Step = Callable[[], tuple[Any, ...]]


def _limit_threads(count: int) -> None:
    """Leave as many processors as threads are allowed; JAX starts one thread for each."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def from_torch(tensors: Iterable[Tensor]) -> list[Any]:
    """Copies as arrays of JAX, also in dtypes that NumPy lacks."""
    import jax.numpy as jnp

    return [jnp.array(jnp.from_dlpack(t.contiguous())) for t in tensors]


def to_torch(arrays: Iterable[Any]) -> tuple[Tensor, ...]:
    """Copies as tensors."""
    return tuple(from_dlpack(array).clone() for array in arrays)


def _as_tuple(results: Any) -> tuple[Any, ...]:
    return tuple(results) if isinstance(results, tuple | list) else (results,)


def _differentiated(case: Case) -> Callable[..., tuple[Any, tuple[Any, ...]]]:
    """The loss and its gradients, in torch's convention for complex ones."""
    import jax
    import jax.numpy as jnp

    assert case.jax is not None
    fn = case.jax

    def loss(*args: Any) -> Any:
        return sum((abs(t) ** 2).sum() for t in _as_tuple(fn(*args)))

    def differentiate(*args: Any) -> tuple[Any, tuple[Any, ...]]:
        value, gradients = jax.value_and_grad(loss, case.learned)(*args)
        return value, tuple(jnp.conj(g) if jnp.iscomplexobj(g) else g for g in gradients)

    return differentiate


def _squares(g: Any) -> Any:
    """Square of a real value, and of each part of a complex one, as Adam of torch has it."""
    import jax
    import jax.numpy as jnp

    return jax.lax.complex(g.real**2, g.imag**2) if jnp.iscomplexobj(g) else g**2


def _direction(m: Any, v: Any) -> Any:
    """First over root of second moment, by parts."""
    import jax
    import jax.numpy as jnp

    if jnp.iscomplexobj(m):
        return jax.lax.complex(_direction(m.real, v.real), _direction(m.imag, v.imag))
    return m / (jnp.sqrt(v) + _EPSILON)


def _adam_step(case: Case, arrays: list[Any]) -> Step:
    import jax
    import jax.numpy as jnp

    differentiate = _differentiated(case)

    def learn(args: list[Any], ms: list[Any], vs: list[Any], t: Any) -> Any:
        value, gradients = differentiate(*args)
        ms = [_BETA_1 * m + (1 - _BETA_1) * g for m, g in zip(ms, gradients, strict=True)]
        vs = [_BETA_2 * v + (1 - _BETA_2) * _squares(g) for v, g in zip(vs, gradients, strict=True)]
        args = list(args)
        for i, m, v in zip(case.learned, ms, vs, strict=True):
            ahead = _direction(m / (1 - _BETA_1**t), v / (1 - _BETA_2**t))
            args[i] = args[i] - _LEARNING_RATE * ahead
        return (value, *gradients), args, ms, vs, t + 1

    learn_compiled = jax.jit(learn)
    zeros = [jnp.zeros_like(arrays[i]) for i in case.learned]
    state = [(arrays, zeros, zeros, jnp.ones((), dtype=arrays[0].real.dtype))]

    def step() -> tuple[Any, ...]:
        results, *state[0] = jax.block_until_ready(learn_compiled(*state[0]))
        return tuple(results)

    return step


def make_step(case: Case, arrays: list[Any], training: bool) -> Step:
    """Return a call that gives the results, or the loss and its gradients, as in `steps`."""
    import jax

    assert case.jax is not None
    fn = case.jax
    if training and case.adam:
        return _adam_step(case, arrays)
    if training:
        differentiate = jax.jit(_differentiated(case))

        def step() -> tuple[Any, ...]:
            value, gradients = jax.block_until_ready(differentiate(*arrays))
            return value, *gradients

        return step
    compiled = jax.jit(fn)
    return lambda: _as_tuple(jax.block_until_ready(compiled(*arrays)))


def serve(connection: Connection, wide: bool) -> None:
    """Answer the requests in the folders that come, each with what went wrong or None.

    Ends with the process at the other end. `wide` allows numbers of 64 bits.
    """
    os.environ["JAX_ENABLE_X64"] = str(int(wide))
    os.environ["JAX_PLATFORMS"] = "cpu"
    # What XLA remarks does not belong between the tables.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    while True:
        folder = connection.recv()
        try:
            _answer(folder)
            problem = None
        except Exception as error:
            problem = reason(error)
        connection.send(problem)


def _answer(folder: Path) -> None:
    import jax

    jax.clear_caches()
    request = json.loads((folder / "request.json").read_text())
    _limit_threads(request["threads"])
    arrays = from_torch(torch.load(folder / "inputs.pt"))
    step = make_step(suites.find(request["case"]), arrays, request["training"])
    start = time.perf_counter()
    results = step()
    compile_seconds = time.perf_counter() - start
    torch.save(to_torch(results), folder / "results.pt")
    timing = interleaved({"jax": step}, request["rounds"])["jax"]
    answer = {"timing": dataclasses.asdict(timing), "compile_seconds": compile_seconds}
    (folder / "answer.json").write_text(json.dumps(answer))
