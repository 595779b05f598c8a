"""What a table knows of its photos goes into a gallery; a gallery of before there was such goes on working."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from wildreid.gallery import segments
from wildreid.gallery.manifest import FORMAT
from wildreid.identification import OpenGallery, create_gallery, open_gallery, read_data, read_photos


def test_what_a_table_knows_is_kept_in_a_gallery_and_comes_out_with_proposals(
    tiny: Path, known: OpenGallery, asked: Path, photos: Path, tmp_path: Path
) -> None:
    told = {"station": "007", "sex": "female", "utc_offset": 120, "private": True, "bait": "fish"}
    decided = {
        "method": "human",
        "decided_by": "Ada",
        "decided_at": "2024-06-01T09:30:00Z",
        "probability": 0.9,
    }
    pd.read_csv(asked).assign(**told, **decided).to_csv(tmp_path / "told.csv", index=False)
    gallery = create_gallery(tmp_path / "g", tiny)
    gallery.add(read_data(tmp_path / "told.csv", root=photos))
    rows = gallery.state.rows
    for name, value in {**told, **decided}.items():
        if name != "bait":
            assert (rows[name] == (pd.Timestamp(value) if name == "decided_at" else value)).all(), name
    found = known.discover(read_photos([tmp_path / "told.csv"], root=photos), cut=0.9)
    assert (found.rows["station"] == "007").all()
    assert not set(decided) & set(found.rows)  # they speak of the identity that the table gave


def test_a_gallery_of_format_1_answers_and_takes_new_photos(
    known: OpenGallery, asked: Path, photos: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "old"
    shutil.copytree(known.gallery.folder, folder)
    as_format_1(folder)
    old = open_gallery(folder)
    assert old.state.manifest.format == 1
    answers = [found.identify([photos / "0-0-0.png"]).images[0] for found in (old, known)]
    assert answers[0].individual == answers[1].individual == "who0"
    before = old.state.images
    added = old.add(read_photos([asked], root=photos))
    assert old.state.images == before + added.rows > before
    assert old.state.manifest.format == FORMAT


def as_format_1(folder: Path) -> None:
    """Take out what format 1 does not have."""
    manifest = json.loads((folder / "gallery.json").read_text())
    manifest["format"] = 1
    del manifest["encounters"]["event"]
    for segment in manifest["segments"]:
        file = folder / "segments" / f"{segment['name']}.parquet"
        pq.write_table(pq.read_table(file).drop_columns(list(segments.SINCE_2)), file)
        segment["annotations"] = segments.hash_of(file)
    (folder / "gallery.json").write_text(json.dumps(manifest))
