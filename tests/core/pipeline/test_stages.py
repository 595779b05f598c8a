from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made import noise

import wildreid
from wildreid.errors import Interrupted, UserError
from wildreid.pipeline import RunFolder, resume

ARTEFACTS = (
    "recipe.yaml", "run.json", "table.parquet", "split.parquet", "audit.json", "failures.csv",
    "model.safetensors", "model.json", "history.jsonl", "checkpoints", "embeddings.npy", "ids.txt",
    "ranking.npz", "ranking.image-loo.npz", "decision.json", "scores.json", "lines.json", "report/index.html",
)  # fmt: skip

MICRO = noise.RECIPE.replace("batch: 8", "batch: 6") + "trackers: [jsonl]\n"


def photos(folder: Path, *, dated: bool = True, individuals: int = 9, days: int = 3) -> Path:
    """A recipe beside a table and photos."""
    noise.noise(folder / "photos", individuals=individuals, days=days, dated=dated)
    (folder / "recipe.yaml").write_text(MICRO)
    return folder / "recipe.yaml"


def scores(folder: Path) -> dict:
    return json.loads((folder / "scores.json").read_text())


def test_a_run_leaves_every_artefact(smoke_run: Path) -> None:
    assert [name for name in ARTEFACTS if not (smoke_run / name).exists()] == []
    found = scores(smoke_run)
    assert found["stamp"] == "smoke"
    assert smoke_run.name.endswith("-smoke")
    block = found["protocols"]["cross-encounter"]
    assert set(block["scores"]) >= {f"accuracy@{k}" for k in (1, 3, 5, 10)}
    assert block["counts"]["mated"] > 0
    assert len(np.load(smoke_run / "embeddings.npy")) == len((smoke_run / "ids.txt").read_text().splitlines())


def test_two_runs_with_one_seed_give_the_same_scores(smoke_run: Path, tmp_path: Path, checkout: Path) -> None:
    again = wildreid.run(checkout / "species/bears/recipe.yaml", profiles=["smoke"], out=tmp_path)
    assert (again.folder / "scores.json").read_bytes() == (smoke_run / "scores.json").read_bytes()
    assert (again.folder / "model.safetensors").read_bytes() == (smoke_run / "model.safetensors").read_bytes()
    assert (again.folder / "lines.json").read_bytes() == (smoke_run / "lines.json").read_bytes()


def test_a_run_without_matchers_shows_what_made_photos_alike(smoke_run: Path) -> None:
    run = wildreid.load_results(smoke_run)
    assert 0 < len(run.lines) <= 12
    assert run.no_lines == ""
    for pair in run.lines:
        query, found = (run.embeddings[pair[side]] for side in ("query", "found"))
        assert pair["similarity"] == pytest.approx(float(query @ found), abs=1e-3)
        assert np.shape(pair["heat"]) == (2, 2, 2)
        identity = run.table["identity"]
        assert pair["same"] == (identity[pair["query"]] == identity[pair["found"]])
    assert "What made them alike" in (smoke_run / "report" / "index.html").read_text()


def test_a_network_that_has_no_map_gives_the_reason_why_nothing_is_shown(tmp_path: Path) -> None:
    settings = {
        "backbone": {"name": "timm", "model": "mixer_s32_224"},
        "images.size": 224,
        "training.epochs": 0,
    }
    run = wildreid.run(photos(tmp_path), out=tmp_path / "runs", settings=settings)
    assert run.lines == ()
    assert run.no_lines == "the network MlpMixer does not say where in a photo its features come from"


def test_the_same_recipe_again_does_nothing_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = photos(tmp_path)
    first = wildreid.run(recipe, out=tmp_path / "runs")
    before = (first.folder / "model.safetensors").stat().st_mtime_ns
    again = wildreid.run(recipe, out=tmp_path / "runs")
    assert again.folder == first.folder
    assert (first.folder / "model.safetensors").stat().st_mtime_ns == before
    assert "train   unchanged" in capsys.readouterr().err


def test_another_recipe_of_that_name_gets_another_folder_or_is_refused(tmp_path: Path) -> None:
    recipe = photos(tmp_path)
    first = wildreid.run(recipe, out=tmp_path / "runs", settings={"training.epochs": 0})
    other = wildreid.run(recipe, out=tmp_path / "runs", settings={"training.epochs": 0, "seed": 1})
    assert other.folder == first.folder.with_name(first.folder.name + "-2")
    with pytest.raises(UserError, match="holds another run"):
        wildreid.run(
            recipe, out=tmp_path / "runs", name=first.name, settings={"training.epochs": 0, "seed": 2}
        )


def test_a_folder_begun_on_other_data_is_refused(tmp_path: Path) -> None:
    recipe = photos(tmp_path)
    wildreid.run(recipe, out=tmp_path / "runs")
    table = tmp_path / "photos" / "table.csv"
    table.write_text("\n".join(table.read_text().splitlines()[:-2]) + "\n")
    with pytest.raises(UserError, match="begun on other data, or with another recipe"):
        wildreid.run(recipe, out=tmp_path / "runs")


def test_evaluate_measures_again_and_refuses_to_train_again(tmp_path: Path) -> None:
    run = wildreid.run(photos(tmp_path), out=tmp_path / "runs")
    weights = (run.folder / "model.safetensors").read_bytes()
    again = wildreid.evaluate(run.folder, settings={"evaluation.protocols": ["fixed-gallery"]})
    assert list(again.scores["protocols"]) == ["fixed-gallery"]
    assert (run.folder / "model.safetensors").read_bytes() == weights
    wildreid.evaluate(run.folder, settings={"training.workers": 1, "images.cache_gib": 10})  # decide nothing
    assert (run.folder / "model.safetensors").read_bytes() == weights
    with pytest.raises(UserError, match="not only the evaluation"):
        wildreid.evaluate(run.folder, settings={"training.epochs": 9})


def test_a_resumed_finished_run_changes_nothing(tmp_path: Path) -> None:
    run = wildreid.run(photos(tmp_path), out=tmp_path / "runs")
    before = (run.folder / "scores.json").read_bytes()
    assert resume(run.folder).folder == run.folder
    assert (run.folder / "scores.json").read_bytes() == before


def test_a_corrupt_image_is_listed_and_the_run_goes_on(tmp_path: Path) -> None:
    recipe = photos(tmp_path)
    whole = tmp_path / "photos" / "0-0-0.png"
    whole.write_bytes(whole.read_bytes()[:200])
    (tmp_path / "photos" / "1-0-0.png").unlink()
    run = wildreid.run(recipe, out=tmp_path / "runs", settings={"training.epochs": 0})
    failures = pd.read_csv(run.folder / "failures.csv").set_index("image")["reason"]
    assert set(failures.index) == {"0-0-0.png", "1-0-0.png"}
    assert len(run.table) == 52


def test_more_than_a_tenth_that_cannot_be_read_stops_the_run(tmp_path: Path) -> None:
    recipe = photos(tmp_path)
    for file in sorted((tmp_path / "photos").glob("*.png"))[:7]:
        file.write_bytes(b"")
    with pytest.raises(UserError, match="7 of 54 images cannot be read") as caught:
        wildreid.run(recipe, out=tmp_path / "runs")
    assert "failures.csv" in str(caught.value)
    assert len(pd.read_csv(next((tmp_path / "runs").glob("*/failures.csv")))) == 7


def test_without_dates_the_headline_is_null_with_its_reason(tmp_path: Path) -> None:
    run = wildreid.run(photos(tmp_path, dated=False), out=tmp_path / "runs")
    across = run.scores["protocols"]["cross-encounter"]["scores"]["accuracy@1"]
    assert across["value"] is None
    assert "no dates" in across["reason"]
    within = run.scores["protocols"]["image-loo"]
    assert within["scores"]["accuracy@1"]["value"] is not None
    assert "no dates" in within["optimistic"]


def test_fewer_than_two_identities(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="1 identities"):
        wildreid.run(photos(tmp_path, individuals=1), out=tmp_path / "runs")


def test_an_empty_validation_part(tmp_path: Path) -> None:
    recipe = photos(tmp_path)
    table = tmp_path / "photos" / "table.csv"
    table.write_text(table.read_text().replace(",val", ",train"))
    with pytest.raises(UserError, match="the part val"):
        wildreid.run(recipe, out=tmp_path / "runs")


def test_permuted_test_labels_change_neither_weights_nor_decision(tmp_path: Path) -> None:
    runs = []
    for name in ("as-it-is", "permuted"):
        recipe = photos(tmp_path / name)
        if name == "permuted":
            file = tmp_path / name / "photos" / "table.csv"
            table = pd.read_csv(file)
            test = table["part"] == "test"
            table.loc[test, "identity"] = np.random.default_rng(1).permutation(table.loc[test, "identity"])
            table.to_csv(file, index=False)
        runs.append(wildreid.run(recipe, out=tmp_path / "runs" / name).folder)
    first, second = runs
    assert (first / "scores.json").read_bytes() != (second / "scores.json").read_bytes()
    decision = json.loads((first / "decision.json").read_text())
    assert -1 < decision["threshold"] < 1
    assert decision["probabilities"][0] < decision["probabilities"][-1]
    assert max(line["accuracy@1"] for line in _without_clock(first / "history.jsonl")) > 0
    for artefact in ("model.safetensors", "history.jsonl", "decision.json"):
        files = [folder / artefact for folder in runs]
        if artefact == "history.jsonl":
            assert _without_clock(files[0]) == _without_clock(files[1])
        else:
            assert files[0].read_bytes() == files[1].read_bytes()


def _without_clock(history: Path) -> list[dict]:
    lines = [json.loads(line) for line in history.read_text().splitlines()]
    return [{key: value for key, value in line.items() if "second" not in key} for line in lines]


def test_a_run_can_be_moved_and_read_again(smoke_run: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(smoke_run, moved)
    results = wildreid.load_results(moved)
    assert results.folder == moved
    assert results.rankings["cross-encounter"].queries.size
    assert results.read is not None
    assert results.read(0, 20).shape[2] == 3


def test_what_is_no_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no run"):
        wildreid.load_results(tmp_path)
    with pytest.raises(UserError, match="is no run"):
        RunFolder(tmp_path).load_recipe()


def test_ctrl_c_outside_training_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*arguments: object, **named: object) -> None:
        raise KeyboardInterrupt

    recipe, out = photos(tmp_path), tmp_path / "runs"
    with monkeypatch.context() as patched:
        patched.setattr("wildreid.pipeline.learn.embed", stop)
        with pytest.raises(Interrupted, match="what is finished is kept") as caught:
            wildreid.run(recipe, out=out, settings={"training.epochs": 0})
    (folder,) = out.iterdir()
    assert f"resume('{folder}')" in str(caught.value)
    assert resume(folder).scores["protocols"]


def test_probes_are_measured_when_asked_for(tmp_path: Path) -> None:
    run = wildreid.run(
        photos(tmp_path), out=tmp_path / "runs", settings={"evaluation.probes": True, "training.epochs": 0}
    )
    found = run.scores["protocols"]["cross-encounter"]["probes"]
    assert found["background"]["n"] == found["mirrored"]["n"] == 18
    assert "reason" in found["camera"]  # there is one camera


def test_a_random_split_is_stamped_wherever_its_figures_stand(tmp_path: Path) -> None:
    settings = {"splitter": "random", "training.epochs": 0, "evaluation.bootstrap": 0}
    run = wildreid.run(photos(tmp_path), out=tmp_path / "runs", settings=settings)
    assert json.loads((run.folder / "audit.json").read_text())["leaks"]
    for block in run.scores["protocols"].values():
        assert "the split leaks" in block["optimistic"]
