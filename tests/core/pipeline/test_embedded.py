"""Embeddings from elsewhere are measured as a run's own are."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.core.identification.conftest import RECIPE, take

import wildreid
from wildreid.cli import main
from wildreid.errors import UserError
from wildreid.pipeline import RunFolder, evaluate, evaluate_embeddings

QUICK = {"reporters": [], "evaluation.bootstrap": 20}
Reid = Callable[..., tuple[int, str]]


@pytest.fixture
def reid(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Reid:
    """Call `reid`; gives exit code, and what it said."""
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: str | Path) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["reid", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return call


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, of photos that lie beside its parent."""
    base = tmp_path_factory.mktemp("given")
    take(base / "photos")
    (base / "recipe.yaml").write_text(RECIPE)
    return wildreid.run(base / "recipe.yaml", out=base / "runs").folder


def test_a_runs_own_embeddings_give_its_scores_byte_for_byte(run: Path, tmp_path: Path) -> None:
    told = (run / "scores.json").read_bytes()
    ids = (run / "ids.txt").read_text().splitlines()
    vectors = np.load(run / "embeddings.npy")
    recipe = run / "recipe.yaml"
    evaluate_embeddings(run / "embeddings.npy", run / "split.parquet", recipe=recipe, out=tmp_path / "same")
    assert (tmp_path / "same" / "scores.json").read_bytes() == told
    for file in ("ranking.npz", "split.parquet", "decision.json", "ids.txt"):
        assert (tmp_path / "same" / file).is_file()

    mixed = np.random.default_rng(0).permutation(len(ids))  # both in an order of their own
    rows = pd.read_csv(run.parents[1] / "photos" / "table.csv").sample(frac=1, random_state=1)
    results = evaluate_embeddings(
        vectors[mixed] * 3, rows, root=run.parents[1] / "photos", ids=[ids[n] for n in mixed],
        recipe=recipe, out=tmp_path / "mixed",
    )  # fmt: skip
    assert np.allclose(results.embeddings, vectors, atol=1e-6)
    own, other = json.loads(told), json.loads((tmp_path / "mixed" / "scores.json").read_text())
    for protocol, block in own["protocols"].items():
        figures = {name: score["value"] for name, score in block["scores"].items()}
        again = other["protocols"][protocol]["scores"]
        assert {name: score["value"] for name, score in again.items()} == pytest.approx(figures)


def test_a_file_without_photos_or_recipe_is_measured_by_what_it_says(tmp_path: Path, reid: Reid) -> None:
    draw = np.random.default_rng(0)
    parts = [part for part in ("train", "val", "test") for _ in range(20)]
    rows = pd.DataFrame(
        {
            "path": [f"{n}.jpg" for n in range(60)],
            "individual_id": [f"who{n % 5}" for n in range(60)],
            "split": parts,
            "encounter": [f"{n // 10}" for n in range(60)],
        }
    )
    rows.to_csv(tmp_path / "t.csv", index=False)
    centres = draw.normal(size=(5, 8))
    np.save(tmp_path / "e.npy", centres[np.arange(60) % 5] + 0.1 * draw.normal(size=(60, 8)))
    asked = [
        "evaluate", "--embeddings", tmp_path / "e.npy", "--table", tmp_path / "t.csv", "--out", tmp_path / "out",
        "--set", "reporters=[html]", "--set", "evaluation.bootstrap=20",
    ]  # fmt: skip
    code, said = reid(*asked)
    assert code == 0, said
    assert "matched by their order" in said
    assert "60 of them were not of unit length" in said
    results = wildreid.load_results(tmp_path / "out")
    block = results.scores["protocols"]["cross-encounter"]
    assert block["reason"] is None  # the table's encounters stand for dates
    assert block["scores"]["accuracy@1"]["value"] == 1.0
    assert results.table["part"].tolist() == results.table.rows.sort_values("id")["part"].tolist()
    page = (tmp_path / "out" / "report" / "index.html").read_text()
    assert "accuracy@1" in page
    assert str(tmp_path) not in page
    assert reid(*asked)[0] == 0  # once more, into the same folder

    before = (tmp_path / "out" / "scores.json").read_bytes()
    remeasured = evaluate(tmp_path / "out", settings={"evaluation.bootstrap": 0})
    assert remeasured.scores["protocols"]["cross-encounter"]["scores"]["accuracy@1"]["low"] is None
    evaluate(tmp_path / "out", settings={"evaluation.bootstrap": 20})
    assert (tmp_path / "out" / "scores.json").read_bytes() == before
    with pytest.raises(UserError, match="change the data"):
        evaluate(tmp_path / "out", settings={"seed": 7})
    for command in (["audit"], ["report", "--set", "private=true"]):
        code, said = reid(command[0], tmp_path / "out", *command[1:])
        assert code == 0, said
    code, said = reid("run", "--resume", tmp_path / "out")
    assert code == 2
    assert "there is no network in it" in said


def test_what_is_refused(run: Path, tmp_path: Path, reid: Reid) -> None:
    table, vectors = run / "split.parquet", np.load(run / "embeddings.npy")
    cases = {
        "there are 81 embeddings for 80 rows": (np.vstack([vectors, vectors[:1]]), {}),
        "of another table": (vectors, {"ids": [f"{n}" for n in range(80)]}),
        "is not finite": (np.where(np.arange(80)[:, None] == 7, np.nan, vectors), {}),
        "no column 'who'": (vectors, {"ids": [f"{n}" for n in range(80)], "match": "who"}),
    }
    for number, (message, (given, more)) in enumerate(cases.items()):
        with pytest.raises(UserError, match=message):
            evaluate_embeddings(given, table, out=tmp_path / str(number), settings=QUICK, **more)
        assert not (tmp_path / str(number) / "scores.json").exists()
    with pytest.raises(UserError, match="no table says"):
        evaluate_embeddings(vectors, out=tmp_path / "x")
    for taken in (run, run.parents[1] / "photos"):
        with pytest.raises(UserError, match="is not empty"):
            evaluate_embeddings(vectors, table, out=taken)
    evaluate_embeddings(vectors, table, out=tmp_path / "out", settings=QUICK)
    with pytest.raises(UserError, match="measures other embeddings"):
        evaluate_embeddings(vectors[::-1].copy(), table, out=tmp_path / "out")
    for wrong in (["--table", "t.csv"], [], [run, "--embeddings", "e.npy"], ["--embeddings", "e.npy"]):
        assert reid("evaluate", *wrong)[0] == 2


def test_a_table_in_memory_and_a_recipes_own_data_set(run: Path, tmp_path: Path) -> None:
    results = wildreid.load_results(run)
    ids = (run / "ids.txt").read_text().splitlines()
    same = evaluate_embeddings(results.embeddings, results.table, out=tmp_path / "a", settings=QUICK)
    own = evaluate_embeddings(
        results.embeddings, ids=ids, recipe=run / "recipe.yaml", out=tmp_path / "b", settings=QUICK
    )
    one, other = (r.scores["protocols"]["cross-encounter"]["scores"]["accuracy@1"] for r in (same, own))
    assert one == other
    assert RunFolder(tmp_path / "a").of_embeddings
    assert not RunFolder(run).of_embeddings
    assert own.name == "tiny"
    assert same.name == "a"


def test_with_sides_apart_no_match_crosses_them_and_audit_and_report_say_so(tmp_path: Path) -> None:
    draw = np.random.default_rng(3)
    rows = pd.DataFrame(
        {
            "image": [f"{n:03d}.jpg" for n in range(120)],
            "identity": [f"who{n % 6}" for n in range(120)],
            "timestamp": [str(pd.Timestamp("2024-05-01") + pd.Timedelta(days=n // 6)) for n in range(120)],
            "part": np.repeat(["train", "val", "test"], [42, 36, 42]),
            "viewpoint": draw.choice(["left", "right", "front"], 120),
        }
    )
    vectors = draw.normal(size=(120, 8))
    settings = {"apart": ["side"], "reporters": [{"name": "html", "umap": False}], "evaluation.bootstrap": 20}
    results = evaluate_embeddings(vectors, rows, out=tmp_path / "out", settings=settings)
    side = results.table["viewpoint"].to_numpy(str)
    for ranking in results.rankings.values():
        for q, row in enumerate(ranking.queries):
            found = ranking.top_images[q][ranking.top_images[q] >= 0]
            opposite = {"left": "right", "right": "left"}.get(side[row])
            assert not (side[found] == opposite).any()
    told = json.loads((tmp_path / "out" / "audit.json").read_text())["warnings"]
    assert any("kept apart by left and right" in one for one in told)
    lost = results.scores["protocols"]["cross-encounter"]["counts"]["lost"]
    page = (tmp_path / "out" / "report" / "index.html").read_text()
    assert f"{lost} quer" in page
    assert "left and right apart" in page
