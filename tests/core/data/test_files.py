"""Every file under a folder comes out: as an image, as a failure with its reason, or counted as passed over."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from wildreid.data.files import find_images
from wildreid.errors import UserError

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
