from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError
from tests.core.data.test_tags import keywords, photo
from tests.core.data.test_xmp import bag, packet

from wildreid.errors import UserError
from wildreid_plugins.datasets import PhotoTags


def test_photos_at_any_depth_are_read_and_every_file_is_accounted_for(tmp_path: Path) -> None:
    photo(tmp_path / "2021/a.jpg", keywords("individual|pride A|Bella"))
    photo(tmp_path / "b.jpg")
    (tmp_path / "film.mp4").write_text("x")
    table = PhotoTags(root=tmp_path).table()
    assert table.rows.set_index("image")["identity"].fillna("?").to_dict() == {
        "2021/a.jpg": "Bella",
        "b.jpg": "?",
    }
    assert [failure.image for failure in table.failures] == ["film.mp4"]
    assert table.origin is not None
    assert (table.origin.records, table.origin.rows) == (3, 2)


def test_other_tags_and_flat_keywords_may_be_names(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg", packet(bag("lr:hierarchicalSubject", "Animal|Bella")))
    photo(tmp_path / "b.jpg", packet(bag("dc:subject", "F12", "lion")))
    table = PhotoTags(root=tmp_path, tag="animal", pattern="F[0-9]+").table()
    assert table["identity"].tolist() == ["Bella", "F12"]


def test_what_cannot_be_meant_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="no regular expression"):
        PhotoTags(root=tmp_path, pattern="(")
    with pytest.raises(UserError, match="there is no photo"):
        PhotoTags(root=tmp_path).table()


def test_real_frames_are_told_by_their_tags_and_dated_by_their_headers(real_data: Path) -> None:
    table = PhotoTags(root=real_data / "formats/camtrapr").table()
    assert table["identity"].tolist() == ["2", "2", "3", "1"]
    assert table["timestamp"][0] == pd.Timestamp("2009-04-21 00:40:00")
