"""What TensorBoard reads from the files that the tracker writes."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from tests.plugins.trackers import told

from wildreid.errors import UserError
from wildreid_plugins.trackers.tensorboard import Tensorboard

pytest.importorskip("tensorboard", reason="the extra is not installed")


def read(folder: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        events = EventAccumulator(str(folder), size_guidance={"images": 0, "scalars": 0, "tensors": 0})
        events.Reload()
    return events


def test_numbers_late_pictures_recipe_hashes_and_report(tmp_path: Path) -> None:
    run = told.run(tmp_path)
    with Tensorboard().open(run=run) as log:
        for step in (1, 2):
            log.log(step, {"loss": 1.0 / step, "accuracy@1": 0.25, "rate/head": 0.1})
        log.log(1, {}, {"umap": told.picture(run.folder)})
    with Tensorboard().open(run=run) as log:  # resumed
        log.log(3, {"loss": 0.25})
        log.report(told.RESULTS, [told.report(run.folder)])  # type: ignore[attr-defined]
    events = read(run.folder / "tensorboard")
    assert [(point.step, point.value) for point in events.Scalars("loss")] == [(1, 1.0), (2, 0.5), (3, 0.25)]
    assert {tag for tag in events.Tags()["scalars"] if tag.startswith("acc")} == {"accuracy@1"}
    (drawn,) = events.Images("umap")
    assert (drawn.step, drawn.width, drawn.height) == (1, 16, 8)
    texts = {
        tag.removesuffix("/text_summary"): events.Tensors(tag)[-1].tensor_proto.string_val[0].decode()
        for tag in events.Tags()["tensors"]
    }
    assert '"margin": 0.2' in texts["recipe"]
    assert "c0ffee" in texts["hashes"]
    assert "**one [sample]**" in texts["report"]
    assert "| cross-encounter | accuracy@1 | 0.500 | 0.250 – 0.750 | 8 |" in texts["report"]
    assert "| cross-encounter | auroc | – | no unknowns | 0 |" in texts["report"]
    assert "index.html" in texts["report"]


def test_without_the_extra_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch.utils.tensorboard", None)
    with (
        pytest.raises(UserError, match=r"pip install 'wildreid\[tensorboard\]'"),
        Tensorboard().open(run=told.run(tmp_path)),
    ):
        pass
