"""Progress bars of what takes more than five seconds."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TypeVar

Item = TypeVar("Item")


def progress(items: Iterable[Item], what: str, total: int | None = None) -> Iterable[Item]:
    """Show a bar on standard error where that is a terminal and tqdm is installed.

    `total` is the number of items, where they cannot be counted.
    """
    if not sys.stderr.isatty():
        return items
    try:
        from tqdm import tqdm
    except ImportError:
        return items
    bar: Iterable[Item] = tqdm(items, desc=what, total=total, leave=False)
    return bar
