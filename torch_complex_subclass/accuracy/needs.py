"""Packages that a command needs and the package does not."""

from __future__ import annotations

import importlib.util


class MissingPackageError(Exception):
    """A package that was asked for is not installed; the message says how to install it."""


def installed(package: str) -> bool:
    """Whether a package can be imported."""
    return importlib.util.find_spec(package) is not None


def need(package: str, purpose: str, extra: str = "accuracy") -> None:
    """Raise MissingPackageError unless a package is installed; `extra` brings it."""
    if not installed(package):
        raise MissingPackageError(
            f"{purpose} needs {package}, which is not installed: "
            f"pip install 'torch_complex_subclass[{extra}]'"
        )
