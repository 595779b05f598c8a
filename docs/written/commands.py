"""The page of the commands, from the functions that they are."""

from __future__ import annotations

import enum
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

import typer
from typer.models import ArgumentInfo

from wildreid.cli import app
from written.words import plain, table

PAGE = """# Commands

`reid COMMAND --help` shows the same. [At the terminal](../guides/terminal.md) lists the exit codes, and says how
to have completion.

{commands}
"""


@dataclass(frozen=True)
class Parameter:
    """An argument or option of a command."""

    names: tuple[str, ...]
    value: str
    default: str
    words: str
    argument: bool
    required: bool

    @property
    def shown(self) -> str:
        """As the usage line writes an argument."""
        return self.value if self.required else f"[{self.value}]"


def commands(
    group: typer.Typer = app, words: tuple[str, ...] = ()
) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every command's words after ``reid``, and its function."""
    for info in group.registered_commands:
        assert info.callback is not None
        name = info.name or info.callback.__name__.rstrip("_").replace("_", "-")
        yield " ".join((*words, name)), info.callback
    for below in group.registered_groups:
        assert below.typer_instance is not None
        yield from commands(below.typer_instance, (*words, str(below.name)))


def parameters(function: Callable[..., Any]) -> list[Parameter]:
    """What a command takes, in order."""
    hints = get_type_hints(function, include_extras=True)
    found = []
    for name, parameter in inspect.signature(function).parameters.items():
        annotation, info = get_args(hints[name])[:2]
        required = parameter.default is inspect.Parameter.empty
        value = str(info.metavar or name.upper()).strip("[]")
        if isinstance(info, ArgumentInfo):
            found.append(Parameter((), value, "", str(info.help), True, required))
            continue
        # typer takes the first name for a default, until it builds the command
        own = [str(decl) for decl in (info.default, *(info.param_decls or ())) if str(decl).startswith("-")]
        names = tuple(own) or (f"--{name.rstrip('_').replace('_', '-')}",)
        default = parameter.default.value if isinstance(parameter.default, enum.Enum) else parameter.default
        shown = "" if required or default in (None, False) else f"`{plain(default)}`"
        found.append(Parameter(names, _value(annotation, info), shown, str(info.help), False, required))
    return found


def _value(annotation: Any, info: Any) -> str:
    if annotation is bool:
        return ""
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return "|".join(str(member.value) for member in annotation)
    inner = next((part for part in get_args(annotation) if part is not type(None)), annotation)
    return str(info.metavar or getattr(inner, "__name__", str(inner)).upper())


def commands_page() -> str:
    """Every command with its arguments and options."""
    return PAGE.format(commands="\n\n".join(_command(words, function) for words, function in commands()))


def _command(words: str, function: Callable[..., Any]) -> str:
    own = parameters(function)
    arguments = [parameter for parameter in own if parameter.argument]
    options = ["[OPTIONS]"] if len(arguments) < len(own) else []
    usage = " ".join(["reid", words, *options, *(argument.shown for argument in arguments)])
    parts = [f"## reid {words}", f"```text\n{usage}\n```", _markdown(function.__doc__)]
    rows = []
    for parameter in own:
        names = ", ".join(f"`{name}`" for name in parameter.names)
        value = f"`{parameter.value}`".replace("|", "\\|") if parameter.value else ""
        words = _markdown(parameter.words).replace("\n", " ").replace("|", "\\|")
        rows.append(f"{names} {value} | {words} | {parameter.default}".strip())
    if rows:
        parts.append(table("argument or option | what it is | default", rows))
    return "\n\n".join(parts)


def _markdown(text: str | None) -> str:
    return re.sub(r"\[bold\](.+?)\[/\]", r"`\1`", inspect.cleandoc(text or ""))
