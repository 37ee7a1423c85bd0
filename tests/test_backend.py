"""enable, disable, enabled, the backend, and what they leave behind."""

from __future__ import annotations

import inspect
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, fx

import torch_complex_subclass as tcs
from torch_complex_subclass import backend, report
from torch_complex_subclass import torch_compat as compat


def snapshot() -> list[Any]:
    """Everything that the hooks edit."""
    from torch._inductor import compile_fx, lowering
    from torch._inductor.codegen import cpp

    tables = [dict(t) for t in compat.inductor_decomposition_tables()]
    return [
        *tables,
        dict(compat.inductor_lowerings()),
        compat.get_joint_passes(),
        compat.get_partitioner(),
        inspect.getattr_static(*compat.setattr_tracer()),
        inspect.getattr_static(*compat.number_constructors()),
        lowering._warn_complex_not_supported,
        compile_fx.compile_fx,
        cpp.CppVecKernel.load,
        cpp.CppVecKernel.store,
        cpp.TilingSelect,
    ]


@pytest.fixture
def before() -> Iterator[list[Any]]:
    state = snapshot()
    yield state
    tcs.disable()
    compat.set_joint_passes(None)


def test_disable_restores(before: list[Any]) -> None:
    tcs.enable()
    assert tcs.is_enabled()
    assert snapshot() != before
    tcs.disable()
    assert not tcs.is_enabled()
    assert snapshot() == before


def test_enable_twice_and_disable_once(before: list[Any]) -> None:
    tcs.enable()
    tcs.enable()
    tcs.disable()
    assert snapshot() == before


def test_disable_without_enable(before: list[Any]) -> None:
    tcs.disable()
    assert snapshot() == before


def test_exception_inside_scope(before: list[Any]) -> None:
    with pytest.raises(KeyError, match="user's own"), tcs.enabled():
        raise KeyError("user's own")
    assert snapshot() == before


def test_nested_scopes(before: list[Any]) -> None:
    with tcs.enabled():
        with tcs.enabled():
            pass
        assert tcs.is_enabled()
    assert snapshot() == before


def test_scope_inside_enable_leaves_it_enabled(before: list[Any]) -> None:
    tcs.enable()
    with tcs.enabled():
        pass
    assert tcs.is_enabled()
    tcs.disable()
    assert snapshot() == before


def test_failed_install_leaves_nothing(before: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Any:
        raise RuntimeError("no such module")

    monkeypatch.setattr(compat, "quiet_complex_warning", fail)
    with pytest.raises(RuntimeError, match="no such module"):
        tcs.enable()
    assert snapshot() == before
    assert not tcs.is_enabled()


class CountingPass:
    """A user's own pass: counts its calls and has a cache key."""

    def __init__(self) -> None:
        self.calls = 0
        self.saw_complex = False

    def __call__(self, graph: fx.Graph) -> None:
        self.calls += 1
        values = (node.meta.get("val") for node in graph.nodes)
        self.saw_complex |= any(isinstance(v, Tensor) and v.is_complex() for v in values)

    def uuid(self) -> str:
        return "counting"


@pytest.mark.parametrize("as_list", [False, True])
def test_users_pass_runs_before_ours(before: list[Any], as_list: bool) -> None:
    own = CountingPass()
    value = [own] if as_list and compat.takes_list_of_passes() else own
    compat.set_joint_passes(value)
    z = torch.randn(4, dtype=torch.complex64)
    # Up to torch 2.12 a user's pass with a key does not keep Inductor from finding compiled code.
    with tcs.enabled(), compat.without_caches():
        compiled = torch.compile(lambda t: t * 2j, fullgraph=True)
        torch.testing.assert_close(compiled(z), z * 2j)
    assert own.calls == 1
    assert own.saw_complex
    assert compat.get_joint_passes() is value


def test_users_pass_set_while_enabled_stays(before: list[Any]) -> None:
    own = CountingPass()
    tcs.enable()
    compat.set_joint_passes(own)
    tcs.disable()
    assert compat.get_joint_passes() is own


def test_combined_pass_for_torch_without_lists() -> None:
    own = CountingPass()
    combined = backend._graph_pass().after(own)
    graph = fx.Graph()
    graph.output(())
    combined(graph)
    assert own.calls == 1
    assert combined.uuid() == ("counting", backend._graph_pass().uuid())
    assert backend.source_digest() in backend._graph_pass().uuid()
    assert backend._graph_pass().after(lambda graph: None).uuid() is None


def test_cache_key_covers_sources(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil
    from pathlib import Path

    package = tmp_path / "package"
    shutil.copytree(Path(backend.__file__).parent, package)
    monkeypatch.setattr(backend, "__file__", str(package / "backend.py"))
    compute = backend.source_digest.__wrapped__
    first = compute()
    changed = package / "decompositions" / "arithmetic.py"
    changed.write_text(changed.read_text() + "# changed\n")
    second = compute()
    monkeypatch.setattr(compat, "package_versions", lambda: ("another torch",))
    assert len({first, second, compute()}) == 3


def test_backend_needs_no_global_state(before: list[Any]) -> None:
    z = torch.randn(8, dtype=torch.complex64)
    with report.collected() as reports:
        compiled = torch.compile(lambda t: (t * t).exp(), backend="inductor_complex")
        torch.testing.assert_close(compiled(z), (z * z).exp())
    assert [e.how for found in reports for e in found.entries] == ["fused", "fused"]
    assert snapshot() == before


def test_backend_accepts_mode(before: list[Any]) -> None:
    z = torch.randn(8, dtype=torch.complex64)
    compiled = torch.compile(lambda t: t + 1j, backend="inductor_complex", mode="reduce-overhead")
    torch.testing.assert_close(compiled(z), z + 1j)


def test_backward_compiled_after_the_scope(before: list[Any]) -> None:
    z = torch.randn(8, dtype=torch.complex64, requires_grad=True)
    with tcs.enabled():
        out = torch.compile(lambda t: (t * t).abs(), fullgraph=True)(z)
    with compat.counted_kernels() as counted:
        (found,) = torch.autograd.grad(out.sum(), z)
    (wanted,) = torch.autograd.grad((z * z).abs().sum(), z)
    torch.testing.assert_close(found, wanted)
    assert counted.kernels > 0
    assert not counted.fallbacks
    assert snapshot() == before


GENERATED = """
import sys, torch, re
from torch._inductor.utils import run_and_get_code
{first}
def real(x):
    return (x.sin() + 1).sum(-1)
def cplx(z):
    return (z * z + 1j).abs().sum(-1)
torch._inductor.config.force_disable_caches = True
_, code = run_and_get_code(torch.compile(real), torch.ones(8, 8))
_, more = run_and_get_code(torch.compile(cplx), torch.ones(8, 8, dtype=torch.complex64))
for text in code + more:
    text = re.sub(r"(?m)^#.*$", "", text)
    print(re.sub(r"/\\S+", "PATH", text))
"""


def generated_code(first: str) -> str:
    program = textwrap.dedent(GENERATED).format(first=first)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True
    )
    assert "def call" in done.stdout
    return done.stdout


def test_backward_of_library_calls_alone_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._inductor import lowering

    def warned() -> None:
        raise AssertionError("Inductor warned of complex operators")

    monkeypatch.setattr(lowering, "_warn_complex_not_supported", warned)
    z = torch.randn(4, 6, dtype=torch.complex64, requires_grad=True)
    spectrum = torch.compile(torch.fft.fft2, backend="inductor_complex")(z)
    spectrum.backward(torch.ones_like(spectrum))
    assert z.grad is not None


def test_code_after_disable_is_that_of_a_process_without_us() -> None:
    with_us = generated_code(
        "import torch_complex_subclass as tcs; tcs.enable(); "
        "torch.compile(lambda z: z * 2j)(torch.ones(3, dtype=torch.complex64)); "
        "torch._dynamo.reset(); tcs.disable()"
    )
    assert with_us == generated_code("pass")
