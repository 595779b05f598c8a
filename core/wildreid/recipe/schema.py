"""The JSON schema of a recipe, with the options that a registry holds: what an editor completes from."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from wildreid.errors import UserError
from wildreid.kinds import KINDS
from wildreid.option import Option
from wildreid.recipe.lines import read_yaml
from wildreid.recipe.load import packs_of
from wildreid.recipe.model import Recipe
from wildreid.registry import Registry

DIALECT = "https://json-schema.org/draft/2020-12/schema"
HEADER = "# yaml-language-server: $schema="
"""What the line of a recipe begins with that an editor follows; a path follows it."""

Schema = dict[str, Any]


def write_schema(recipe: Path) -> tuple[Path, Registry]:
    """Write the schema of a recipe, with the packs that it names, where its line for editors says.

    Returns:
        The file, and the registry whose options are in it.

    Raises:
        UserError: the recipe cannot be read, or has no such line.
    """
    raw, _ = read_yaml(recipe)
    line = re.search(rf"^{re.escape(HEADER)}(\S+)$", recipe.read_text(encoding="utf-8"), re.MULTILINE)
    if line is None or "://" in line[1]:
        raise UserError(
            "the recipe names no file for its schema",
            where=str(recipe),
            cure=f"put this line into its first comment: {HEADER}recipe.schema.json",
        )
    registry = Registry(packs=packs_of(raw, recipe))
    path = recipe.parent / line[1]
    path.write_text(schema_text(registry), encoding="utf-8")
    return path, registry


def schema_text(registry: Registry) -> str:
    """The schema as it is written."""
    return json.dumps(recipe_schema(registry), indent=1, ensure_ascii=False) + "\n"


def recipe_schema(registry: Registry) -> Schema:
    """The schema of a recipe file: of the recipe itself, and of its ``profiles`` and ``fallback``.

    Each kind is the list of its options: a bare name, or a mapping with a name and that option's fields. In a
    profile nothing is required, and a mapping without a name changes fields of the option below it.
    """
    whole = Recipe.model_json_schema(mode="validation")
    definitions: dict[str, Schema] = whole.pop("$defs")
    for kind in KINDS:
        definitions.pop(kind.__name__, None)
    for kind in KINDS:
        options = registry.options(kind.kind)
        for name, option in options.items():
            own = _option_schema(option, definitions)
            definitions[f"{kind.kind}.{name}"] = own
            definitions[f"{kind.kind}.{name}.part"] = {**own, "required": ["name"]}
        definitions[kind.__name__] = _kind_schema(kind, options)
        definitions[f"{kind.__name__}.part"] = _kind_part_schema(kind, options)
    properties = whole["properties"]
    properties["packs"]["anyOf"] = [{"type": "string"}, {"type": properties["packs"].pop("type")}]
    part = {"type": "object", "additionalProperties": False, "properties": _in_part(properties)}
    definitions["Profile"] = {"description": "Keys laid over the recipe when the profile is named.", **part}
    return {
        "$schema": DIALECT,
        **whole,
        "title": "wildreid recipe",
        "properties": {
            **properties,
            "profiles": {
                "description": "named parts of a recipe, laid over it where it is named",
                "type": "object",
                "additionalProperties": {"$ref": "#/$defs/Profile"},
            },
            "fallback": {
                "description": "the profile to use where the data set's default root is not there",
                "type": "string",
            },
        },
        "$defs": dict(sorted(definitions.items())),
    }


def _option_schema(option: type[Option], definitions: dict[str, Schema]) -> Schema:
    own = option.model_json_schema(mode="validation")
    definitions.update(own.pop("$defs", {}))
    own["properties"] = {"name": {"const": option.name}, **own.get("properties", {})}
    own["required"] = ["name", *own.get("required", [])]
    return own


def _kind_schema(kind: type[Option], options: dict[str, type[Option]]) -> Schema:
    bare = [name for name, option in options.items() if not _required(option)]
    return {
        "description": kind.summary(),
        "anyOf": [{"enum": bare}, *({"$ref": f"#/$defs/{kind.kind}.{name}"} for name in options)],
    }


def _kind_part_schema(kind: type[Option], options: dict[str, type[Option]]) -> Schema:
    fields = sorted({field for option in options.values() for field in option.model_fields})
    nameless = {"type": "object", "propertyNames": {"enum": fields}}
    parts = [{"$ref": f"#/$defs/{kind.kind}.{name}.part"} for name in options]
    return {"description": kind.summary(), "anyOf": [{"enum": list(options)}, *parts, nameless]}


def _required(option: type[Option]) -> bool:
    return any(field.is_required() for field in option.model_fields.values())


def _in_part(properties: dict[str, Schema]) -> dict[str, Schema]:
    """The recipe's properties with the kinds' forms for profiles; a list is replaced whole, so it stays."""
    kinds = {f"#/$defs/{kind.__name__}" for kind in KINDS}

    def part(value: Schema) -> Schema:
        if value.get("$ref") in kinds:
            return {"$ref": f"{value['$ref']}.part"}
        return {**value, "anyOf": [part(one) for one in value["anyOf"]]} if "anyOf" in value else value

    return {key: part(value) for key, value in properties.items()}
