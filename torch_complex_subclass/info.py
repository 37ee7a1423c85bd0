"""The command line: `python -m torch_complex_subclass info`."""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Iterator
from importlib import metadata
from typing import Any

import torch

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.backend import is_enabled
from torch_complex_subclass.bench import machine
from torch_complex_subclass.testing.cache import folder as reference_folder

_PACKAGE = "torch_complex_subclass"

_EPILOG = """\
exit status: 0; 1 where torch.compile has no C++ compiler, and code for the CPU cannot be made

examples:
  python -m torch_complex_subclass info
  python -m torch_complex_subclass info --json > info.json
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "info",
        help="print versions, devices, the compiler, caches and optional_packages",
        description="Prints what this package finds here: put it into a report of a defect.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    found = information()
    print(json.dumps(found, indent=2) if options.json else "\n".join(_text(found)))
    return 0 if found["compiler"]["path"] else 1


def information() -> dict[str, dict[str, Any]]:
    """What is found here, by section. Values are text, numbers, booleans, lists of text, or None.

    The first call of it on a machine compiles a line of C++ to see which vectors it can use.
    """
    about = machine.description()
    return {
        "versions": {
            _PACKAGE: about[_PACKAGE],
            "torch": about["torch"],
            "triton": machine.version("triton"),
            "python": about["python"],
            "system": about["system"],
        },
        "devices": {
            "processor": about["processor"],
            "cores": about["cores"],
            "threads": about["threads"],
            "GPUs": _gpus(),
        },
        "enabled": {
            "in_this_process": is_enabled(),
            "backend_inductor_complex": _has_backend(),
        },
        "compiler": _compiler(),
        "caches": {
            "compiled_code": compat.compiled_code_folder(),
            "compiled_code_is_reused": compat.reuses_compiled_code(),
            "exact_values": str(reference_folder()),
        },
        "optional_packages": _extras(),
    }


def _gpus() -> list[str]:
    return [
        f"{p.name}, {p.total_memory / 2**30:.0f} GiB, capability {p.major}.{p.minor}"
        for p in map(torch.cuda.get_device_properties, range(torch.cuda.device_count()))
    ]


def _has_backend() -> bool:
    """Whether the name that `torch.compile(backend=)` looks up is installed."""
    return bool(metadata.entry_points(group="torch_dynamo_backends", name="inductor_complex"))


def _compiler() -> dict[str, Any]:
    path, version = compat.cpp_compiler()
    return {
        "path": path,
        "version": version,
        "vectors": compat.vector_code() if path else None,
        "CXX": os.environ.get("CXX"),
    }


def _extras() -> dict[str, str | None]:
    """Version of each package that an extra brings, None where it is not installed."""
    try:
        wanted = metadata.requires(_PACKAGE) or []
    except metadata.PackageNotFoundError:  # run from a folder that is not installed
        return {}
    used = [line for line in wanted if any(f'extra == "{extra}"' in line for extra in _USED)]
    names = sorted({re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in used})
    return {name: machine.version(name) for name in names}


# Extras for commands of this package; others are for its development.
_USED = ("accuracy", "bench", "demo")


def _text(found: dict[str, dict[str, Any]]) -> Iterator[str]:
    for section, values in found.items():
        yield f"{_words(section)}:"
        width = max(map(len, values), default=0)
        for name, value in values.items():
            yield f"  {_words(name).ljust(width)}  {_shown(value)}"
        yield from (f"  -> {line}" for line in _advice(section, values))


def _words(name: str) -> str:
    return name if name in (_PACKAGE, *_extras()) else name.replace("_", " ")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "; ".join(value) or "none"
    return "-" if value is None else str(value)


def _advice(section: str, values: dict[str, Any]) -> Iterator[str]:
    """What to do about what is missing or was never tried."""
    if section == "versions" and compat.is_untried(values["torch"]):
        newest = ".".join(map(str, compat.NEWEST_TRIED))
        yield f"this torch is newer than {newest}, the newest that tests were run under"
    if section == "compiler" and values["path"] is None:
        yield "install g++ 11 or later, or set CXX to a C++ compiler: torch.compile needs one"
    if section == "enabled" and not values["in_this_process"]:
        yield "tcs.enable() switches it on, in each process that is to use it"
    if section == "enabled" and not values["backend_inductor_complex"]:
        yield "the package is not installed, so its backend has no name: pip install it"
    if section == "optional_packages" and None in values.values():
        extras = ",".join(_USED)
        yield f"for what is missing: pip install '{_PACKAGE}[{extras}]'"
