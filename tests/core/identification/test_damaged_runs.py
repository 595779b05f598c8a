"""Run folders with damaged files: what reads them works, or names the file and says what to do."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import wildreid
from wildreid.errors import UserError
from wildreid.identification import create_gallery, export
from wildreid.pipeline import RunFolder, load_results, resume

FILES = (
    "recipe.yaml", "run.json", "split.parquet", "scores.json", "stages.json", "decision.json", "history.jsonl",
    "embeddings.npy", "ranking.npz", "model.json", "model.safetensors",
)  # fmt: skip
DAMAGES: dict[str, Callable[[bytes], bytes | None]] = {
    "missing": lambda data: None,
    "truncated": lambda data: data[: len(data) // 2],
    "junk": lambda data: np.random.default_rng(0).bytes(200),
    "nothing in it": lambda data: b"{}",
}


@pytest.fixture
def copy(tiny: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny, tmp_path / "run"))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_named_and_nothing_is_made_of_it(
    damage: str, name: str, copy: Path, tmp_path: Path
) -> None:
    file = copy / name
    data = DAMAGES[damage](file.read_bytes())
    file.unlink() if data is None else file.write_bytes(data)
    refusals = []
    for act in (lambda: load_results(copy), lambda: create_gallery(tmp_path / "gallery", copy)):
        try:
            act()
        except UserError as error:
            refusals.append(error)
    for error in refusals:
        assert str(copy) in str(error)
    needed = set(FILES) - {"stages.json"}
    if damage == "missing":  # what is not there is not shown
        needed -= {"history.jsonl", "ranking.npz"}
    assert bool(refusals) == (name in needed)
    if refusals:
        assert not list(tmp_path.glob("gallery/model/package.json")) or len(refusals) == 1


def test_no_package_is_sealed_of_a_model_that_cannot_be_loaded(copy: Path, tmp_path: Path) -> None:
    for name, data in (("model.safetensors", b"0123456789"), ("model.json", b'{"junk": 1}')):
        kept = (copy / name).read_bytes()
        (copy / name).write_bytes(data)
        with pytest.raises(UserError, match=r"belong together|not readable"):
            export(copy, tmp_path / "package")
        assert not (tmp_path / "package").exists()
        (copy / name).write_bytes(kept)


def test_a_bomb_in_place_of_a_ranking_is_not_unpacked(copy: Path) -> None:
    with zipfile.ZipFile(copy / "ranking.npz", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("top.npy", b"\0" * 10_000_000)
    with pytest.raises(UserError, match="compressed"):
        load_results(copy)


def test_a_ranking_of_another_table_is_refused(copy: Path) -> None:
    from wildreid.evaluation.rank import load_ranking

    rows = len(RunFolder(copy).load_split())
    assert load_ranking(copy / "ranking.npz", rows=rows).protocol == "fixed-gallery"
    with pytest.raises(UserError, match="rows that the table does not have"):
        load_ranking(copy / "ranking.npz", rows=3)


def test_embeddings_of_another_table_are_refused(copy: Path) -> None:
    found = np.load(copy / "embeddings.npy")
    np.save(copy / "embeddings.npy", found[:-1])
    with pytest.raises(UserError, match="a float32 vector for each of"):
        load_results(copy)


def test_a_damaged_ledger_is_mended_as_it_is_said(copy: Path) -> None:
    before = load_results(copy).scores
    (copy / "stages.json").write_bytes(b'{"train')
    with pytest.raises(UserError, match="the file is damaged") as caught:
        wildreid.evaluate(copy)
    assert "remove this file" in caught.value.cure
    (copy / "stages.json").unlink()
    assert resume(copy).scores == before


@pytest.mark.parametrize("data", [b"", b"junk"])
def test_a_damaged_checkpoint_is_refused(data: bytes, copy: Path) -> None:
    (copy / "checkpoints").mkdir(exist_ok=True)
    (copy / "checkpoints/last.pt").write_bytes(data)
    stages = json.loads((copy / "stages.json").read_text())
    del stages["train"]
    (copy / "stages.json").write_text(json.dumps(stages))
    with pytest.raises(UserError, match="not readable as a checkpoint"):
        resume(copy)


def test_what_a_kill_left_half_written_is_gone_after_the_next_run(copy: Path) -> None:
    import os

    for name in ("embeddings.npy.part", "report/index.html.part"):
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).write_bytes(b"half")
        os.utime(copy / name, (1e9, 1e9))
    resume(copy)
    assert not list(copy.rglob("*.part"))


def test_a_model_whose_plugin_is_not_here_says_which(copy: Path) -> None:
    described = json.loads((copy / "model.json").read_text())
    assert described["plugins"] == {"backbone": "wildreid_plugins", "head": "wildreid_plugins"}
    described["backbone"] = {"name": "stripes-net"}
    described["plugins"]["backbone"] = "stripes"
    (copy / "model.json").write_text(json.dumps(described))
    with pytest.raises(UserError, match="no backbone is named 'stripes-net'") as caught:
        wildreid.load_embedder(copy)
    assert caught.value.cure == "install the plugin that offers it, which was stripes"
    assert "pydantic" not in str(caught.value)
