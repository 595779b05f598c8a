"""What the folders of a stranger's photos stand for."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from wildreid.authoring import new_species
from wildreid.authoring.folders import layout_of
from wildreid.errors import UserError
from wildreid.recipe import load_recipe


def tree(root: Path, *folders: str, each: int = 3) -> Path:
    for number, folder in enumerate(folders):
        (root / folder).mkdir(parents=True, exist_ok=True)
        for frame in range(each):
            day, name = f"2024:05:{number + 1:02d} 10:{frame:02d}:00", f"IMG_{frame:04d}.jpg"
            exif = Image.Exif()
            exif.get_ifd(0x8769)[0x9003] = day
            Image.effect_noise((24, 24), 90).convert("RGB").save(root / folder / name, exif=exif)
    return root


@pytest.mark.parametrize(
    ("folders", "layout"),
    [
        (["Ada", "Bo"], None),
        (["Ada/2023", "Bo/2024"], None),
        (["Ada/Left", "Ada/Right", "Bo/left"], "{identity}/{viewpoint}/{file}"),
        (["StationA/Ada", "StationB/Bo"], "{station}/{identity}/{file}"),
        (["Cam_1/100RECNX/Ada", "Cam_2/101RECNX/Ada"], "{station}/{card}/{identity}/{file}"),
    ],
)
def test_levels_are_told_by_their_names(folders: list[str], layout: str | None, tmp_path: Path) -> None:
    assert layout_of([folder.split("/") for folder in folders], tmp_path) == layout


@pytest.mark.parametrize(
    "folders",
    [
        ["StationA/100RECNX", "StationB/101RECNX"],
        ["Station1", "Station2"],
        ["north/DCIM/100EK113", "south/DCIM/100EK113"],
        ["site-1/Ada", "site-2"],
    ],
)
def test_stations_and_cards_are_no_animals(folders: list[str], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="look like stations and cards"):
        new_species("cats", tmp_path, source=tree(tmp_path / "photos", *folders))
    assert not (tmp_path / "cats").exists()


def test_a_layout_that_is_given_is_believed(tmp_path: Path) -> None:
    folders = [f"{side}/{who}" for side in ("north", "south") for who in ("Ada", "Bo", "Cleo", "Dot")]
    photos = tree(tmp_path / "photos", *folders)
    pack = new_species("cats", tmp_path, source=photos, layout="{station}/{identity}/{file}")
    table = load_recipe(pack.folder / "recipe.yaml").recipe.dataset.table()
    assert sorted(set(table["identity"])) == ["Ada", "Bo", "Cleo", "Dot"]
    assert set(table["camera"]) == {"north", "south"}
    assert table["timestamp"].notna().all()


def test_folders_of_sides_are_viewpoints(tmp_path: Path) -> None:
    photos = tree(tmp_path / "photos", *(f"{who}/{side}" for who in "ABCDEF" for side in ("left", "right")))
    pack = new_species("seals", tmp_path, source=photos)
    table = load_recipe(pack.folder / "recipe.yaml").recipe.dataset.table()
    assert set(table["viewpoint"]) == {"left", "right"}
    assert table.individuals == 6


def test_a_folder_of_heic_says_what_to_do(tmp_path: Path) -> None:
    for who in ("Ada", "Bo"):
        (tmp_path / "photos" / who).mkdir(parents=True)
        (tmp_path / "photos" / who / "IMG_1.HEIC").touch()
    with pytest.raises(UserError) as caught:
        new_species("cats", tmp_path, source=tmp_path / "photos")
    assert (
        caught.value.cure
        == "there are only other files: 2 .heic (a form that is not read; save a copy as JPEG)"
    )
