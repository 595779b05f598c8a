"""The page: escaped, self-contained, and bound to run no script but its own."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from pathlib import Path

import pytest

from wildreid.page import TEMPLATES, render

BAD = "</title><script>alert(1)</script>"


@pytest.fixture
def page(tmp_path: Path) -> str:
    template = tmp_path / "own.html"
    template.write_text(
        '{% extends "page.html" %}{% import "parts.html" as parts with context %}'
        "{% block content %}{{ name }}{{ parts.badges('no dates') }}"
        "{{ 0.614|percent }} {{ 2000|count('photo') }}{% set cell = {'words': name, 'sort': name} %}"
        "{{ parts.table('t', [{'words': name, 'number': True}], [[cell]], name, filter=name) }}{% endblock %}"
    )
    (tmp_path / "own.js").write_text("let own = 1;")
    (tmp_path / "own.css").write_text(".own { color: red; }")
    return render(
        template,
        scripts=[tmp_path / "own.js"],
        styles=[tmp_path / "own.css"],
        title=BAD,
        stamp="sample",
        sections=[("a", BAD)],
        made=BAD,
        name=BAD,
    )


def test_names_are_text_everywhere(page: str) -> None:
    assert "alert(1)" in page
    assert "<script>alert" not in page


def test_words(page: str) -> None:
    assert "61.4\N{NO-BREAK SPACE}%" in page
    assert "2,000 photos" in page
    assert "optimistic: no dates" in page
    assert page.count('class="stamp"') == 2


def test_the_policy_allows_the_scripts_that_were_given_and_no_other(page: str) -> None:
    found = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert found
    policy = html.unescape(found[1])
    hashes = re.findall(r"'sha256-([^']*)'", policy)
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert [base64.b64encode(hashlib.sha256(code.encode()).digest()).decode() for code in scripts] == hashes
    assert (TEMPLATES / "page.js").read_text() == scripts[0]
    assert scripts[1] == "let own = 1;"
    assert policy.startswith("default-src 'none';")
    assert "unsafe-inline" not in policy.partition("script-src")[2]


def test_nothing_is_loaded(page: str) -> None:
    assert not re.search(r"(?:src|href)\s*=\s*[\"'](?!#|data:)", page)
    assert "url(" not in page
    assert "@import" not in page
