from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

import wildreid
from wildreid.cli import app
from wildreid.data.columns import guess_columns, read_parts
from wildreid.data.dates import guess_form
from wildreid.data.read import read_table
from wildreid.identification import read_photos
from wildreid.pipeline.reading import of_file


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (["2024-05-01", "2024-05-02T10:00:00+02:00"], None),
        (["20240501", "20240531"], "%Y%m%d"),
        (["31/05/2024", "01/06/2024"], "%d/%m/%Y"),
        (["01/05/2024", "02/06/2024"], False),  # the fifth of January, or the first of May?
        (["Bella"], False),
        ([""], False),
    ],
)
def test_forms_of_dates(values: list[str], form: object) -> None:
    assert guess_form(pd.Series(values)) == form


def test_columns_are_told_by_name_and_content() -> None:
    rows = pd.DataFrame(
        {
            "file": ["a.jpg", "b.jpg"] * 2,
            "name": ["Bella"] * 3 + ["Cora"],
            "x": [1, 2, 3, 4],
            "date": ["soon"] * 4,
        }
    )
    assert guess_columns(rows) == {"image": "file", "identity": "name"}
    boxed = rows.assign(y=1, w=2, h=3)
    assert guess_columns(boxed)["box_left"] == "x"


def test_the_parts_of_others_are_understood() -> None:
    words = pd.Series(["Training", "valid", "test ", "seen", "other", None], dtype="string")
    assert read_parts(words).tolist()[:3] == ["train", "val", "test"]
    assert read_parts(words).isna().tolist()[3:] == [True, True, True]
    assert read_parts(words, {"Seen": "train"})[3] == "train"


DIALECTS = {
    "file path, animal id, site, event date, split": "%Y-%m-%d %H:%M:%S",
    "file_name,animal,station,taken,fold": "%d.%m.%Y %H:%M:%S",
    "image,identity,camera,timestamp,part": "%Y-%m-%dT%H:%M:%S",
}


def herd(folder: Path, header: str, form: str) -> Path:
    """Photos of three animals at two stations, and a table of them in somebody's words."""
    lines, day = [header], pd.Timestamp("2024-05-01 06:10:00")
    for number in range(12):
        name = f"photos/{number}.png"
        (folder / "photos").mkdir(exist_ok=True)
        Image.effect_noise((24, 24), 90).convert("RGB").save(folder / name)
        taken = (day + pd.Timedelta(days=number)).strftime(form)
        part = ("train", "validation", "test")[number % 3]
        lines.append(f"{name},{'ABC'[number // 2 % 3]}7,{'NS'[number % 2]},{taken},{part}")
    (folder / "table.csv").write_text("\n".join(lines))
    return folder / "table.csv"


@pytest.mark.parametrize(("header", "form"), DIALECTS.items())
def test_every_way_in_reads_the_words_of_others_alike(header: str, form: str, tmp_path: Path) -> None:
    file = herd(tmp_path, header, form)
    known = pd.DataFrame(
        {
            "identity": [f"{'ABC'[n // 2 % 3]}7" for n in range(12)],
            "camera": ["NS"[n % 2] for n in range(12)],
            "timestamp": [pd.Timestamp("2024-05-01 06:10") + pd.Timedelta(days=n) for n in range(12)],
        }
    ).astype({"identity": "string", "camera": "string", "timestamp": "datetime64[us]"})
    audited = of_file(file, None)  # reid audit
    asked = read_photos([file])  # reid identify, reid gallery create
    run = read_table(file, tmp_path)  # the data set `table` of a run
    for table in (audited, asked, run):
        rows = table.rows.sort_values("timestamp", ignore_index=True)
        pd.testing.assert_frame_equal(rows[list(known)], known, check_dtype=False)
    assert audited["part"].tolist() == ["train", "val", "test"] * 4
    done = CliRunner().invoke(app, ["new", "species", "herd", "--out", str(tmp_path), "--from", str(file)])
    assert done.exit_code == 0, done.output
    recipe = wildreid.load_recipe(tmp_path / "herd" / "recipe.yaml").recipe
    rows = recipe.dataset.table().rows.sort_values("timestamp", ignore_index=True)
    pd.testing.assert_frame_equal(rows[list(known)], known, check_dtype=False)


def test_what_was_taken_for_what_is_said(tmp_path: Path) -> None:
    file = herd(tmp_path, *next(iter(DIALECTS.items())))
    assert read_table(file, tmp_path).notes == (
        "table.csv: taken 'file path' as image, 'animal id' as identity, 'site' as camera, "
        "'event date' as timestamp, 'split' as part",
    )


def test_names_that_may_mean_another_thing_are_believed_only_where_the_values_look_so() -> None:
    rows = pd.DataFrame({"image": ["a.jpg", "b.jpg"], "name": ["first photo", "second photo"]})
    assert "identity" not in guess_columns(rows)  # each photo its own name: a title, no animal
    sized = pd.DataFrame({"image": ["a.jpg"], "x": [3], "y": [4], "width": [640], "height": [480]})
    assert "box_left" not in guess_columns(sized)  # a place, and the size of the photo
    ours = pd.DataFrame({"image": ["a.jpg"], "identity": ["x"], "path": ["a.jpg"]})
    assert guess_columns(ours) == {"image": "image", "identity": "identity"}
