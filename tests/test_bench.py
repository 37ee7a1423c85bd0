"""The command `bench`: what it refuses, prints and writes."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from torch_complex_subclass import __main__ as command
from torch_complex_subclass.bench import (
    candidates,
    export,
    jax_process,
    limits,
    machine,
    report,
    text,
)
from torch_complex_subclass.bench.candidates import Way
from torch_complex_subclass.bench.cases import CASES, Case
from torch_complex_subclass.bench.rows import Outcome, Row, Settings, cold_seconds, peak
from torch_complex_subclass.bench.runner import Timing
from torch_complex_subclass.bench.steps import as_tuple
from torch_complex_subclass.bench.suites import SUITES

PNG = b"\x89PNG\r\n\x1a\n"


def run(*arguments: str) -> int:
    return command.main(["bench", *arguments])


@pytest.fixture
def nothing_compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every candidate in eager, and guess the limits."""
    for name, way in candidates.WAYS.items():
        monkeypatch.setitem(candidates.WAYS, name, Way(None, way.by_hand))
    monkeypatch.setattr(limits, "bandwidth", lambda working_set=0: 1e10)
    monkeypatch.setattr(limits, "product_rate", lambda dtype: 1e11)


# ---------------------------------------------------------------- means


def row(name: str, **seconds: float) -> Row:
    outcomes = {who: Outcome(Timing(t, t, t)) for who, t in seconds.items()}
    return Row(CASES[name], "small", torch.complex64, False, 8, 1.0, outcomes)


def test_geometric_means() -> None:
    rows = [
        row("energy", ours=1.0, eager=2.0, stock=3.0),
        row("norm", ours=2.0, eager=16.0),
        row("matmul", ours=1.0, eager=0.5),
    ]
    assert text.means(rows, "eager") == pytest.approx((2.0, 4.0))
    assert text.means(rows, "stock") == pytest.approx((3.0, 3.0))
    assert text.means(rows, "jax") == (None, None)
    assert text.geometric_mean([]) is None


def test_ratio_to_nothing_is_unknown() -> None:
    outcomes = {"eager": Outcome(peak_bytes=8), "ours": Outcome(peak_bytes=2)}
    found = row("norm", ours=1.0)
    assert dataclasses.replace(found, outcomes=outcomes).ratio("eager", peak) == 4
    outcomes["ours"] = Outcome(peak_bytes=0)
    assert dataclasses.replace(found, outcomes=outcomes).ratio("eager", peak) is None
    assert found.ratio("ours", cold_seconds, "hand") is None


# ---------------------------------------------------------------- the command


@pytest.mark.parametrize("suite", SUITES)
def test_list_names_every_case(suite: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--suite", suite, "--list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(SUITES[suite])


def test_end_to_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "_GEMM_SIZES", (64,))
    figures, picture = tmp_path / "x.json", tmp_path / "x.png"
    others = ["--against", "stock", "--against", "hand"]
    options = ["--size", "small", "--rounds", "1", "--inference", *others]
    assert run("energy", *options, "--export", str(figures), "--plot", str(picture)) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "stock/ours" in out
    assert picture.read_bytes().startswith(PNG)
    document = json.loads(figures.read_text())
    assert set(document) == {"machine", "limits", "settings", "rows", "geometric_means"}
    assert document["machine"]["torch"] == torch.__version__
    assert min(document["limits"].values()) > 0
    (found,) = document["rows"]
    assert (found["case"], found["size"], found["mode"]) == ("energy", "small", "inference")
    assert (found["dtype"], found["shape"]) == ("complex64", [8, 256])
    assert found["least_bytes"] == 8 * 8 * 256 + 4
    assert set(found["candidates"]) == {"stock", "hand", "ours"}
    ours = found["candidates"]["ours"]
    assert set(ours["timing"]) == {"median", "lower", "upper"}
    assert (ours["kernels"], ours["fallbacks"], ours["problem"]) == (1, {}, None)
    assert found["candidates"]["stock"]["fallbacks"]
    compiled = ("compile_seconds", "warm_compile_seconds")
    assert min(ours[key] for key in (*compiled, "overhead_seconds")) > 0
    assert all(found["candidates"]["hand"][key] > 0 for key in compiled)
    assert ours["peak_bytes"] == 4
    assert found["candidates"]["stock"]["peak_bytes"] == 4 * found["memory_ratios"]["stock"]
    means = document["geometric_means"]
    for key, ratios in ((None, found["ratios"]), ("memory", found["memory_ratios"])):
        every = {who: (means[key] if key else means)[who]["all"] for who in ratios}
        assert every == pytest.approx(ratios)
    assert means["compile"]["all"] == pytest.approx(found["compile_ratio"])


@pytest.mark.usefixtures("nothing_compiles")
def test_modes_and_groups(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--size", "small", "--rounds", "1", "--against", "hand", "--against", "eager"]
    options.append("--no-overhead")
    assert run("reductions", "norm", *options) == 0
    out = capsys.readouterr().out
    titles, _, *lines = out.split("\n\n")[1].splitlines()
    assert titles.split()[4::2] == ["eager", "hand", "ours", "eager/ours"]
    names = ("energy", "norm", "softmax", "moments")
    expected = [(name, mode) for name in names for mode in ("inference", "training")]
    assert [(line.split()[0], line.split()[3]) for line in lines[:8]] == expected
    assert [line[:17].strip() for line in lines[8:]] == ["geometric mean", "without library"]


@pytest.mark.usefixtures("nothing_compiles")
def test_failure_of_stock_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(graph: Any, inputs: Any, **options: Any) -> Any:
        raise RuntimeError("this graph is refused")

    monkeypatch.setitem(candidates.WAYS, "stock", Way(refuse))
    options = ["--size", "small", "--rounds", "1", "--inference", "--against", "stock"]
    assert run("norm", *options) == 0
    out = capsys.readouterr().out
    assert "norm small complex64 inference: stock: failed: BackendCompilerFailed: " in out
    assert "RuntimeError: this graph is refused" in out


@pytest.mark.usefixtures("nothing_compiles")
def test_wrong_result_has_no_time_and_fails_the_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Wrong(Way):
        def step(self, *args: Any) -> Any:
            step = super().step(*args)
            return lambda: tuple(2 * t for t in as_tuple(step()))

    monkeypatch.setitem(candidates.WAYS, "ours", Wrong(None))
    options = ["--size", "small", "--rounds", "1", "--inference", "--against", "eager"]
    assert run("norm", *options) == 1
    out = capsys.readouterr().out
    assert "ours: mismatch: result 0 is off by 1.0e+00 of the largest element" in out


@pytest.mark.usefixtures("nothing_compiles")
def test_case_that_raises_has_a_row_with_its_problem(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*args: Any) -> Any:
        raise ValueError("no such field")

    monkeypatch.setitem(CASES, "norm", dataclasses.replace(CASES["norm"], fn=refuse))
    figures = tmp_path / "x.json"
    options = ["--size", "small", "--rounds", "1", "--inference", "--against", "eager"]
    assert run("norm", "softmax", *options, "--export", str(figures)) == 1
    assert "norm small complex64 inference: ours: failed: ValueError: no such field" in (
        capsys.readouterr().out
    )
    failed, other = json.loads(figures.read_text())["rows"]
    assert (failed["least_bytes"], failed["least_seconds"]) == (None, None)
    assert {o["problem"] for o in failed["candidates"].values()} == {
        "failed: ValueError: no such field"
    }
    assert other["candidates"]["ours"]["problem"] is None


@pytest.mark.usefixtures("nothing_compiles")
@pytest.mark.parametrize("finished", [0, 1])
def test_interrupted_run_keeps_its_rows(
    finished: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    def interrupted(case: Case, *others: Any) -> Row:
        if len(measured) == finished:
            raise KeyboardInterrupt
        measured.append(case.name)
        return row(case.name, eager=2.0, ours=1.0)

    measured: list[str] = []
    monkeypatch.setattr(report, "measure", interrupted)
    figures = tmp_path / "x.json"
    options = ["--size", "small", "--against", "eager", "--inference"]
    assert run("energy", "norm", *options, "--export", str(figures)) == 130
    out = capsys.readouterr().out
    assert [name for name in ("energy", "norm") if name in out] == ["energy"][:finished]
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"][:finished]
    if finished:
        assert [r["case"] for r in json.loads(figures.read_text())["rows"]] == ["energy"]


def test_export_that_fails_leaves_the_earlier_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fill(self: Path, text: str) -> None:
        with self.open("w") as file:
            file.write(text[:9])
        raise OSError("no space left")

    file = tmp_path / "x.json"
    file.write_text("earlier")
    monkeypatch.setattr(Path, "write_text", fill)
    monkeypatch.setattr(limits, "bandwidth", lambda: 1e10)
    monkeypatch.setattr(limits, "product_rate", lambda dtype: 1e11)
    with pytest.raises(OSError, match="no space left"):
        export.write([], Settings(torch.complex64, ("ours",), None, 1), file)
    assert file.read_text() == "earlier"


@pytest.mark.usefixtures("nothing_compiles")
def test_jax_runs_in_its_own_process(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--dtype", "complex128", "--rounds", "1", "--training", "--against", "jax"]
    assert run("quadratic_form", "--size", "small", *options) == 0
    out = capsys.readouterr().out
    assert "without a time" not in out
    assert "jax/ours" in out


def test_failure_in_jax_is_told() -> None:
    with pytest.raises(jax_process.JaxError, match=r"TypeError: .* missing 1 required positional"):
        jax_process.measure(CASES["norm"], (), torch.complex64, False, 1)


def test_process_of_jax_that_is_gone_is_replaced() -> None:
    case = CASES["norm"]
    inputs = case.draw("tiny", torch.complex64)
    (want,) = jax_process.measure(case, inputs, torch.complex64, False, 1).results
    jax_process._workers[torch.complex64, torch.get_num_threads()]._process.kill()
    with pytest.raises(jax_process.JaxError, match="its process ended, exit status -9"):
        jax_process.measure(case, inputs, torch.complex64, False, 1)
    (got,) = jax_process.measure(case, inputs, torch.complex64, False, 1).results
    assert torch.equal(got, want)


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rotarry"], "no case or group 'rotarry'; did you mean rotary?"),
        (["qqq"], "no case or group 'qqq'; there are: arithmetic, "),
        (["--export", "no/x.json"], "--export no/x.json: there is no folder no; make it first"),
        (["--plot", "no/x.png"], "--plot no/x.png: there is no folder no; make it first"),
    ],
)
def test_what_does_not_exist_is_refused(
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"bench: {message}")
    assert err.count("\n") == 1


def test_training_of_what_cannot_learn_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CASES, "norm", dataclasses.replace(CASES["norm"], learned=()))
    assert run("norm", "--training") == 2
    assert "bench: none of these cases has a training step" in capsys.readouterr().err


def test_case_of_another_dtype_is_refused_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("rotary_bfloat16", "--dtype", "complex128") == 2
    assert capsys.readouterr().err == "bench: none of these cases is for complex128\n"


def test_size_that_no_case_has_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("norm", "--size", "extreme") == 2
    assert capsys.readouterr().err == "bench: none of these cases has the size extreme\n"


def test_extreme_size_is_refused_where_memory_is_short(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES["norm"]
    extreme = dataclasses.replace(case, shapes={**case.shapes, "extreme": (1, 1)})
    monkeypatch.setitem(CASES, "norm", extreme)
    monkeypatch.setattr(machine, "memory_bytes", lambda: 24 * 10**9)
    assert run("norm", "--size", "extreme") == 2
    message = "--size extreme needs 40 GB of memory, here are 24 GB; take --size large"
    assert capsys.readouterr().err == f"bench: {message}\n"


@pytest.mark.usefixtures("nothing_compiles")
def test_version_by_hand_may_be_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CASES, "norm", dataclasses.replace(CASES["norm"], hand=None))
    options = ["--size", "small", "--rounds", "1", "--inference", "--against", "hand"]
    assert run("norm", *options) == 0
    assert "hand: the case has no version by hand\n" in capsys.readouterr().out


@pytest.mark.usefixtures("nothing_compiles")
def test_case_says_itself_what_differs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = dataclasses.replace(CASES["norm"], differs=lambda got, want: "not the same numbers")
    monkeypatch.setitem(CASES, "norm", strict)
    options = ["--size", "small", "--rounds", "1", "--inference", "--against", "eager"]
    assert run("norm", *options) == 1
    assert "ours: mismatch: not the same numbers\n" in capsys.readouterr().out


@pytest.mark.usefixtures("nothing_compiles")
def test_case_of_another_dtype_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--size", "small", "--rounds", "1", "--inference", "--against", "eager"]
    assert run("rotary_bfloat16", "norm", *options, "--dtype", "complex128") == 0
    out = capsys.readouterr().out
    assert "rotary_bfloat16  small" not in out
    assert out.endswith("\n\nnot for complex128: rotary_bfloat16\n")
    assert run("rotary_bfloat16", "norm", *options) == 0
    out = capsys.readouterr().out
    assert "rotary_bfloat16  small" in out
    assert "not for" not in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rounds", "0"], "must be a whole number from 1 up, got '0'"),
        (["--size", "tiny"], "invalid choice: 'tiny'"),
        (["--dtype", "float32"], "invalid choice: 'float32'"),
        (["--against", "ours"], "invalid choice: 'ours'"),
        (["--compile-mode", "fast"], "invalid choice: 'fast'"),
        (["--training", "--inference"], "not allowed with argument --training"),
    ],
)
def test_bad_options_are_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run("norm", *arguments)
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("package", "arguments"),
    [
        ("tabulate", ["norm"]),
        ("tqdm", ["norm"]),
        ("jax", ["norm", "--against", "jax"]),
        ("matplotlib", ["norm", "--plot", "x.png"]),
    ],
)
def test_missing_package_is_named_with_its_extra(
    package: str,
    arguments: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert run(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"needs {package}, which is not installed: pip install " in err
    assert "torch_complex_subclass[bench]" in err


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from torch_complex_subclass.__main__ import main\n"
        "try: main(['bench', '--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'tabulate', 'matplotlib', 'jax', 'torch._inductor.compile_fx'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "exit status: 0; 1 where ours fails" in done.stdout
