"""Write the pages that come from the code: kinds and their options, the recipe, the commands, the library.

``python docs/generate.py`` writes them; a test fails while they differ from what the code says.
"""

from __future__ import annotations

import os
from pathlib import Path

from written.api import api_page
from written.commands import commands_page
from written.kinds import index_page, kind_page
from written.recipe import recipe_page

from wildreid.kinds import KINDS
from wildreid.registry import Registry

DOCS = Path(__file__).parent
NOTE = "<!-- written by docs/generate.py from the code: change docstrings and fields, not this page -->\n\n"


def pages() -> dict[str, str]:
    """Every generated page by its path below ``docs``; of the built-in plugins alone."""
    os.environ["WILDREID_PLUGINS"] = "builtin"
    registry = Registry()
    found = {f"options/{kind.plural()}.md": kind_page(kind, registry) for kind in KINDS}
    found["options/index.md"] = index_page(registry)
    found["reference/recipe.md"] = recipe_page()
    found["reference/commands.md"] = commands_page()
    found["reference/api.md"] = api_page()
    return {path: NOTE + text.rstrip() + "\n" for path, text in found.items()}


def main() -> None:
    """Write every page whose text has changed."""
    for path, text in pages().items():
        file = DOCS / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
            print(f"written: docs/{path}")


if __name__ == "__main__":
    main()
