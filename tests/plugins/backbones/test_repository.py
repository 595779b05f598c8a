"""Networks of a repository: a cache as huggingface_hub lays it out, folders, and what does not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

from wildreid.errors import UserError
from wildreid_plugins.backbones.megadescriptor import MegaDescriptor
from wildreid_plugins.backbones.miewid import MiewId
from wildreid_plugins.backbones.repository import Repository
from wildreid_plugins.backbones.timm import Timm

SWIN, EFFICIENTNET = "swin_tiny_patch4_window7_224", "test_efficientnet"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def written(folder: Path, model: str, *, licence: str | None = "cc-by-nc-4.0", size: int = 224) -> Path:
    """A repository's files: random weights of a network, and a config with numbers of its own."""
    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    network = timm.create_model(model, num_classes=7)
    save_file(
        {key: value.contiguous() for key, value in network.state_dict().items()}, folder / "model.safetensors"
    )
    described = {
        "input_size": [3, size, size],
        "fixed_input_size": model == SWIN,
        "mean": [0.4, 0.5, 0.6],
        "std": [0.25, 0.26, 0.27],
        "classifier": network.pretrained_cfg["classifier"],
        "num_classes": 7,
    }
    config = {"architecture": model, "num_classes": 7, "pretrained_cfg": described}
    (folder / "config.json").write_text(json.dumps(config))
    if licence is not None:
        (folder / "README.md").write_text(f"---\nlicense: {licence}\ntags: [animals]\n---\n# A network\n")
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub, and no network."""
    folder = tmp_path / "hub"
    folder.mkdir()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(folder))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    return folder


def cached(cache: Path, name: str, model: str, **more: Any) -> None:
    """A repository in the cache: its files lie under blobs, a snapshot of a commit links to them."""
    folder = cache / f"models--{name.replace('/', '--')}"
    blobs = written(folder / "blobs", model, **more)
    snapshot = folder / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    for path in list(blobs.iterdir()):
        (snapshot / path.name).symlink_to(Path("../../blobs") / path.name)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(COMMIT)


@pytest.mark.parametrize(("model", "size"), [(SWIN, 224), (EFFICIENTNET, 96)])
def test_a_cached_repository_gives_timms_own_features(cache: Path, model: str, size: int) -> None:
    cached(cache, "somebody/network", model, size=size)
    option = Timm.model_validate({"model": "hf-hub:somebody/network"})
    assert option.pretrained
    features: Any = option.build()
    assert (features.size, features.mean, features.std) == (size, (0.4, 0.5, 0.6), (0.25, 0.26, 0.27))
    direct = timm.create_model("hf-hub:somebody/network", pretrained=True, num_classes=0)
    images = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert torch.allclose(features.eval()(images), direct.eval()(images), atol=1e-6, rtol=0)
    (origin,) = option.origins()
    assert str(origin) == "hf-hub:somebody/network: cc-by-nc-4.0, for non-commercial use alone"
    assert origin.noncommercial


def test_a_saved_model_needs_no_repository(cache: Path, tmp_path: Path) -> None:
    folder = written(tmp_path / "mine" / "net", EFFICIENTNET, size=96)
    option = Timm.model_validate({"model": "local-dir:net"}, context={"base": tmp_path / "mine"})
    saved = option.untrained()
    assert saved.model == "local-dir:net"  # no path of this machine
    first: Any = option.build()
    for file in folder.iterdir():
        file.unlink()
    again: Any = Timm.model_validate(
        saved.model_dump(mode="json"), context={"base": Path("/nowhere")}
    ).build()
    again.load_state_dict(first.state_dict())
    assert (again.size, again.mean) == (96, (0.4, 0.5, 0.6))
    assert again.width == first.width
    assert saved.origins() == ()


def test_a_licence_that_is_not_stated_is_told_as_such(cache: Path, tmp_path: Path) -> None:
    written(tmp_path / "net", EFFICIENTNET, licence=None)
    (origin,) = Timm.model_validate({"model": f"local-dir:{tmp_path / 'net'}"}).origins()
    assert str(origin) == "local-dir:net: no licence stated"
    for card in ("no front matter", "---\nlicense: [a\n---\n", "---\n- 1\n---\n"):
        (tmp_path / "net" / "README.md").write_text(card)
        assert Repository(f"local-dir:{tmp_path / 'net'}").licence() == ""
    (tmp_path / "net" / "README.md").write_text("---\nlicense: other\nlicense_name: bear-licence\n---\n")
    assert Repository(f"local-dir:{tmp_path / 'net'}").licence() == "bear-licence"


def test_an_unknown_name_offers_the_nearest_that_is_cached(cache: Path) -> None:
    cached(cache, "somebody/network", EFFICIENTNET)
    option = Timm.model_validate({"model": "hf-hub:somebody/netwerk"})
    with pytest.raises(UserError, match=r"netwerk, did you mean 'somebody/network'\?.*HF_HUB_OFFLINE is set"):
        option.build()
    with pytest.raises(UserError, match=r"no name of a repository"):
        Timm.model_validate({"model": "hf-hub:a/b/c"}).build()


def test_repositories_that_describe_no_network(cache: Path, tmp_path: Path) -> None:
    folder = tmp_path / "net"
    option = Timm.model_validate({"model": f"local-dir:{folder}"})
    with pytest.raises(UserError, match="no such folder"):
        option.build()
    folder.mkdir()
    with pytest.raises(UserError, match=r"has no config\.json"):
        option.build()
    (folder / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(UserError, match=r"does not describe a network of timm: it has no key 'architecture'"):
        option.build()
    (folder / "config.json").write_text('{"architecture": "resnet81"}')
    with pytest.raises(UserError, match=r"no network named 'resnet81', did you mean 'resnet18'"):
        option.build()
    written(folder, EFFICIENTNET)
    (folder / "model.safetensors").unlink()
    with pytest.raises(UserError, match=r"holds none of model\.safetensors"):
        option.build()


def test_weights_of_another_network_name_the_shapes(cache: Path, tmp_path: Path) -> None:
    folder = written(tmp_path / "net", EFFICIENTNET)
    state = load_file(folder / "model.safetensors")
    state["conv_stem.weight"] = torch.zeros(99, 3, 3, 3)
    save_file(state, folder / "model.safetensors")
    option = Timm.model_validate({"model": f"local-dir:{folder}"})
    with pytest.raises(
        UserError, match=r"size mismatch for conv_stem\.weight: .*\[99, 3, 3, 3\].*\[\d+, 3, 3, 3\]"
    ):
        option.build()


class Evil:
    """Would run code when unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return exec, ("raise SystemExit('ran')",)


def test_a_pickle_is_read_only_where_it_holds_weights_alone(cache: Path, tmp_path: Path) -> None:
    folder = written(tmp_path / "net", EFFICIENTNET)
    state = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    option = Timm.model_validate({"model": f"local-dir:{folder}"})
    torch.save(state, folder / "pytorch_model.bin")
    features: Any = option.build()
    assert torch.equal(features.state_dict()["timm.conv_stem.weight"], state["conv_stem.weight"])
    torch.save({"state_dict": Evil()}, folder / "pytorch_model.bin")
    with pytest.raises(UserError, match="holds more than weights"):
        option.build()


def test_megadescriptor_from_files_that_fit_and_that_do_not(cache: Path, tmp_path: Path) -> None:
    folder = written(tmp_path / "t", SWIN)
    path = folder / "model.safetensors"
    features: Any = MegaDescriptor(weights=path).build()
    assert (features.width, features.size) == (768, 224)
    direct = timm.create_model(SWIN, num_classes=0)
    direct.load_state_dict({k: v for k, v in load_file(path).items() if not k.startswith("head.")})
    images = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert torch.allclose(features.eval()(images), direct.eval()(images), atol=1e-6, rtol=0)
    (origin,) = MegaDescriptor(weights=path).origins()
    assert origin.noncommercial
    assert "WACV" in origin.citation
    with pytest.raises(UserError, match=r"do not fit swin_small.*Missing key.*layers\.2\.blocks\.6"):
        MegaDescriptor(variant="S-224", weights=path).build()
    state = load_file(path)
    name = "layers.0.blocks.0.attn.relative_position_bias_table"
    state[name] = torch.zeros(529, 3)  # of a window of 12, which timm would resize without a word
    save_file(state, path)
    with pytest.raises(UserError, match=rf"1 of another shape: {name} \(529, 3\) for \(169, 3\)"):
        MegaDescriptor(weights=path).build()
    assert MegaDescriptor(weights=path).untrained() == MegaDescriptor(pretrained=False)


def test_megadescriptors_normalisation_is_that_of_its_card_unless_told() -> None:
    with torch.device("meta"):
        large: Any = MegaDescriptor(variant="L-384", pretrained=False).build()
        assert (large.width, large.size, large.mean) == (1536, 384, (0.5, 0.5, 0.5))
        small: Any = MegaDescriptor(pretrained=False, normalisation="half").build()
        assert small.std == (0.5, 0.5, 0.5)


def test_miewids_network_is_as_wide_as_its_weights() -> None:
    with torch.device("meta"):
        features: Any = MiewId(pretrained=False).build()
    names = features.state_dict()
    assert (features.width, features.size, features.mean[0]) == (2152, 440, 0.485)
    assert {"pooling.p", "bn.running_mean", "backbone.conv_stem.weight"} <= names.keys()
    assert not any(name.startswith("backbone.classifier") for name in names)
    assert [name for name, _ in features.stages][-1] == "neck"


def test_miewid_from_files_that_fit_and_that_do_not(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wildreid_plugins.backbones.miewid.NETWORK", EFFICIENTNET)  # of the same names, small
    torch.manual_seed(0)
    trunk = timm.create_model(EFFICIENTNET, num_classes=0, global_pool="")
    width = trunk.num_features
    state = {f"backbone.{key}": value for key, value in trunk.state_dict().items()}
    state["pooling.p"] = torch.tensor([2.5])
    state |= {"bn.weight": torch.rand(width) + 0.5, "bn.bias": torch.randn(width)}
    state |= {"bn.running_mean": torch.randn(width), "bn.running_var": torch.rand(width) + 0.5}
    state["bn.num_batches_tracked"] = torch.tensor(3)
    path = tmp_path / "miewid.safetensors"
    save_file(state, path)
    features: Any = MiewId(weights=path).build()
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        maps = trunk.eval()(images)
        pooled = (maps.clamp(min=1e-6) ** 2.5).mean((2, 3)) ** (1 / 2.5)
        normed = (pooled - state["bn.running_mean"]) / (state["bn.running_var"] + 1e-5).sqrt()
        expected = normed * state["bn.weight"] + state["bn.bias"]
        assert torch.allclose(features.eval()(images), expected, atol=1e-4)
    del state["pooling.p"]
    state["head.weight"] = torch.zeros(3)
    state["bn.weight"] = torch.zeros(2048)
    save_file(state, path)
    with pytest.raises(UserError) as caught:
        MiewId(weights=path).build()
    told = ("missing in the file: pooling.p", "not in the network: head.weight", f"(2048,) for ({width},)")
    assert all(word in str(caught.value) for word in told)
    (origin,) = MiewId(weights=path).origins()
    assert "no licence stated" in str(origin)
