from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from wildreid.data.audit import audit
from wildreid.data.fingerprints import fingerprint
from wildreid.data.groups import annotate
from wildreid.data.splits import split
from wildreid.data.table import Failure, Table
from wildreid.recipe.settings import Encounters
from wildreid.survey import facts, write
from wildreid.survey.plots import histogram
from wildreid.survey.words import warnings
from wildreid.testing.photos import draw_photos
from wildreid_plugins.splitters import OpenSet

WICKED = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def surveyed(tmp_path_factory: pytest.TempPathFactory) -> Table:
    root = tmp_path_factory.mktemp("photos")
    made = pd.read_csv(draw_photos(root, individuals=8, encounters=3, size=48))
    made["identity"] = made["identity"].replace("animal00", WICKED)
    made.loc[1, "timestamp"] = None
    boxed = made.index == 4
    for name in ("box_left", "box_top", "box_width", "box_height"):
        made[name] = pd.Series(20.0, index=made.index).where(boxed)
    table = Table.of(made, root, [Failure("notes.txt", "not an image by its name")])
    table = fingerprint(table, cache=root / "cache")
    return split(annotate(table, Encounters()), OpenSet(val=0.2), seed=0)


def test_the_facts_are_those_of_plain_counting(surveyed: Table) -> None:
    rows, found = surveyed.rows, facts(surveyed)
    assert found.individuals["images"].to_dict() == rows["identity"].value_counts().to_dict()
    assert found.individuals["images"].is_monotonic_decreasing
    assert (
        found.individuals[["train", "val", "test"]]
        .sum(axis=1)
        .equals(found.individuals["images"].astype(float))
    )
    assert found.calendar["images"].sum() == rows["timestamp"].notna().sum()
    assert found.bursts["images"].sum() == rows["timestamp"].notna().sum()
    assert found.bursts["images"].is_monotonic_decreasing
    assert found.cameras["images"].to_dict() == rows["camera"].value_counts().to_dict()
    assert (found.sizes == 48).all().all()
    assert sorted(set(found.crops)) == [20, 48]
    assert (found.undated, found.boxes, found.unnamed) == (1, 1, 0)


def test_doubles_are_told_apart(surveyed: Table) -> None:
    rows = surveyed.rows.copy()
    a, b = rows.drop_duplicates("identity").index[:2]
    mine = rows.index[rows["identity"] == rows["identity"][a]]
    rows.loc[b, "content"] = rows["content"][a]
    days = rows.loc[mine].drop_duplicates("encounter").index
    rows.loc[days[1], "phash"] = rows["phash"][days[0]]
    found = facts(surveyed.with_rows(rows)).twice
    assert found["two individuals"] == [tuple(sorted((a, b)))]
    assert tuple(sorted((days[0], days[1]))) in [tuple(sorted(pair)) for pair in found["alike"]]


def test_the_warnings_say_how_many_of_how_many(surveyed: Table) -> None:
    said = " ".join(warnings(facts(surveyed), audit(surveyed), size=64, failures=1))
    assert "1 of 8 individuals have a single encounter: they can never be matched across encounters" in said
    assert f"1 of {len(surveyed)} images have no date" in said
    assert f"{len(surveyed)} of {len(surveyed)} annotations are smaller than the 64 pixels" in said
    assert "1 file or row is left out" in said
    assert "fewer than 30 individuals" in said


def test_the_page_is_one_file_with_every_section_and_escapes_names(surveyed: Table, tmp_path: Path) -> None:
    files = write(
        surveyed, tmp_path / "out", title="tiny", stamp="sample", splitter="the open-set splitter", size=32
    )
    assert files[0] == tmp_path / "out/index.html"
    assert {path.name for path in files[1:]} == {
        "individuals.png", "encounters.png", "bursts.png", "sizes.png", "calendar.png",
    }  # fmt: skip
    for path in files[1:]:
        with Image.open(path) as picture:
            assert picture.width > 800
    text = files[0].read_text(encoding="utf-8")
    for anchor in ("data", "individuals", "time", "bursts", "cameras", "images", "split"):
        assert f'<section id="{anchor}">' in text
    assert WICKED not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in text
    assert 'id="augmented"' not in text
    assert ">sample<" in text


def test_cameras_and_folders_are_withheld_unless_private(surveyed: Table, tmp_path: Path) -> None:
    open_ = write(surveyed, tmp_path / "a", title="t", splitter="s", size=32)[0].read_text(encoding="utf-8")
    private = write(surveyed, tmp_path / "b", title="t", splitter="s", size=32, private=True)[0]
    assert "camera1" not in open_
    assert "camera 1" in open_
    assert "camera1" in private.read_text(encoding="utf-8")
    assert str(surveyed.root) not in open_


def test_a_contact_sheet_shows_what_training_will_see(surveyed: Table, tmp_path: Path) -> None:
    rows = [[np.full((32, 32, 3), n, np.uint8) for n in (0, 100, 200)] for _ in range(2)]
    files = write(surveyed, tmp_path, title="t", splitter="s", size=32, augmented=rows)
    assert files[-1].name == "augmented.png"
    sheet = np.asarray(Image.open(files[-1]))
    assert sheet.shape == (2 * 38 + 6, 3 * 38 + 6, 3)
    assert sheet[20, 6 + 38 + 10, 0] == 100
    assert 'id="augmented"' in files[0].read_text(encoding="utf-8")


def test_data_without_dates_boxes_or_hashes_have_a_page_too(surveyed: Table, tmp_path: Path) -> None:
    bare = surveyed.rows[["image", "identity"]]
    table = split(
        annotate(Table.of(bare, surveyed.root), Encounters()), OpenSet(new_val=0.2, new_test=0.2), seed=0
    )
    text = write(table, tmp_path, title="t", splitter="s", size=32)[0].read_text(encoding="utf-8")
    assert "No image has a date" in text
    assert "near duplicates were not looked for" in text
    assert not (tmp_path / "calendar.png").exists()


def test_the_classes_of_a_histogram_hold_each_value_once() -> None:
    bars = histogram("n", "t", "x", "y", [1, 1, 2, 5, 6, 99], (1, 2, 3, 5, 7, 10))
    assert dict(zip(bars.labels, bars.layers["all"], strict=True)) == {
        "1": 2,
        "2": 1,
        "3–4": 0,
        "5–6": 2,
        "7–9": 0,
        "10+": 1,
    }
    assert bars.ticks[0] == 0
    assert bars.ticks[-1] >= bars.top
