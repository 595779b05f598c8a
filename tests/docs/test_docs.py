"""The docs say what the code says: generated pages are up to date, every hook and command is there, exactly."""

from __future__ import annotations

import doctest
import importlib
import inspect
import json
import pkgutil
import re
from pathlib import Path

import generate
import pytest
from figures.leaks import draw
from typer.testing import CliRunner
from written.commands import commands

import wildreid
import wildreid_plugins
from wildreid import hookspecs
from wildreid.cli import app
from wildreid.kinds import KINDS
from wildreid.option import Option
from wildreid.registry import Registry

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = generate.pages()


@pytest.mark.parametrize("path", PAGES)
def test_generated_pages_are_up_to_date(path: str) -> None:
    assert (DOCS / path).read_text(encoding="utf-8") == PAGES[path], "run: python docs/generate.py"


def test_no_generated_page_is_left_of_what_is_gone() -> None:
    there = {
        str(path.relative_to(DOCS))
        for folder in ("options", "reference")
        for path in DOCS.glob(f"{folder}/*")
    }
    assert there == set(PAGES)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_every_hook_method_option_and_field_is_documented(kind: type[Option]) -> None:
    page = (DOCS / "options" / f"{kind.plural()}.md").read_text()
    assert f"wildreid_{kind.plural()}()" in page
    (method,) = kind.__abstractmethods__
    for name, parameter in inspect.signature(getattr(kind, method)).parameters.items():
        if name != "self":
            assert f"{name}: {parameter.annotation}" in page
    for name, option in Registry().options(kind.kind).items():
        assert f"\n### {name}\n" in page
        assert all(f"| `{field}` |" in page for field in option.model_fields)


def test_every_hook_has_a_kind_and_a_page() -> None:
    hooks = {name for name in dir(hookspecs) if name.startswith("wildreid_")}
    assert hooks == {f"wildreid_{kind.plural()}" for kind in KINDS}


@pytest.mark.parametrize("command", [words for words, _ in commands()])
def test_every_command_is_documented_with_its_exact_options(command: str) -> None:
    page = (DOCS / "reference" / "commands.md").read_text()
    (section,) = re.findall(rf"^## reid {command}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    shown = (
        CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).output
    )
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", shown.partition("Options")[2])) - {"--help"}
    documented = set(re.findall(r"^\| .*?`(--[a-z][a-z-]*)`", section, re.MULTILINE))
    assert documented == options


def test_the_commands_of_the_page_are_those_of_the_program() -> None:
    groups = {"gallery", "new"}
    listed = set()
    for group in ("", *groups):
        shown = (
            CliRunner().invoke(app, [*group.split(), "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).output
        )
        table = shown.partition("Commands")[2]
        found = re.findall(r"^│ ([a-z-]+) ", table, re.MULTILINE)
        listed |= {f"{group} {name}".strip() for name in found}
    assert {words for words, _ in commands()} == listed - groups


def test_the_stable_names_are_one_list() -> None:
    names = [name for group in wildreid.STABLE.values() for name in group]
    assert sorted(names) == sorted(wildreid.__all__)
    assert len(set(names)) == len(names)
    for name in names:
        assert inspect.getdoc(getattr(wildreid, name)), f"{name} has no docstring"


def test_the_plot_is_what_was_measured() -> None:
    measured = json.loads((DOCS / "figures" / "leaks.json").read_text())
    assert (DOCS / "figures" / "leaks.svg").read_text() == draw(measured)


def modules() -> list[str]:
    found = []
    for package in (wildreid, wildreid_plugins):
        found += [module.name for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    return [name for name in found if not name.endswith("__main__")]


@pytest.mark.parametrize("name", ["wildreid", "wildreid_plugins", *modules()])
def test_doctests(name: str) -> None:
    module = importlib.import_module(name)
    outcome = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert outcome.failed == 0


def test_links_between_pages_lead_somewhere() -> None:
    for page in (*ROOT.glob("*.md"), *DOCS.glob("**/*.md")):
        text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        for target in re.findall(r"\]\(([^)#\s]+)", text):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"


def test_pages_name_no_machine() -> None:
    for page in (*ROOT.glob("*.md"), *DOCS.glob("**/*.md"), *DOCS.glob("**/*.py"), *DOCS.glob("**/*.ipynb")):
        assert not re.search(r"/work/|/tmp/|/opt/|/home/\w", page.read_text(encoding="utf-8")), page
