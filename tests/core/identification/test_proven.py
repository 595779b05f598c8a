"""What a run proved of its matchers goes into packages and galleries, and from there to the command line."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.core.matching.made import Colour, colourful
from typer.testing import CliRunner, Result

from wildreid.cli import app
from wildreid.errors import UserError
from wildreid.evaluation.decision import load_decision
from wildreid.gallery.store import Gallery
from wildreid.identification import create_gallery, export, local, open_gallery, proven, read_data
from wildreid.identification.joining import join
from wildreid.identification.proven import matching_of
from wildreid.identification.shards import sharding
from wildreid.matching.curve import PairCurve
from wildreid.recipe import load
from wildreid.registry import Registry

CURVES = [asdict(PairCurve(6.0, -3.0)), asdict(PairCurve(4.0, -15.0, (0.0, 4.0), (0.01, 0.9)))]
COUNTS = "Matching by colour counts, since it helps on validation: accuracy@1 +9.0 points."
NOT = "Matching by colour does not count, since validation does not prove that it helps."


@pytest.fixture(autouse=True)
def _colours(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (local, proven, load):
        monkeypatch.setattr(module, "Registry", colourful)


def matched_run(tiny: Path, folder: Path, *, stands: str = "fused", reranker: bool | None = None) -> Path:
    """The tiny run as if it had had the matcher, and perhaps a re-ranker whose gate was open or closed."""
    shutil.copytree(tiny, folder)
    recipe = yaml.safe_load((folder / "recipe.yaml").read_text())
    recipe |= {"matchers": [{"name": "colour", "version": 1}], "fusion": {"name": "calibrated-mean"}}
    gates: dict[str, Any] = {}
    if reranker is not None:
        recipe["reranker"] = {"name": "k-reciprocal"}
        gates = {"re-ranked": {"open": reranker}}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    scores = json.loads((folder / "scores.json").read_text())
    gates["fused"] = {"open": stands == "fused"}
    says = [
        *(["Of the re-ranker."] if reranker is not None else []),
        COUNTS if stands == "fused" else NOT,
        "More.",
    ]
    scores["protocols"][scores["headline"]]["matching"] = {
        "stands": stands, "gates": gates, "says": says, "matchers": ["colour"], "reranker": None, "pairs": 6,
        "curves": CURVES, "figures": {"embedding": {"accuracy@1": {"value": 0.5}}},
    }  # fmt: skip
    (folder / "scores.json").write_text(json.dumps(scores))
    return folder


def reid(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_a_gallery_knows_how_its_run_matched(tiny: Path, tmp_path: Path) -> None:
    run = matched_run(tiny, tmp_path / "run")
    package = tmp_path / "package"
    export(run, package)
    assert "matches likewise" in (package / "README.md").read_text()
    for number, source in enumerate((run, package)):
        opened = create_gallery(tmp_path / f"g{number}", source)
        state = opened.state
        found = state.manifest.matching
        assert found is not None
        assert (found.counts, found.known, found.pairs) == (True, {"colour": Colour().fingerprint()}, 6)
        assert found.says == (COUNTS,)
        assert found.reranker is None
        assert state.fused is not None
        assert state.rule is not None
        decision: Any = load_decision(run / "decision.json")
        assert state.fused.decision == decision
        opened.add(read_data(tiny, parts=["val"]))
        assert opened.matches
        curves = opened.matchers.curves
        assert [asdict(one) for one in curves] == CURVES
        assert curves[1].scores == (0.0, 4.0)


@pytest.mark.parametrize("reranker", [True, False])
def test_a_reranker_comes_along_where_its_gate_is_open(reranker: bool, tiny: Path, tmp_path: Path) -> None:
    found = matching_of(matched_run(tiny, tmp_path / "run", reranker=reranker))
    assert found is not None
    assert (found.reranker is not None) == reranker
    assert found.says == (COUNTS,)


def test_nothing_is_kept_or_matched_where_the_gate_is_closed(
    tiny: Path, tmp_path: Path, photos: Path
) -> None:
    run = matched_run(tiny, tmp_path / "run", stands="embedding")
    out = reid("gallery", "create", tmp_path / "g", "--model", run, "--data", tiny, "--part", "val").output
    assert NOT in out.replace("\n", " ")
    assert not list((tmp_path / "g" / "segments").glob("*.points.npy"))
    assert Gallery(tmp_path / "g").state.fused is None
    assert NOT in reid("identify", tmp_path / "g", photos / "0-0-0.png").output.replace("\n", " ")
    with pytest.raises(UserError, match="no local features are kept"):
        open_gallery(tmp_path / "g").describe(photos)


def test_a_run_without_matchers_or_whose_plugin_is_gone(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert matching_of(tiny) is None
    run = matched_run(tiny, tmp_path / "run")
    monkeypatch.setattr(proven, "Registry", Registry)
    with pytest.raises(
        UserError, match="matched by colour, which is not available: no matcher is named 'colour'"
    ):
        matching_of(run)


def test_an_onnx_package_carries_how_to_match(tiny: Path, tmp_path: Path, photos: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    run, package = matched_run(tiny, tmp_path / "run"), tmp_path / "package"
    export(run, package, to="onnx", images=8)
    opened = create_gallery(tmp_path / "g", package)
    opened.add(read_data(tiny, parts=["val"]))
    found = opened.identify([photos / "0-0-0.png"])
    assert found.comparison is not None
    assert found.comparison.candidates.budget == 6


def test_a_gallery_of_shards_gets_its_features_from_the_photos(
    tiny: Path, tmp_path: Path, photos: Path
) -> None:
    run = matched_run(tiny, tmp_path / "run")
    work = sharding(run, photos / "table.csv", tmp_path / "shards", shards=2)
    for shard in range(2):
        work.embed(shard)
    join(tmp_path / "shards")
    out = reid(
        "gallery", "create", tmp_path / "g", "--model", run, "--embeddings", tmp_path / "shards"
    ).output
    assert "has no local features" in out.replace("\n", " ")
    out = reid("gallery", "features", tmp_path / "g", photos).output
    assert "80 images have local features now, 0 had them before" in out
    assert "matches by colour: 80 of 80 images have local features" in out
    assert open_gallery(tmp_path / "g").matches


def test_the_commands(tiny: Path, tmp_path: Path, photos: Path, asked: Path) -> None:
    run, folder = matched_run(tiny, tmp_path / "run"), tmp_path / "g"
    out = reid("gallery", "create", folder, "--model", run, "--data", tiny, "--part", "val").output
    assert "matches by colour: 24 of 24 images have local features" in out
    out = reid("gallery", "add", folder, tiny, "--part", "train", "--no-matching").output
    assert "added 24 images" in out
    assert "24 of 48 images have local features" in reid("gallery", "list", folder).output
    one = photos / "0-5-0.png"
    out = reid("identify", folder, one, "--pairs", "5", "--html", tmp_path / "who.html").output
    assert "Matched by colour: each photo to its 5 nearest of 48 gallery images" in out
    assert "24 of 48 images of the gallery have no local features" in out
    assert 'class="matched"' in (tmp_path / "who.html").read_text()
    assert "Matched by" not in reid("identify", folder, one, "--no-matching").output
    assert (
        "24 images have local features now, 24 had them before"
        in reid("gallery", "features", folder, photos).output
    )
    assert "local features by colour of 24 images" in reid("gallery", "log", folder).output
    out = reid("gallery", "calibrate", folder).output
    assert "for photos that are matched:" in out
    assert "for photos that are matched:" not in reid("gallery", "calibrate", folder, "--no-matching").output
    out = reid("discover", folder, asked, "--root", photos, "--seconds", "5").output
    assert "proposed individuals" in out
    assert "Matched by colour" in out
    state = Gallery(folder).state
    assert state.local["colour"].there.all()
