"""From a template to one HTML file that asks nothing of the network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TEMPLATES = Path(__file__).with_name("templates")
"""``page.html`` to extend, ``parts.html`` with the macros, ``page.css`` and ``page.js``."""


def render(
    template: Path, *, scripts: Sequence[Path] = (), styles: Sequence[Path] = (), **context: Any
) -> str:
    """Fill a template that extends ``page.html``; every value is escaped unless it is `markupsafe.Markup`.

    The page forbids itself (by a content security policy) to load anything, and to run any script but those
    given here, so that a name with HTML in it could do nothing even if it were not escaped.

    Args:
        template: a file; what it includes or imports is looked up beside it, then in `TEMPLATES`.
        scripts: JavaScript files to put in after ``page.js``.
        styles: CSS files to put in after ``page.css``.
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
    hashes = " ".join(f"'sha256-{_digest(text)}'" for text in code)
    return environment.get_template(template.name).render(
        page_css=Markup(
            "\n".join(path.read_text(encoding="utf-8") for path in (TEMPLATES / "page.css", *styles))
        ),
        page_scripts=[Markup(text) for text in code],
        policy=Markup(f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {hashes}"),
        **context,
    )


def number(value: float | None, digits: int = 2) -> str:
    """A number with so many decimals; a dash for none, which must have its reason beside it."""
    return "–" if value is None else f"{value:.{digits}f}"


def percent(value: float | None, digits: int = 1) -> str:
    """A share as a percentage: 0.614 is ``"61.4 %"``, with a space that does not break."""
    return "–" if value is None else f"{100 * value:.{digits}f}\N{NO-BREAK SPACE}%"


def count(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: ``"1 photo"``, ``"2,000 photos"``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
