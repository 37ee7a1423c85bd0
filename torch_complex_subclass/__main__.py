"""The command line: `python -m torch_complex_subclass ops`, `accuracy`, `bench`, `info`, `fuzz`."""

from __future__ import annotations

import argparse
import dataclasses
import os
import shutil
import sys
from collections.abc import Iterable, Sequence

from torch_complex_subclass import info, op_support
from torch_complex_subclass.accuracy import command as accuracy
from torch_complex_subclass.bench import command as bench
from torch_complex_subclass.fuzz import command as fuzz
from torch_complex_subclass.op_support import Row

_COLUMNS = ("op", "dtypes", "kind", "compiled", "gradient", "vmap", "ulp", "note")

_EPILOG = """\
columns:
  dtypes    complex dtypes that eager takes, in bits; - where eager refuses them
  kind      the kind of its rule; writes: in place or out=, by its functional form;
            composite: torch makes it of other ops; no rule: the complex kernel is kept
  compiled  fused: real arithmetic; native: the library's complex kernel; view: no work;
            refused: eager refuses it too; -: it returns no tensor, or nothing is left of it
  gradient  yes where eager's backward reaches a complex operand
  vmap      yes where torch.vmap runs it, loop where it does so entry by entry
  ulp       bound on the error of either part, where the rule states one;
            normwise: in ulp of the larger part
  ?         not tried

examples:
  python -m torch_complex_subclass ops sqrt
  python -m torch_complex_subclass ops '_foreach_add*'
  python -m torch_complex_subclass ops --markdown > docs/op_support.md
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m torch_complex_subclass",
        description="Complex tensors under torch.compile: support, accuracy, speed.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    ops = commands.add_parser(
        "ops",
        help="print the op support table",
        description="Prints one line for each aten overload that takes or gives complex tensors.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    ops.add_argument(
        "pattern",
        nargs="?",
        metavar="PATTERN",
        help="overloads to print: a text they contain, or a shell-style pattern; default: all",
    )
    ops.add_argument(
        "--markdown", action="store_true", help="print the page docs/op_support.md instead"
    )
    ops.set_defaults(run=_ops)
    accuracy.add_parser(commands)
    bench.add_parser(commands)
    info.add_parser(commands)
    fuzz.add_parser(commands)
    return parser


def as_text(rows: Iterable[Row], width: int | None = None) -> str:
    """Lay rows out in aligned columns; lines are cut at `width` where it is given."""
    table = [_COLUMNS, *(dataclasses.astuple(row) for row in rows)]
    sizes = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = (
        "  ".join(cell.ljust(size) for cell, size in zip(line, sizes, strict=True)).rstrip()
        for line in table
    )
    return "".join(line[:width] + "\n" for line in lines)


def _ops(options: argparse.Namespace) -> int:
    pattern = options.pattern
    rows = op_support.rows() if pattern is None else op_support.matching(pattern)
    if not rows:
        print(
            f"no complex overload matches {pattern!r}; "
            "list all of them with: python -m torch_complex_subclass ops",
            file=sys.stderr,
        )
        return 1
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    sys.stdout.write(op_support.as_markdown(rows) if options.markdown else as_text(rows, width))
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has read enough; nothing more may be written at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


if __name__ == "__main__":
    sys.exit(main())
