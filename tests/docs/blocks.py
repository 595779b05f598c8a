"""The fenced blocks of a Markdown page, with the directive in the comment above each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(
    r"(?:<!--\s*(?P<key>run|file|exits):\s*(?P<value>.*?)\s*-->\n)?"
    r"^(?P<fence>```+)(?P<kind>[^\n]*)\n(?P<body>.*?)^(?P=fence)\s*$",
    re.MULTILINE | re.DOTALL,
)
SHOWN = ("text", "{toctree}", "{eval-rst}", "{include}")
"""Blocks that are there to be read, or for the site."""


@dataclass(frozen=True)
class Block:
    """One block: its language, its text, its line, and what its directive says."""

    kind: str
    body: str
    line: int
    key: str = ""
    value: str = ""

    @property
    def reason(self) -> str:
        """Why it is not run; empty where it is."""
        return self.value.removeprefix("not,").strip() if self.value.startswith("not,") else ""

    def commands(self) -> list[str]:
        """The commands of a block: after a prompt in ``console``, every line of ``sh``."""
        lines = self.body.replace("\\\n", " ").splitlines()
        if self.kind == "console":
            return [line[2:] for line in lines if line.startswith("$ ")]
        return [line for line in lines if line.strip() and not line.startswith("#")]


def blocks_of(page: Path) -> list[Block]:
    """Every block that a reader may want to run, in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in FENCE.finditer(text):
        kind = match["kind"].strip()
        if kind and not kind.startswith(SHOWN):
            line = text.count("\n", 0, match.start()) + 1
            found.append(Block(kind, match["body"], line, match["key"] or "", match["value"] or ""))
    return found
