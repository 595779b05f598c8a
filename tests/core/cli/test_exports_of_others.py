"""Commands take what other tools have written as it is, and say what they took it for."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from tests.plugins.datasets import forms
from typer.testing import CliRunner, Result

from wildreid.authoring import new_species
from wildreid.cli import app
from wildreid.identification import read_data, read_photos
from wildreid.recipe import load_recipe


def reid(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def package(root: Path, *, named: bool = True, **medium: str) -> Path:
    """Five animals of six days, two photos each; the first photo also shows a person."""
    draw = np.random.default_rng(0)
    media, observations = [], []
    for number in range(60):
        who, day = number // 12, number % 12 // 2
        colour = draw.integers(40, 215, 3) + 10 * who
        noise = np.clip(colour + draw.normal(0, 30, (48, 64, 3)), 0, 255).astype(np.uint8)
        (root / "media").mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise).save(root / f"media/{number}.jpg")
        when = pd.Timestamp("2024-05-02 10:00") + pd.Timedelta(days=6 * who + day, seconds=number % 2)
        media.append(forms.medium(number, timestamp=f"{when.isoformat()}+02:00", **medium))
        told = {"individualID": f"animal {who}"} if named else {}
        observations.append(forms.seen(number, eventID=f"e{number // 2}", **told))
    observations.append(forms.seen(0, observationID="person", observationType="human"))
    return forms.camtrap(root, media, observations)


def test_a_pack_is_written_for_what_another_tool_exported(tmp_path: Path) -> None:
    root = package(tmp_path / "export")
    pack = new_species("bears", tmp_path, source=root)
    assert pack.notes[0] == "taken for Camtrap DP 1.0.2: dataset camtrap-dp"
    recipe = load_recipe(pack.folder / "recipe.yaml").recipe
    assert recipe.dataset.name == "camtrap-dp"
    assert recipe.encounters.event
    assert len(recipe.dataset.table()) == 60


def test_a_pack_is_written_though_nobody_is_named_yet_and_its_data_are_shown(tmp_path: Path) -> None:
    root = package(tmp_path / "export", named=False)
    made = reid("new", "species", "bears", "--from", root, "--out", tmp_path)
    assert made.exit_code == 0, made.output
    assert "no individual is named" in made.output
    effort = tmp_path / "deployments.csv"
    shown = reid("data", tmp_path / "bears/recipe.yaml", "--out", tmp_path / "page", "--deployments", effort)
    assert shown.exit_code == 0, shown.output
    page = (tmp_path / "page/index.html").read_text()
    for words in (
        "read as Camtrap DP 1.0.2: 121 records = 60 rows",
        "1 × human",
        "1 × private",
        "cannot be divided yet",
    ):
        assert words in page
    assert pd.read_csv(effort)[["deployment", "station", "camera"]].to_numpy().tolist() == [
        ["d1", "pond", "c7"]
    ]


def test_data_are_shown_without_a_recipe(tmp_path: Path) -> None:
    shown = reid("data", package(tmp_path / "export"), "--out", tmp_path / "page")
    assert shown.exit_code == 0, shown.output
    assert "taken for Camtrap DP 1.0.2" in (tmp_path / "page/index.html").read_text()
    refused = reid("data", tmp_path / "export", "--out", tmp_path / "page", "--augmented")
    assert refused.exit_code == 2


def test_a_source_without_deployments_says_so(tmp_path: Path) -> None:
    for number in range(1, 3):
        forms.photo(tmp_path / f"{number}.jpg")
    content = forms.detected("lila", {f"{number}.jpg": [("animal", 0.9, (1, 1, 9, 9))] for number in (1, 2)})
    (tmp_path / "md.json").write_text(json.dumps(content))
    refused = reid(
        "data", tmp_path / "md.json", "--out", tmp_path / "page", "--deployments", tmp_path / "d.csv"
    )
    assert refused.exit_code != 0
    assert "knows no deployments" in str(refused.exception)


def test_an_export_with_parts_is_audited(tmp_path: Path) -> None:
    images = [{"id": n, "file_name": f"{n}.jpg", "date_captured": "2021-04-11 20:43:09"} for n in (1, 2)]
    told = [{"id": n, "image_id": n, "category_id": 1, "bbox": [1, 1, 9, 9], "name": "Hera"} for n in (1, 2)]
    for folder in ("train2021", "test2021"):
        for number in (1, 2):
            forms.photo(tmp_path / f"images/{folder}/{number}.jpg")
        (tmp_path / f"instances_{folder}.json").write_text(json.dumps(forms.coco(images, told)))
    found = reid("audit", tmp_path, "--json")
    assert found.exit_code == 1, found.output
    assert json.loads(found.stdout[found.stdout.index("{") :])["leaks"]


def test_an_export_without_parts_is_not(tmp_path: Path) -> None:
    refused = reid("audit", package(tmp_path / "export"))
    assert "no column 'part'" in str(refused.exception)


def test_galleries_take_exports_too(tmp_path: Path) -> None:
    root = package(tmp_path / "export")
    known = read_data(root)
    assert (len(known), known.individuals) == (60, 5)
    asked = read_photos([root])
    assert len(asked) == 60
    assert known.notes[0].startswith("taken for Camtrap DP")


def test_an_export_whose_photos_are_elsewhere_says_how_to_name_them(tmp_path: Path) -> None:
    root = package(tmp_path / "export", filePath="https://example.org/1/file")
    refused = reid("data", root, "--out", tmp_path / "page")
    assert "60 × not on this machine" in str(refused.exception)
    assert "dataset: {name: camtrap-dp, root: FOLDER}" in str(refused.exception)


@pytest.mark.parametrize("folder", [True, False])
def test_a_detectors_file_is_found_in_the_photos_folder(tmp_path: Path, folder: bool) -> None:
    found = {}
    for who in ("Ada", "Bo", "Cy"):
        for number in range(6):
            forms.photo(tmp_path / f"{who}/{number}.jpg")
            found[f"{who}/{number}.jpg"] = [("animal", 0.9, (1, 1, 40, 40 - number))]
    (tmp_path / "md.json").write_text(json.dumps(forms.detected("lila", found)))
    packs = tmp_path / "packs"
    packs.mkdir()
    pack = new_species("cats", packs, source=tmp_path if folder else tmp_path / "md.json")
    recipe = yaml.safe_load((pack.folder / "recipe.yaml").read_text())
    assert recipe["dataset"]["name"] == "megadetector"
    assert recipe["dataset"]["file"] == "md.json"
    assert "each folder as one individual" in pack.notes[0]
