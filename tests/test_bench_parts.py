"""What `bench` is made of: cases that are equal programs, timing, peaks, comparison."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from torch_complex_subclass import __main__ as command
from torch_complex_subclass.bench import candidates, jax_worker, runner
from torch_complex_subclass.bench.agreement import difference
from torch_complex_subclass.bench.candidates import first_call
from torch_complex_subclass.bench.cases import CASES, SIZES
from torch_complex_subclass.bench.memory import peak_bytes
from torch_complex_subclass.bench.runner import Timing
from torch_complex_subclass.bench.steps import make_step, own_code

MODES = pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])


def as_it_is(fn: Callable[..., Any], fullgraph: bool) -> Callable[..., Any]:
    return fn


# ---------------------------------------------------------------- cases


@MODES
@pytest.mark.parametrize(
    ("name", "dtype"),
    [(name, dtype) for name, case in CASES.items() for dtype in case.dtypes],
    ids=str,
)
def test_hand_written_version_is_the_same_program(
    name: str, dtype: torch.dtype, training: bool
) -> None:
    case = CASES[name]
    inputs = case.draw("tiny", dtype)
    want = make_step(case, inputs, training, as_it_is)()
    got = make_step(case, inputs, training, as_it_is, by_hand=True)()
    assert difference(got, want, dtype) is None


@MODES
@pytest.mark.parametrize("name", CASES)
def test_version_for_jax_is_the_same_program(name: str, training: bool) -> None:
    import jax

    case = CASES[name]
    inputs = case.draw("tiny", torch.complex64)
    want = make_step(case, inputs, training, as_it_is)()
    with jax.disable_jit():
        results = jax_worker.make_step(case, jax_worker.from_torch(inputs), training)()
    assert difference(jax_worker.to_torch(results), want, torch.complex64) is None


@pytest.mark.parametrize("name", CASES)
def test_case_has_all_sizes_and_learns_what_it_has(name: str) -> None:
    case = CASES[name]
    assert tuple(case.shapes) == SIZES
    inputs = case.draw("tiny", torch.complex64)
    assert all(inputs[i].is_floating_point() or inputs[i].is_complex() for i in case.learned)
    again = case.draw("tiny", torch.complex64)
    assert all(torch.equal(a, b) for a, b in zip(inputs, again, strict=True))
    assert any(t.is_complex() for t in inputs) or "rotary" in name


def test_adam_makes_the_same_updates_in_jax() -> None:
    case = CASES["perceptron"]
    inputs = case.draw("tiny", torch.complex64)
    step = make_step(case, inputs, True, as_it_is)
    jax_step = jax_worker.make_step(case, jax_worker.from_torch(inputs), True)
    losses = [[float(one()[0]) for _ in range(20)] for one in (step, jax_step)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    assert losses[0][-1] < losses[0][0] * (1 - 1e-3)


# ---------------------------------------------------------------- timing


def test_candidates_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    now = 0.0

    def taking(name: str, seconds: float) -> Callable[[], None]:
        def call() -> None:
            nonlocal now
            now += seconds
            calls.append(name)

        return call

    monkeypatch.setattr(runner.time, "perf_counter", lambda: now)
    found = runner.interleaved({"a": taking("a", 2.0**-10), "b": taking("b", 1.0)}, rounds=3)
    assert "".join(calls) == "aabb" + "aaabb" * 3  # one before each sample, which is not timed
    assert found == {"a": Timing(*[2.0**-10] * 3), "b": Timing(1, 1, 1)}


def test_garbage_collection_is_back_on() -> None:
    import gc

    seen: list[bool] = []
    runner.interleaved({"look": lambda: seen.append(gc.isenabled())}, rounds=1)
    assert not any(seen)
    assert gc.isenabled()


def test_quartiles() -> None:
    assert Timing.of([3.0]) == Timing(3, 3, 3)
    assert Timing.of([5.0, 1, 2, 3, 4]) == Timing(median=3, lower=2, upper=4)


def test_copied_code_is_compiled_anew() -> None:
    def double(x: Tensor, *, factor: int = 2) -> Tensor:
        return x * factor

    copied = own_code(double)
    assert copied.__code__ is not double.__code__
    assert copied(torch.ones(1)) == 2


def test_second_compilation_finds_the_first_in_its_folder_only(tmp_path: Path) -> None:
    case = CASES["energy"]
    inputs = case.draw("tiny", torch.complex64)

    def binaries(caches: str) -> dict[Path, int]:
        torch.compiler.reset()
        step = candidates.WAYS["ours"].step(case, inputs, False, None)
        first_call(candidates.WAYS["ours"], step, tmp_path / caches)
        return {path: path.stat().st_mtime_ns for path in (tmp_path / caches).rglob("*.main.so")}

    cold = binaries("a")
    assert cold
    assert binaries("a") == cold
    assert {path.name for path in binaries("b")} == {path.name for path in cold}


def test_sizes_are_static(tmp_path: Path) -> None:
    inputs: list[int] = []

    def keep(graph: torch.fx.GraphModule, _: list[Any]) -> Callable[..., Any]:
        inputs.append(len(graph.graph.find_nodes(op="placeholder")))
        return graph.forward

    torch.compiler.reset()
    doubled = torch.compile(lambda x: 2 * x, backend=keep)
    for n in (3, 4):
        first_call(candidates.WAYS["ours"], lambda n=n: (doubled(torch.ones(n)),), tmp_path)
    assert inputs == [1, 1]  # a size that changes is an input


# ---------------------------------------------------------------- memory


def two_of_three_at_a_time() -> tuple[Tensor, ...]:
    first = torch.empty(1000)
    second = torch.empty(500)
    del first
    return second, torch.empty(250)


def test_peak_is_the_most_that_is_held_at_a_time() -> None:
    assert peak_bytes(two_of_three_at_a_time, torch.device("cpu")) == 4 * 1500


def test_memory_of_before_the_call_does_not_count() -> None:
    kept = [torch.empty(1000)]

    def replace_it() -> tuple[Tensor, ...]:
        kept[:] = [torch.empty(10)]
        return (torch.empty(20),)

    assert peak_bytes(replace_it, torch.device("cpu")) == 4 * 30


def test_peak_on_cuda_is_what_its_allocator_says(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def answer(name: str, value: int) -> Callable[[torch.device], int]:
        return lambda device: calls.append(name) or value

    for name, value in (
        ("memory_allocated", 100),
        ("reset_peak_memory_stats", 0),
        ("max_memory_allocated", 350),
    ):
        monkeypatch.setattr(torch.cuda, name, answer(name, value))

    def step() -> tuple[Tensor, ...]:
        calls.append("step")
        return ()

    assert peak_bytes(step, torch.device("cuda")) == 250
    before, reset, after = "memory_allocated", "reset_peak_memory_stats", "max_memory_allocated"
    assert calls == ["step", before, reset, "step", after]


def test_measuring_memory_writes_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    peak_bytes(two_of_three_at_a_time, torch.device("cpu"))
    assert capfd.readouterr() == ("", "")


# ---------------------------------------------------------------- agreement


def test_difference_is_relative_to_the_largest_element() -> None:
    want = [torch.tensor([1e6, 1.0])]
    assert difference([torch.tensor([1e6, 1.5])], want, torch.complex64) is None
    found = difference([torch.tensor([1e6, 2000.0])], want, torch.complex64)
    assert found == "result 0 is off by 2.0e-03 of the largest element, allowed 1e-04"


def test_bfloat16_may_differ_by_its_rounding() -> None:
    want = [torch.tensor([1.0, 2.0], dtype=torch.bfloat16)]
    assert difference([want[0] * 1.01], want, torch.complex64) is None
    found = difference([want[0] * 1.1], want, torch.complex64)
    assert found is not None
    assert found.endswith("of the largest element, allowed 2e-02")


def test_nan_is_a_difference_unless_eager_has_it() -> None:
    nan, one = torch.tensor(torch.nan), torch.tensor(1.0)
    assert difference([nan], [one], torch.complex64) is not None
    assert difference([one, one], [one], torch.complex64) == "2 results, eager gives 1"


def test_shapes_and_dtypes_are_compared() -> None:
    found = difference([torch.ones(3)], [torch.ones(2)], torch.complex64)
    assert found == "result 0 is torch.float32 of shape (3,), eager's torch.float32 of (2,)"


# ---------------------------------------------------------------- names


def test_names_and_the_list_need_no_package(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("tabulate", "tqdm"):
        monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, "torch_complex_subclass.bench.report", raising=False)
    assert command.main(["bench", "--list", "norm"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["norm"]
    assert command.main(["bench", "nosuch"]) == 2
    assert "no case or group 'nosuch'" in capsys.readouterr().err
