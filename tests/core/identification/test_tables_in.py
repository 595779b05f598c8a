"""Tables as people have them go into a gallery, and what it writes about photos goes in again."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from wildreid.cli import app
from wildreid.errors import UserError
from wildreid.gallery.store import Gallery
from wildreid.identification import OpenGallery, open_gallery

SIDES = ("left", "top", "width", "height")


def reid(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "400"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def gallery(known: OpenGallery, tmp_path: Path) -> Path:
    """A copy that may be changed."""
    return Path(shutil.copytree(known.gallery.folder, tmp_path / "known"))


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """Six photos of nobody in particular."""
    (tmp_path / "inbox").mkdir()
    draw = np.random.default_rng(7)
    for number in range(6):
        pixels = draw.integers(0, 255, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "inbox" / f"{number}.png")
    return tmp_path / "inbox"


def theirs(inbox: Path, **columns: object) -> Path:
    rows = pd.DataFrame({"scan": [f"{number}.png" for number in range(6)]}).assign(**columns)
    rows.to_csv(inbox / "t.csv", index=False)
    return inbox / "t.csv"


def test_columns_dates_and_words_can_be_said(gallery: Path, inbox: Path) -> None:
    who = ["Ada", "Ada", "Bo", "Bo", "NA", "7.0"]
    table = theirs(inbox, wer=who, wann=[f"0{n}/05/23" for n in range(1, 7)])
    said = ["--columns", "image=scan", "--columns", "identity=wer", "--columns", "timestamp=wann"]
    with pytest.raises(UserError, match="'NA' \\(1 row\\): is that a name"):
        reid("gallery", "add", gallery, table, *said, "--dates", "%d/%m/%y")
    out = reid("gallery", "add", gallery, table, *said, "--dates", "%d/%m/%y", "--unknown", "NA").output
    assert "added 5 images of 3 individuals" in out
    state = Gallery(gallery).state
    assert {"Ada", "Bo", "7"} <= set(state.individuals)
    mine = state.rows[state.rows["image"] == "0.png"]
    assert mine["timestamp"].iloc[0] == pd.Timestamp("2023-05-01")
    found = reid("identify", gallery, table, *said[:2], *said[4:], "--dates", "%d/%m/%y").output
    assert "6 photos in 6 bursts" in found


def test_a_name_that_is_nearly_known_is_told_of(gallery: Path, inbox: Path) -> None:
    reid("gallery", "add", gallery, one(inbox, "0.png", "Ada"))
    out = reid("gallery", "add", gallery, one(inbox, "1.png", "ada ")).output
    assert "'Ada' and 'ada' are two animals now" in out


def one(inbox: Path, image: str, who: str) -> Path:
    pd.DataFrame({"image": [image], "identity": [who]}).to_csv(inbox / "one.csv", index=False)
    return inbox / "one.csv"


def test_days_alone_are_answered_photo_by_photo(known: OpenGallery, inbox: Path) -> None:
    rows = pd.DataFrame({"image": [f"{n}.png" for n in range(6)], "camera": "S1", "timestamp": "2023-05-01"})
    rows.to_csv(inbox / "t.csv", index=False)
    found = known.identify([inbox / "t.csv"])
    assert len(found.encounters) == 6
    assert any("dates without a time of day: 6" in note for note in found.notes)
    rows.assign(timestamp="2023-05-01 06:10:00").to_csv(inbox / "t.csv", index=False)
    assert len(known.identify([inbox / "t.csv"]).encounters) == 1


def test_what_is_written_of_photos_is_read_again(
    known: OpenGallery, gallery: Path, inbox: Path, tmp_path: Path
) -> None:
    boxed = pd.DataFrame(
        {
            "image": [f"{n}.png" for n in range(6)],
            **{f"box_{side}": [length, None] * 3 for side, length in zip(SIDES, (0, 0, 20, 30), strict=True)},
        }
    )
    boxed.to_csv(inbox / "t.csv", index=False)
    found = known.identify([inbox / "t.csv"])
    found.save_csv(tmp_path / "who.csv")
    again = known.identify([tmp_path / "who.csv"], root=inbox)
    assert [answer.query for answer in again.images] == [answer.query for answer in found.images]
    known.discover([inbox / "t.csv"], cut=0.5).save_csv(tmp_path / "proposals.csv")
    out = reid("gallery", "add", gallery, tmp_path / "proposals.csv", "--root", inbox).output
    assert "added 6 images" in out


def test_rows_that_cannot_be_used_have_an_answer_in_their_place(known: OpenGallery, inbox: Path) -> None:
    (inbox / "t.csv").write_text(
        "image,box_left,box_top,box_width,box_height\n0.png,,,,\n,3,,,\n\n1.png,3,,20,30\n2.png,,,,\n"
    )
    found = known.identify([inbox / "t.csv"])
    assert [answer.query for answer in found.images] == ["0.png", "row 3", "1.png", "2.png"]
    assert [answer.verdict == "unreadable" for answer in found.images] == [False, True, True, False]


def test_a_table_whose_photos_lie_elsewhere_says_how_to_find_them(
    gallery: Path, inbox: Path, tmp_path: Path
) -> None:
    table = theirs(inbox, identity="Ada").rename(tmp_path / "t.csv")
    with pytest.raises(UserError, match="none of the 6 photos is there"):
        reid("gallery", "add", gallery, table, "--columns", "image=scan")


def test_columns_without_a_table_and_photos_that_are_none_are_refused(
    known: OpenGallery, inbox: Path
) -> None:
    with pytest.raises(UserError, match="go with a table"):
        reid("identify", known.gallery.folder, inbox, "--dates", "excel")
    with pytest.raises(UserError, match="None is no path"):
        known.identify([None])  # type: ignore[list-item]


def test_a_file_name_that_would_steer_the_terminal_is_written_out(gallery: Path, inbox: Path) -> None:
    (inbox / "0.png").rename(inbox / "\x1b[31m0.png")
    out = reid("identify", gallery, inbox).output
    assert "\x1b" not in out
    assert "\\x1b[31m0.png" in out
    assert open_gallery(gallery).identify([inbox]).images[0].query.startswith("\x1b")
