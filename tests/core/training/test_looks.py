"""Test-time views: what each is, that their features are averaged, and that frozen ones are kept by view."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from made.micro import SIZE, recipe
from torch.nn.functional import normalize

from wildreid.data.pixels import HeldImages
from wildreid.errors import UserError
from wildreid.recipe.settings import Embedding
from wildreid.registry import Registry
from wildreid.training.embed import embed
from wildreid.training.embedder import build_embedder, load_embedder, save_embedder
from wildreid.training.features import open_features
from wildreid.training.looks import PLAIN, Look, looks

VIEWS = {"flip": True, "crops": [1.0, 0.5], "scales": [1.0, 1.5]}


def test_every_view_is_what_it_says() -> None:
    assert looks(Embedding()) == PLAIN
    assert len(looks(Embedding(**VIEWS))) == 8
    images = torch.arange(3 * 8 * 8.0).view(1, 3, 8, 8)
    assert torch.equal(Look().of(images), images)
    assert torch.equal(Look(flipped=True).of(images), images.flip(3))
    assert torch.equal(Look(crop=0.5, scale=0.5).of(images), images[..., 2:6, 2:6])
    assert Look(scale=1.5).of(images).shape[-2:] == (12, 12)
    assert Look(crop=0.5).of(images).shape[-2:] == (8, 8)


def test_features_are_averaged_over_the_views_and_only_in_evaluation() -> None:
    torch.manual_seed(0)
    embedder = build_embedder(recipe(embedding=VIEWS))
    pixels = torch.randint(0, 256, (4, SIZE, SIZE, 3), dtype=torch.uint8)
    with torch.inference_mode():
        prepared = embedder.prepare(pixels)
        features = [embedder.backbone(view.of(prepared)) for view in embedder.views]
        expected = normalize(embedder.head(torch.stack(features).mean(0)))
        assert torch.allclose(embedder(pixels), expected, atol=1e-6)
        embedder.train()
        embedder.backbone.eval()
        plain = normalize(embedder.head.eval()(embedder.backbone(prepared)))
        assert torch.allclose(embedder(prepared), plain, atol=1e-6)


def test_a_saved_model_looks_as_often_as_it_did(tmp_path: Path) -> None:
    asked = recipe(embedding=VIEWS)
    embedder = build_embedder(asked)
    save_embedder(embedder, tmp_path, asked)
    again = load_embedder(tmp_path, Registry())
    pixels = torch.randint(0, 256, (2, SIZE, SIZE, 3), dtype=torch.uint8)
    assert again.views == embedder.views
    with torch.inference_mode():
        assert torch.allclose(again(pixels), embedder(pixels), atol=1e-6)


def test_frozen_features_are_kept_by_view(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = HeldImages(np.random.default_rng(0).integers(0, 256, (6, SIZE, SIZE, 3), dtype=np.uint8))
    every = np.arange(6)
    told = []
    for views in ({}, {"flip": True}, VIEWS):
        asked = recipe(embedding=views, training={"epochs": 0})
        torch.manual_seed(0)
        embedder = build_embedder(asked)
        seen = open_features(
            embedder, images, asked, rows=every, learned=every[:0], device="cpu", cache=tmp_path
        )
        told.append(capsys.readouterr().err.count("\n"))
        kept = embed(embedder, seen, device="cpu")
        np.testing.assert_allclose(kept, embed(embedder, images, device="cpu"), atol=1e-5)
    assert len(list((tmp_path / "features").rglob("*.f32"))) >= 1


def test_a_network_of_a_fixed_size_takes_no_other_scale() -> None:
    fixed = {"name": "timm", "model": "vit_tiny_patch16_224"}
    with pytest.raises(UserError, match=r"embedding\.scales.*does not take images of 224 and 336 pixels"):
        build_embedder(recipe(backbone=fixed, images={"size": 224}, embedding={"scales": [1, 1.5]}))
    build_embedder(recipe(backbone=fixed, images={"size": 224}, embedding={"crops": [1, 0.8]}))
