"""A head on cached features is the head on the frozen backbone; what changes the features changes the key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made import micro
from PIL import Image

from wildreid.data.store import ImageStore, open_images
from wildreid.data.table import Table
from wildreid.errors import UserError
from wildreid.training import features, loop
from wildreid.training.embed import embed
from wildreid.training.embedder import build_embedder
from wildreid.training.features import CachedFeatures, open_features, rests

FROZEN: dict[str, Any] = {
    "backbone": {"name": "timm", "model": "test_resnet"},  # batch norm: folded while features are computed
    "head": {"name": "mlp", "width": 8, "hidden": 16},
    "miner": "none",
    "transforms": [],
}


def training(**changes: Any) -> dict[str, Any]:
    return {"epochs": 3, "freeze": "all"} | changes


@pytest.fixture
def herd(tmp_path: Path) -> tuple[Table, ImageStore]:
    """The micro herd as files, with an image store that has keys."""
    table, pixels = micro.herd()
    for name, image in zip(table["image"], pixels.take(range(len(pixels))), strict=True):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(image).save((tmp_path / name).with_suffix(".png"))
    rows = table.rows.assign(image=table["image"].str.replace(".jpg", ".png"))
    table = Table.of(rows, tmp_path)
    return table, open_images(table, micro.recipe().images, cache=tmp_path / "cache")


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[int]:
    """How many images were taken from each store for features; and a cache of the test's own."""
    monkeypatch.setenv("WILDREID_CACHE", str(tmp_path / "cache"))
    taken: list[int] = []
    take = ImageStore.take

    def counted(self: ImageStore, rows: Any) -> Any:
        taken.append(len(rows))
        return take(self, rows)

    monkeypatch.setattr(ImageStore, "take", counted)
    return taken


def opened(herd: tuple[Table, ImageStore], tmp_path: Path, **changes: Any) -> CachedFeatures:
    recipe = micro.recipe(**{**FROZEN, "training": training(), **changes})
    torch.manual_seed(changes.get("weights", 0))
    every = np.arange(len(herd[1]))
    return open_features(
        build_embedder(recipe), herd[1], recipe, rows=every, learned=every[:20], device="cpu",
        cache=tmp_path / "cache",
    )  # fmt: skip


def test_features_are_the_backbones(herd: tuple[Table, ImageStore], tmp_path: Path) -> None:
    recipe = micro.recipe(**FROZEN, training=training())
    torch.manual_seed(0)
    embedder = build_embedder(recipe)
    kept = opened(herd, tmp_path)
    whole = embed(embedder, herd[1], device="cpu")
    np.testing.assert_allclose(embed(embedder, kept, device="cpu"), whole, atol=1e-5)
    assert len(kept) == len(herd[1])


def test_the_head_trains_as_on_the_frozen_backbone(
    herd: tuple[Table, ImageStore], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, images = herd
    # SGD: Adam's first steps have one length whatever the gradient, and turn rounding into a difference
    recipe = micro.recipe(**FROZEN, optimizer="sgd", training=training())
    validate = micro.validator(table)
    kept = loop.train(recipe, table, images, tmp_path / "kept", validate=validate, device="cpu")
    monkeypatch.setattr(loop, "rests", lambda recipe: False)
    anew = loop.train(recipe, table, images, tmp_path / "again", validate=validate, device="cpu")
    for name, weights in anew.state_dict().items():
        torch.testing.assert_close(kept.state_dict()[name], weights, atol=1e-4, rtol=1e-3)
    figures = [
        [json.loads(line)["loss"] for line in (tmp_path / name / "history.jsonl").read_text().splitlines()]
        for name in ("kept", "again")
    ]
    assert figures[0] == pytest.approx(figures[1], abs=1e-4)


def test_images_are_seen_once(herd: tuple[Table, ImageStore], tmp_path: Path, asked: list[int]) -> None:
    table, images = herd
    recipe = micro.recipe(**FROZEN, training=training())
    for name in ("one", "two"):
        loop.train(recipe, table, images, tmp_path / name, validate=micro.validator(table), device="cpu")
    assert sum(asked) == len(table.of_part("train", "val"))  # and none of test


@pytest.mark.parametrize(
    "changes",
    [
        {"weights": 1},
        {"training": training(precision="bf16")},
        {"backbone": {"name": "timm", "model": "test_convnext"}},
    ],
    ids=["weights", "precision", "network"],
)
def test_other_features_are_computed_anew(
    herd: tuple[Table, ImageStore], tmp_path: Path, asked: list[int], changes: dict[str, Any]
) -> None:
    opened(herd, tmp_path)
    asked.clear()
    opened(herd, tmp_path)
    assert not asked
    weights = changes.pop("weights", 0)
    recipe = micro.recipe(**{**FROZEN, "training": training(), **changes})
    torch.manual_seed(weights)
    every = np.arange(len(herd[1]))
    open_features(
        build_embedder(recipe),
        herd[1],
        recipe,
        rows=every,
        learned=every,
        device="cpu",
        cache=tmp_path / "cache",
    )
    assert sum(asked) == len(every)


def test_views_are_a_fixed_number_of_augmented_forms(
    herd: tuple[Table, ImageStore], tmp_path: Path, asked: list[int]
) -> None:
    several = {"transforms": ["color"], "training": training(views=3)}
    kept = opened(herd, tmp_path, **several)
    assert sum(asked) == len(herd[1]) + 3 * 20
    plain = kept.take([4])[0]
    drawn = {kept.draw([4], seed=[n]).tobytes() for n in range(40)}
    assert len(drawn) == 3
    assert plain.tobytes() not in drawn
    same = kept.draw([4, 5, 6], seed=[1, 2])
    asked.clear()
    again = opened(herd, tmp_path, **several)
    assert not asked
    assert (again.draw([4, 5, 6], seed=[1, 2]) == same).all()
    assert {again.draw([4], seed=[n]).tobytes() for n in range(40)} == drawn


def test_a_view_is_the_same_whatever_was_computed_before(
    herd: tuple[Table, ImageStore], tmp_path: Path
) -> None:
    several = {"transforms": ["rotation"], "training": training(views=2)}
    recipe = micro.recipe(**{**FROZEN, **several})
    torch.manual_seed(0)
    embedder, some = build_embedder(recipe), np.array([17, 3])
    open_features(embedder, herd[1], recipe, rows=some, learned=some, device="cpu", cache=tmp_path / "other")
    torch.rand(7)  # the state of the generators has no say
    how = {"rows": some, "device": "cpu"}
    alone = open_features(embedder, herd[1], recipe, learned=some, cache=tmp_path / "other", **how)  # type: ignore[arg-type]
    among = opened(herd, tmp_path, **several)
    for seed in range(5):
        np.testing.assert_allclose(
            alone.draw([3, 17], seed=[seed]), among.draw([3, 17], seed=[seed]), atol=1e-6
        )


def test_a_run_on_views_trains_and_resumes(herd: tuple[Table, ImageStore], tmp_path: Path) -> None:
    table, images = herd
    recipe = micro.recipe(**FROZEN | {"transforms": ["color"]}, training=training(views=2))
    first = loop.train(recipe, table, images, tmp_path / "a", validate=micro.validator(table), device="cpu")
    second = loop.train(recipe, table, images, tmp_path / "b", validate=micro.validator(table), device="cpu")
    assert all(
        torch.equal(weights, second.state_dict()[name]) for name, weights in first.state_dict().items()
    )


@pytest.mark.parametrize(
    ("changes", "transforms", "answer"),
    [
        ({"freeze": "all"}, [], True),
        ({"freeze": "all"}, ["color"], False),
        ({"freeze": "all", "views": 2}, ["color"], True),
        ({"freeze": "all", "thaw": 1}, [], False),
        ({"freeze": 1}, [], False),
        ({}, [], False),
    ],
)
def test_when_a_backbone_rests(changes: dict[str, Any], transforms: list[str], answer: bool) -> None:
    assert rests(micro.recipe(training=changes, transforms=transforms)) is answer


def test_no_room_and_a_cache_that_is_cleared(herd: tuple[Table, ImageStore], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="have no room in the cache"):
        opened(herd, tmp_path, images={"size": micro.SIZE, "cache_gib": 1e-6})
    kept = opened(herd, tmp_path)
    for slab in (tmp_path / "cache/features").glob("*.f32"):
        slab.unlink()
    with pytest.raises(UserError, match="cleared"):
        kept.take([0])
    assert features.FORM == 1
