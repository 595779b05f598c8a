"""The pictures of pages can be made again, and each that the docs show is there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from figures.pages import HEIGHT, WIDTH, pages, shoot, shoot_desk
from made.browser import browser_here
from PIL import Image

DOCS = Path(__file__).parents[2] / "docs"


def test_each_picture_is_shown_and_each_that_is_shown_is_there() -> None:
    shown = set()
    for page in DOCS.glob("**/*.md"):
        for target in re.findall(r"!\[[^\]]*\]\(([^)]*images/[^)]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).is_file(), f"{page.name} shows {target}"
            shown.add((page.parent / target).resolve())
    assert shown == {path.resolve() for path in (DOCS / "images").iterdir()}


@pytest.mark.stress
def test_the_pictures_can_be_made(smoke_run: Path, tmp_path: Path) -> None:
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if browser_here() is None:
        pytest.skip("there is no Chromium on this machine")
    found = pages(smoke_run, tmp_path, profiles=["smoke"])
    assert shoot(found, tmp_path) == []
    root = Path(json.loads((smoke_run / "run.json").read_text(encoding="utf-8"))["root"])
    assert shoot_desk(tmp_path / "bears", tmp_path / "new.csv", root, tmp_path) == []
    for name in [*found, "desk"]:
        with Image.open(tmp_path / f"{name}.png") as picture:
            assert picture.size == (WIDTH, HEIGHT)
            assert len(np.unique(np.asarray(picture.convert("L")))) > 50, f"{name} is empty"
