"""The shortcut audit of embeddings from elsewhere, by the model that made them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import wildreid
from wildreid.cli import app
from wildreid.errors import UserError
from wildreid.identification import export
from wildreid.identification.shortcut import audit_embeddings
from wildreid.pipeline.shortcut import audit_shortcut

QUICK = {"reporters": [], "evaluation.bootstrap": 20}


@pytest.fixture(scope="module")
def measured(tiny: Path, photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny run's embeddings, measured as if they were somebody else's."""
    out = tmp_path_factory.mktemp("measured") / "mine"
    wildreid.evaluate_embeddings(
        tiny / "embeddings.npy",
        tiny / "split.parquet",
        recipe=tiny / "recipe.yaml",
        root=photos,
        out=out,
        settings=QUICK,
    )
    return out


@pytest.fixture(scope="module")
def own(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tiny run, to be audited itself."""
    return Path(shutil.copytree(tiny, tmp_path_factory.mktemp("own") / "tiny"))


def test_they_are_audited_as_the_run_itself_is(tiny: Path, own: Path, measured: Path) -> None:
    result = CliRunner().invoke(app, ["audit", str(measured), "--shortcut", "--model", str(tiny), "--json"])
    found = json.loads(result.stdout)
    assert result.exit_code == int(found["warning"])
    scores = wildreid.load_results(measured).scores["protocols"][found["protocol"]]["scores"]
    assert found["whole"]["value"] == scores["accuracy@1"]["value"]
    assert wildreid.load_results(measured).shortcut is not None
    asked = ["report", str(measured), "--set", "reporters=[{name: html, umap: false}]"]
    assert CliRunner().invoke(app, asked).exit_code == 0
    page = (measured / "report/index.html").read_text().replace("\N{NO-BREAK SPACE}", " ")
    assert found["says"].partition(" (")[0].replace("\N{NO-BREAK SPACE}", " ") in page
    (measured / "shortcut.json").unlink()
    assert CliRunner().invoke(app, asked).exit_code == 0
    assert "and the `model` that made the embeddings" in (measured / "report/index.html").read_text()
    known = audit_shortcut(own)
    for name in ("whole", "hidden", "alone"):
        assert found[name]["value"] == known[name]["value"]
    assert found["weights"] == known["weights"]
    assert found["n"] == known["n"]


def test_a_package_audits_them_too(tiny: Path, measured: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    by_run = audit_embeddings(measured, tiny)
    export(tiny, tmp_path / "package", to="onnx", images=8)
    by_package = audit_embeddings(measured, tmp_path / "package")
    for name in ("whole", "hidden", "alone"):
        assert by_package[name]["value"] == pytest.approx(by_run[name]["value"], abs=0.05)


def test_another_model_is_refused_and_writes_nothing(tiny: Path, photos: Path, tmp_path: Path) -> None:
    rows, draw = len(np.load(tiny / "embeddings.npy")), np.random.default_rng(0)
    for width, words in ((16, "did not make these embeddings"), (24, "gives 16 numbers for a photo")):
        out = tmp_path / str(width)
        wildreid.evaluate_embeddings(
            draw.normal(size=(rows, width)), tiny / "split.parquet", root=photos, out=out, settings=QUICK
        )
        with pytest.raises(UserError, match=words) as refused:
            audit_embeddings(out, tiny)
        assert refused.value.cure is not None
        assert "embedded these photos" in refused.value.cure
        assert not (out / "shortcut.json").exists()


def test_what_is_missing_is_said_with_its_cure(tiny: Path, measured: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no network that could look at photos") as refused:
        audit_shortcut(measured)
    assert "`model=…`" in str(refused.value.cure)
    with pytest.raises(UserError, match="has a network of its own"):
        audit_embeddings(tiny, tiny)
    with pytest.raises(UserError, match="no model here"):
        audit_embeddings(measured, tmp_path)
    table = pd.read_parquet(tiny / "split.parquet")
    gone = tmp_path / "gone"
    wildreid.evaluate_embeddings(
        tiny / "embeddings.npy", table, ids=tiny / "ids.txt", root=tmp_path, out=gone, settings=QUICK
    )
    with pytest.raises(UserError, match="cannot be read"):
        audit_embeddings(gone, tiny)
    result = CliRunner().invoke(app, ["audit", str(measured), "--model", str(tiny)])
    assert result.exit_code == 2
    assert "--model goes with --shortcut" in " ".join(result.output.split())


def test_what_needs_a_network_is_said_not_to_be_measured(
    tiny: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wildreid.evaluate_embeddings(
        tiny / "embeddings.npy", tiny / "split.parquet", root=photos, out=tmp_path / "out",
        settings={**QUICK, "evaluation.shortcut": True},
    )  # fmt: skip
    assert "evaluation.shortcut is not measured" in capsys.readouterr().err
