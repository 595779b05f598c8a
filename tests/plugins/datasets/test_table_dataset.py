from __future__ import annotations

from pathlib import Path
from typing import get_args

import pandas as pd
import pytest
from pydantic import ValidationError

from wildreid.data.presets import PRESETS
from wildreid.errors import UserError
from wildreid.pipeline.recognise import recognise
from wildreid.recipe.model import Recipe
from wildreid_plugins.datasets import Table
from wildreid_plugins.datasets.table import Like


def write(folder: Path, text: str) -> Path:
    (folder / "metadata.csv").write_text(text)
    return folder


def test_it_reads_the_table_beside_the_images(tmp_path: Path) -> None:
    write(tmp_path, "path,identity,date\nx/a.jpg,1,10.05.2021\n")
    option = Table(root=tmp_path, columns={"image": "path", "timestamp": "date"}, dates="%d.%m.%Y")
    table = option.table()
    assert table.root == tmp_path
    assert table["id"].tolist() == ["x/a.jpg"]
    assert table["timestamp"][0] == pd.Timestamp("2021-05-10")


def test_the_table_may_lie_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    write(tmp_path, "image,identity\na.jpg,1\n")
    assert len(Table(root=tmp_path / "photos", file="../metadata.csv").table()) == 1
    assert len(Table(root=tmp_path / "photos", file=str(tmp_path / "metadata.csv")).table()) == 1


def test_two_animals_in_one_photo_are_two_rows(tmp_path: Path) -> None:
    head = "image,identity,box_left,box_top,box_width,box_height\n"
    write(tmp_path, head + "a.jpg,1,0,0,10,10\na.jpg,2,20,0,10,10\n")
    assert Table(root=tmp_path).table()["id"].tolist() == ["a.jpg#0,0,10,10", "a.jpg#20,0,10,10"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("weight,identity\na.jpg,1\n", "no column 'image'"),
        ("image,name\na.jpg,1\n", "no column 'identity'"),
        ("image,identity\n../a.jpg,1\n", "leaves the root"),
        ("image,identity\n/etc/a.jpg,1\n", "leaves the root"),
        ("image,identity\na.jpg,Ada\nb.jpg,NA\n", "'NA' \\(1 row\\)"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    write(tmp_path, text)
    with pytest.raises(UserError, match=words) as caught:
        Table(root=tmp_path).table()
    assert "metadata.csv" in str(caught.value)


def test_words_for_unknown_are_settled_by_a_field(tmp_path: Path) -> None:
    write(tmp_path, "image,identity\na.jpg,Ada\nb.jpg,NA\n")
    assert Table(root=tmp_path, unknown=["NA"]).table()["identity"].isna().tolist() == [False, True]
    assert Table(root=tmp_path, unknown=[]).table()["identity"].tolist() == ["Ada", "NA"]


def test_a_root_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not there") as caught:
        Table(root=tmp_path / "gone").table()
    assert "`dataset.root=FOLDER`" in str(caught.value)


def test_real_cows(real_data: Path) -> None:
    option = Table(root=real_data / "opencows2020", columns={"image": "path", "part": "split"})
    table = option.table()
    assert (len(table), table.individuals) == (1409, 46)
    assert table["part"].value_counts().to_dict() == {"train": 913, "test": 496}
    assert "001" in set(table["identity"])


def test_its_path_may_come_from_a_recipe() -> None:
    assert Recipe.model_fields["dataset"] is not None
    assert Table(root="photos").root.is_absolute()


def test_a_recipe_may_say_whose_table_it_is(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("File,Individuals\na.jpg,Hera\nb.jpg,nobody\nc.jpg,None\n")
    read = Table(root=tmp_path, file="t.csv", like="traptagger", unknown=("nobody",)).table()
    assert read["identity"].fillna("?").tolist() == ["Hera", "?", "?"]
    (tmp_path / "own.csv").write_text("image,identity\na.jpg,Hera\nb.jpg,nobody\n")
    own = Table(root=tmp_path, file="own.csv", unknown=("nobody",)).table()
    assert own["identity"].fillna("?").tolist() == ["Hera", "?"]


def test_the_presets_of_the_engine_can_all_be_named() -> None:
    assert set(get_args(Like)) == set(PRESETS)


def test_a_field_of_one_preset_is_refused_with_another(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="'votes' is for like: zooniverse alone"):
        Table(root=tmp_path, votes=2)
    with pytest.raises(ValidationError, match="'datasets' is for like: animalclef or"):
        Table(root=tmp_path, like="traptagger", datasets=("L",))
    option = Table(root=tmp_path, like="zooniverse", votes=2)
    assert Table.model_validate(option.model_dump(mode="json")) == option
    assert Table.model_validate(Table(root=tmp_path).model_dump(mode="json")).like is None


def test_somebody_elses_table_is_recognised_with_the_folder_of_its_photos(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/a.jpg").write_text("x")
    (tmp_path / "t.csv").write_text("File,Individuals\na.jpg,Hera\n")
    found = recognise(tmp_path / "t.csv")
    assert found is not None
    assert (found.name, found.what) == ("table", "a TrapTagger export")
    read = found.table()
    assert (read.root, read["image"][0], read["identity"][0]) == (tmp_path / "photos", "a.jpg", "Hera")
    (tmp_path / "own.csv").write_text("image,identity\na.jpg,Hera\n")
    assert recognise(tmp_path / "own.csv") is None
