"""docs/special_values.md says what the tables and the rules do: no line more, none less."""

from pathlib import Path

import pytest

from torch_complex_subclass.testing import special_page

PAGE = Path(__file__).parents[1] / "docs" / "special_values.md"
COMMAND = "python -m torch_complex_subclass.testing.special_page docs/special_values.md"


@pytest.mark.parametrize("name", special_page.TABLES)
def test_table_is_up_to_date(name: str) -> None:
    written = special_page.blocks(PAGE.read_text())[name].splitlines()
    made = special_page.TABLES[name]().splitlines()
    stale, missing = set(written) - set(made), set(made) - set(written)
    assert not stale, f"not so any more; run {COMMAND}: {sorted(stale)}"
    assert not missing, f"not listed; run {COMMAND}: {sorted(missing)}"
    assert written == made


def test_page_has_every_table() -> None:
    assert list(special_page.blocks(PAGE.read_text())) == list(special_page.TABLES)


def test_a_changed_line_is_made_anew() -> None:
    page = PAGE.read_text()
    line = next(row for row in page.splitlines() if row.startswith("| log1p |"))
    assert special_page.rewritten(page.replace(line, "| log1p | nowhere |")) == page
