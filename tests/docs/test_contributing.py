"""What contributors are told to type exists: the sessions of nox, in the guide, the hooks and the hosted checks."""

from __future__ import annotations

import ast
import re
import tomllib
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
    jobs = yaml.safe_load((ROOT / WORKFLOW).read_text(encoding="utf-8"))["jobs"]
    ran = {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in jobs.items()}
    assert ran.pop("checks") == ["bash .ci/run"]
    assert (ROOT / ".ci" / "run").is_file()
    for name, commands in ran.items():
        (command,) = commands
        start, _, session = command.partition("nox -s ")
        assert start == "python3 -m venv .venv && .venv/bin/pip install -q nox && .venv/bin/", name
        assert session.split()[0] in sessions()


def test_the_pythons_that_are_claimed_are_those_that_are_checked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    jobs = yaml.safe_load((ROOT / WORKFLOW).read_text(encoding="utf-8"))["jobs"]
    oldest = jobs["checks"]["steps"][1]["with"]["python-version"]
    assert project["requires-python"] == f">={oldest}"
    assert jobs["lowest"]["steps"][1]["with"]["python-version"] == oldest
    claimed = [
        line.rpartition(" :: ")[2] for line in project["classifiers"] if re.search(r"Python :: 3\.\d+$", line)
    ]
    assert claimed == [oldest, *jobs["pythons"]["strategy"]["matrix"]["python"]]
