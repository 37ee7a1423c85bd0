"""The command line of W2: `python -m torch_complex_subclass.bench.workloads.w2_command`.

It has the options of that system's own benchmark, and is the suite of `bench` beside eager.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from torch_complex_subclass import __main__ as command_line
from torch_complex_subclass.bench.workloads.w2_devices import CompileMode
from torch_complex_subclass.bench.workloads.w2_waves import SYSTEM

_OPERATIONS = [case.name.removeprefix("w2_") for case in SYSTEM.cases]


def main(arguments: Sequence[str] | None = None) -> int:
    """Time the operations, eager and compiled, with the peak memory of a call."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--size", default="medium", help="small, medium, large or extreme")
    parser.add_argument("--operation", choices=["all", *_OPERATIONS], default="all")
    parser.add_argument("--compile-mode", choices=list(CompileMode), default=CompileMode.DEFAULT)
    parser.add_argument("--export", metavar="FILE.json", help="write all figures")
    options = parser.parse_args(arguments)
    name = "w2" if options.operation == "all" else f"w2_{options.operation}"
    given = ["bench", "--suite", "workloads", name, "--size", options.size, "--inference"]
    given += ["--against", "eager", "--compile-mode", str(options.compile_mode)]
    given += ["--export", options.export] if options.export else []
    return command_line.main(given)


if __name__ == "__main__":
    sys.exit(main())
