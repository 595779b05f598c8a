"""The complete plugin of each kind, as it stands in the docstring of its hook."""

from __future__ import annotations

import ast
import doctest
import inspect
import re
import sys
from collections.abc import Iterable

from wildreid import hookspecs, kinds
from wildreid.authoring.names import class_of
from wildreid.option import Option


def _homes() -> dict[str, str]:
    """Where each name lives that an example may use in annotations: what `wildreid.kinds` imports or defines."""
    homes: dict[str, str] = {}
    for node in ast.walk(ast.parse(inspect.getsource(kinds))):
        if isinstance(node, ast.ImportFrom):
            homes |= {alias.name: str(node.module) for alias in node.names}
        elif isinstance(node, ast.Import):
            homes |= {alias.asname or alias.name: "" for alias in node.names}
        elif isinstance(node, ast.ClassDef):
            homes[node.name] = kinds.__name__
    return homes


HOMES = _homes()


def hook_doc(kind: type[Option]) -> str:
    """The docstring of a kind's hook, without its margin."""
    return inspect.getdoc(getattr(hookspecs, f"wildreid_{kind.plural()}")) or ""


def hook_words(kind: type[Option]) -> str:
    """What the docstring says before its example."""
    return hook_doc(kind).split(">>>", 1)[0].strip()


def example_name(kind: type[Option]) -> str:
    """The name of the option in a kind's example."""
    found = re.search(r'name = "(.+?)"', hook_doc(kind))
    assert found is not None
    return found[1]


def example_of(kind: type[Option], *, name: str | None = None) -> str:
    """The source of a kind's example: a module that is a complete plugin.

    Args:
        kind: which.
        name: of the option; its class is named after it. The example's own if None.
    """
    blocks = doctest.DocTestParser().get_examples(hook_doc(kind))
    imports = [block.source.rstrip() for block in blocks if block.source.startswith("from ")]
    bodies = [block.source.strip() for block in blocks if not block.source.startswith("from ")]
    text = "\n\n\n".join(bodies).replace("'''", '"""')
    old = re.findall(r"^class (\w+)\(", text, re.MULTILINE)[0]
    if name is not None:
        text = re.sub(rf"\b{old}\b", class_of(name), text).replace(f'"{example_name(kind)}"', f'"{name}"')
    return f"{_imports(imports, bodies)}\n\n\n{text}\n"


def _imports(given: list[str], bodies: list[str]) -> str:
    """The example's imports, and those that only its annotations need."""
    annotations = " ".join(re.findall(r"def .*?:$", "\n".join(bodies), re.MULTILINE | re.DOTALL))
    wanted = [name for name in HOMES if re.search(rf"(?<![.\w]){name}\b", annotations)]
    typed = _grouped(name for name in wanted if not any(name in line.split() for line in given))
    future, others = given[0], given[1:]
    standard = [
        *(line for line in others if line.startswith("from contextlib")),
        "from typing import TYPE_CHECKING",
    ]
    others = [line for line in others if line not in standard]
    return "\n\n".join(
        [future, "\n".join(standard), "\n".join(sorted(others)), f"if TYPE_CHECKING:\n{typed}"]
    )


def _grouped(names: Iterable[str]) -> str:
    """Import lines, standard library first, one line for each module, indented."""
    homes: dict[str, list[str]] = {}
    for name in names:
        homes.setdefault(HOMES[name], []).append(name)
    plain = [f"import {'numpy as np' if name == 'np' else name}" for name in sorted(homes.pop("", []))]
    lines = {home: f"from {home} import {', '.join(sorted(names))}" for home, names in sorted(homes.items())}
    standard = [line for home, line in lines.items() if home.partition(".")[0] in sys.stdlib_module_names]
    others = [line for line in lines.values() if line not in standard]
    blocks = ["\n".join(f"    {line}" for line in block) for block in (standard, plain + others) if block]
    return "\n\n".join(blocks)
