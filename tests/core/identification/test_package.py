from __future__ import annotations

import hashlib
import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from wildreid.data.pixels import HeldImages
from wildreid.errors import UserError
from wildreid.identification import (
    OpenGallery,
    create_gallery,
    export,
    onnx,
    open_gallery,
    read_data,
    verify_gallery,
)
from wildreid.identification.models import load_model
from wildreid.registry import Registry
from wildreid.training.embedder import Embedder


@pytest.fixture(scope="session")
def packed(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packages") / "folder"
    export(tiny, folder, licence="CC BY 4.0")
    return folder


@pytest.fixture(scope="session")
def as_onnx(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    for name in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(name)
    folder = tmp_path_factory.mktemp("packages") / "onnx"
    package = export(tiny, folder, to="onnx", images=40)
    assert package["parity"]["images"] == 40
    assert package["parity"]["least"] >= 0.9999
    return folder


def test_a_package_says_what_the_model_is_and_not_where_its_author_works(packed: Path, tiny: Path) -> None:
    assert sorted(path.name for path in packed.iterdir()) == [
        "README.md", "decision.json", "model.json", "model.safetensors", "package.json", "recipe.yaml",
        "trained.txt",
    ]  # fmt: skip
    for path in packed.iterdir():
        assert str(tiny.parents[1]).encode() not in path.read_bytes()
    card = (packed / "README.md").read_text()
    for words in ("## Trained on", "accuracy@1", "fixed-gallery", "Intended for", "CC BY 4.0"):
        assert words in card
    recipe = yaml.safe_load((packed / "recipe.yaml").read_text())
    assert recipe["dataset"] == {**recipe["dataset"], "name": "table", "root": "photos"}


@pytest.mark.parametrize("kind", ["packed", "as_onnx"])
def test_a_gallery_made_from_a_package_answers_as_one_made_from_the_run(
    kind: str, tiny: Path, known: OpenGallery, photos: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    package = request.getfixturevalue(kind)
    gallery = create_gallery(tmp_path / "g", package)
    gallery.add(read_data(tiny, parts=["train", "val"]))
    files = [photos / f"{n}-4-0.png" for n in range(8)]
    for one, other in zip(gallery.identify(files).images, known.identify(files).images, strict=True):
        assert one.verdict == other.verdict
        assert [c.individual for c in one.candidates] == [c.individual for c in other.candidates]
        assert one.candidates[0].score == pytest.approx(other.candidates[0].score, abs=1e-4)
    assert gallery.state.rule == known.state.rule
    again = open_gallery(known.gallery.folder, model=package).identify(files)
    assert [a.verdict for a in again.images] == [a.verdict for a in known.identify(files).images]


def test_an_onnx_file_that_does_not_agree_is_refused(
    as_onnx: Path, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = onnx.load_embedder

    def another(folder: Path, registry: Registry) -> Embedder:
        embedder = load(folder, registry)
        next(embedder.head.parameters()).data += 0.05
        return embedder

    monkeypatch.setattr(onnx, "load_embedder", another)
    monkeypatch.setattr(onnx, "_write", lambda embedder, path: shutil.copy(as_onnx / "model.onnx", path))
    with pytest.raises(UserError, match="does not agree"):
        export(tiny, tmp_path / "bad", to="onnx", images=10)
    assert not (tmp_path / "bad").exists()


class Bomb:
    """What a pickle could do."""

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.write_text, (Path("exploded"), "boom"))


def tampered(packed: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    shutil.copytree(packed, folder)
    return folder


def rehash(folder: Path, name: str) -> None:
    """As one would who wants the change not to be seen."""
    digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    for file, change in (("model.json", {"sha256": digest}), ("package.json", None)):
        said = json.loads((folder / file).read_text())
        if change and name == "model.safetensors":
            said.update(change)
        if change is None:
            said["files"][name] = digest
            said["files"]["model.json"] = hashlib.sha256((folder / "model.json").read_bytes()).hexdigest()
        (folder / file).write_text(json.dumps(said))


@pytest.mark.parametrize("hidden", [False, True])
def test_a_pickle_in_place_of_weights_is_refused(
    packed: Path, tmp_path: Path, hidden: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tampered(packed, tmp_path)
    (folder / "model.safetensors").write_bytes(pickle.dumps(Bomb()))
    if hidden:
        rehash(folder, "model.safetensors")
    with pytest.raises(UserError, match="cannot be loaded" if hidden else "was altered"):
        load_model(folder)
    with pytest.raises(UserError, match="cannot be loaded" if hidden else "was altered"):
        create_gallery(tmp_path / "g", folder)
    assert not (tmp_path / "exploded").exists()
    assert not (tmp_path / "g" / "gallery.json").exists()


def test_a_pickle_beside_is_named_and_not_loaded(packed: Path, tmp_path: Path) -> None:
    folder = tampered(packed, tmp_path)
    (folder / "model.safetensors").rename(folder / "model.pt")
    (folder / "package.json").unlink()
    with pytest.raises(UserError, match=r"model\.pt is a pickle"):
        load_model(folder)


def test_a_gallery_whose_model_was_altered_is_refused(known: OpenGallery, tmp_path: Path) -> None:
    folder = tmp_path / "g"
    shutil.copytree(known.gallery.folder, folder)
    path = folder / "model" / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(UserError, match="was altered"):
        open_gallery(folder)
    assert "was altered" in verify_gallery(folder).damage[0]
    rehash(folder / "model", "model.safetensors")
    with pytest.raises(UserError, match="another model"):
        open_gallery(folder)
    assert "another model" in verify_gallery(folder).damage[0]
    assert verify_gallery(known.gallery.folder).damage == ()


def test_a_network_that_the_package_does_not_list_is_not_used(
    known: OpenGallery, tiny: Path, tmp_path: Path
) -> None:
    for source in (known.gallery.folder / "model", tiny):
        folder = tmp_path / source.name
        shutil.copytree(source, folder)
        (folder / "model.onnx").write_text("anything")
        assert load_model(folder).mark.weights == known.model.mark.weights
    (tmp_path / "model" / "model.safetensors").unlink()
    with pytest.raises(UserError, match="is missing"):
        load_model(tmp_path / "model")


def test_embeddings_that_hold_a_pickle_are_refused(known: OpenGallery, tmp_path: Path) -> None:
    folder = tmp_path / "g"
    shutil.copytree(known.gallery.folder, folder)
    (path,) = (folder / "segments").glob("*.npy")
    np.save(path, np.array([Bomb()], object), allow_pickle=True)
    with pytest.raises(UserError, match="damaged"):
        open_gallery(folder)


def test_what_cannot_be_packed_says_why(tiny: Path, packed: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not empty"):
        export(tiny, packed)
    with pytest.raises(UserError, match="no trained model"):
        export(tmp_path, tmp_path / "out")
    with pytest.raises(UserError, match="not an ONNX one"):
        export(packed, tmp_path / "out", to="onnx")
    assert not (tmp_path / "out").exists()


def resealed(package: Path, folder: Path, network: Any) -> Path:
    """A copy of an ONNX package with another network in it, and hashes that say that all is well."""
    import onnx as onnx_package

    shutil.copytree(package, folder)
    onnx_package.save(network, folder / "model.onnx")
    told = json.loads((folder / "package.json").read_text())
    told["files"]["model.onnx"] = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    (folder / "package.json").write_text(json.dumps(told))
    return folder


def constant(value: list[float]) -> Any:
    """A network that gives every image the same vector."""
    from onnx import TensorProto, helper, numpy_helper

    zero = numpy_helper.from_array(np.zeros((1, len(value)), np.float32), "zero")
    same = numpy_helper.from_array(np.array([value], np.float32), "same")
    axes = numpy_helper.from_array(np.array([1, 2, 3]), "axes")
    nodes = [
        helper.make_node("Cast", ["images"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels", "axes"], ["mean"], keepdims=0),
        helper.make_node("Unsqueeze", ["mean", "one"], ["column"]),
        helper.make_node("MatMul", ["column", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "same"], ["embeddings"]),
    ]
    one = numpy_helper.from_array(np.array([1]), "one")
    graph = helper.make_graph(
        nodes,
        "constant",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, [None, 32, 32, 3])],
        [helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, [None, len(value)])],
        [zero, same, axes, one],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    return model


def test_another_network_under_the_gallerys_papers_is_refused(
    as_onnx: Path, known: OpenGallery, tmp_path: Path
) -> None:
    assert open_gallery(known.gallery.folder, model=as_onnx).model.mark == known.model.mark
    one = resealed(as_onnx, tmp_path / "constant", constant([1.0] + [0.0] * 15))
    load_model(one)  # its papers are in order
    with pytest.raises(UserError, match="is not the gallery's, though it says so"):
        open_gallery(known.gallery.folder, model=one)


def test_a_network_that_gives_no_numbers_is_refused_and_never_answers_undecided(
    as_onnx: Path, tmp_path: Path
) -> None:
    broken = load_model(resealed(as_onnx, tmp_path / "nan", constant([float("nan")] * 16)))
    with pytest.raises(UserError, match="vector of length nan"):
        broken.embed(HeldImages(np.zeros((2, 32, 32, 3), np.uint8)), np.arange(2))
    narrow = load_model(resealed(as_onnx, tmp_path / "narrow", constant([1.0, 0.0])))
    with pytest.raises(UserError, match=r"gives \(2, 2\), not \(2, 16\)"):
        narrow.embed(HeldImages(np.zeros((2, 32, 32, 3), np.uint8)), np.arange(2))


def test_weights_in_a_file_beside_the_network_are_not_read(as_onnx: Path, tmp_path: Path) -> None:
    import onnx as onnx_package

    shutil.copytree(as_onnx, tmp_path / "whole")
    network = onnx_package.load(as_onnx / "model.onnx")
    onnx_package.save(
        network, tmp_path / "model.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0
    )
    package = resealed(
        as_onnx, tmp_path / "apart", onnx_package.load(tmp_path / "model.onnx", load_external_data=False)
    )
    shutil.copy(tmp_path / "weights.bin", package)
    with pytest.raises(UserError, match="the file cannot be loaded"):
        load_model(package)
