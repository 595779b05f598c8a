from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from benchmarks.changes import Run, at_most, plan, table_of, together, with_mirrored
from benchmarks.herds import BASE, CHANGES, HERDS, settings_of
from benchmarks.new_bears import Seen

from wildreid.data.pixels import HeldImages
from wildreid.data.table import Table


@pytest.mark.parametrize("herd", HERDS)
def test_each_change_is_a_valid_recipe_and_is_that_change_alone(
    herd: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WILDREID_COWS", str(tmp_path))
    base = Run(herd, BASE, 0).loaded.recipe
    assert base.training.umap_every is None
    folders = set()
    for change in CHANGES:
        run = Run(herd, change, 0)
        other = run.loaded.recipe
        folders.add(run.folder)
        differing = {key for key in type(base).model_fields if getattr(base, key) != getattr(other, key)} - {
            "foreground"
        }
        if CHANGES[change].mirrored:
            assert differing == {"training"}
            assert other.training.epochs == base.training.epochs // 2
        elif change == BASE:
            assert not differing
        else:
            assert len(differing) == 1, change
    assert len(folders) == len(CHANGES)
    assert Run(herd, BASE, 1).folder != Run(herd, BASE, 0).folder


def test_a_seed_draws_another_herd_where_it_is_drawn() -> None:
    for name, herd in HERDS.items():
        settings = settings_of(herd, CHANGES[BASE], 2)
        assert settings["seed"] == 2
        assert settings.get("dataset.seed") == (None if name == "cows" else 2)


def test_every_run_is_planned_once_and_learning_comes_before_seeing() -> None:
    runs = list(plan(["bears", "cows"]))
    assert len(runs) == len(set(runs)) == 2 * 3 * len(CHANGES)
    assert runs[0] == Run("bears", BASE, 0)
    assert {run.change for run in runs[-2 * 3 * 4 :]} == {
        name for name in CHANGES if CHANGES[name].masked
    } - {"backgrounds replaced"}


def test_photos_are_taken_evenly() -> None:
    names = ["a"] * 10 + ["b"] * 3
    rows = pd.DataFrame({"id": [f"{n:02}" for n in range(13)], "identity": names})
    taken = at_most(rows.sample(frac=1, random_state=0), 4)
    assert taken["identity"].value_counts().to_dict() == {"a": 4, "b": 3}
    gaps = np.diff(taken.loc[taken["identity"].eq("a"), "id"].astype(int))
    assert set(gaps) <= {2, 3}


def test_a_mirrored_photo_is_another_individuals(tmp_path: Path) -> None:
    rows = pd.DataFrame(
        {"id": list("xyz"), "image": list("xyz"), "identity": ["a", "b", "a"], "encounter": ["1", "2", "3"],
         "part": ["train", "val", "train"]}
    )  # fmt: skip
    pixels = np.random.default_rng(0).integers(0, 255, (3, 4, 4, 3)).astype(np.uint8)
    table, images = with_mirrored(Table(rows, tmp_path), HeldImages(pixels))
    assert table["identity"].tolist() == ["a", "b", "a", "a mirrored", "a mirrored"]
    assert table["part"].tolist() == ["train", "val", "train", "train", "train"]
    assert table["id"].is_unique
    assert np.array_equal(images.take([0, 1, 2]), pixels)
    assert np.array_equal(images.take([4])[0], pixels[2][:, ::-1])


def test_the_table_is_of_what_is_there() -> None:
    random = np.random.default_rng(0)

    def seen(chance: float) -> Seen:
        right = (random.random(60) < chance).astype(float)
        return Seen(np.repeat([f"bear{n}" for n in range(12)], 5), right, right / 2)

    assert (
        list(table_of("bears", {("erasing", 0): seen(0.5)})) == []
    )  # without its base there is no difference
    base = {(BASE, seed): seen(0.3) for seed in (0, 1)}
    lines = list(table_of("bears", {**base, ("erasing", 1): seen(0.9)}))
    assert lines[0].strip() == "bears: 120 queries of 12 individuals, cross-encounter"
    rows = [line for line in lines if line.startswith(("| as it is", "| erasing"))]
    assert len(rows) == 2
    assert rows[0].endswith("| 2 |")
    assert rows[1].endswith("| 1 |")
    assert "| +0." in rows[1]
    assert not any("no crop" in line for line in lines)
    both = list(
        together({"bears": {**base, ("erasing", 1): seen(0.9)}, "cows": {(BASE, 0): seen(0.5)}}, "right")
    )
    assert both[1] == "| | bears | cows |"
    assert [line.count("|") for line in both[1:]] == [4] * 4  # the base, and one change that bears alone have
    assert both[-1].startswith("| erasing | +0.")
    assert both[-1].endswith("(1) |  |")
