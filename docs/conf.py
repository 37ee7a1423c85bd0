"""Sphinx's settings of the site: `make docs`.

Pages of the repository that lie elsewhere are copied to docs/generated; the tutorial is run, and
its output is part of the page.
"""

from __future__ import annotations

import os
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS))

import repository_pages  # noqa: E402

project = "torch_complex_subclass"
author = copyright = "the authors of torch_complex_subclass"
release = version = metadata.version(project)

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["tutorial", "generated/**/*.md5", "generated/**/sg_execution_times*"]
suppress_warnings = ["config.cache"]

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3

default_role = "code"  # docstrings quote code as Markdown does
autodoc_typehints = "description"
autodoc_member_order = "bysource"

html_theme = "furo"
html_title = "torch_complex_subclass"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# Addresses that need a browser or an account are no defect of a page.
linkcheck_timeout = 20
linkcheck_anchors = False

sphinx_gallery_conf = {
    "examples_dirs": "tutorial",
    "gallery_dirs": "generated/tutorial",
    "filename_pattern": r"\.py$",
    "abort_on_example_error": True,
    "image_scrapers": (),
    "reset_modules": (),
    "capture_repr": ("_repr_html_", "__repr__"),
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 3600,  # the time depends on what else the machine does
    "download_all_examples": False,
    "write_computation_times": False,
}

# The tutorial prints what a user's terminal would show, without the bars of one.
os.environ.setdefault("OMP_NUM_THREADS", "1")

repository_pages.write(DOCS)


def setup(app: Any) -> None:
    """Rewrite links between pages as they are read."""
    app.connect("source-read", repository_pages.relink_page)
