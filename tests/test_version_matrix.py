"""The script that runs the tests under several versions of torch, without building any."""

import argparse
import importlib.util
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "version_matrix.py"

REPORT = """<testsuites><testsuite tests="9" failures="2" errors="1" skipped="1" time="90.0">
</testsuite></testsuites>"""


@pytest.fixture(scope="module")
def matrix():
    spec = importlib.util.spec_from_file_location("version_matrix", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.mark.parametrize(
    ("version", "wanted"),
    [("2.11", "torch==2.11.*"), ("2.12.1", "torch==2.12.1"), ("newest", "torch")],
)
def test_requirement(matrix, version, wanted):
    assert matrix.requirement(version) == wanted


def test_pins_that_depend_on_torch_are_left_out(matrix):
    lines = ["# pins", "torch==2.13.0", "numpy==2.4.6", "setuptools==84.2.1"]
    assert matrix.constraints(lines, "torch==2.11.0") == "# pins\nnumpy==2.4.6\ntorch==2.11.0\n"


def test_table(matrix):
    found = matrix.counts(REPORT)
    assert found == {"passed": 5, "failed": 3, "skipped": 1}
    columns = matrix.HEADER.splitlines()[0].count("|")
    row = matrix.Outcome("2.11.0", found, 90.0).row()
    assert row == "| 2.11.0 | 5 | 3 | 1 | 2 min |"
    assert row.count("|") == columns


def test_arguments_of_pytest(matrix):
    options = matrix.parser().parse_args(["2.11", "--shard", "2/4", "--full", "--workers", "2"])
    options.pytest = ["-k", "sqrt"]
    wanted = ["-n", "2", "--splits", "4", "--group", "2", "-m", "slow or not slow", "-k", "sqrt"]
    assert matrix.selection(options) == wanted


@pytest.mark.parametrize("text", ["", "4", "0/4", "5/4", "a/b"])
def test_shard_is_checked(matrix, text):
    with pytest.raises(argparse.ArgumentTypeError, match=f"'{text}' is no shard"):
        matrix.shard(text)


def test_oldest_version_is_the_one_required(matrix):
    required = (SCRIPT.parents[1] / "pyproject.toml").read_text()
    assert f'"torch>={matrix.VERSIONS[0]}"' in required


def test_full_disk_is_said(matrix, tmp_path, monkeypatch):
    monkeypatch.setattr(matrix, "NEEDED_GB", 10**9)
    with pytest.raises(SystemExit, match="GB free, and an environment takes 1000000000"):
        matrix.outcome("2.11", tmp_path, argparse.Namespace(keep=False))
