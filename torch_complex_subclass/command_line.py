"""What the subcommands share: packages they need, errors, and how both are told."""

from __future__ import annotations

import argparse
import difflib
import importlib.util
import sys
from collections.abc import Callable, Iterable


class MissingPackageError(Exception):
    """A package that was asked for is not installed; the message says how to install it."""


class UsageError(Exception):
    """What was asked for does not exist; the message says what does."""


def installed(package: str) -> bool:
    """Whether a package can be imported."""
    return importlib.util.find_spec(package) is not None


def need(package: str, purpose: str, extra: str) -> None:
    """Raise MissingPackageError unless a package is installed; `extra` brings it."""
    if not installed(package):
        raise MissingPackageError(
            f"{purpose} needs {package}, which is not installed: "
            f"pip install 'torch_complex_subclass[{extra}]'"
        )


def positive(text: str) -> int:
    """A whole number from 1 up, for argparse."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 up, got {text!r}")
    return int(text)


def natural(text: str) -> int:
    """A whole number from 0 up, for argparse."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 up, got {text!r}")
    return int(text)


def check_known(kind: str, name: str, known: Iterable[str]) -> None:
    """Raise UsageError unless a name is known; it says which are near, or all."""
    names = list(known)
    if name not in names:
        near = difflib.get_close_matches(name, names)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(names)}"
        raise UsageError(f"no {kind} {name!r}; {hint}")


def exit_status(command: str, run: Callable[[argparse.Namespace], int]) -> Callable[..., int]:
    """Make a function that runs a subcommand, tells errors in one line, and returns its status."""

    def report(options: argparse.Namespace) -> int:
        try:
            return run(options)
        except BrokenPipeError:  # not an error; the caller ends quietly
            raise
        except (MissingPackageError, UsageError, OSError) as error:
            print(f"{command}: {error}", file=sys.stderr)
            return 2

    return report
