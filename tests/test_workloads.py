"""The systems of `bench --suite workloads`: every version of each case is the same program."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from torch_complex_subclass import __main__ as command
from torch_complex_subclass.bench import jax_worker, limits
from torch_complex_subclass.bench.agreement import difference, in_the_form_of
from torch_complex_subclass.bench.candidates import WAYS, Way
from torch_complex_subclass.bench.cases import EXTREME, SIZES, Case
from torch_complex_subclass.bench.steps import make_step
from torch_complex_subclass.bench.suites import SUITES
from torch_complex_subclass.bench.workloads import CASES, SYSTEMS
from torch_complex_subclass.testing.interpret import interpreted

MODES = [(name, training) for name, case in CASES.items() for training in {False, case.training}]

each_mode = pytest.mark.parametrize(
    ("name", "training"),
    MODES,
    ids=[f"{name}-{'training' if training else 'inference'}" for name, training in MODES],
)


def as_it_is(fn: Callable[..., Any], fullgraph: bool) -> Callable[..., Any]:
    return fn


def rewritten(fn: Callable[..., Any], fullgraph: bool) -> Callable[..., Any]:
    return torch.compile(fn, fullgraph=fullgraph, dynamic=False, backend=interpreted)


def differs(case: Case, got: Any, want: Any) -> str | None:
    if case.differs is None:
        return difference(got, want, torch.complex64)
    return case.differs(in_the_form_of(want, got), want)


def eager(case: Case, size: str, training: bool) -> Any:
    torch.manual_seed(0)
    return make_step(case, case.draw(size, torch.complex64), training, as_it_is)()


@each_mode
def test_rewritten_graph_gives_what_eager_gives(name: str, training: bool) -> None:
    case = CASES[name]
    inputs = case.draw("small", torch.complex64)
    step = make_step(case, inputs, training, rewritten)
    torch.manual_seed(0)
    assert differs(case, step(), eager(case, "small", training)) is None


@each_mode
def test_hand_written_version_is_the_same_program(name: str, training: bool) -> None:
    case = CASES[name]
    if case.hand is not None:
        inputs = case.draw("small", torch.complex64)
        got = make_step(case, inputs, training, as_it_is, by_hand=True)()
        assert differs(case, got, eager(case, "small", training)) is None


@each_mode
def test_version_for_jax_is_the_same_program(name: str, training: bool) -> None:
    case = CASES[name]
    if case.jax is not None:
        # Norms of few random numbers say nothing.
        size = "small" if case.differs else "tiny"
        inputs = case.draw(size, torch.complex64)
        results = jax_worker.make_step(case, jax_worker.from_torch(inputs), training)()
        assert differs(case, jax_worker.to_torch(results), eager(case, size, training)) is None


def test_versions_of_the_operator_without_chance_are_the_same_program() -> None:
    case = CASES["w3_operator"]
    assert case.hand is not None
    assert case.jax is not None
    inputs = case.draw("small", torch.complex64)
    want = (case.fn(*inputs, rate=0.0, deviation=0.0),)
    parts = [torch.view_as_real(t) if t.is_complex() else t for t in inputs]
    by_hand = (case.hand(*parts, rate=0.0, deviation=0.0),)
    assert difference(by_hand, want, torch.complex64) is None
    in_jax = case.jax(*jax_worker.from_torch(inputs), rate=0.0, deviation=0.0)
    assert difference(jax_worker.to_torch([in_jax]), want, torch.complex64) is None


@pytest.mark.slow
@each_mode
def test_compiled_code_gives_what_eager_gives(name: str, training: bool) -> None:
    case = CASES[name]
    step = WAYS["ours"].step(case, case.draw("small", torch.complex64), training, None)
    torch.manual_seed(0)
    assert differs(case, step(), eager(case, "small", training)) is None


@pytest.mark.parametrize("name", CASES)
def test_case_has_all_sizes(name: str) -> None:
    assert tuple(CASES[name].shapes) in (SIZES, (*SIZES, EXTREME))


def test_names_are_unique_and_groups_are_systems() -> None:
    names = [name for cases in SUITES.values() for name in cases]
    assert len(set(names)) == len(names)
    assert all(case.group == system.name for system in SYSTEMS for case in system.cases)
    assert all({*system.published} <= {case.name for case in system.cases} for system in SYSTEMS)


def test_tiny_calls_and_warm_compilations_are_timed_where_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(WAYS, "ours", Way("eager"))
    monkeypatch.setattr(limits, "bandwidth", lambda working_set=0: 1e10)
    monkeypatch.setattr(limits, "product_rate", lambda dtype: 1e11)
    file = tmp_path / "x.json"
    options = ["bench", "--suite", "workloads", "w4_posterior", "--size", "small", "--inference"]
    options += ["--rounds", "1", "--against", "eager", "--export", str(file)]
    timed = []
    for asked in ([], ["--overhead"], ["--warm"]):
        assert command.main([*options, *asked]) == 0
        (row,) = json.loads(file.read_text())["rows"]
        ours = row["candidates"]["ours"]
        timed.append(
            [ours[key] is not None for key in ("overhead_seconds", "warm_compile_seconds")]
        )
    assert timed == [[False, False], [True, False], [False, True]]
