"""No file of the engine grows past what one can keep in mind, and no function past a screen."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

CORE = Path(__file__).parents[2] / "core" / "wildreid"
FILES = sorted(CORE.rglob("*.py"))
LISTS = {"kinds.py", "hookspecs.py"}
"""Those that list the kinds, a few lines each."""
WHOLE = {"train", "rank_block"}
"""Functions that are read best from top to bottom: the training loop, the kernel of the ranking."""


def code_lines(source: str) -> set[int]:
    """The lines with code: neither blank nor comment nor part of a docstring."""
    silent = (
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.COMMENT,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    )
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in silent:
            lines |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            lines -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines


def functions(source: str) -> Iterator[tuple[str, int]]:
    """Each function, and how many lines of code its body has."""
    lines = code_lines(source)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = range(node.body[0].lineno, (node.end_lineno or 0) + 1)
            yield node.name, len(lines & set(body))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CORE)))
def test_a_file_has_300_lines_and_a_function_60_at_most(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert path.name in LISTS or source.count("\n") <= 300, "divide it by what its parts are for"
    long = {name: count for name, count in functions(source) if count > 60 and name not in WHOLE}
    assert long == {}, "take out the parts that have a name"


def test_what_counts_as_code() -> None:
    source = (
        'def f(\n    a,\n):\n    """Doc.\n\n    More.\n    """\n\n'
        "    # why\n    b = (\n        1\n    )\n    return b\n"
    )
    assert dict(functions(source)) == {"f": 4}
