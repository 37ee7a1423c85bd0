"""The fuzzer: its programs, its comparison, its minimisation, and some hundred programs."""

import subprocess
import sys

import pytest
import torch

from torch_complex_subclass import __main__ as command
from torch_complex_subclass.fuzz import compare
from torch_complex_subclass.fuzz.campaign import Plan, Tally, run
from torch_complex_subclass.fuzz.check import check
from torch_complex_subclass.fuzz.generate import generate
from torch_complex_subclass.fuzz.minimise import minimise
from torch_complex_subclass.fuzz.observe import observe
from torch_complex_subclass.fuzz.perturb import Perturbed
from torch_complex_subclass.fuzz.program import Input, Program, Step
from torch_complex_subclass.fuzz.script import as_script

SMALL = Program(
    (Input("x0", (2, 3), "c64", 1, requires_grad=True), Input("x1", (3,), "f32", 2)),
    (
        Step("torch.sin(x0)", "v0"),
        Step("v0 * x1", "v1"),
        Step("torch.exp(v1)", "v2"),
        Step("v1.sum()", "v3"),
    ),
    ("v2", "v3", "v0"),
)


def off(by):
    """A compiler whose function adds to the result of torch.exp."""

    def compiler(fn, arguments):
        def call(*inputs):
            results = list(fn(*inputs))
            return [t + by if t.shape == (2, 3) and not t.is_conj() else t for t in results]

        return call

    return compiler


def test_programs_repeat_and_run():
    for index in range(30):
        program = generate(5, index)
        assert program == generate(5, index)
        assert 5 <= len(program.steps) <= 40
        assert observe(program).results


def test_agreement_passes():
    assert check(SMALL, lambda fn, arguments: fn) is None


@pytest.mark.parametrize("by", [1e-4, -1e-4, 1e-4j])
def test_small_error_is_seen(by):
    failure = check(SMALL, off(by))
    assert failure is not None
    assert (failure.kind, failure.where) == ("value", "results")


def test_rounding_is_not_an_error():
    assert check(SMALL, off(1e-8)) is None


def test_error_of_a_compiler_is_a_failure():
    def compiler(fn, arguments):
        raise RuntimeError("no such kernel")

    assert str(check(SMALL, compiler)) == "error: RuntimeError: no such kernel"


def test_cancellation_is_allowed_what_rounding_does():
    """sin(x) - sin(x) carries errors of size eps, and more is wrong."""
    steps = (Step("torch.sin(x0)", "v0"), Step("torch.sin(x0)", "v1"), Step("v0 - v1", "v2"))
    program = Program((Input("x0", (4,), "c64", 3),), steps, ("v2",))

    def shifted(by):
        return lambda fn, arguments: lambda x0: [fn(x0)[0] + by]

    assert check(program, shifted(1e-7)) is None
    assert check(program, shifted(1e-5)) is not None


def test_integers_are_compared_exactly():
    a = torch.tensor([1, 2, 3])
    assert compare.wrong_numbers(a + 1, a, a, [a]).all()
    assert not compare.wrong_numbers(a + 1, a, a + 1, []).any()


def test_perturbation_is_small_and_keeps_zeros():
    z = torch.complex(torch.tensor([0.0, 1.0]), torch.tensor([2.0, 0.0]))
    with Perturbed(0):
        moved = z * 1.0
    assert (moved != z).any()
    assert moved.real[0] == 0
    assert moved.imag[1] == 0
    torch.testing.assert_close(moved, z)


def test_minimising_keeps_what_fails():
    def fails(program):
        return any("exp" in s.text for s in program.steps) and "v2" in program.outputs

    small = minimise(SMALL, fails)
    assert [s.text for s in small.steps][-1].startswith("torch.exp")
    assert len(small.steps) < len(SMALL.steps)
    assert small.outputs == ("v2",)


def test_script_runs(tmp_path):
    file = tmp_path / "script.py"
    file.write_text(as_script(SMALL, "An example.", "stock"))
    done = subprocess.run([sys.executable, file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "stock agrees with eager\n"


def test_command(capsys):
    assert command.main(["fuzz", "--programs", "2", "--seed", "7"]) == 0
    assert "2 programs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "value"), [("--programs", "0"), ("--seed", "-1"), ("--time", "x")]
)
def test_bad_argument(option, value, capsys):
    with pytest.raises(SystemExit) as stop:
        command.main(["fuzz", option, value])
    assert stop.value.code == 2
    assert repr(value) in capsys.readouterr().err


# Dynamo asks any input for its gradient where stock torch is asked.
pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")


def assert_no_failures(plan):
    tally = Tally()
    run(plan, tally)
    assert tally.programs == plan.count
    assert not tally.found, "\n".join(f"{f.index}: {f.failure}" for f in tally.found)


@pytest.mark.parametrize("seed", [2, 3])
def test_some_programs(seed):
    assert_no_failures(Plan(seed=seed, first=400, count=50))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [21, 22, 23])
def test_many_programs(seed):
    assert_no_failures(Plan(seed=seed, first=0, count=500))


@pytest.mark.slow
def test_generated_code():
    assert_no_failures(Plan(seed=31, first=0, count=30, backend="inductor"))
