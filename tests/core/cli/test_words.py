from __future__ import annotations

import ast
import re
from typing import Any

import pytest
import typer
from tests.core.test_progress import CORE, ENGINE, texts

from wildreid import cli
from wildreid.cli.words import COMMANDS, as_typed
from wildreid.errors import UserError
from wildreid.progress import note


def flags(command: Any) -> set[str]:
    below = getattr(command, "commands", {}).values()
    return {flag for one in command.params for flag in one.opts}.union(*map(flags, below))


@pytest.mark.parametrize(
    ("said", "typed"),
    [
        ("`settings=…`: 'x' is not a setting", "--set: 'x' is not a setting"),
        ("such as `loss.margin=0.3`", "such as --set loss.margin=0.3"),
        ("with `device=cpu`, 2 share it", "with --device cpu, 2 share it"),
        ("take `join=True` away", "take --join away"),
        ("a `__new__`, and `reid plugins`", "a `__new__`, and `reid plugins`"),
    ],
)
def test_as_typed(said: str, typed: str) -> None:
    assert as_typed(said) == typed


def test_every_argument_that_the_engine_names_is_a_flag_of_the_program() -> None:
    known = flags(typer.main.get_command(cli.app))
    named = 0
    for path in ENGINE:
        for text in texts(ast.parse(path.read_text(encoding="utf-8"))):
            for argument in re.findall(r"`\w+=[^`]*`?", text):
                named += 1
                assert as_typed(argument.rstrip("`") + "`").split()[0] in known, (
                    f"{path.relative_to(CORE)}: {text}"
                )
            for call in re.findall(r"`(?:\w+\.)+(\w+)\(", text):
                assert call in COMMANDS
    assert named > 20


def test_the_program_shows_errors_and_notes_as_they_are_typed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        note("give `name=…`")
        raise UserError("wrong", where="`out=x`", cure="go on with `wildreid.pipeline.resume('x')`")

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 2
    assert capsys.readouterr().err.splitlines() == [
        "! give --name",
        "error: --out x: wrong",
        "  → go on with: reid run --resume x",
    ]
