"""The embedder, its files, and embedding many images."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made import micro

from wildreid.errors import UserError
from wildreid.kinds import Backbone
from wildreid.training.embed import embed
from wildreid.training.embedder import build_embedder, load_embedder, save_embedder
from wildreid.training.fuse import fused

RESNET = {"name": "timm", "model": "test_resnet"}


def pixels(count: int = 5) -> torch.Tensor:
    return torch.from_numpy(micro.herd()[1].take(range(count)))


def test_prepare_is_normalised_and_channels_last() -> None:
    embedder = build_embedder(micro.recipe())
    images = pixels()
    expected = (images.numpy().transpose(0, 3, 1, 2) / 255 - embedder.mean.numpy()) / embedder.std.numpy()
    for prepared in (embedder.prepare(images), embedder.prepare(images, [lambda batch: batch])):
        np.testing.assert_allclose(prepared.numpy(), expected, atol=1e-5)
        assert prepared.is_contiguous(memory_format=torch.channels_last)


def test_an_embedding_has_length_one_and_one_for_each_image() -> None:
    embedder = build_embedder(micro.recipe())
    with torch.inference_mode():
        vectors = embedder(pixels())
        alone = torch.cat([embedder(pixels()[n : n + 1]) for n in range(5)])
    assert vectors.shape == (5, embedder.width) == (5, 8)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(5))
    torch.testing.assert_close(vectors, alone)


def test_groups_hold_each_trainable_parameter_once_in_order() -> None:
    embedder = build_embedder(micro.recipe(backbone=RESNET, head="bnneck"))
    groups = embedder.groups()
    assert list(groups) == [
        "backbone.stem", "backbone.layer1.0", "backbone.layer2.0", "backbone.layer3.0", "backbone.layer4.0",
        "head",
    ]  # fmt: skip
    held = [id(parameter) for group in groups.values() for parameter in group]
    trainable = [id(parameter) for parameter in embedder.parameters() if parameter.requires_grad]
    assert sorted(held) == sorted(trainable)
    assert len(trainable) < len(list(embedder.parameters()))  # the neck's shift stays


def test_saved_and_loaded_is_the_same(tmp_path: Path) -> None:
    recipe = micro.recipe()
    embedder = build_embedder(recipe)
    save_embedder(embedder, tmp_path, recipe)
    loaded = load_embedder(tmp_path, micro.REGISTRY)
    assert not loaded.training
    assert (loaded.width, loaded.size) == (embedder.width, embedder.size)
    with torch.inference_mode():
        assert torch.equal(embedder(pixels()), loaded(pixels()))


def test_a_model_loads_where_its_first_weights_cannot_be_had(tmp_path: Path) -> None:
    recipe = micro.recipe()
    save_embedder(build_embedder(recipe), tmp_path, recipe)
    fetched = {"name": "timm", "model": "test_convnext", "pretrained": True, "drop_path": 0.1}
    pretrained = micro.recipe(backbone=fetched)
    text = (tmp_path / "model.json").read_text()
    save_embedder(load_embedder(tmp_path, micro.REGISTRY), tmp_path, pretrained)
    assert json.loads((tmp_path / "model.json").read_text())["backbone"] == json.loads(text)["backbone"]
    load_embedder(tmp_path, micro.REGISTRY)


@pytest.mark.parametrize("file", ["model.json", "model.safetensors"])
def test_a_missing_or_damaged_file_is_said(file: str, tmp_path: Path) -> None:
    recipe = micro.recipe()
    save_embedder(build_embedder(recipe), tmp_path, recipe)
    content = bytearray((tmp_path / file).read_bytes())
    (tmp_path / file).write_bytes(content[:-5])
    with pytest.raises(UserError, match=r"do not belong together|not readable as a model"):
        load_embedder(tmp_path, micro.REGISTRY)
    (tmp_path / file).unlink()
    with pytest.raises(UserError, match="there is no trained model"):
        load_embedder(tmp_path, micro.REGISTRY)


def test_an_option_that_no_plugin_offers_is_said(tmp_path: Path) -> None:
    recipe = micro.recipe()
    save_embedder(build_embedder(recipe), tmp_path, recipe)
    text = (tmp_path / "model.json").read_text().replace('"timm"', '"elsewhere"')
    (tmp_path / "model.json").write_text(text)
    with pytest.raises(UserError, match="no backbone is named 'elsewhere'"):
        load_embedder(tmp_path, micro.REGISTRY)


def test_images_of_a_size_that_the_network_does_not_take() -> None:
    vit = {"name": "timm", "model": "vit_tiny_patch16_224"}
    with pytest.raises(UserError, match="does not take images of 32 pixels") as caught:
        build_embedder(micro.recipe(backbone=vit))
    assert "images.size=224" in str(caught.value)
    build_embedder(micro.recipe(backbone=vit | {"size": 32}))


def test_a_backbone_whose_stages_leave_parameters_out_is_refused() -> None:
    class Forgetful(Backbone):
        """Names no stage."""

        name = "forgetful"

        def build(self) -> Any:
            module = torch.nn.Flatten()
            module.layer = torch.nn.Linear(2, 2)  # type: ignore[assignment]
            module.width, module.size, module.stages = 3 * 32 * 32, 32, ()  # type: ignore[assignment]
            module.mean, module.std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)  # type: ignore[assignment]
            return module

    with pytest.raises(UserError, match="'forgetful' do not hold each of its parameters once"):
        build_embedder(micro.recipe(backbone=Forgetful()))


@pytest.mark.parametrize("backbone", [RESNET, {"name": "timm", "model": "test_efficientnet"}])
def test_folding_batch_norms_leaves_embeddings_and_the_network_as_they_are(backbone: dict[str, Any]) -> None:
    torch.manual_seed(0)
    embedder = build_embedder(micro.recipe(backbone=backbone))
    for module in embedder.modules():
        if isinstance(module, torch.nn.BatchNorm2d):  # statistics such as training leaves
            module.running_mean.uniform_(-0.5, 0.5)  # type: ignore[union-attr]
            module.running_var.uniform_(0.5, 2)  # type: ignore[union-attr]
    before = {name: value.clone() for name, value in embedder.state_dict().items()}
    folded = fused(embedder)
    assert folded is not embedder
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in folded.modules())
    with torch.inference_mode():
        torch.testing.assert_close(folded(pixels()), embedder(pixels()), atol=1e-5, rtol=1e-4)
    assert all(torch.equal(before[name], value) for name, value in embedder.state_dict().items())


def test_a_network_whose_batch_norm_is_not_alone_behind_the_convolution_is_not_folded() -> None:
    class Branching(Backbone):
        """Uses a convolution's output with and without its norm."""

        name = "branching"

        def build(self) -> Any:
            class Net(torch.nn.Module):
                def __init__(self) -> None:
                    super().__init__()
                    self.conv, self.norm = torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)
                    self.width, self.size, self.mean, self.std = 4, 32, (0.5, 0.5, 0.5), (0.2, 0.2, 0.2)
                    self.stages = [("all", list(self.parameters()))]

                def forward(self, images: torch.Tensor) -> torch.Tensor:
                    raw = self.conv(images)
                    return (self.norm(raw) - raw).relu().mean((2, 3))

            return Net()

    embedder = build_embedder(micro.recipe(backbone=Branching(), head="identity"))
    with torch.no_grad():
        embedder.backbone.norm.weight.fill_(3)  # type: ignore[union-attr, operator]
    assert fused(embedder) is embedder


def test_embed_gives_each_row_its_own_embedding_in_the_order_asked(tmp_path: Path) -> None:
    _, images = micro.herd()
    embedder = build_embedder(micro.recipe(backbone=RESNET)).train()
    rows = np.array([7, 3, 3, 40, 0])
    vectors = embed(embedder, images, rows, device="cpu", batch=2)
    assert embedder.training
    assert vectors.dtype == np.float32
    with torch.inference_mode():
        expected = embedder.eval()(torch.from_numpy(images.take(rows))).numpy()
    np.testing.assert_allclose(vectors, expected, atol=1e-5)
    everything = embed(embedder, images, device="cpu", out=tmp_path / "a" / "embeddings.npy")
    assert isinstance(everything, np.memmap)
    np.testing.assert_allclose(np.load(tmp_path / "a" / "embeddings.npy")[rows], vectors, atol=1e-5)


def test_embed_draws_no_random_numbers() -> None:
    _, images = micro.herd()
    embedder = build_embedder(micro.recipe())
    before = torch.get_rng_state()
    embed(embedder, images, device="cpu")
    assert torch.equal(before, torch.get_rng_state())


def test_no_rows_give_no_embeddings() -> None:
    _, images = micro.herd()
    assert embed(build_embedder(micro.recipe()), images, [], device="cpu").shape == (0, 8)


def test_a_disk_without_room_for_the_embeddings_is_told_of_before_anything_is_embedded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedder, (_, images) = build_embedder(micro.recipe()), micro.herd()
    for number, refused in ((errno.EOPNOTSUPP, False), (errno.ENOSPC, True)):

        def fails(*asked: int, number: int = number) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr("os.posix_fallocate", fails)
        out = tmp_path / "embeddings.npy"
        if refused:
            with pytest.raises(UserError, match="No space left on device"):
                embed(embedder, images, device="cpu", out=out)
            assert not out.exists()
        else:
            assert len(embed(embedder, images, device="cpu", out=out)) == len(images)
