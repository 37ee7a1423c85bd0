"""Runs the tests under several versions of torch and prints what passed as a table.

    python scripts/version_matrix.py                            # the supported ones and the newest
    python scripts/version_matrix.py 2.11 2.12 --shard 1/4      # a quarter of the tests
    python scripts/version_matrix.py newest -- tests/test_package.py -k version

Builds one environment at a time and deletes it before the next, unless told to keep it: torch from
a registry of packages can bring several GB of CUDA libraries. Run it under the Python to test with.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parents[1]
NEWEST = "newest"
VERSIONS = ("2.11", "2.12", "2.13", "2.14", NEWEST)
NEEDED_GB = 12
# Torch says itself which of these it works with.
LEFT_TO_TORCH = ("torch", "setuptools")


@dataclass(frozen=True)
class Outcome:
    """What the tests said under one version of torch."""

    torch: str
    counts: dict[str, int]
    seconds: float

    def row(self) -> str:
        """A line of the table."""
        names = ("passed", "failed", "skipped")
        numbers = " | ".join(str(self.counts[name]) for name in names)
        return f"| {self.torch} | {numbers} | {self.seconds / 60:.0f} min |"


HEADER = "| torch | passed | failed | skipped | time |\n| --- | --- | --- | --- | --- |"


def requirement(version: str) -> str:
    """What to install: any release of a minor version, one release, or the newest of all."""
    if version == NEWEST:
        return "torch"
    return f"torch=={version}.*" if version.count(".") == 1 else f"torch=={version}"


def constraints(lines: Iterable[str], *own: str) -> str:
    """The pinned versions without those that depend on torch's, and `own` ones."""
    kept = [line for line in lines if line.split("==")[0] not in LEFT_TO_TORCH]
    return "\n".join([*kept, *own]) + "\n"


def counts(report: str) -> dict[str, int]:
    """Numbers of tests in a report in JUnit's form."""
    suites = list(ElementTree.fromstring(report).iter("testsuite"))
    total = {
        name: sum(int(suite.get(name, 0)) for suite in suites)
        for name in ("tests", "failures", "errors", "skipped")
    }
    failed = total["failures"] + total["errors"]
    passed = total["tests"] - failed - total["skipped"]
    return {"passed": passed, "failed": failed, "skipped": total["skipped"]}


def selection(options: argparse.Namespace) -> list[str]:
    """Arguments of pytest."""
    chosen = ["-n", str(options.workers)] if options.workers else []
    if options.shard:
        group, splits = options.shard.split("/")
        chosen += ["--splits", splits, "--group", group]
    if options.full:
        chosen += ["-m", "slow or not slow"]
    return [*chosen, *options.pytest]


def install(folder: Path, version: str) -> str:
    """Make an environment in `folder` and return the version of torch in it."""
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
    python, file = folder / "bin" / "python", folder / "constraints.txt"
    pinned = (ROOT / "constraints.txt").read_text().splitlines()
    pip = [python, "-m", "pip", "install", "-q", "--no-cache-dir", "-c", file]
    # Torch goes first, so that it is the one asked for whatever else wants another.
    file.write_text(constraints(pinned))
    subprocess.run([*pip, requirement(version)], check=True)
    asked = [python, "-c", "from importlib import metadata; print(metadata.version('torch'))"]
    found = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    file.write_text(constraints(pinned, f"torch=={found}"))
    subprocess.run([*pip, "-e", f"{ROOT}[test]"], check=True)
    return found


def run_tests(folder: Path, arguments: Sequence[str]) -> tuple[dict[str, int], float]:
    """Run pytest in the environment; return counts of tests and seconds taken."""
    report = folder / "report.xml"
    python = folder / "bin" / "python"
    # Nothing that was compiled under another version can be found.
    environment = {**os.environ, "TORCHINDUCTOR_CACHE_DIR": str(folder / "inductor")}
    subprocess.run(
        [python, "-m", "pytest", "-q", f"--junitxml={report}", *arguments],
        cwd=ROOT,
        env=environment,
    )
    if not report.exists():
        raise SystemExit(f"pytest ended without a report; its arguments: {' '.join(arguments)}")
    text = report.read_text()
    suites = ElementTree.fromstring(text).iter("testsuite")
    return counts(text), sum(float(suite.get("time", 0)) for suite in suites)


def outcome(version: str, parent: Path, options: argparse.Namespace) -> Outcome:
    """Build, test and delete the environment of one version."""
    free = shutil.disk_usage(parent).free / 1e9
    if free < NEEDED_GB:
        raise SystemExit(f"{parent} has {free:.0f} GB free, and an environment takes {NEEDED_GB}.")
    folder = parent / f"torch-{version}"
    try:
        found = install(folder, version)
        return Outcome(found, *run_tests(folder, selection(options)))
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


def shard(text: str) -> str:
    """Check that `text` is I/N with 1 <= I <= N."""
    group, _, splits = text.partition("/")
    if not (group.isdigit() and splits.isdigit() and 1 <= int(group) <= int(splits)):
        raise argparse.ArgumentTypeError(f"{text!r} is no shard: write 1/4 for the first of four")
    return text


def parser() -> argparse.ArgumentParser:
    """The command line; what follows -- goes to pytest."""
    made = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    made.add_argument("versions", nargs="*", help=f"2.12, 2.12.1 or {NEWEST}; {VERSIONS} if none")
    made.add_argument("--folder", type=Path, help="where environments are made; a new one if none")
    made.add_argument("--keep", action="store_true", help="do not delete environments")
    made.add_argument("--shard", type=shard, help="I/N: part I of N of the tests")
    made.add_argument("--full", action="store_true", help="slow tests too")
    made.add_argument("--workers", type=int, default=0, help="processes of pytest-xdist")
    return made


def main(arguments: list[str]) -> int:
    """Print the table; return 1 when a test failed or none ran."""
    own, rest = arguments, []
    if "--" in arguments:
        place = arguments.index("--")
        own, rest = arguments[:place], arguments[place + 1 :]
    options = parser().parse_args(own)
    options.pytest = rest
    found = []
    with tempfile.TemporaryDirectory() as scratch:
        parent = options.folder or Path(scratch)
        parent.mkdir(parents=True, exist_ok=True)
        for version in options.versions or VERSIONS:
            found.append(outcome(version, parent, options))
            print(HEADER, *(o.row() for o in found), sep="\n", flush=True)
    return int(any(o.counts["failed"] or not o.counts["passed"] for o in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
