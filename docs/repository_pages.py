"""Pages of the repository outside docs/, and links that lead from one to the other.

On the site such a page has a name of its own; in the repository links name files.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

# Where a file of the repository lies on the site, both as seen from the root.
PAGES = {
    "CHANGELOG.md": "docs/generated/changelog.md",
    "CONTRIBUTING.md": "docs/generated/contributing.md",
    "README.md": "docs/index.md",
    "decompositions/README.md": "docs/generated/rules.md",
    "inductor_lowering/README.md": "docs/generated/lowerings.md",
}

# Pages of the navigation that are left out of it until they have been made.
OPTIONAL = ("workloads",)

_LINK = re.compile(r"\[(?P<words>[^\]]*)\]\((?!\w+:|#)(?P<file>[^)#\s]+)(?P<heading>#[^)\s]*)?\)")


def relinked(text: str, source: str, place: str) -> str:
    """The text of the file `source` with links that hold in the file `place`.

    A link to a page leads to the page of the site, one to another file to a copy of it, and one to
    a folder without a page is its words alone. Raises FileNotFoundError where a link leads nowhere.
    """
    root = Path(__file__).parents[1]

    def link(found: re.Match[str]) -> str:
        file = os.path.normpath(os.path.join(os.path.dirname(source), found["file"]))
        if (root / file).is_dir():
            page = os.path.join(file, "README.md")
            if not (root / page).is_file():
                return found["words"]
            file = page
        if file not in PAGES and not (root / file).is_file():
            raise FileNotFoundError(f"{source}: the link {found[0]} leads to no file")
        target = os.path.relpath(PAGES.get(file, file), os.path.dirname(place))
        return f"[{found['words']}]({target}{found['heading'] or ''})"

    return _LINK.sub(link, text)


def write(docs: Path) -> None:
    """Copy the pages that lie outside docs/ into docs/generated, where they have changed."""
    for source, place in PAGES.items():
        page = docs.parent / place
        if page.parent == docs:
            continue
        page.parent.mkdir(parents=True, exist_ok=True)
        text = relinked((docs.parent / source).read_text(encoding="utf-8"), source, place)
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")


def relink_page(app: Any, name: str, content: list[str]) -> None:
    """Sphinx's hook: links of a page in docs/ that lead out of it, and its navigation."""
    page, docs = f"docs/{name}.md", Path(app.srcdir)
    if not name.startswith("generated/") and (docs / f"{name}.md").exists():
        content[0] = relinked(content[0], page, page)
    for optional in OPTIONAL:
        if not (docs / f"{optional}.md").exists():
            content[0] = content[0].replace(f"\n{optional}\n", "\n")
