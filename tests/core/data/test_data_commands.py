from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from wildreid.cli import audit as audit_command
from wildreid.cli import data as data_command
from wildreid.errors import UserError
from wildreid.pipeline import reading
from wildreid.survey.augmented import contact_sheet
from wildreid.testing.photos import draw_photos

RECIPE = """\
name: tiny
dataset: {name: table, root: photos, file: photos.csv}
splitter: {name: %s, val: 0.2}
images: {size: 32}
transforms: [rotation, color]
backbone: {name: timm, model: test_resnet, pretrained: false}
head: mlp
loss: triplet
miner: hard
sampler: per-identity
optimizer: adam
scheduler: constant
metrics: [accuracy-at-k]
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("place")
    draw_photos(folder / "photos", individuals=8, encounters=4, size=40)
    (folder / "good.yaml").write_text(RECIPE % "open-set")
    (folder / "leaky.yaml").write_text(RECIPE % "random")
    return folder


def invoke(*words: str) -> tuple[int, str]:
    app = typer.Typer()
    audit_command.register(app)
    data_command.register(app)
    result = CliRunner().invoke(app, list(words))
    if isinstance(result.exception, UserError):
        raise result.exception
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout


def test_a_recipe_whose_split_is_clean_exits_with_0(place: Path) -> None:
    code, text = invoke("audit", str(place / "good.yaml"))
    assert code == 0
    assert "No leak was found." in text


def test_a_recipe_whose_split_leaks_exits_with_1(place: Path) -> None:
    code, text = invoke("audit", str(place / "leaky.yaml"))
    assert code == 1
    assert "The split leaks." in text
    clean, _ = invoke("audit", str(place / "leaky.yaml"), "--set", "splitter.name=disjoint-set")
    assert clean == 0


def test_shares_that_the_splitter_could_not_reach_are_told(place: Path) -> None:
    asked = ["--set", "splitter.name=disjoint-set", "--set", "splitter.test=0.03"]  # an animal is an eighth
    code, text = invoke("audit", str(place / "good.yaml"), *asked)
    assert code == 0
    assert "! the splitter could not reach a share: test has" in text
    assert "asked for were 3 %" in text
    told = json.loads(invoke("audit", str(place / "good.yaml"), *asked, "--json")[1])["unreached"]
    assert any(one.startswith("test has") for one in told)
    asked[-1] = "splitter.test=0.27"  # two of those animals
    reached = json.loads(invoke("audit", str(place / "good.yaml"), *asked, "--json")[1])["unreached"]
    assert not any(one.startswith("test has") for one in reached)


def test_json_is_for_machines(place: Path) -> None:
    code, text = invoke("audit", str(place / "leaky.yaml"), "--json")
    found = json.loads(text)
    assert code == 1
    assert found["leaks"] is True
    assert found["crossings"][0]["counts"]["near_duplicate"] is not None


def test_anyones_table_is_audited_by_the_usual_names(place: Path) -> None:
    table = pd.read_csv(place / "photos/photos.csv")
    parts = np.random.default_rng(0).choice(["training", "valid", "test"], len(table), p=[0.7, 0.1, 0.2])
    others = table.rename(
        columns={"image": "path", "identity": "label", "timestamp": "date", "camera": "station"}
    )
    others.assign(split=parts).to_csv(place / "theirs.csv", index=False)
    code, text = invoke("audit", str(place / "theirs.csv"), "--json")
    found = json.loads(text)
    assert code == 1
    naive = sum(
        any((table["image"][n][:8] == table["image"][m][:8]) and parts[m] == "training"
            and table["timestamp"][n][:10] == table["timestamp"][m][:10] for m in range(len(table)))
        for n in range(len(table)) if parts[n] == "test"
    )  # fmt: skip
    assert found["crossings"][0]["counts"]["identity_and_day"] == naive
    assert found["crossings"][0]["counts"]["near_duplicate"] is None  # the images are not beside the table
    _, with_images = invoke("audit", str(place / "theirs.csv"), "--json", "--root", str(place / "photos"))
    assert json.loads(with_images)["crossings"][0]["counts"]["near_duplicate"] is not None


def test_a_table_without_parts_says_what_is_missing(place: Path) -> None:
    with pytest.raises(UserError, match="no column 'part'"):
        invoke("audit", str(place / "photos/photos.csv"))


def test_a_run_is_audited_from_its_folder(place: Path, tmp_path: Path) -> None:
    from wildreid.recipe import load_recipe

    reading.of_recipe(load_recipe(place / "leaky.yaml")).save(tmp_path / "split.parquet")
    code, text = invoke("audit", str(tmp_path))
    assert code == 1
    assert "The split leaks." in text


def test_the_data_of_a_recipe_are_put_on_a_page(place: Path, tmp_path: Path) -> None:
    code, text = invoke("data", str(place / "good.yaml"), "--out", str(tmp_path / "out"), "--augmented")
    assert code == 0
    assert str(tmp_path / "out/index.html") in text
    page = (tmp_path / "out/index.html").read_text(encoding="utf-8")
    assert "open-set splitter, seed 0" in page
    assert 'id="augmented"' in page
    assert (tmp_path / "out/augmented.png").is_file()


def test_a_stamp_stands_on_the_page(place: Path, tmp_path: Path) -> None:
    invoke("data", str(place / "good.yaml"), "--out", str(tmp_path), "--set", "stamp=sample")
    assert '<span class="stamp">sample</span>' in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_augmentation_changes_pixels_and_nothing_else(place: Path) -> None:
    from wildreid.recipe import load_recipe

    loaded = load_recipe(place / "good.yaml")
    table = reading.of_recipe(loaded)
    sheet = contact_sheet(table, loaded.recipe)
    assert all(image.shape == (32, 32, 3) and image.dtype == np.uint8 for row in sheet for image in row)
    assert all(not np.array_equal(row[0], other) for row in sheet for other in row[1:])
    again = contact_sheet(table, loaded.recipe)
    assert all(
        np.array_equal(a, b)
        for one, two in zip(sheet, again, strict=True)
        for a, b in zip(one, two, strict=True)
    )


def test_data_that_cannot_be_divided_still_have_their_page(tmp_path: Path) -> None:
    draw_photos(tmp_path / "photos", individuals=3, encounters=2, size=40)
    rows = pd.read_csv(tmp_path / "photos" / "photos.csv").assign(timestamp="1970-01-01 00:00:00")
    rows.to_csv(tmp_path / "photos" / "photos.csv", index=False)
    (tmp_path / "recipe.yaml").write_text(RECIPE % "closed-set")
    with pytest.raises(UserError, match="is empty"):
        invoke("audit", str(tmp_path / "recipe.yaml"))
    code, _ = invoke("data", str(tmp_path / "recipe.yaml"), "--out", str(tmp_path / "page"))
    assert code == 0
    assert (tmp_path / "page" / "index.html").is_file()


@pytest.mark.parametrize("word", ["tets", "1/2", "trainval/query"])
def test_a_word_that_is_no_part_is_refused_by_an_audit(word: str, place: Path, tmp_path: Path) -> None:
    rows = pd.read_csv(place / "photos" / "photos.csv").assign(part=["train", "test"] * 29)
    rows.loc[rows.index[:3], "part"] = word
    rows.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(UserError, match=f"says '{word}' \\(3\\), which is no part"):
        invoke("audit", str(tmp_path / "t.csv"), "--root", str(place / "photos"))


def test_an_audit_is_told_the_columns_the_dates_and_the_words(place: Path, tmp_path: Path) -> None:
    rows = pd.read_csv(place / "photos" / "photos.csv").assign(split=["train", "test"] * 29)
    rows["timestamp"] = pd.to_datetime(rows["timestamp"]).dt.strftime("%d/%m/%y")
    rows.loc[rows.index[0], "identity"] = "NA"
    rows = rows.rename(columns={"identity": "bestiole", "timestamp": "quand"})
    rows.to_csv(tmp_path / "t.csv", index=False)
    given = [
        "--root",
        str(place / "photos"),
        "--columns",
        "identity=bestiole",
        "--columns",
        "timestamp=quand",
    ]
    with pytest.raises(UserError, match="'NA' \\(1 row\\)"):
        invoke("audit", str(tmp_path / "t.csv"), *given, "--dates", "%d/%m/%y")
    code, _ = invoke("audit", str(tmp_path / "t.csv"), *given, "--dates", "%d/%m/%y", "--unknown", "NA")
    assert code == 1
    with pytest.raises(UserError, match="'who=bestiole' is no column of ours"):
        invoke("audit", str(tmp_path / "t.csv"), "--columns", "who=bestiole")
