"""The licence of a network's first weights goes with every model that is made of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import timm
from safetensors.torch import save_file
from tests.core.identification.conftest import RECIPE, take
from typer.testing import CliRunner

import wildreid
from wildreid.cli import app
from wildreid.identification import create_gallery, export, open_gallery, read_data
from wildreid.kinds import Origin

TERMS = "local-dir:network: cc-by-nc-4.0, for non-commercial use alone"


def test_a_licence_says_whether_it_forbids_commerce() -> None:
    forbids = {"cc-by-nc-4.0", "CC BY-NC-SA 4.0", "Non-Commercial Government Licence", "noncommercial"}
    allows = {"apache-2.0", "MIT", "cc-by-4.0", "", "fair-noncompete"}
    assert {words for words in forbids | allows if Origin("x", words).noncommercial} == forbids
    assert str(Origin("x")) == "x: no licence stated"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that starts from a folder of weights with a card."""
    base = tmp_path_factory.mktemp("terms")
    take(base / "photos")
    folder = base / "network"
    folder.mkdir()
    save_file(timm.create_model("test_resnet").state_dict(), folder / "model.safetensors")
    described = {"mean": [0.5] * 3, "std": [0.5] * 3, "input_size": [3, 32, 32], "classifier": "fc"}
    (folder / "config.json").write_text(
        json.dumps({"architecture": "test_resnet", "pretrained_cfg": described})
    )
    (folder / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n")
    named = RECIPE.replace(
        "{name: timm, model: test_resnet, pretrained: false}", "{name: timm, model: 'local-dir:network'}"
    )
    (base / "recipe.yaml").write_text(f"{named}reporters: [{{name: html, umap: false}}]\n")
    return wildreid.run(base / "recipe.yaml", out=base / "runs").folder


def test_the_terms_stand_in_model_run_report_package_and_gallery(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (origin,) = json.loads((run / "model.json").read_text())["origins"]
    assert (origin["words"], origin["non_commercial"]) == (TERMS, True)
    assert json.loads((run / "run.json").read_text())["weights"] == [origin]
    page = (run / "report" / "index.html").read_text()
    assert f"First weights {TERMS}." in page

    package = export(run, tmp_path / "package")
    assert package["origins"] == [origin]
    assert TERMS in (tmp_path / "package" / "README.md").read_text()
    for path in (run / "model.json", run / "report" / "index.html", *(tmp_path / "package").iterdir()):
        assert str(run.parents[1]).encode() not in path.read_bytes()

    create_gallery(tmp_path / "gallery", tmp_path / "package").add(read_data(run, parts=["train"]))
    assert json.loads((tmp_path / "gallery" / "gallery.json").read_text())["provenance"]["weights"] == [TERMS]
    listed = CliRunner().invoke(app, ["gallery", "list", str(tmp_path / "gallery")])
    assert f"first weights {TERMS}" in listed.output
    assert open_gallery(tmp_path / "gallery").model.mark.width == 16  # rebuilt from the config that it kept


def test_a_non_commercial_licence_is_said_once_as_the_run_begins(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wildreid.run(run.parents[1] / "recipe.yaml", out=run.parent)
    assert capsys.readouterr().err.count("non-commercial") == 1
