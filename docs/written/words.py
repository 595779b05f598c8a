"""From docstrings, signatures and schemas to Markdown."""

from __future__ import annotations

import inspect
import re
from typing import Any

from pydantic import BaseModel

TYPES = {"string": "text", "integer": "whole number", "boolean": "true or false", "object": "mapping"}
SIGNS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def prose(doc: str | None) -> str:
    """A docstring as Markdown: its sections as bold words, nothing in it taken for a link or emphasis."""
    text = inspect.cleandoc(doc or "")
    text = re.sub(r"``(.+?)``", r"`\1`", text)
    text = re.sub(r"^(Args|Returns|Raises|Attributes):$", r"**\1**\n", text, flags=re.MULTILINE)
    text = re.sub(r"^    (\w[\w, ]*): ", r"- `\1`: ", text, flags=re.MULTILINE)
    text = re.sub(r"^    +", "  ", text, flags=re.MULTILINE)
    pieces = re.split(r"(`[^`]*`|\*\*\w+\*\*)", text)
    return "".join(
        piece if n % 2 else re.sub(r"([*<\[\]])", r"\\\1", piece) for n, piece in enumerate(pieces)
    )


def signature(cls: type[Any], name: str) -> str:
    """``def build(self, *, width: int) -> Module``, in one line, or one a parameter."""
    plain = re.sub(r"'([^']*)'", r"\1", str(inspect.signature(getattr(cls, name))))
    if len(plain) < 78:
        return f"def {name}{plain}"
    inner, _, after = plain[1:].rpartition(") -> ")
    return f"def {name}(\n    " + ",\n    ".join(_split(inner)) + f",\n) -> {after}"


def _split(text: str) -> list[str]:
    """Split at commas that are in no bracket."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "[(") - (letter in "])")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def table(head: str, rows: list[str]) -> str:
    """A table from its head, ``a | b``, and its rows."""
    width = head.count("|") + 1
    return f"| {head} |\n|{'---|' * width}\n" + "\n".join(f"| {row} |" for row in rows)


def fields(model: type[BaseModel]) -> str:
    """The fields of a model as a table."""
    schema: dict[str, Any] = model.model_json_schema(mode="validation")
    rows = []
    for name, info in model.model_fields.items():
        value = None if info.is_required() else info.get_default(call_default_factory=True)
        default = "required" if info.is_required() else f"`{plain(value)}`"
        own = schema["properties"][name]
        words = (info.description or "").replace("|", "\\|")
        rows.append(f"`{name}` | {kind_of(own)} | {default} | {bounds(own)} | {words}")
    return table("field | type | default | bounds | what it is", rows) if rows else "It has no fields."


def plain(value: Any) -> str:
    """A default as YAML writes it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(plain(item) for item in value) + "]"
    return str(value) if value != "" else "''"


def kind_of(schema: dict[str, Any]) -> str:
    """The type of a field, in words."""
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(kind_of(part) for part in schema["anyOf"]))
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("type") == "array":
        return f"list of {kind_of(schema['items'])}" if "items" in schema else "list"
    if schema.get("format") == "path":
        return "path"
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    kind = str(schema.get("type", "any"))
    return TYPES.get(kind, kind)


def bounds(schema: dict[str, Any]) -> str:
    """What a field's value must keep to."""
    found = [f"{sign} {schema[key]:g}" for key, sign in SIGNS.items() if key in schema]
    found += [bound for part in schema.get("anyOf", ()) if (bound := bounds(part))]
    if schema.get("type") == "array" and schema.get("minItems") and not schema.get("maxItems"):
        found.append(f"at least {schema['minItems']}")
    return ", ".join(found)
