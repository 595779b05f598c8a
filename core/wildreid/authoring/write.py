"""Templates to files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

TEMPLATES = Path(__file__).parent / "templates"


def write(kind: str, folder: Path, values: dict[str, Any]) -> list[Path]:
    """Render every template of ``templates/<kind>`` into a folder; what comes out empty is not written.

    ``MODULE`` in a template's path is replaced by the module's name.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    root = TEMPLATES / kind
    environment = Environment(
        loader=FileSystemLoader(root),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # these are Python, YAML and Markdown, not HTML
    )
    written = []
    for template in sorted(root.rglob("*.j2")):
        inner = template.relative_to(root)
        text = environment.get_template(inner.as_posix()).render(values)
        if text.strip():
            path = folder / str(inner).removesuffix(".j2").replace("MODULE", values["module"])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written.append(path)
    return written
