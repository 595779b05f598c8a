"""Runs whose head is fitted, whose backbone is several networks, and whose photos are seen in several views."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file
from tests.core.identification.conftest import RECIPE, take

import wildreid
from wildreid.identification import create_gallery, export, open_gallery, read_data
from wildreid.identification.models import load_model
from wildreid.pipeline import resume
from wildreid_plugins.heads.whiten import SHRINKAGES

SEVERAL = {"name": "concat", "of": [{"name": "timm", "model": "test_resnet"}, {"name": "pixels", "size": 8}]}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe beside its photos."""
    folder = tmp_path_factory.mktemp("fitted")
    take(folder / "photos")
    (folder / "recipe.yaml").write_text(RECIPE)
    return folder


def run(base: Path, name: str, **settings: Any) -> Path:
    return wildreid.run(base / "recipe.yaml", out=base / "runs", name=name, settings=settings).folder


def test_whitening_without_training_is_fitted_on_train_and_chosen_on_val(
    base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    free = {"training.epochs": 0, "backbone": SEVERAL}
    plain = run(base, "plain", head="identity", **free)
    said = capsys.readouterr().err
    assert "features of the frozen backbone" in said
    two = {"name": "whiten", "of": {"name": "pca", "width": 12}}
    kept = load_file(run(base, "two", head=two, **free) / "model.safetensors")
    assert np.isfinite(kept["head.shrinkage"])
    assert not np.allclose(
        kept["head.before.matrix"], np.eye(160, 12)
    )  # both are fitted, the first one first
    said = capsys.readouterr().err
    white = run(base, "white", head="whiten", **free)
    said = capsys.readouterr().err
    assert "chosen on val" in said
    assert "features of the frozen backbone" not in said  # one computation for both heads
    kept = load_file(white / "model.safetensors")
    assert round(float(kept["head.shrinkage"]), 3) in SHRINKAGES

    table = wildreid.load_results(plain).table
    before = np.load(plain / "embeddings.npy").astype(float)
    train = table["part"].eq("train").to_numpy()
    who = table["identity"].to_numpy(str)
    x, own = before[train], who[train]
    scatter = sum(np.outer(d, d) for n in np.unique(own) for d in x[own == n] - x[own == n].mean(0)) / len(x)
    width = x.shape[1]
    shrunk = scatter + float(kept["head.shrinkage"]) * np.trace(scatter) / width * np.eye(width)
    values, axes = np.linalg.eigh(shrunk)
    after = (before - x.mean(0)) @ (axes / np.sqrt(values)) @ axes.T
    after /= np.linalg.norm(after, axis=1, keepdims=True)
    found = np.load(white / "embeddings.npy")
    np.testing.assert_allclose(found @ found.T, after @ after.T, atol=5e-3)


def test_behind_a_trained_head_it_is_fitted_once_training_is_over_and_again_when_resumed(base: Path) -> None:
    head = {"name": "whiten", "of": {"name": "mlp", "width": 16, "depth": 1}}
    whole = run(base, "behind", head=head, **{"embedding.flip": True})
    copy = base / "runs" / "stopped"
    shutil.copytree(whole, copy)
    ledger = json.loads((copy / "stages.json").read_text())
    (copy / "stages.json").write_text(json.dumps({k: v for k, v in ledger.items() if k == "train begun"}))
    resume(copy)  # a run that was killed between its last epoch and the fit
    for file in ("model.safetensors", "embeddings.npy", "scores.json"):
        assert (copy / file).read_bytes() == (whole / file).read_bytes()


def test_galleries_and_packages_look_and_whiten_as_the_run_did(base: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    folder = run(
        base, "packed", head="whiten", backbone=SEVERAL, **{"training.epochs": 0, "embedding.crops": [1, 0.8]}
    )
    create_gallery(tmp_path / "gallery", folder).add(read_data(folder, parts=["train"]))
    gallery = open_gallery(tmp_path / "gallery")
    photo = base / "photos" / "1-4-0.png"
    rows = wildreid.load_results(folder)
    at = rows.table["id"].tolist().index("1-4-0.png")
    np.testing.assert_allclose(gallery.identify([photo]).embeddings[0], rows.embeddings[at], atol=1e-5)
    export(folder, tmp_path / "onnx", to="onnx", images=8)
    assert load_model(tmp_path / "onnx").mark.transform == gallery.model.mark.transform
    plain = run(base, "unlike", head="whiten", backbone=SEVERAL, **{"training.epochs": 0})
    assert load_model(plain).mark.transform != gallery.model.mark.transform
