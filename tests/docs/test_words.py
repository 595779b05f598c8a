"""No page, help text, message or docstring uses a word that readers had to look up."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = [path for folder in ("core", "plugins", "species") for path in sorted((ROOT / folder).rglob("*.py"))]
TEXTS = [
    *sorted(ROOT.glob("*.md")),
    *sorted(ROOT.glob("changelog.d/*.md")),
    *sorted(ROOT.glob("docs/**/*.md")),
    *(page for place in ("core", "plugins") for page in sorted((ROOT / place).rglob("*.html"))),
    *sorted((ROOT / "core").rglob("*.j2")),
    *sorted(ROOT.glob("species/*/*.md")),
]  # fmt: skip

RETIRED = {
    r"\btold of\b": "reported, shown, gets",
    r"\bfor want of\b": "because there is no",
    r"\b(leave|leaves|left|take|takes) (it|them|this|that|\S+=\S+) away\b": "leave out, do not give",
    r"\bsave (that|under|where|in|for|when|if)\b": "except",
    r"\banew\b": "again",
    r"\bmend(s|ed|ing)?\b": "correct, repair",
    r"\bbut for\b": "except for",
    r"\bunless told\b": "by default, unless you say",
    r"\bas (it|they) stands?\b(?! in)": "as it is",
    r"\b(a|one) (row|line) an? [a-z]": "one row for each",
    r"\blean on\b": "rely on",
    r"\bstands? there twice\b": "is there twice",
    r"\b(are|is|were) not at hand\b": "is not there",
    r"\b(whither|whilst|amongst|albeit|thereof|heretofore|notwithstanding)\b": "a common word",
}
"""Each pattern, and what to write instead."""


SYNONYMS = {
    "gallery": r"catalogues?|reference (?:set|images|photos)",
    "query": r"probe (?:image|photo)s?",
    "individual": r"specimens?|animal ids?",
    "encounter": r"re-?sightings?|capture events?",
    "burst": r"(?:photo|image|shot) series|trigger sequences?",
    "annotation, crop": r"chips?|cut-?outs?|thumbnail crops?",
    "embedding": r"feature vectors?|signatures?|face codes?",
    "part": r"folds?|subsets?",
    "near duplicate": r"doubles",
    "backbone": r"trunks?",
}
"""The glossary's terms, and other words for the same thing that other programs and papers use."""

OF_OTHERS = {
    "docs/guides/coming-from.md": {"trunk"},  # the names of the other program, in its own table
    "docs/guides/plain.md": {"trunk"},  # a variable of the reader's own program
    "species/bears/README.md": {"chips"},  # dlib's word for its own files
}
"""What a page may say all the same, since it is about another program."""


def synonyms(text: str, allowed: frozenset[str] | set[str] = frozenset()) -> list[str]:
    flat = " ".join(text.split())
    return [
        f"'{found[0]}': write {term}"
        for term, pattern in SYNONYMS.items()
        for found in re.finditer(rf"\b(?:{pattern})\b", flat, re.IGNORECASE)
        if found[0].lower() not in allowed
    ]


def retired(text: str) -> list[str]:
    flat = " ".join(text.split())  # a sentence goes on in the next line
    return [
        f"'{found[0]}': write {instead}"
        for pattern, instead in RETIRED.items()
        for found in re.finditer(pattern, flat, re.IGNORECASE)
    ]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_page_uses_a_retired_word(path: Path) -> None:
    assert retired(path.read_text(encoding="utf-8")) == []


def test_no_message_help_or_docstring_uses_a_retired_word() -> None:
    found = []
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found += [f"{path.relative_to(ROOT)}:{node.lineno} {word}" for word in retired(node.value)]
    assert found == []


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_has_one_word_for_one_thing(path: Path) -> None:
    allowed = OF_OTHERS.get(path.relative_to(ROOT).as_posix(), set())
    assert synonyms(path.read_text(encoding="utf-8"), allowed) == []


def test_help_has_one_word_for_one_thing() -> None:
    found = []
    for path in sorted((ROOT / "core/wildreid/cli").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
                found += [f"{path.relative_to(ROOT)}:{node.lineno} {word}" for word in synonyms(node.value)]
    assert found == []


def test_each_exception_is_needed_and_each_term_is_in_the_glossary() -> None:
    for page, words in OF_OTHERS.items():
        text = (ROOT / page).read_text(encoding="utf-8").lower()
        assert {word for word in words if not re.search(rf"\b{word}\b", text)} == set(), page
    glossary = (ROOT / "docs/guides/glossary.md").read_text(encoding="utf-8")
    terms = {term for terms in SYNONYMS for term in terms.split(", ")}
    assert {term for term in terms if f"**{term}**" not in glossary} == set()


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("It is told\nof once.", 1), ("for want of space", 1), ("all, save that one", 1),
        ("take `join=True` away", 1),
        ("save it as JPEG", 0), ("it passes the limit", 0), ("far away", 0),
    ],
)  # fmt: skip
def test_the_list_finds_what_it_should_and_nothing_else(text: str, count: int) -> None:
    assert len(retired(text)) == count
