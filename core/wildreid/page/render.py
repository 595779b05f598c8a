"""From a template to one HTML file that asks nothing of the network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wildreid.page.words import count, number, percent

TEMPLATES = Path(__file__).with_name("templates")
"""``page.html`` to extend, ``parts.html`` with the macros, ``page.css`` and ``page.js``."""


def render(
    template: Path,
    *,
    scripts: Sequence[Path] = (),
    styles: Sequence[Path] = (),
    beside: bool = False,
    **context: Any,
) -> str:
    """Fill a template that extends ``page.html``; every value is escaped unless it is `markupsafe.Markup`.

    The page forbids itself (by a content security policy) to load anything, and to run any script but those
    given here, so that a name with HTML in it could do nothing even if it were not escaped.

    Args:
        template: a file; what it includes or imports is looked up beside it, then in `TEMPLATES`. It has the
            filters ``number``, ``percent`` and ``count``.
        scripts: JavaScript files to put in after ``page.js``.
        styles: CSS files to put in after ``page.css``.
        beside: whether the page may show photos that lie beside it, as `wildreid.page.Larger` writes them.
        context: what the template shows. ``page.html`` uses ``title``, ``stamp``, ``sections`` (pairs of an
            anchor and its words for the contents) and ``made`` (a line for the foot of the page).
    """
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([template.parent, TEMPLATES]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=number, percent=percent, count=count)
    code = [path.read_text(encoding="utf-8") for path in (TEMPLATES / "page.js", *scripts)]
    files = " 'self' file:" if beside else ""  # opened from a disk, or from somebody's server
    hashes = " ".join(f"'sha256-{_digest(text)}'" for text in code)
    return environment.get_template(template.name).render(
        page_css=Markup(
            "\n".join(path.read_text(encoding="utf-8") for path in (TEMPLATES / "page.css", *styles))
        ),
        page_scripts=[Markup(text) for text in code],
        policy=Markup(
            f"default-src 'none'; img-src data:{files}; style-src 'unsafe-inline'; script-src {hashes}"
        ),
        **context,
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
