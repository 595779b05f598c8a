"""What the engine says of arguments and functions, as it is typed at a terminal: flags and commands."""

from __future__ import annotations

import re

FLAGS = {"settings": "--set", "processes": "--gpus", "source": "--from", "machine": "--include machine"}
"""The flags that are not named as the argument is."""

COMMANDS = {"run": "reid run", "resume": "reid run --resume", "evaluate": "reid evaluate"}
"""The commands of the functions that a message names."""


def as_typed(text: str) -> str:
    """A message of the engine, in which arguments, recipe keys and calls stand in back quotes.

    >>> as_typed("`name=bears`: choose another `out=…`, or give `anyway=True`")
    '--name bears: choose another --out, or give --anyway'
    >>> as_typed("give `dataset.root=FOLDER`")
    'give --set dataset.root=FOLDER'
    >>> as_typed("go on with `wildreid.pipeline.resume('runs/bears')`")
    'go on with: reid run --resume runs/bears'
    >>> as_typed("or do without: `matching=False`")
    'or do without: --no-matching'
    """
    text = re.sub(r"`(\w+(?:\.\w+)+)=([^`]*)`", _setting, text)
    text = re.sub(r"`(\w+)=([^`]*)`", _flag, text)
    return re.sub(r":? `(?:\w+\.)*(\w+)\(([^`]*)\)`", _command, text)


def _setting(match: re.Match[str]) -> str:
    return f"--set {match[1]}" if match[2] == "…" else f"--set {match[1]}={match[2]}"


def _flag(match: re.Match[str]) -> str:
    flag = FLAGS.get(match[1], "--" + match[1].replace("_", "-"))
    if match[2] == "False":
        return f"--no-{flag[2:]}"
    return flag if match[2] in ("True", "…") else f"{flag} {match[2]}"


def _command(match: re.Match[str]) -> str:
    command, given = COMMANDS[match[1]], match[2].strip("'\"")
    return f": {command} {given}"
