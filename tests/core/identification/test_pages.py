from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.core.gallery.made import MARK, annotations, made, unit

from wildreid.data.table import Table
from wildreid.gallery import thumbnails
from wildreid.gallery.history import encounters, individuals
from wildreid.gallery.store import Gallery
from wildreid.identification.identify import identify, unreadable
from wildreid.identification.outputs import Identified
from wildreid.identification.pages import history_page, identified_page
from wildreid.identification.search import Search

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    gallery = made(tmp_path / "g")
    gallery.rename("bear 0", EVIL)
    image = np.full((40, 60, 3), 128, np.uint8)
    thumbnails.save(gallery.folder, [(key, image) for key in gallery.state.rows["key"]])
    return gallery


def found(gallery: Gallery) -> Identified:
    names = [f"{EVIL}.jpg", "b.jpg", "c.jpg"]
    rows = pd.DataFrame(
        {
            "id": names,
            "key": [f"q{n:031x}" for n in range(3)],
            "image": names,
            "timestamp": pd.to_datetime(["2024-06-01 10:00:00", "2024-06-01 10:00:05", None]),
            "burst": [0, 0, 1],
        }
    )
    embeddings = gallery.state.embeddings(np.array([0, 1, 2]))
    images, bursts = identify(Search(gallery.state), rows, embeddings)
    bad = unreadable("bad<b>.jpg", "not an <i>image</i>")
    table = Table.of(pd.DataFrame({"image": [*names, "bad<b>.jpg"], "identity": None}), gallery.folder)
    return Identified(
        (*images, bad), tuple(bursts), ("a <u>note</u>",), Search(gallery.state), rows, embeddings, table
    )


def test_the_page_of_answers_shows_every_photo_and_no_name_as_html(gallery: Gallery) -> None:
    page = identified_page(found(gallery), lambda name: np.zeros((20, 30, 3), np.uint8))
    for text in (EVIL, "bad<b>.jpg", "<i>image</i>", "<u>note</u>"):
        assert text not in page
        assert text.replace("<", "&lt;").replace(">", "&gt;") in page
    assert "b.jpg" in page
    assert page.count("data:image/jpeg") >= 2 * (1 + 3)
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)""", page)
    assert str(gallery.folder) not in page


def test_the_page_shows_of_a_burst_what_is_most_like_its_first_candidate_and_searches_nothing(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = found(gallery)
    shown = []
    for answer in answers.encounters:
        code = gallery.state.code(answer.candidates[0].individual)
        scores = Search(gallery.state).similarity(answers.embeddings[list(answer.rows)])[:, code]
        assert scores.tolist() == sorted(scores, reverse=True)
        assert {answers.rows["id"][row] for row in answer.rows} == set(answer.images)
        shown.append(answers.rows["id"][answer.rows[0]])
    monkeypatch.setattr(Search, "similarity", None)
    asked: list[str] = []
    identified_page(answers, lambda name: asked.append(name))  # type: ignore[func-returns-value]
    assert asked == shown
    assert all("rows" not in one for one in answers.as_dict()["images"] + answers.as_dict()["encounters"])


def test_a_photo_that_is_gone_leaves_a_blank(gallery: Gallery) -> None:
    assert 'class="blank"' in identified_page(found(gallery), lambda name: None)


def test_history_is_individual_by_encounter(gallery: Gallery) -> None:
    state = gallery.state
    table = encounters(state)
    rows = annotations(60, 1).replace({"identity": {"bear 0": EVIL}})
    expected = rows.groupby(["identity", "visit"]).size()
    assert table.set_index(["individual", "encounter"])["images"].to_dict() == expected.to_dict()
    people = individuals(state).set_index("individual")
    assert people["encounters"].to_dict() == rows.groupby("identity")["visit"].nunique().to_dict()
    assert people["last_seen"].to_dict() == rows.groupby("identity")["timestamp"].max().to_dict()


def test_coordinates_are_shown_only_when_asked_for(tmp_path: Path) -> None:
    gallery = made(tmp_path / "g", rows=0)
    gallery.add(annotations(4, 1).assign(latitude=58.12345, longitude=-155.5), unit(4, 1), model=MARK)
    assert "latitude" not in encounters(gallery.state)
    assert "58.12345" not in history_page(gallery.state)
    assert "58.12345" in history_page(gallery.state, coordinates=True)
    assert encounters(gallery.state, coordinates=True)["latitude"].iloc[0] == pytest.approx(58.12345)


def test_the_page_of_a_history_has_a_timeline_for_each_individual(gallery: Gallery) -> None:
    page = history_page(gallery.state)
    assert EVIL not in page
    assert page.count('class="timeline"') == len(gallery.state.individuals)
    assert page.count("<circle") == len(encounters(gallery.state))


def test_a_gallery_without_dates_says_why_there_is_no_timeline(tmp_path: Path) -> None:
    gallery = made(tmp_path / "g", rows=0)
    gallery.add(annotations(4, 1).assign(timestamp=pd.NaT), unit(4, 1), model=MARK)
    assert "No image in this gallery has a date" in history_page(gallery.state)


def test_thumbnails_carry_nothing_but_pixels(tmp_path: Path) -> None:
    gallery = made(tmp_path / "g", rows=1)
    key = str(gallery.state.rows["key"][0])
    thumbnails.save(gallery.folder, [(key, np.full((300, 400, 3), 90, np.uint8))])
    data = thumbnails.place(gallery.folder, key).read_bytes()
    assert b"Exif" not in data
    loaded = thumbnails.load(gallery.folder, key)
    assert loaded is not None
    assert loaded.shape == (120, 160, 3)
    assert thumbnails.missing(gallery.state) == 0
    gallery.add(annotations(2, 2), unit(2, 2), model=MARK)
    assert thumbnails.missing(gallery.state) == 2
