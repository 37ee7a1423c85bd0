"""Makes the tables in docs/special_values.md.

    python -m torch_complex_subclass.testing.special_page docs/special_values.md

writes them anew, each below its marker, and leaves the text around them.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path

from torch_complex_subclass.testing import eager_deviations, gradient_shortfalls


def _gradients() -> str:
    header = "| function | at | gradient | torch's formula |\n| --- | --- | --- | --- |"
    lines = [
        f"| {name} | {row.at} | {row.gives} | {row.reason} |"
        for name, rows in gradient_shortfalls.SHORT.items()
        for row in rows
    ]
    lines += [
        f"| {name} | | nan | {case.reason} |"
        for name, case in gradient_shortfalls.KNOWN_NAN.items()
    ]
    return "\n".join([header, *lines])


TABLES: dict[str, Callable[[], str]] = {
    "eager": eager_deviations.table,
    "gradients": _gradients,
}

_BLOCK = re.compile(r"(<!-- table: (\w+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def blocks(page: str) -> dict[str, str]:
    """Tables of the page, by name."""
    return {name: body.strip() for _, name, body, _ in _BLOCK.findall(page)}


def rewritten(page: str) -> str:
    """The page with every table made anew."""
    return _BLOCK.sub(lambda found: f"{found[1]}\n{TABLES[found[2]]()}\n\n{found[4]}", page)


def main() -> None:
    """Write the tables of a page anew."""
    parser = argparse.ArgumentParser(prog="python -m torch_complex_subclass.testing.special_page")
    parser.add_argument("page", type=Path)
    page = parser.parse_args().page
    page.write_text(rewritten(page.read_text()))


if __name__ == "__main__":
    main()
