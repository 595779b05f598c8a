"""The documentation site: Sphinx, Markdown pages, the Furo theme; nothing is fetched from a network."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version as version_of
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent))
os.environ["WILDREID_PLUGINS"] = "builtin"

project = "wildreid"
author = "the wildreid authors"
project_copyright = author
release = version = version_of("wildreid")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["examples/**", "written/**", "_build/**"]
nitpicky = False

myst_enable_extensions = ["colon_fence", "attrs_block"]
myst_heading_anchors = 3
suppress_warnings = ["myst.strikethrough"]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_use_ivar = True
default_role = "code"
python_use_unqualified_type_names = True

html_theme = "furo"
html_title = "wildreid"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
copybutton_prompt_text = r"\$ |>>> "
copybutton_prompt_is_regexp = True


def setup(app: Sphinx) -> None:
    """Show tables as plain text: Pygments has no lexer for them."""
    app.add_lexer("csv", TextLexer)
