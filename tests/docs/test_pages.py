"""Decisions are numbered without gaps, the glossary is sorted, and the start page leads to every page."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.blocks import FENCE

DOCS = Path(__file__).parents[2] / "docs"


def test_decisions_are_numbered_without_gaps() -> None:
    files = sorted((DOCS / "decisions").glob("0*.md"))
    assert [int(file.name[:4]) for file in files] == list(range(1, len(files) + 1))
    for number, file in enumerate(files, start=1):
        text = file.read_text(encoding="utf-8")
        assert text.startswith(f"# {number}. "), file.name
        parts = [text.find(f"**{part}.**") for part in ("Context", "Decision", "Consequences")]
        assert -1 < parts[0] < parts[1] < parts[2], file.name


def test_the_glossary_has_each_word_once_and_in_order() -> None:
    text = (DOCS / "guides" / "glossary.md").read_text(encoding="utf-8")
    first = re.findall(r"^\| \*\*(.+?)\*\*", text, re.MULTILINE)
    assert first == sorted(first)
    words = re.findall(r"\*\*(.+?)\*\*", text)
    assert len(set(words)) == len(words)
    wanted = "gallery query identity individual encounter sequence burst group annotation crop"
    assert set(wanted.split()) - set(words) == set()


def test_commands_are_shown_in_one_style() -> None:
    """On the site after a prompt, which its copy button leaves out; in files that are read as they are without."""
    on_the_site = sorted(DOCS.glob("**/*.md"))
    as_files = [*sorted(DOCS.parent.glob("*.md")), *sorted(DOCS.parent.glob("species/*/README.md"))]
    found = 0
    for page in on_the_site + as_files:
        for block in FENCE.finditer(page.read_text(encoding="utf-8")):
            kind, body = block["kind"].strip(), block["body"]
            where = f"{page.relative_to(DOCS.parent)}: {body.splitlines()[0]}"
            assert kind, f"{where}: say what the block is"
            if kind in ("sh", "bash", "console"):
                found += 1
                assert kind == ("console" if page in on_the_site else "sh"), where
                assert body.startswith("$ ") == (kind == "console"), where
    assert found > 50


def test_every_guide_is_in_the_table_of_contents() -> None:
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    listed = {line for line in text.splitlines() if re.fullmatch(r"[\w/-]+", line)}
    guides = {f"guides/{page.stem}" for page in (DOCS / "guides").glob("*.md")}
    assert guides - listed == set()
