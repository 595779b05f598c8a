"""Two galleries of one team become one."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.core.gallery.made import made
from typer.testing import CliRunner

from wildreid.cli import app
from wildreid.errors import UserError
from wildreid.gallery import thumbnails
from wildreid.gallery.store import Gallery
from wildreid.identification import OpenGallery, create_gallery, open_gallery, read_data


def test_two_halves_become_the_whole(tiny: Path, known: OpenGallery, tmp_path: Path) -> None:
    table = read_data(tiny, parts=["train", "val"])
    halves = []
    for half in (0, 1):
        opened = create_gallery(tmp_path / str(half), tiny)
        opened.add(table.with_rows(table.rows.iloc[half::2]))
        halves.append(opened)
    before = halves[0].state.digest()
    joined = halves[0].join(halves[1].gallery)
    assert joined.added.rows + len(joined.added.left) == len(halves[1].state.rows)
    assert joined.shared == halves[1].state.individuals
    assert halves[0].state.digest() == known.state.digest()
    assert thumbnails.missing(halves[0].state) == 0
    halves[0].gallery.undo()
    assert halves[0].state.digest() == before


def test_conflicts_are_listed_and_change_nothing(tiny: Path, tmp_path: Path) -> None:
    table = read_data(tiny, parts=["val"])
    one = create_gallery(tmp_path / "one", tiny)
    one.add(table)
    other = create_gallery(tmp_path / "other", tiny)
    other.add(table.with_rows(table.rows.assign(identity=table["identity"].str.upper())))
    joined = one.join(other.gallery)
    assert joined.added.rows == 0
    assert len(joined.added.left) == len(table)
    assert "is in the gallery already, as 'who0'" in joined.added.left[0].reason
    assert ("who0", "WHO0") in joined.near
    with pytest.raises(UserError, match="to itself"):
        one.join(one.gallery)


def test_another_model_needs_the_photos(known: OpenGallery, photos: Path, tmp_path: Path) -> None:
    foreign = made(tmp_path / "foreign")
    copy = tmp_path / "copy"
    shutil.copytree(known.gallery.folder, copy)
    with pytest.raises(UserError, match="another model"):
        open_gallery(copy).join(foreign)


def test_the_photos_of_another_gallery_are_embedded_anew(
    tiny: Path, known: OpenGallery, photos: Path, tmp_path: Path
) -> None:
    fresh = create_gallery(tmp_path / "g", tiny)
    joined = fresh.join(known.gallery, root=photos)
    assert joined.added.rows == len(known.state.rows)
    assert sorted(fresh.state.individuals) == sorted(known.state.individuals)
    a, b = known.state, fresh.state
    at = [b.row_of[key] for key in a.rows["key"]]
    np.testing.assert_allclose(a.embeddings(np.arange(len(a.rows))), b.embeddings(np.array(at)), atol=1e-5)


def test_a_gallerys_folder_is_no_data(known: OpenGallery, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(known.gallery.folder, copy)
    for command in (
        ["gallery", "add", str(copy), str(known.gallery.folder)],
        ["identify", str(copy), str(copy)],
    ):
        done = CliRunner().invoke(app, command)
        assert isinstance(done.exception, UserError)
        assert "is a gallery, not a folder of photos" in str(done.exception)
    assert Gallery(copy).state.digest() == known.state.digest()


def test_a_gallery_that_was_stopped_before_it_was_one_is_begun_again(tiny: Path, tmp_path: Path) -> None:
    create_gallery(tmp_path / "g", tiny)
    (tmp_path / "g" / "gallery.json").unlink()  # as a kill between the model and the manifest leaves it
    create_gallery(tmp_path / "g", tiny)
    (tmp_path / "h").mkdir()
    (tmp_path / "h" / "thesis.txt").touch()
    with pytest.raises(UserError, match="is not empty"):
        create_gallery(tmp_path / "h", tiny)
