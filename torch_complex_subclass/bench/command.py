"""The command line: `python -m torch_complex_subclass bench [NAME ...]`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from torch_complex_subclass.command_line import (
    UsageError,
    check_known,
    exit_status,
    installed,
    need,
    positive,
)

if TYPE_CHECKING:
    from torch_complex_subclass.bench.cases import Case
    from torch_complex_subclass.bench.rows import Row, Settings

_SUITES = ("programs", "workloads")
_SIZES = ("small", "medium", "large")
_EXTREME = "extreme"
_AGAINST = ("eager", "stock", "wrapper", "hand", "jax")
_MODES = ("default", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs")
_ROUNDS = 15
_INTERRUPTED = 130  # as a shell says of a program that SIGINT ends

_EPILOG = """\
candidates:
  eager    torch as it is
  stock    torch.compile(fullgraph=True) without this package
  wrapper  stock with the complex subclass inside torch
  hand     the same program written with real tensors, by torch.compile
  jax      jax.jit, in a process of its own
  ours     always timed; what a ratio compares with

All but JAX are called in turn in one process; times are medians. A result that differs from
eager's gets no time. Training is forward and backward of the sum of squared moduli.
Compile times are of a first call, cold with empty caches, warm with those it has filled.
A figure that was not taken is a dash.
A peak is the most a call holds of what it allocates, results too; JAX has none.
A limit is what moving inputs and results once takes, or the matrix products.
OMP_NUM_THREADS sets the number of threads.

The suite workloads has the systems w1 to w5 of docs/workloads.md, as their users write them.
Its size extreme needs 40 GB of memory, and not every case has it.

--export writes after each case, so an interrupted run keeps what it has.

exit status: 0; 1 where ours fails or differs from eager; 2 for an error; 130 interrupted

examples:
  python -m torch_complex_subclass bench --list
  python -m torch_complex_subclass bench --suite workloads w2 --size small
  python -m torch_complex_subclass bench arithmetic rotary --size large --inference
  python -m torch_complex_subclass bench signals --against stock --against jax --plot signals.png
  python -m torch_complex_subclass bench --size all --export times.json
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "bench",
        help="time complex programs, ours beside others",
        description="Times complex programs compiled by this package and in other ways.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "name", nargs="*", metavar="NAME", help="cases or groups of cases; default: all"
    )
    parser.add_argument(
        "--suite", choices=_SUITES, default=_SUITES[0], help=f"default: {_SUITES[0]}"
    )
    parser.add_argument("--list", action="store_true", help="list these cases and stop")
    parser.add_argument(
        "--size",
        choices=[*_SIZES, _EXTREME, "all"],
        default="medium",
        help="small fits the L1 cache, large is far beyond the last; all: these and medium; "
        "default: medium",
    )
    parser.add_argument(
        "--dtype",
        choices=["complex64", "complex128"],
        default="complex64",
        help="default: complex64",
    )
    parser.add_argument(
        "--against",
        action="append",
        default=[],
        choices=_AGAINST,
        help="what to time beside; can be repeated; default: eager, stock, hand, and jax "
        "when installed",
    )
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument("--inference", action="store_true", help="the forward call only")
    modes.add_argument("--training", action="store_true", help="with backward only; default: both")
    parser.add_argument(
        "--compile-mode", choices=_MODES, metavar="MODE", help=f"one of {', '.join(_MODES)}"
    )
    parser.add_argument(
        "--rounds",
        type=positive,
        default=_ROUNDS,
        metavar="N",
        help=f"samples of each; default: {_ROUNDS}",
    )
    parser.add_argument(
        "--overhead",
        action=argparse.BooleanOptionalAction,
        help="compile and time calls on tiny inputs too, half of the time that a small size takes; "
        "default: not in the suite workloads",
    )
    parser.add_argument(
        "--warm",
        action=argparse.BooleanOptionalAction,
        help="compile all again with filled caches; default: not in the suite workloads",
    )
    parser.add_argument("--export", type=Path, metavar="FILE.json", help="write all figures")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="draw the ratios")
    parser.set_defaults(run=exit_status("bench", _run))


def _run(options: argparse.Namespace) -> int:
    cases = _chosen(options.suite, options.name)
    if options.list:
        _list(cases)
        return 0
    for package in ("tabulate", "tqdm"):
        need(package, "bench", "bench")
    from torch_complex_subclass.bench import report  # it imports both

    settings = _settings(options)
    sizes = _SIZES if options.size == "all" else (options.size,)
    _check_cases(cases, options.training, settings)
    _check_sizes(cases, sizes)
    _check_files(options)
    modes = tuple(
        mode for mode, other in ((False, options.training), (True, options.inference)) if not other
    )
    rows: list[Row] = []
    interrupted = False
    try:
        report.run(
            cases, sizes, modes, settings, lambda row: _keep(row, rows, settings, options.export)
        )
    except KeyboardInterrupt:
        interrupted = True
    _finish(options, rows, cases, settings)
    failed = any(row.outcomes["ours"].problem for row in rows)
    return _INTERRUPTED if interrupted else int(failed)


def _keep(row: Row, rows: list[Row], settings: Settings, file: Path | None) -> None:
    """Add a row, and write all there are, so that no end of the run loses them."""
    from torch_complex_subclass.bench import export

    rows.append(row)
    if file is not None:
        export.write(rows, settings, file)


def _settings(options: argparse.Namespace) -> Settings:
    import torch

    from torch_complex_subclass.bench.rows import Settings

    default = ["eager", "stock", "hand", *(["jax"] if installed("jax") else [])]
    against = options.against or default
    if "jax" in against:
        need("jax", "--against jax", "bench")
    # In one order whatever that of the options, ours before the one that has its own process.
    order = ("eager", "stock", "wrapper", "hand", "ours", "jax")
    candidates = tuple(name for name in order if name in against or name == "ours")
    dtype = torch.complex64 if options.dtype == "complex64" else torch.complex128
    overhead, warm = (
        options.suite != "workloads" if asked is None else asked
        for asked in (options.overhead, options.warm)
    )
    return Settings(dtype, candidates, options.compile_mode, options.rounds, overhead, warm)


def _chosen(suite: str, names: list[str]) -> list[Case]:
    """The cases of these names and groups, each once, in the order of the list."""
    from torch_complex_subclass.bench.suites import SUITES

    every = SUITES[suite]
    groups = dict.fromkeys(case.group for case in every.values())
    known = [*every, *groups]
    for name in names:
        check_known("case or group", name, known)
    return [case for case in every.values() if not names or {case.name, case.group} & {*names}]


def _list(cases: list[Case]) -> None:
    """Print one line for each case."""
    for case in cases:
        modes = "inference, training" if case.training else "inference"
        print(f"{case.name:26}{case.group:13}{modes:21}{case.about}")


def _check_cases(cases: list[Case], training: bool, settings: Settings) -> None:
    """Refuse what would measure nothing."""
    from torch_complex_subclass.bench.text import dtype_name

    cases = [case for case in cases if settings.dtype in case.dtypes]
    if not cases:
        raise UsageError(f"none of these cases is for {dtype_name(settings.dtype)}")
    if training and not any(case.training for case in cases):
        raise UsageError("none of these cases has a training step; leave out --training")


def _check_sizes(cases: list[Case], sizes: tuple[str, ...]) -> None:
    """Refuse a size that no case has, and one that would end in a lack of memory."""
    from torch_complex_subclass.bench import machine
    from torch_complex_subclass.bench.cases import EXTREME_BYTES

    if not any(size in case.shapes for case in cases for size in sizes):
        raise UsageError(f"none of these cases has the size {sizes[0]}")
    if _EXTREME in sizes and machine.memory_bytes() < EXTREME_BYTES:
        raise UsageError(
            f"--size {_EXTREME} needs {EXTREME_BYTES / 1e9:.0f} GB of memory, here are "
            f"{machine.memory_bytes() / 1e9:.0f} GB; take --size large"
        )


def _check_files(options: argparse.Namespace) -> None:
    """Refuse before the measurement what could not be written after it."""
    for option, file in (("--export", options.export), ("--plot", options.plot)):
        if file is not None and not file.parent.is_dir():
            raise UsageError(f"{option} {file}: there is no folder {file.parent}; make it first")
    if options.plot is not None:
        need("matplotlib", "--plot", "bench")


def _finish(
    options: argparse.Namespace, rows: list[Row], cases: list[Case], settings: Settings
) -> None:
    """Print and draw the rows there are; those of --export are written already."""
    from torch_complex_subclass.bench import picture, report

    if not rows:
        return
    report.show(rows, cases, settings)
    if options.export is not None:
        print(f"\nfigures: {options.export}")
    if options.plot is not None:
        picture.draw(rows, options.plot)
        print(f"picture: {options.plot}")
