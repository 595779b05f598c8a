"""The lists that say who may import whom are one: the contracts of import-linter, the decisions, the docs."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
CONTRACTS: dict[str, dict[str, Any]] = {contract["name"]: contract for contract in LINTER["contracts"]}
OPEN = {
    rule.split(" -> ")[1].removesuffix(".*")
    for rule in CONTRACTS["plugins import only what a third party may"]["ignore_imports"]
}
"""The modules of the engine that a plugin may import."""
PLUGINS = sorted(path for folder in ("plugins", "species") for path in (ROOT / folder).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """The modules of the engine that a file imports, for types alone too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "wildreid":
            room = node.module in ("wildreid", "wildreid.data")  # whose own names are modules
            yield from (f"{node.module}.{one.name}" if room else str(node.module) for one in node.names)
        elif isinstance(node, ast.Import):
            yield from (one.name for one in node.names if one.name.split(".")[0] == "wildreid")


def within(module: str, home: str) -> bool:
    return f"{module}.".startswith(f"{home}.")


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: str(path.relative_to(ROOT)))
def test_plugins_and_packs_import_only_what_a_third_party_may(path: Path) -> None:
    assert [one for one in imported(path) if not any(within(one, home) for home in OPEN)] == []


def test_the_contract_is_the_list_of_decision_11_and_nothing_in_it_is_unused() -> None:
    text = (ROOT / "docs" / "decisions" / "0011-stable-names.md").read_text(encoding="utf-8")
    section = text.partition("- for plugins")[2].partition("\n- ")[0]
    assert set(re.findall(r"`(wildreid[a-z._]*)`", section)) - {"wildreid.testing"} == OPEN
    used = {module for path in PLUGINS for module in imported(path)}
    assert [home for home in OPEN if not any(within(module, home) for module in used)] == []


def test_the_layers_that_the_docs_draw_are_those_that_are_checked() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    (drawn,) = re.findall(r"^`(cli › .*?)`", text, re.MULTILINE | re.DOTALL)
    layers = [line.replace("wildreid.", "") for line in CONTRACTS["who may import whom"]["layers"]]
    assert " ".join(drawn.split()) == " › ".join(layers)
    rooms = {path.stem for path in (ROOT / "core" / "wildreid").iterdir() if path.name[0].islower()}
    assert rooms - set(re.findall(r"\w+", drawn)) - {"py"} == set(), "rooms that no layer names"
