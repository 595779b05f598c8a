"""A gallery of format 1, written before annotations had a station, a species or a deciding person."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.core.gallery.made import MARK, annotations, made, unit

from wildreid.errors import UserError
from wildreid.gallery import segments
from wildreid.gallery.check import verify
from wildreid.gallery.manifest import FORMAT
from wildreid.gallery.store import Gallery
from wildreid.identification.identify import identify
from wildreid.identification.search import Search

DIGEST = "e053b26dc9a93d456fd15938d4b18b18"
"""What the version that wrote the gallery said of it."""

KNOWN = {
    "station": "007",
    "deployment": "d1",
    "event": "d1 e1",
    "species": "Ursus arctos",
    "sex": "female",
    "life_stage": "adult",
    "media": "m1",
    "method": "human",
    "decided_by": "Ada",
    "utc_offset": 120.0,
    "latitude": 50.5,
    "detector_confidence": 0.9,
    "probability": 0.75,
    "decided_at": pd.Timestamp("2024-06-01T09:30:00Z"),
    "private": True,
}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    folder = tmp_path / "old"
    shutil.copytree(Path(__file__).parent / "format-1", folder)
    return folder


def test_a_gallery_of_format_1_says_what_it_said(old: Path) -> None:
    found = verify(old)
    assert (found.damage, found.digest, found.individuals, found.images) == ((), DIGEST, 3, 12)
    state = Gallery(old).state
    assert state.individuals == ("Bella", "bear 0", "bear 2")
    assert state.rows[list(segments.SINCE_2)].isna().all(axis=None)


def test_it_identifies(old: Path) -> None:
    state = Gallery(old).state
    asked = pd.DataFrame({"id": ["q"], "key": ["q"], "image": ["q"], "timestamp": [pd.NaT], "burst": [0]})
    images, _ = identify(Search(state), asked, state.embeddings(state.rows_of("Bella")[:1]), top=1)
    assert images[0].individual == "Bella"


def test_its_next_change_makes_it_the_newest_and_keeps_the_rest(old: Path) -> None:
    gallery = Gallery(old)
    before = gallery.state
    gallery.add(annotations(5, 2).assign(**KNOWN), unit(5, 2), model=MARK)
    assert json.loads((old / "gallery.json").read_text())["format"] == FORMAT
    assert verify(old).damage == ()
    state = gallery.state
    assert len(state.manifest.segments) == 1  # joined with the small one of format 1
    new = state.rows["change"] == 4
    assert state.rows.loc[~new, list(segments.SINCE_2)].isna().all(axis=None)
    for name, value in KNOWN.items():
        assert (state.rows.loc[new, name] == value).all(), name
    np.testing.assert_array_equal(state.embeddings(np.arange(12)), before.embeddings(np.arange(12)))
    gallery.undo()
    assert gallery.state.digest() == DIGEST


def test_what_is_known_is_part_of_what_a_gallery_says(tmp_path: Path) -> None:
    plain, told = made(tmp_path / "a", rows=0), made(tmp_path / "b", rows=0)
    plain.add(annotations(3, 1), unit(3, 1), model=MARK)
    told.add(annotations(3, 1).assign(sex="female"), unit(3, 1), model=MARK)
    assert plain.state.digest() != told.state.digest()


def test_a_later_format_is_refused(old: Path) -> None:
    text = (old / "gallery.json").read_text()
    (old / "gallery.json").write_text(text.replace('"format": 1', '"format": 4'))
    with pytest.raises(UserError, match="has format 4; this version of wildreid reads 1 and 2 and 3"):
        Gallery(old)
