"""What is shipped, what importing it does, and what it offers."""

import inspect
import os
import shutil
import subprocess
import sys
import tarfile
import types
import zipfile
from pathlib import Path

import pytest

import torch_complex_subclass as tcs

ROOT = Path(__file__).parents[1]
PACKAGE = "torch_complex_subclass"
# Where the package has a link, and the top-level folder that it leads to.
MAPPED = {
    "decompositions": "decompositions",
    "inductor_lowering": "inductor_lowering",
    "bench/workloads": "benchmarks/workloads",
}
LEFT_OUT = (".git", ".venv", "build", "dist", "demo-output", "*.egg-info", "__pycache__", ".*cache")

BUILD = """
import sys
from setuptools import build_meta
output = sys.argv[1]  # setuptools changes sys.argv
build_meta.build_wheel(output)
build_meta.build_sdist(output)
"""

# The tables are read before and after; only the import of the package lies between.
QUIET = """
import torch, torch._dynamo, torch._functorch.config, torch._inductor.config
from torch._inductor import decomposition, lowering

def state():
    fast_random = decomposition.fast_random_decomps()
    return {
        "decompositions": dict(decomposition.decompositions),
        "fast random decompositions": dict(fast_random),
        "lowerings": dict(lowering.lowerings),
        "backends": torch._dynamo.list_backends(exclude_tags=None),
        "Inductor configuration": torch._inductor.config.get_config_copy(),
        "Dynamo configuration": torch._dynamo.config.get_config_copy(),
        "AOTAutograd configuration": torch._functorch.config.get_config_copy(),
        "ops": set(torch._C._dispatch_get_all_op_names()),
        "op namespaces": set(vars(torch.ops)),
        "default dtype": torch.get_default_dtype(),
        "warning": lowering._warn_complex_not_supported,
        "allowed classes": list(torch.serialization.get_safe_globals()),
    }

before = state()
import torch_complex_subclass as tcs
after = state()
after["allowed classes"].remove(tcs.ComplexTensor)
print([name for name in before if before[name] != after[name]])
"""

LEAN = """
import sys, torch
before = set(sys.modules)
import torch_complex_subclass
heavy = ("torch._inductor", "torch._dynamo")
print(sorted(m for m in set(sys.modules) - before if m.startswith(heavy)))
"""


def python(program, *arguments, cwd):
    result = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, cwd=cwd
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def modules(folder):
    """Those of a folder, links not followed."""
    paths = [path.relative_to(ROOT / folder) for path in (ROOT / folder).rglob("*.py")]
    links = [Path(link) for link in MAPPED]
    return [path for path in paths if folder != PACKAGE or not {*path.parents} & {*links}]


def expected_in_wheel():
    names = [f"{PACKAGE}/{m}" for m in modules(PACKAGE)]
    mapped = [f"{PACKAGE}/{link}/{m}" for link, folder in MAPPED.items() for m in modules(folder)]
    return sorted(names + mapped)


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    """Wheel and source distribution, built without network from a copy of the tree."""
    folder = tmp_path_factory.mktemp("build")
    source, output = folder / "source", folder / "dist"
    shutil.copytree(ROOT, source, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))
    output.mkdir()
    python(BUILD, str(output), cwd=source)
    (wheel,), (sdist,) = output.glob("*.whl"), output.glob("*.tar.gz")
    return wheel, sdist


def test_wheel_holds_every_module_once(distributions):
    names = zipfile.ZipFile(distributions[0]).namelist()
    assert sorted(n for n in names if n.endswith(".py")) == expected_in_wheel()
    assert {f"{PACKAGE}/py.typed", f"{PACKAGE}/complex_overloads.txt"} <= set(names)


def test_sdist_holds_every_module_once(distributions):
    with tarfile.open(distributions[1]) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    for folder in (PACKAGE, *MAPPED.values()):
        counts = {str(m): names.count(f"{folder}/{m}") for m in modules(folder)}
        assert set(counts.values()) == {1}, counts
    assert not [n for n in names if n.startswith(tuple(f"{PACKAGE}/{m}/" for m in MAPPED))]
    wanted = {"README.md", "LICENSE", "tests/test_package.py", f"{PACKAGE}/complex_overloads.txt"}
    assert wanted <= set(names)


def test_import_changes_nothing_in_torch(tmp_path):
    assert python(QUIET, cwd=tmp_path) == "[]"


def test_import_does_not_import_the_compiler(tmp_path):
    assert python(LEAN, cwd=tmp_path) == "[]"


@pytest.mark.parametrize(("link", "folder"), MAPPED.items())
def test_folder_by_itself_cannot_be_imported(link, folder):
    program = f"import {folder.replace('/', '.')}"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT
    )
    assert result.returncode == 1
    name = f"{PACKAGE}.{link.replace('/', '.')}"
    assert f"ImportError: import {name}, not the folder itself" in result.stderr


@pytest.mark.parametrize(("link", "folder"), MAPPED.items())
def test_link_is_relative(link, folder):
    assert os.readlink(ROOT / PACKAGE / link) == "../" * (link.count("/") + 1) + folder


def public_names():
    return sorted(
        name
        for name, value in vars(tcs).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    )


@pytest.mark.parametrize("name", public_names())
def test_public_name_is_documented(name):
    assert inspect.getdoc(getattr(tcs, name))
    assert f"`tcs.{name}" in (ROOT / "README.md").read_text()
