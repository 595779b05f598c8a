"""A model ready to embed, from a run, a package or a gallery's own copy; nothing is ever unpickled."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wildreid.data.pixels import HeldImages
from wildreid.errors import UserError, first_line
from wildreid.files import hash_of_file, read_json
from wildreid.gallery.admission import check_mark
from wildreid.gallery.manifest import Mark
from wildreid.kinds import Segmenter
from wildreid.pipeline.provenance import hash_of
from wildreid.progress import bar
from wildreid.recipe.settings import Embedding, Images
from wildreid.registry import Registry

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats
    from wildreid.data.pixels import ImageRows

PACKAGE, DESCRIPTION = "package.json", "model.json"
WEIGHTS, ONNX = "model.safetensors", "model.onnx"
MODEL = "model"
"""A gallery's own copy of its model, in a folder of this name."""
PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt", ".joblib")
BATCH = 64
DRAWN, SAME = 8, 0.995
"""Pictures by which two forms of one model are compared, and the least cosine similarity they may have."""
BESIDE = "session.model_external_initializers_file_folder_path"
"""Where onnxruntime looks for what is not in the file itself."""


class Model(ABC):
    """What turns images into embeddings; safe to use from several threads, one at a time.

    Attributes:
        mark: which model it is; a gallery refuses another.
        images: how photos become its input.
        foreground: what makes the masks that its input needs; None: it needs none.
        device: that the segmenter may use.
    """

    foreground: Segmenter | None = None
    device: str = "cpu"

    def __init__(self, mark: Mark, images: Images) -> None:
        self.mark, self.images = mark, images
        self._using = threading.Lock()

    def embed(self, images: ImageRows, rows: NDArray[np.int64], *, total: int | None = None) -> Floats:
        """(rows, width) float32 of unit length.

        Args:
            images: the pixels.
            rows: positions in `images`.
            total: of how many rows these are a share, as for `wildreid.embed`; None: they are all.

        Raises:
            UserError: the network gives something else, by which nothing could be told from anything.
        """
        with self._using:
            found = self._embed(images, rows, total)
        lengths = np.linalg.norm(found, axis=1)
        bad = np.flatnonzero(~(np.abs(lengths - 1) < 1e-2))  # NaN is bad too
        if len(bad):
            raise UserError(
                f"the model {self.mark.name} gives {len(bad)} of {len(found)} photos a vector of length "
                f"{lengths[bad[0]]:.3g}, and each is of length 1",
                cure="the model is damaged: take it from where it came, or from a backup",
            )
        return found

    @abstractmethod
    def _embed(self, images: ImageRows, rows: NDArray[np.int64], total: int | None) -> Floats: ...


class _Torch(Model):
    def __init__(self, mark: Mark, images: Images, folder: Path, registry: Registry, device: str) -> None:
        from wildreid.training.embedder import load_embedder

        super().__init__(mark, images)
        self.embedder, self._device = load_embedder(folder, registry), device

    def _embed(self, images: ImageRows, rows: NDArray[np.int64], total: int | None) -> Floats:
        from wildreid.training.embed import embed

        return embed(self.embedder, images, rows, device=self._device, batch=BATCH, total=total)


class _Onnx(Model):
    def __init__(self, mark: Mark, images: Images, path: Path) -> None:
        super().__init__(mark, images)
        self._session = onnx_session(path)

    def _embed(self, images: ImageRows, rows: NDArray[np.int64], total: int | None) -> Floats:
        found = np.empty((len(rows), self.mark.width), np.float32)
        for start in bar(range(0, len(rows), BATCH), "embedding"):
            pixels = images.take(rows[start : start + BATCH])
            found[start : start + BATCH] = run_onnx(self._session, pixels, self.mark.width)
        return found


def load_model(folder: Path, *, registry: Registry | None = None, device: str = "auto") -> Model:
    """Load the model in a run's folder, a package of `reid export`, or a gallery's folder ``model``.

    Raises:
        UserError: there is none; a file was altered; it is a pickle; a plugin that it needs is not there.
    """
    described = folder / DESCRIPTION
    # what a package does not list was put there by somebody else; a run's folder vouches for its weights alone
    listed = check_files(folder)["files"] if (folder / PACKAGE).is_file() else {WEIGHTS}
    kinds = [name for name in (ONNX, WEIGHTS) if name in listed and (folder / name).is_file()]
    if not described.is_file() or not kinds:
        pickled = sorted(path.name for path in folder.glob("*") if path.suffix in PICKLES)
        unsafe = f"; {', '.join(pickled)} is a pickle, which could run any code, and is never loaded"
        raise UserError(
            f"there is no model here{unsafe if pickled else ''}",
            where=str(folder),
            cure="give a run's folder, or what reid export wrote",
        )
    description = read_json(described)
    try:
        images = Images.model_validate(description["images"])
        mark = mark_of(description, name_of(folder))
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"not readable as a model: {error}", where=str(described)) from None
    if kinds[0] == ONNX:
        model: Model = _Onnx(mark, images, folder / ONNX)
    else:
        registry = registry or Registry()
        model = _Torch(mark, images, folder, registry, device)
        from wildreid.training.device import pick_device

        model.device = str(pick_device(device))
    if "foreground" in description:
        model.foreground = _segmenter(description, registry or Registry(), folder)
    return model


def _segmenter(description: dict[str, Any], registry: Registry, folder: Path) -> Segmenter:
    """What makes the masks that a model needs.

    Raises:
        UserError: no plugin offers it, or it makes other masks than those that the model was trained on.
    """
    try:
        segmenter = Segmenter.model_validate(description["foreground"], context={"registry": registry})
    except ValueError as error:
        named = description["foreground"].get("name")
        raise UserError(
            f"the model needs the segmenter '{named}', which is not available: {error}",
            where=str(folder / DESCRIPTION),
            cure="install the plugin that offers it",
        ) from None
    if segmenter.fingerprint() != description["masks"]:
        raise UserError(
            f"the segmenter '{segmenter.name}' makes other masks here than those that the model was trained on",
            where=str(folder / DESCRIPTION),
            cure="install the version that the model was trained with",
        )
    return segmenter


def mark_of(description: dict[str, Any], name: str) -> Mark:
    """Which model a ``model.json`` describes: its weights, and all that happens to a photo before them."""
    images = description["images"]
    seen = {key: images[key] for key in ("size", "fit", "margin")}
    if "foreground" in description:
        seen |= {key: images[key] for key in ("background", "tighten")} | {"masks": description["masks"]}
    looked = description.get("embedding", {})
    views = [looked] if looked not in ({}, Embedding().model_dump(mode="json")) else []
    transform = hash_of(seen, description["backbone"], description["size"], *views)
    return Mark(
        name=name, weights=description["sha256"], transform=transform, width=int(description["width"])
    )


def check_model(folder: Path, own: Mark) -> None:
    """Refuse a gallery's copy of its model that is not what it was, without building it.

    Raises:
        UserError: a file is missing or was altered; it is another model than the gallery's embeddings are of.
    """
    check_files(folder)
    check_mark(own, mark_of(read_json(folder / DESCRIPTION), name_of(folder)), folder)


def check_files(folder: Path) -> dict[str, Any]:
    """What a package says of itself, once each of its files has the hash that it says.

    Raises:
        UserError: a file is missing or was altered.
    """
    package = read_json(folder / PACKAGE)
    files = package.get("files")
    if not isinstance(files, dict):
        raise UserError("it does not list its files", where=str(folder / PACKAGE))
    for name, known in files.items():
        path = folder / Path(name).name
        if not path.is_file():
            raise UserError(f"{name} is missing from the model package", where=str(folder))
        if hash_of_file(path) != known:
            raise UserError(
                f"{name} was altered since the model was exported: its hash is another",
                where=str(folder),
                cure="get the package again from where it came",
            )
    return package


def name_of(folder: Path) -> str:
    """The name of the run that trained the model."""
    for file, key in ((PACKAGE, "name"), ("run.json", "name")):
        if (folder / file).is_file():
            return str(read_json(folder / file).get(key, folder.name))
    return folder.absolute().name


def run_onnx(session: Any, pixels: NDArray[np.uint8], width: int) -> Floats:
    """(n, width) what an ONNX network says of (n, size, size, 3) pixels.

    Raises:
        UserError: it cannot take them, or gives something else.
    """
    try:
        (found,) = session.run(None, {"images": pixels})
    except Exception as error:  # onnxruntime raises its own classes, which it does not export
        raise UserError(f"the ONNX network does not run: {first_line(error)}") from None
    if found.shape != (len(pixels), width):
        raise UserError(f"the ONNX network gives {found.shape}, not {(len(pixels), width)}")
    return found.astype(np.float32, copy=False)  # type: ignore[no-any-return]


def check_same(one: Model, other: Model) -> None:
    """Refuse a model whose embeddings are not another's, though its papers say that they are.

    Both embed a few drawn pictures, which need no photo of anybody's.

    Raises:
        UserError: they do not agree.
    """
    size = one.images.size
    draw = np.random.default_rng(0)
    coarse = draw.integers(0, 256, (DRAWN, 4, 4, 3), np.uint8)
    pixels = coarse.repeat(-(-size // 4), axis=1).repeat(-(-size // 4), axis=2)[:, :size, :size]
    held, rows = HeldImages(np.ascontiguousarray(pixels)), np.arange(DRAWN)
    cosine = (one.embed(held, rows) * other.embed(held, rows)).sum(axis=1)
    if not cosine.min() >= SAME:
        raise UserError(
            f"the model is not the gallery's, though it says so: on {DRAWN} drawn pictures the least cosine "
            f"similarity of their embeddings is {cosine.min():.4f}",
            cure="export it again from the run that the gallery's model is of",
        )


def onnx_session(path: Path) -> Any:
    """An onnxruntime session on the CPU, for one ``model.onnx``, all of which is in that one file.

    Raises:
        UserError: onnxruntime is not installed; the file is damaged, or does not take images as ours do.
    """
    try:
        import onnxruntime
    except ImportError:
        raise UserError(
            "this model is an ONNX file, and onnxruntime is not installed",
            where=str(path),
            cure="pip install 'wildreid[onnx]'",
        ) from None
    try:
        options = onnxruntime.SessionOptions()
        # from bytes, and with no folder to look in: weights in files beside it are not vouched for by its hash
        options.add_session_config_entry(BESIDE, str(path / "nowhere"))
        session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own classes, which it does not export
        raise UserError(f"the file cannot be loaded: {error}", where=str(path)) from None
    takes = [(one.name, one.type, len(one.shape)) for one in session.get_inputs()]
    if takes != [("images", "tensor(uint8)", 4)] or len(session.get_outputs()) != 1:
        told = ", ".join(f"{name} {kind} of {axes} axes" for name, kind, axes in takes)
        raise UserError(
            f"the network takes {told or 'nothing'} and gives {len(session.get_outputs())} outputs, where images "
            "tensor(uint8) of 4 axes and one output are wanted",
            where=str(path),
            cure="take the file that reid export wrote",
        )
    return session
