"""The page of a recipe's keys."""

from __future__ import annotations

from pydantic import BaseModel

from wildreid import kinds
from wildreid.recipe.model import Recipe
from written.words import fields, kind_of, plain, table

PAGE = """# The recipe, key by key

A recipe is one YAML file. Everything in it is checked before anything runs: an unknown key, a wrong type
or a value out of bounds is an error that names the key, its line and what is near. `reid schema` prints
all this as a JSON schema, from which an editor completes and checks.

An option is written as its name (`loss: triplet`), or as a mapping with its name and fields (`loss:
{{name: triplet, margin: 0.3}}`). Paths may hold `~` and `${{VARIABLE:-default}}`; a relative path starts
at the recipe's folder.

Merged in this order: the file, its `fallback` profile where the data set's default root is absent, the
profiles named by `--profile` from left to right, then `--set key=value`. An option whose name changes is
replaced whole; otherwise keys merge; a list is replaced whole.

{table}

{sections}
"""


def recipe_page() -> str:
    """Every key."""
    options = {kind.kind: kind for kind in kinds.KINDS} | {kind.plural(): kind for kind in kinds.KINDS}
    schema = Recipe.model_json_schema()["properties"]
    rows, sections = [], []
    for name, info in Recipe.model_fields.items():
        if name in options:
            kind = options[name]
            many = "list of " if name == kind.plural() else ""
            need = "required" if info.is_required() else "`[]`"
            link = f"[{kind.kind}](../options/{kind.plural()}.md)"
            rows.append(f"`{name}` | {many}{link} | {need} | {kind.summary()}")
        elif isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            summary = (info.annotation.__doc__ or "").split("\n")[0]
            rows.append(f"`{name}` | [its own keys](#{name}) | each has a default | {summary}")
            sections.append(f"## {name}\n\n{summary}\n\n{fields(info.annotation)}")
        else:
            default = "the file's or folder's name" if name == "name" else f"`{plain(info.default)}`"
            rows.append(f"`{name}` | {kind_of(schema[name])} | {default} | {info.description}")
    rows.append("`profiles` | mapping of names to parts of a recipe | none | laid over it by `--profile`")
    rows.append("`fallback` | text | none | the profile to use where the data set's default root is absent")
    return PAGE.format(table=table("key | type | default | what it is", rows), sections="\n\n".join(sections))
