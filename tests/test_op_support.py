"""The op support table: its page, the list it is made of, and the command that prints it."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from torch_complex_subclass import __main__ as command
from torch_complex_subclass import explain, op_support
from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.decompositions.registry import TABLE, Kind
from torch_complex_subclass.inplace import functional_form

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "op_support.md"
COLUMNS = ("op", "dtypes", "kind", "compiled", "gradient", "vmap", "ulp", "note")
LISTED = op_support.entries()

aten = torch.ops.aten
prims = torch.ops.prims

# Overloads with a rule that the list does not have, and why.
NOT_LISTED = {
    prims.convert_element_type.default: "the list is of aten; Inductor makes it in graphs",
    prims.device_put.default: "the list is of aten; Inductor makes it in graphs",
    **dict.fromkeys(
        compat.overloads_of_some_versions("linalg_matrix_sqrth.default", "linalg_polar.default"),
        "the torch that the list was made with has none",
    ),
}

listed_torch = pytest.mark.skipif(
    torch.__version__.split("+")[0] != op_support.listed_version(),
    reason="the list was made with another torch",
)


def row(name):
    (found,) = [r for r in op_support.rows() if r.op == name]
    return found


@listed_torch
def test_page_is_current():
    """After a change of the table, or of the list, the page has to be made again."""
    made = op_support.as_markdown(op_support.rows())
    assert made == PAGE.read_text(), (
        "run: python -m torch_complex_subclass ops --markdown > docs/op_support.md"
    )


@listed_torch
def test_listed_overloads_exist():
    assert [name for name in LISTED if op_support.overload(name) is None] == []


def test_list_is_sorted_and_says_each_overload_once():
    lines = op_support.LIST.read_text().splitlines()
    names = [line.split("\t")[0] for line in lines if not line.startswith("#")]
    assert names == sorted(set(names))
    assert len(names) > 2000


def test_every_rule_is_listed_or_says_why_not():
    missing = {op for op in TABLE if str(op).removeprefix("aten.") not in LISTED}
    unexplained = sorted(str(op) for op in missing - set(NOT_LISTED))
    assert not unexplained, (
        "run scripts/list_complex_overloads.py, add a call to scripts/overload_special.py, or a "
        f"reason to NOT_LISTED: {unexplained}"
    )
    assert missing == set(NOT_LISTED), "a reason is stale"


def test_table_refuses_what_eager_refuses():
    """A rule for what eager refuses, or the reverse, contradicts the list."""
    rules = {str(op).removeprefix("aten."): rule for op, rule in TABLE.items()}
    wrong = [
        name
        for name in sorted(rules.keys() & LISTED.keys())
        if (rules[name].kind is Kind.UNSUPPORTED) == bool(LISTED[name].dtypes)
    ]
    assert wrong == []


def test_overload_that_only_torchscript_has_is_missing():
    assert isinstance(aten.len.Tensor, torch._ops.OpOverload)
    assert op_support.overload("len.Tensor") is None


def test_every_entry_and_every_rule_has_one_row():
    names = [r.op for r in op_support.rows()]
    rules = {str(op).removeprefix("aten.") for op in TABLE}
    assert len(names) == len(set(names))
    assert rules <= set(names)
    assert {n for n in LISTED if op_support.overload(n) is not None} <= set(names)


def test_writing_forms_of_rules_name_the_rule():
    for op in map(op_support.overload, LISTED):
        functional = functional_form(op) if op is not None and op._schema.is_mutable else None
        if functional in TABLE and LISTED[str(op).removeprefix("aten.")].dtypes:
            short = str(functional).removeprefix("aten.")
            found = row(str(op).removeprefix("aten."))
            assert (found.kind, found.note) == ("writes", f"computed by {short}")


@pytest.mark.parametrize(
    ("name", "kind", "compiled"),
    [
        ("exp.default", "unary", "fused"),
        ("exp_.default", "writes", "fused"),
        ("exp.out", "writes", "fused"),
        ("transpose.int", "componentwise", "view"),
        ("t_.default", "writes", "view"),
        ("copy_.default", "writes", "fused"),
        ("mm.default", "bilinear", "native"),
        ("matmul.default", "composite", "native"),
        ("absolute.default", "composite", "fused"),
        ("_fft_c2c.default", "native", "native"),
        ("linalg_inv_ex.default", "native", "native"),
        ("stride.int", "composite", "-"),
        ("lt.Scalar", "unsupported", "refused"),
        ("lt_.Scalar", "unsupported", "refused"),
        ("erf.default", "unsupported", "refused"),
    ],
)
def test_kind_and_way_of_compiling(name, kind, compiled):
    found = row(name)
    assert (found.kind, found.compiled) == (kind, compiled)


def test_row_in_full():
    bound = f"{TABLE[aten.acosh.default].max_ulp:g}"
    assert row("acosh.default") == op_support.Row(
        "acosh.default", "64 128", "unary", "fused", "yes", "yes", bound, ""
    )
    note = "computed by acosh.default"
    assert row("acosh_.default") == op_support.Row(
        "acosh_.default", "64 128", "writes", "fused", "no", "yes", bound, note
    )


def test_row_and_list_agree_on_what_is_refused():
    """An op that eager supports is not made of one that it refuses."""
    wrong = [r.op for r in op_support.rows() if (r.compiled == "refused") != (r.dtypes == "-")]
    # Eager ran one call of it, and refused every call of aten.convolution that was tried.
    assert wrong == ["_convolution_mode.default"]


def test_reason_of_a_refusal():
    assert row("lt.Scalar").note == "complex numbers have no order"
    assert row("erf.default").note.startswith("eager: ")


def test_rule_that_is_not_listed():
    found = row("prims.device_put.default")
    assert (found.dtypes, found.gradient, found.vmap) == ("?", "?", "?")
    assert "not tried" in found.note


@listed_torch
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize(
    "name",
    ["exp.default", "exp_.default", "acosh_.default", "exp.out", "lt.Scalar", "mm.default",
     "absolute.default", "angle.default", "_foreach_add.List", "erf.default"],
)  # fmt: skip
def test_list_says_what_a_trial_finds(name, monkeypatch):
    """The same trial as the list's, on made-up arguments alone."""
    monkeypatch.syspath_prepend(ROOT / "scripts")
    from overload_trials import examine

    line = examine(op_support.overload(name), {}).line()
    assert f"{line}\n" in op_support.LIST.read_text()


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("_foreach_exp.default", lambda z: torch._foreach_exp([z])),
        ("kron.default", lambda z: torch.kron(z, z)),
        ("matmul.default", lambda z: z @ z),
    ],
)
def test_compiled_code_does_what_the_row_says(name, function):
    found = explain(function, torch.randn(3, 3, dtype=torch.complex64)).rows
    ways = {"native" if r.how == "fallback" else r.how for r in found}
    assert ways == {row(name).compiled}


# The command.


def printed(capsys, *arguments):
    status = command.main(["ops", *arguments])
    return status, capsys.readouterr()


@pytest.mark.parametrize("pattern", ["sqrt", "aten.sqrt.default", "SQRT", "sqrt*", "sq?t.default"])
def test_pattern_selects(pattern, capsys):
    status, output = printed(capsys, pattern)
    lines = output.out.splitlines()
    assert status == 0
    assert tuple(lines[0].split()) == COLUMNS
    assert any(line.startswith("sqrt.default ") for line in lines)
    assert all("sqrt" in line or "sq" in line.split()[0] for line in lines[1:])


def test_pattern_is_anchored_and_may_stop_at_the_dot():
    assert {r.op for r in op_support.matching("add_*")} >= {"add_.Tensor", "add_.Scalar"}
    assert all(r.op.startswith("rsqr") for r in op_support.matching("rsqr*"))
    assert [r.op for r in op_support.matching("[e]xp.out")] == ["exp.out"]


@pytest.mark.parametrize(
    ("name", "op"),
    [
        ("torch.fft.fft*", "fft_fft.default"),
        ("torch.linalg.svd", "linalg_svd.default"),
        ("torch.Tensor.exp", "exp.default"),
        ("torch.ops.aten.exp.default", "exp.default"),
        ("torch.nn.functional.conv1d", "conv1d.default"),
        ("aten.exp", "exp.default"),
    ],
)
def test_names_of_python(name, op):
    assert op in {row.op for row in op_support.matching(name)}


def test_without_a_pattern_all_are_printed(capsys):
    status, output = printed(capsys)
    assert status == 0
    assert len(output.out.splitlines()) == len(op_support.rows()) + 1


def test_pattern_that_matches_nothing(capsys):
    status, output = printed(capsys, "no_such_op")
    assert (status, output.out) == (1, "")
    assert "'no_such_op'" in output.err
    assert "python -m torch_complex_subclass ops" in output.err


def test_lines_are_cut_to_the_terminal():
    text = command.as_text(op_support.matching("exp"), width=40)
    assert max(map(len, text.splitlines())) == 40


def test_markdown_of_a_selection(capsys):
    status, output = printed(capsys, "--markdown", "[e]xp.out")
    assert status == 0
    assert "1 fused" in output.out
    assert "| `exp.out` | 64 128 | writes |" in output.out


def test_help(capsys):
    with pytest.raises(SystemExit) as stopped:
        command.main(["ops", "--help"])
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    assert all(f"\n  {column} " in text for column in ("dtypes", "kind", "compiled", "ulp"))


def run(*arguments, **options):
    return subprocess.run(arguments, capture_output=True, text=True, cwd=ROOT, **options)


def test_as_a_module():
    done = run(sys.executable, "-m", "torch_complex_subclass", "ops", "[e]xp.out")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].startswith("exp.out ")
    assert run(sys.executable, "-m", "torch_complex_subclass", "ops", "nothing").returncode == 1


def test_reader_that_stops_early():
    program = f"set -o pipefail; {sys.executable} -m torch_complex_subclass ops | head -1"
    done = run("bash", "-c", program)
    assert (done.returncode, done.stderr) == (0, "")


def test_table_does_not_need_the_compiler():
    program = (
        "import sys; from torch_complex_subclass import __main__, op_support; op_support.rows();"
        "print([m for m in sys.modules if m.startswith(('torch._inductor', 'torch._dynamo'))])"
    )
    assert run(sys.executable, "-c", program).stdout.strip() == "[]"
