"""The check that make runs first: one sentence for each thing that can be missing."""

import ast
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "check_environment.py"


@pytest.fixture(scope="module")
def check():
    spec = importlib.util.spec_from_file_location("check_environment", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, SCRIPT, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 8, 10), (3, 10, 14)])
def test_old_python_is_refused(check, version):
    text = check.python_problem(version)
    assert text.startswith(f"Python {'.'.join(map(str, version))} is too old: install Python 3.11")
    assert text.endswith("make PYTHON=python3.11.")


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 14, 1), (4, 0, 0)])
def test_python_3_11_and_later_pass(check, version):
    assert check.python_problem(version) is None


@pytest.mark.parametrize("version", ["2.10.0", "1.13.1+cu117", "2.9.0a0+git1234"])
def test_old_torch_is_refused(check, version):
    assert check.torch_problem(version).startswith(f"torch {version} is too old: install 2.11")


@pytest.mark.parametrize("version", ["2.11.0", "2.13.0+cpu", "3.0.0a0"])
def test_torch_2_11_and_later_pass(check, version):
    assert check.torch_problem(version) is None


def test_missing_torch_is_named(check):
    assert check.torch_problem(None).startswith("torch is missing: run pip install")


def test_missing_headers_are_named(check, tmp_path):
    assert check.headers_problem(str(tmp_path)).startswith(f"Python.h is not in {tmp_path}")
    (tmp_path / "Python.h").touch()
    assert check.headers_problem(str(tmp_path)) is None


def test_missing_compiler_is_one_sentence():
    result = run(CXX="no-such-compiler")
    assert result.returncode == 1
    assert result.stderr == (
        "The C++ compiler no-such-compiler is missing: install g++ 11 or later, or set CXX.\n"
    )


def test_compiler_that_refuses_the_flags_is_one_sentence(tmp_path):
    compiler = tmp_path / "old-g++"
    compiler.write_text("#!/bin/sh\necho unrecognized option >&2\nexit 1\n")
    compiler.chmod(0o755)
    result = run(CXX=str(compiler))
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "does not take -std=c++20 -fopenmp" in result.stderr
    assert "unrecognized option" in result.stderr


def test_this_environment_passes():
    for arguments in ([], ["--torch"]):
        result = run(*arguments)
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_old_syntax_only():
    """The file must parse under the Pythons it refuses."""
    text = SCRIPT.read_text()
    compile(text, str(SCRIPT), "exec")
    tree = ast.parse(text, feature_version=(3, 4))
    newer = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.AsyncFunctionDef)
    assert not [node for node in ast.walk(tree) if isinstance(node, newer)]
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert not [f.name for f in functions if f.returns or any(a.annotation for a in f.args.args)]
