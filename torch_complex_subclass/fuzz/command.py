"""The command line: `python -m torch_complex_subclass fuzz`."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from torch_complex_subclass.command_line import exit_status, natural, need, positive

if TYPE_CHECKING:
    from torch_complex_subclass.fuzz.campaign import Plan, Tally

_INTERRUPTED = 130

_EPILOG = """\
A program is 5 to 40 ops on complex and real tensors of all layouts, with views, writes in place,
mixed dtypes and gradients. Results, changed inputs, strides, dtypes, conj bits, shared memory and
gradients are compared with eager; numbers within what rounding can do to that program, which
perturbed runs of eager in double and in its own precision tell. A failure is made small and printed
as a script. Program number I of a seed is the same in each run.

exit status: 0; 1 where compiled code fails or differs from eager; 2 for an error; 130 interrupted

examples:
  python -m torch_complex_subclass fuzz --programs 1000 --seed 1
  python -m torch_complex_subclass fuzz --programs 100 --seed 1 --compile
  python -m torch_complex_subclass fuzz --seed 1 --first 312 --programs 1
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "fuzz",
        help="compare random programs with eager",
        description="Compiles random complex programs and compares them with eager.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--programs", type=positive, default=200, metavar="N", help="default: 200")
    parser.add_argument("--seed", type=natural, default=0, metavar="S", help="default: 0")
    parser.add_argument(
        "--first", type=natural, default=0, metavar="I", help="start at program number I"
    )
    parser.add_argument(
        "--compile",
        action="store_true",
        help="generate code with Inductor, seconds a program; default: run the rewritten graph",
    )
    parser.add_argument(
        "--time", type=positive, metavar="SECONDS", help="start no program after so long"
    )
    parser.add_argument(
        "--failures", type=positive, default=5, metavar="N", help="stop after N; default: 5"
    )
    parser.set_defaults(run=exit_status("fuzz", _run))


def _run(options: argparse.Namespace) -> int:
    need("tqdm", "fuzz", "fuzz")
    from torch_complex_subclass.fuzz.campaign import Plan, Tally, run  # it imports tqdm

    backend = "inductor" if options.compile else "rewritten"
    plan = Plan(
        options.seed, options.first, options.programs, backend, options.time, options.failures
    )
    tally = Tally()
    interrupted = False
    try:
        run(plan, tally)
    except KeyboardInterrupt:
        interrupted = True
    sys.stdout.write(_text(plan, tally))
    return _INTERRUPTED if interrupted else int(bool(tally.found))


def _text(plan: Plan, tally: Tally) -> str:
    from torch_complex_subclass.fuzz.script import as_script

    lines = []
    for found in tally.found:
        title = f"Program {found.index} of seed {plan.seed}: {found.failure}"
        lines += [as_script(found.program, title, plan.backend), ""]
    lines.append(
        f"seed {plan.seed}, programs from {plan.first}: {tally.programs} programs, "
        f"{tally.steps} ops, {len(tally.found)} wrong"
    )
    if tally.invalid:
        lines.append(f"{tally.invalid} not compared: eager refuses them in double precision")
    for what, count in sorted(tally.excluded.items()):
        lines.append(f"{count} not counted: {what}")
    return "\n".join(lines) + "\n"
