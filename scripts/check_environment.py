"""Says in one sentence what this machine lacks to build and test the project.

Runs before anything is installed and under any Python, old ones included, so it uses nothing
newer than what Python 2.7 and 3.0 share. With --torch it checks the installed torch instead.
"""

import os
import subprocess
import sys
import sysconfig
import tempfile

PYTHON = (3, 11)
TORCH = (2, 11)
COMPILER_FLAGS = ["-std=c++20", "-fopenmp", "-fsyntax-only"]
PROGRAM = (
    "#include <omp.h>\n#include <concepts>\nint main() { return __builtin_bit_cast(int, 0.0f); }\n"
)


def dotted(version):
    return ".".join(str(part) for part in version)


def python_problem(version):
    """Return what is wrong with this Python version, or None."""
    if tuple(version[:2]) >= PYTHON:
        return None
    return "Python {} is too old: install Python {} or later and run make PYTHON=python{}.".format(
        dotted(version[:3]), dotted(PYTHON), dotted(PYTHON)
    )


def venv_problem():
    """Return why virtual environments cannot be made, or None."""
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        return "Python's venv module is missing: install the package python{}-venv.".format(
            dotted(sys.version_info[:2])
        )
    return None


def headers_problem(include):
    """Return why extensions cannot be compiled against the headers in `include`, or None."""
    if include and os.path.exists(os.path.join(include, "Python.h")):
        return None
    return "Python.h is not in {}: install Python's headers (python{}-dev).".format(
        include, dotted(sys.version_info[:2])
    )


def compiler_problem(compiler):
    """Return what is wrong with the C++ compiler that torch.compile will call, or None."""
    folder = tempfile.mkdtemp()
    source = os.path.join(folder, "probe.cpp")
    try:
        with open(source, "w") as file:
            file.write(PROGRAM)
        process = subprocess.Popen(
            [compiler] + COMPILER_FLAGS + [source],  # noqa: RUF005
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        output = process.communicate()[0].decode("utf-8", "replace").strip()
    except OSError:
        return "The C++ compiler {} is missing: install g++ 11 or later, or set CXX.".format(
            compiler
        )
    finally:
        if os.path.exists(source):
            os.remove(source)
        os.rmdir(folder)
    if process.returncode == 0:
        return None
    return "The C++ compiler {} does not take {}: install g++ 11 or later, or set CXX ({}).".format(
        compiler, " ".join(COMPILER_FLAGS[:2]), (output.splitlines() or ["no message"])[0]
    )


def torch_problem(version):
    """Return what is wrong with torch of this version (None: not installed), or None."""
    needed = dotted(TORCH)
    if version is None:
        return "torch is missing: run pip install -c constraints.txt torch ({}+).".format(needed)
    if tuple(int(part) for part in version.split(".")[:2]) >= TORCH:
        return None
    return "torch {} is too old: install {} or later, as constraints.txt does.".format(
        version, needed
    )


def installed_torch():
    """Return the version of torch without importing it, or None."""
    from importlib import metadata

    try:
        return metadata.version("torch")
    except metadata.PackageNotFoundError:
        return None


def problems(arguments):
    """Yield the problems in the order in which they are to be solved."""
    yield python_problem(sys.version_info)
    if "--torch" in arguments:
        yield torch_problem(installed_torch())
        return
    yield venv_problem()
    yield headers_problem(sysconfig.get_paths().get("include"))
    yield compiler_problem(os.environ.get("CXX", "g++"))


def main(arguments):
    """Print the first problem; return the exit status."""
    for problem in problems(arguments):
        if problem is not None:
            sys.stderr.write(problem + "\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
