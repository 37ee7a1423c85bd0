"""Compiled code that outlives its process: torch's caches, their keys, and mega-cache artefacts."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._dynamo.utils import counters

import torch_complex_subclass as tcs
from torch_complex_subclass import backend
from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.inductor_lowering import fft, hooks
from torch_complex_subclass.inductor_lowering.fused_rules import DEEPEST_EXPRESSION


def operand() -> Tensor:
    return 0.1 * torch.randn(8, dtype=torch.complex64)


def hits_and_misses() -> list[int]:
    found = [counters["aot_autograd"], counters["inductor"]]
    hits = found[0]["autograd_cache_hit"] + found[1]["fxgraph_cache_hit"]
    misses = found[0]["autograd_cache_miss"] + found[1]["fxgraph_cache_miss"]
    return [hits, misses]


class OtherTransforms(fft.Transforms):
    version = "other"


@pytest.mark.filterwarnings("ignore:Torchinductor does not support code generation for complex")
def test_no_hit_after_a_change_of_settings_or_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    new = complex(0, time.time_ns() % 10**9)  # no earlier run has compiled this program
    z = operand()

    def is_found() -> bool:
        torch._dynamo.reset()
        counters.clear()
        found = torch.compile(lambda t: (t * new).abs(), fullgraph=True)(z)
        torch.testing.assert_close(found, (z * new).abs())
        hits, misses = hits_and_misses()
        assert hits + misses
        return not misses

    with tcs.enabled():
        assert not is_found()
        assert is_found()
        with fft.registered("cpu", OtherTransforms()):
            assert not is_found()
        with monkeypatch.context() as changed:
            changed.setattr(backend, "source_digest", lambda: "other sources")
            assert not is_found()
        assert is_found()
    assert not is_found()  # stock code
    with tcs.enabled():
        assert is_found()


WORKER = """
import json, sys, torch
import torch_complex_subclass as tcs
from torch._dynamo.utils import counters

def program(z, w):
    y = (z @ w).tanh() * (1 + 2j)
    return y.conj(), y.abs().sum()

tcs.enable()
if len(sys.argv) > 2:
    torch.compiler.load_cache_artifacts(open(sys.argv[2], "rb").read())
torch.manual_seed(0)
leaves = [torch.randn(4, 4, dtype=torch.complex64, requires_grad=True) for _ in range(2)]
found, wanted = torch.compile(program, fullgraph=True)(*leaves), program(*leaves)
torch.testing.assert_close(found, wanted)
gradients = [torch.autograd.grad(result[1], leaves) for result in (found, wanted)]
torch.testing.assert_close(*gradients)
if len(sys.argv) > 1:
    with open(sys.argv[1], "wb") as file:
        file.write(torch.compiler.save_cache_artifacts()[0])
aot, inductor = counters["aot_autograd"], counters["inductor"]
print(json.dumps({
    "hits": aot["autograd_cache_hit"],
    "misses": aot["autograd_cache_miss"] + inductor["fxgraph_cache_miss"],
}))
"""


def in_new_process(folder: Path, *arguments: Path) -> dict[str, int]:
    """Run the worker with its caches in `folder`; files to write and to read artefacts."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WORKER, *map(str, arguments)],
        env={**os.environ, "TORCHINDUCTOR_CACHE_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_warm_start_and_mega_cache(tmp_path: Path) -> None:
    cold, warm, other = tmp_path / "cold", tmp_path / "artefacts", tmp_path / "other"
    assert in_new_process(cold, warm)["misses"]
    found = in_new_process(cold)
    assert found["hits"]
    assert not found["misses"]
    found = in_new_process(other, tmp_path / "again", warm)
    assert found["hits"]
    assert not found["misses"]


def threads_with(run: Callable[[int], None], count: int) -> list[BaseException]:
    """Call `run(i)` in a thread of its own for each `i`, all at once; return what was raised."""
    raised: list[BaseException] = []
    start = threading.Barrier(count)

    def work(i: int) -> None:
        start.wait()
        try:
            run(i)
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


@pytest.mark.slow
@pytest.mark.parametrize("how", ["enabled", "inductor_complex"])
def test_threads_compile_at_once(how: str) -> None:
    functions = [torch.exp, torch.tanh, torch.sqrt, lambda z: z * z.conj()]
    before = compat.compile_fx_module().compile_fx

    def run(i: int) -> None:
        function = functions[i]
        z = operand().requires_grad_()
        name = "inductor" if how == "enabled" else how
        out = torch.compile(lambda t: function(t * 2j) + i, fullgraph=True, backend=name)(z)
        wanted = function(z * 2j) + i
        torch.testing.assert_close(out, wanted)
        sums = [t.abs().square().sum() for t in (out, wanted)]
        torch.testing.assert_close(*(torch.autograd.grad(s, z) for s in sums))

    with tcs.enabled() if how == "enabled" else compat.without_caches():
        assert threads_with(run, len(functions)) == []
    assert compat.compile_fx_module().compile_fx is before


def test_threads_share_the_recursion_limit() -> None:
    """One that has finished does not take the limit from another that still compiles."""
    before = sys.getrecursionlimit()
    first_has_left, second_is_inside = threading.Event(), threading.Event()
    seen: list[int] = []

    def run(i: int) -> None:
        if i == 0:
            with hooks._deep_recursion:
                second_is_inside.wait()
            first_has_left.set()
        else:
            with hooks._deep_recursion:
                second_is_inside.set()
                first_has_left.wait()
                seen.append(sys.getrecursionlimit())

    assert threads_with(run, 2) == []
    assert seen[0] >= DEEPEST_EXPRESSION
    assert sys.getrecursionlimit() == before


def test_pickled_inputs_need_no_other_code() -> None:
    z = operand()
    inputs: list[Any] = [z, z.conj(), z.clone()[::2], tcs.ComplexTensor(z.real, z.imag)]
    compiled = torch.compile(lambda t: (t * 2j).abs(), backend="aot_eager", fullgraph=True)
    for value in inputs:
        torch._dynamo.reset()
        wanted = compiled(value)
        with torch.compiler.set_stance("fail_on_recompile"):
            found = compiled(pickle.loads(pickle.dumps(value)))
        torch.testing.assert_close(found, wanted)
