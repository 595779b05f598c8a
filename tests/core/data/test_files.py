"""Every file under a folder comes out: as an image, as a failure with its reason, or counted as passed over."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from wildreid.data.files import find_images
from wildreid.data.rows import read_rows
from wildreid.errors import UserError
from wildreid.files import cells

NAMES = st.sampled_from(
    [
        "a.jpg",
        "B.JPEG",
        "c.png",
        "d.HEIC",
        "e.NEF",
        "f.avi",
        "g.json",
        "h",
        ".i.jpg",
        "thumbs.db",
        "j.tiff",
        "k.avif",
    ]
)
FOLDERS = st.sampled_from(
    ["Ada", "Löwe 1", "@eaDir", ".thumbnails", "#recycle", "100RECNX", "__MACOSX", "left"]
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.sets(st.tuples(st.lists(FOLDERS, max_size=3).map(tuple), NAMES), max_size=25))
def test_files_in_are_files_out(
    files: set[tuple[tuple[str, ...], str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("tree")
    for folders, name in files:
        folder = root.joinpath(*folders)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    found = find_images(root)
    passed = [note for note in found.notes if note.startswith("passed over")]
    passed_over = sum(map(int, re.findall(r"(\d+) (?:hidden|files in)", "".join(passed))))
    assert len(found.images) + len(found.others) + passed_over == len(files)
    assert all((root / name).is_file() for name in [*found.images, *(one.image for one in found.others)])
    assert not any(
        part in ("@eaDir", ".thumbnails", "#recycle") for one in found.images for part in one.split("/")
    )


def test_what_is_not_read_says_why_and_what_to_do(tmp_path: Path) -> None:
    for name in ("a.HEIC", "b.HEIC", "c.NEF", "d.AVI", "e.odd"):
        (tmp_path / name).touch()
    (tmp_path / "f.jpg").touch()
    found = find_images(tmp_path)
    reasons = {one.image: one.reason for one in found.others}
    assert "save a copy as JPEG" in reasons["a.HEIC"]
    assert "raw file" in reasons["c.NEF"]
    assert "film" in reasons["d.AVI"]
    assert reasons["e.odd"] == "not an image by its name"
    assert found.notes == ["5 files are not read: 2 .heic, 1 .nef, 1 .avi, 1 .odd"]


def test_links_to_folders_are_followed_once_and_never_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "tree" / "Ada").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "b.jpg").touch()
    (tmp_path / "tree" / "Ada" / "a.jpg").touch()
    os.symlink(tmp_path / "elsewhere", tmp_path / "tree" / "Bo")
    os.symlink(tmp_path / "tree", tmp_path / "tree" / "Ada" / "round")
    found = find_images(tmp_path / "tree")
    assert found.images == ["Ada/a.jpg", "Bo/b.jpg"]
    assert found.notes == ["passed over: 1 links to folders that were looked into already"]


def test_a_folder_that_cannot_be_read_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "a.jpg").touch()
    scan = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr("os.scandir", refuse)
    found = find_images(tmp_path)
    assert [(one.image, one.reason) for one in found.others] == [
        ("closed", "the folder cannot be read: Permission denied")
    ]


@pytest.mark.parametrize(("file", "kind"), [("gallery.json", "gallery"), ("stages.json", "run")])
def test_what_wildreid_wrote_is_no_folder_of_photos(file: str, kind: str, tmp_path: Path) -> None:
    made = tmp_path / "herd"
    (made / "thumbnails" / "ab").mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(made / "thumbnails" / "ab" / "x.jpg")
    (made / file).write_text("{}")
    with pytest.raises(UserError, match=f"is a {kind}, not a folder of photos"):
        find_images(made)
    (tmp_path / "a.jpg").touch()
    found = find_images(tmp_path)  # one below the folder is left out, and said
    assert found.images == ["a.jpg"]
    assert {one.reason for one in found.others} == {f"it belongs to a {kind} of wildreid"}


@pytest.mark.skipif(os.name != "posix", reason="names are Unicode there")
def test_names_that_are_not_utf8_are_failures_with_their_bytes_written_out(tmp_path: Path) -> None:
    root = tmp_path / "photos"
    (root / "Ada").mkdir(parents=True)
    bad = os.fsencode(root / "Ada") + b"/L\xf6we.jpg"
    try:
        open(bad, "wb").close()
    except OSError:
        pytest.skip("this file system takes UTF-8 alone")
    os.mkdir(os.fsencode(root) + b"/B\xe4r")
    open(os.fsencode(root) + b"/B\xe4r/1.jpg", "wb").close()
    (root / "Ada" / "1.jpg").touch()
    found = find_images(root)
    assert found.images == ["Ada/1.jpg"]
    assert [failure.image for failure in found.others] == ["Ada/L\\xf6we.jpg", "B\\xe4r/1.jpg"]
    assert all("not UTF-8" in failure.reason for failure in found.others)
    with pytest.raises(UserError, match="not UTF-8"):
        find_images(Path(os.fsdecode(os.fsencode(root) + b"/B\xe4r")))


def test_cells_are_no_formulas_and_are_read_as_they_were(tmp_path: Path) -> None:
    rows = pd.DataFrame({"image": ["-1.jpg", "a.jpg"], "identity": ["=1+1", "@Ada"], "score": [-0.5, 0.5]})
    cells(rows).to_csv(tmp_path / "t.csv", index=False)
    lines = (tmp_path / "t.csv").read_text().splitlines()
    assert lines[1] == "'-1.jpg,'=1+1,-0.5"
    again, _ = read_rows(tmp_path / "t.csv")
    assert again["image"].tolist() == ["-1.jpg", "a.jpg"]
    assert again["identity"].tolist() == ["=1+1", "@Ada"]
