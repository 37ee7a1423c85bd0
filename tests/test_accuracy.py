"""The command `accuracy`: what it prints and draws, what it refuses, and the page made by it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from torch_complex_subclass import __main__ as command
from torch_complex_subclass.accuracy import measure, page, picture, report, text
from torch_complex_subclass.accuracy.implementations import IMPLEMENTATIONS, Implementation
from torch_complex_subclass.testing import plane, unary

ROOT = Path(__file__).parents[1]
PNG = b"\x89PNG\r\n\x1a\n"


def run(*arguments: str) -> int:
    return command.main(["accuracy", *arguments])


def pretend(monkeypatch: pytest.MonkeyPatch, who: str, compute: Any) -> None:
    monkeypatch.setitem(IMPLEMENTATIONS, who, Implementation(who, compute))


def one_ulp_up(function: str, x: Tensor, y: Tensor) -> list[Tensor]:
    """The negative, with each part one number further from zero."""
    return [
        torch.nextafter(-part, torch.full_like(part, torch.inf).copysign(-part)) for part in (x, y)
    ]


# ---------------------------------------------------------------- one function


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_histogram_has_a_row_for_each_region_part_and_implementation(
    dtype: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--against", "eager", "--against", "subclass", "--points", "5"]
    assert run("sqrt", "--dtype", dtype, *options) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    expected = [
        [region, part, who]
        for region in [*plane.REGIONS, "all"]
        for part in ("re", "im")
        for who in ("ours", "eager", "subclass")
    ]
    assert [row[:3] for row in rows if row[1] in ("re", "im") and row[0] != "worst"] == expected


def test_real_results_have_one_part(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("abs", "--points", "4") == 0
    out = capsys.readouterr().out
    assert "all            re   ours" in out
    assert " im " not in out


def test_shares_count_what_is_within_each_step(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, "eager", one_ulp_up)
    assert run("neg", "--points", "8", "--against", "eager") == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["unit", "re", "ours", *["100"] * 4, "0.00"] in rows
    # One ulp of the result, of which half or one is due: none within 0.5, all within 1.
    assert ["unit", "re", "eager", "0.00", *["100"] * 3, "1.00"] in rows


def test_worst_point_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(function: str, x: Tensor, y: Tensor) -> list[Tensor]:
        re, im = -x, -y
        im[17] = torch.nan
        return [re, im]

    pretend(monkeypatch, "ours", wrong)
    assert run("neg", "--points", "10") == 1
    x, y = (part[7].item() for part in plane.samples("moderate", torch.float32, 10))
    out = capsys.readouterr().out
    assert f"worst im of ours: inf ulp on moderate at x={x!r}, y={y!r}: got nan, want {-y!r}" in out


def test_lacking_function_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("sigmoid", "--points", "2", "--against", "numpy") in (0, 1)
    assert capsys.readouterr().out.endswith("numpy lacks sigmoid\n")


def test_compiled_code_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("square", "--compiled", "--points", "9") == 0
    out = capsys.readouterr().out
    assert "all            im   compiled" in out
    assert "ours" not in out


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("who", ["ours", "eager", "numpy"])
def test_implementations_compute_the_function(who: str, dtype: torch.dtype) -> None:
    """On moderate points everybody is near: a wrong function, part or dtype would not be."""
    for function in unary.rules_by_name():
        errors = measure.measure(measure.points_of(function, dtype, 12), who)
        if errors is not None:
            unit = errors.normwise[:, errors.points.regions["unit"]]
            assert unit.amax(0).median() <= 4, (function, unit)


# ---------------------------------------------------------------- all functions


def test_summary_has_a_line_for_each_function(capsys: pytest.CaptureFixture[str]) -> None:
    run("--points", "2", "--against", "numpy")
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split()[:6] == ["function", "points", "<=0.5", "<=1", "<=2", "<=4"]
    assert [line.split()[0] for line in lines] == report.functions()
    (sigmoid,) = (line.split() for line in lines if line.startswith("sigmoid"))
    assert sigmoid[-2:] == ["-", "-"]


@pytest.mark.parametrize(("compute", "status", "ok"), [(one_ulp_up, 1, "NO"), (None, 0, "yes")])
def test_missed_bound_is_the_exit_status(
    compute: Any,
    status: int,
    ok: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(report, "functions", lambda: ["neg"])
    if compute is not None:
        pretend(monkeypatch, "ours", compute)
    assert run("--points", "3") == status
    assert capsys.readouterr().out.splitlines()[1].split()[-2:] == ["0", ok]


def test_worse_part_of_a_point_counts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the points are off in one part each."""

    def off(function: str, x: Tensor, y: Tensor) -> list[Tensor]:
        re, im = one_ulp_up(function, x, y)
        re[::4], im[2::4] = -x[::4], -y[2::4]
        re[1::2], im[1::2] = -x[1::2], -y[1::2]
        return [re, im]

    monkeypatch.setattr(report, "functions", lambda: ["neg"])
    pretend(monkeypatch, "ours", off)
    run("--points", "4")
    (line,) = capsys.readouterr().out.splitlines()[1:]
    assert line.split()[2:7] == ["50.00", "100", "100", "100", "1.00"]


def test_percent_is_100_only_for_all() -> None:
    assert text.percent(100.0) == "100"
    assert text.percent(99.999) == "99.99"


# ---------------------------------------------------------------- picture


def test_plot_writes_a_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture, "CELLS", 8)
    file = tmp_path / "sqrt.png"
    assert run("sqrt", "--points", "2", "--against", "eager", "--plot", str(file)) == 0
    assert file.read_bytes().startswith(PNG)
    assert capsys.readouterr().out.endswith(f"picture: {file}\n")


def test_grid_covers_the_plane_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "CELLS", 8)
    points = picture.grid("neg", torch.float64)
    x, y = points.x.reshape(8, 8), points.y.reshape(8, 8)
    assert (x.diff(dim=1) > 0).all()
    assert (y.diff(dim=0) > 0).all()
    assert ((x < 0) == (torch.arange(8) < 4)).all()
    assert x.abs().min() >= 2.0**-12
    assert x.abs().max() <= 2.0**12


def test_picture_that_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture, "CELLS", 4)
    assert run("neg", "--points", "2", "--plot", str(tmp_path / "no" / "x.png")) == 2
    assert "accuracy: [Errno 2] No such file or directory" in capsys.readouterr().err


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sinc_"], "no function 'sinc_'; did you mean sinc"),
        (["qqq"], "no function 'qqq'; there are: _conj, "),
        (["--plot", "x.png"], "--plot draws one function"),
    ],
)
def test_what_does_not_exist_is_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"accuracy: {message}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--points", "0"], "must be a whole number from 1 up, got '0'"),
        (["--points", "x"], "must be a whole number from 1 up, got 'x'"),
        (["--dtype", "float32"], "invalid choice: 'float32'"),
        (["--against", "cupy"], "invalid choice: 'cupy'"),
    ],
)
def test_bad_options_are_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run("sqrt", *arguments)
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("package", "arguments"),
    [
        ("mpmath", ["sqrt"]),
        ("numpy", ["sqrt", "--against", "numpy"]),
        ("jax", ["sqrt", "--against", "jax"]),
        ("matplotlib", ["sqrt", "--plot", "x.png"]),
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
    assert "torch_complex_subclass[accuracy]" in err
    assert err.count("\n") == 1


def test_help_needs_no_mpmath() -> None:
    """The parser of every subcommand is made without what only this one needs."""
    code = (
        "import sys; sys.modules['mpmath'] = None\n"
        "from torch_complex_subclass.__main__ import main; main(['accuracy', '--help'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--against" in done.stdout


def test_reader_that_has_read_enough_ends_it_quietly() -> None:
    words = [sys.executable, "-m", "torch_complex_subclass", "accuracy", "--points", "1"]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


# ---------------------------------------------------------------- the page


def test_page_is_made_of_all_who_are_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "functions", lambda: ["_conj", "neg", "silu"])
    monkeypatch.setattr(page, "installed", lambda package: package == "numpy")
    monkeypatch.delitem(IMPLEMENTATIONS, "compiled")
    made = page.as_markdown(2)
    assert "| NumPy |" in made
    assert "JAX |" not in made
    assert made.count("| `neg` | 0 | 100, 0.00 | 100, 0.00 | 100, 0.00 | 100, 0.00 |\n") == 2
    (silu, _) = (line for line in made.splitlines() if line.startswith("| `silu` |"))
    assert silu.split(" | ")[4:] == ["-", "- |"]
    assert "`_conj`" not in made


def test_page_states_the_bounds_and_regions_of_today() -> None:
    """The figures on the page are of one machine; what it says of the rules is of all."""
    made = (ROOT / "docs" / "accuracy.md").read_text()
    for name, rule in unary.rules_by_name().items():
        if not name.startswith("_"):
            assert made.count(f"| `{name}` | {text.bound(rule)} | ") == 2, (
                "run: python -m torch_complex_subclass accuracy --markdown > docs/accuracy.md"
            )
    for region in [*plane.REGIONS, plane.VANISHING]:
        assert f"\n| {region} | " in made


def test_pictures_of_the_page_exist() -> None:
    for function in page.PICTURES:
        file = ROOT / "docs" / f"accuracy_{function}.png"
        assert file.read_bytes().startswith(PNG)
        assert file.stat().st_size < 150_000
