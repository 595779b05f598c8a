"""What contributors are told to type exists: the sessions of nox, in the guide, the hooks and the hosted checks."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
HOOKS, WORKFLOW = ".pre-commit-config.yaml", ".github/workflows/checks.yml"


def sessions() -> set[str]:
    """The functions of noxfile.py that are sessions."""
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and "nox.session" in map(ast.unparse, node.decorator_list)
    }


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", HOOKS, ".ci/run"])
def test_every_session_that_is_named_exists(name: str) -> None:
    named = re.findall(r"\bnox -s ([a-z][a-z ]*)", (ROOT / name).read_text(encoding="utf-8"))
    first = {words.split()[0] for words in named}
    assert first
    assert first <= sessions()


def test_the_hooks_fetch_nothing() -> None:
    hooks = yaml.safe_load((ROOT / HOOKS).read_text(encoding="utf-8"))
    assert [repository["repo"] for repository in hooks["repos"]] == ["local"]
    assert {hook["language"] for repository in hooks["repos"] for hook in repository["hooks"]} == {"system"}


def test_the_hosted_machine_runs_what_runs_here() -> None:
    workflow = yaml.safe_load((ROOT / WORKFLOW).read_text(encoding="utf-8"))
    steps = workflow["jobs"]["checks"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == ["bash .ci/run"]
    assert (ROOT / ".ci" / "run").is_file()
