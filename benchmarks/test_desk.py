"""The review desk: how long a person waits. Random embeddings in clusters stand in for photos."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from benchmarks.record import Record
from benchmarks.timing import Clock, Seconds

pytest.importorskip("uvicorn", reason="the extra review is not installed")

from benchmarks.stages.desk import Browser, catalogue, first_page

from wildreid.gallery.store import Gallery

IMAGES = 100_000


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100,000 images of 5,000 individuals, in encounters of two."""
    folder = tmp_path_factory.mktemp("desk") / "gallery"
    catalogue(folder, IMAGES)
    return folder


def test_the_next_question(record: Record, gallery: Path, tmp_path: Path) -> None:
    """From the answer to a decision to the next question, over http on one machine; the gallery changes between.

    Each decision adds an encounter of two photos, and what is to be asked about the gallery itself follows it. The
    gallery's own encounters were compared with one another before, while a person would already review new photos.
    """
    shutil.copytree(gallery, tmp_path / "gallery")
    browser = Browser(Gallery(tmp_path / "gallery"), tmp_path / "photos", 60)

    def after_a_decision() -> Seconds:
        browser.decide()
        clock = Clock()
        browser.next()
        return clock.read()

    try:
        record.beside(
            "The desk: next question", {"images": IMAGES, "individuals": IMAGES // 20, "to decide": 60},
            {"wildreid": after_a_decision}, pairs=20, aims={"seconds": ("<=", 0.1)},
            figures={"comparing all encounters, s": browser.compared},
        )  # fmt: skip
    finally:
        browser.close()


def test_the_first_page(record: Record, gallery: Path) -> None:
    """From the command to its page, in a process of its own; the gallery's files have been read before."""
    record.beside(
        "The desk: first page", {"images": IMAGES}, {"wildreid": lambda: first_page(gallery)},
        aims={"seconds": ("<=", 2.0)},
    )  # fmt: skip
