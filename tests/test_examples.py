"""Each example runs as a user would run it, and checks itself."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
RESULTS = {
    "fourier_operator.py": "Fourier operator: loss and gradients within",
    "mri_reconstruction.py": "MRI reconstruction:",
    "mutated_state.py": "mutated state: written in place",
    "quantum_circuit.py": "quantum circuit: energy",
    "rotary_embedding.py": "rotary embedding: largest difference to eager",
    "state_space.py": "state space: loss from",
}
# More than 30 s where nothing is in the compile cache.
SLOW = ("fourier_operator.py", "quantum_circuit.py", "state_space.py")


def cases():
    for name in RESULTS:
        yield pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else [], id=name)


@pytest.mark.parametrize("name", list(cases()))
def test_example_agrees_with_eager(name, tmp_path):
    result = run(name, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(RESULTS[name])
    assert result.stdout.count("\n") == 1


@pytest.mark.slow
def test_digits_reaches_its_accuracy(tmp_path):
    result = run("digits.py", "--output", str(tmp_path), cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "Picture:" in result.stdout
    assert (tmp_path / "digits.png").stat().st_size > 0


def test_every_short_example_is_listed():
    found = {path.name for path in EXAMPLES.glob("*.py")}
    assert found == {*RESULTS, "digits.py"}


def run(name, *arguments, cwd):
    return subprocess.run(
        [sys.executable, EXAMPLES / name, *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
    )
