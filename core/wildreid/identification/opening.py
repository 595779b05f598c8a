"""Make a gallery for a model, open it with its model, and see whether both are whole."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from wildreid.artefacts import Missing
from wildreid.errors import UserError
from wildreid.gallery import journal
from wildreid.gallery.admission import check_mark
from wildreid.gallery.check import Checked, verify
from wildreid.gallery.journal import author
from wildreid.gallery.manifest import EXACT_UP_TO, Matching
from wildreid.gallery.rule import Rule
from wildreid.gallery.store import Gallery
from wildreid.identification.models import MODEL, check_model, check_same, load_model
from wildreid.identification.opened import OpenGallery
from wildreid.identification.package import export, package_rule
from wildreid.identification.proven import fused_rule
from wildreid.progress import note


def open_gallery(path: str | Path, *, model: str | Path | None = None, device: str = "auto") -> OpenGallery:
    """Open a gallery and its model.

    Args:
        path: the gallery's folder.
        model: another form of the same model, such as an ONNX package; None: the gallery's own copy.
        device: to embed on.

    Raises:
        UserError: it is no gallery; its model is missing, was altered, or is another than the gallery's, by what
            it says of itself or by what it does.
    """
    gallery = Gallery(path)
    folder = Path(model) if model is not None else gallery.folder / MODEL
    loaded = load_model(folder, device=device)
    check_mark(gallery.state.manifest.model, loaded.mark, gallery.folder)
    if model is not None and (gallery.folder / MODEL).is_dir():
        check_same(loaded, load_model(gallery.folder / MODEL, device="cpu"))
    return OpenGallery(gallery, loaded)


def create_gallery(
    path: str | Path,
    model: str | Path,
    *,
    licence: str = "",
    exact_up_to: int = EXACT_UP_TO,
    device: str = "auto",
) -> OpenGallery:
    """Make an empty gallery for a model, with a copy of it and the rule that came with it.

    Args:
        path: a folder that is new or empty.
        model: a run's folder, or a package that `export` wrote.
        licence: of the photos and annotations, in words.
        exact_up_to: images up to which every search is exact; above it an inverted-file index helps.
        device: to embed on.

    Raises:
        UserError: there is something in the folder already; there is no model.
    """
    path, model = Path(path), Path(model)
    there = {one.name for one in path.iterdir()} if path.exists() else set()
    begun = {
        MODEL,
        ".lock",
        journal.FILE,
    }  # what a process leaves that was stopped before there was a gallery
    if not there <= begun:
        raise UserError(f"{path} is not empty", cure="choose another folder for the gallery")
    for name in there:
        shutil.rmtree(path / name) if (path / name).is_dir() else (path / name).unlink()
    package = export(model, path / MODEL, to="folder", card=False)
    try:
        loaded = load_model(path / MODEL, device=device)
    except UserError:
        shutil.rmtree(path / MODEL)  # a model that cannot be used leaves no gallery behind
        raise
    rule = package_rule(package)
    matching = package.get("matching")
    Gallery.create(
        path,
        loaded.mark,
        rule=rule if isinstance(rule, Rule) else None,
        fused=fused_rule(package),
        matching=None if matching is None else Matching.model_validate(matching),
        licence=licence,
        exact_up_to=exact_up_to,
        encounters=package["encounters"],
        apart=package.get("apart", ()),
        provenance={
            "run": package["name"],
            "stamp": package["stamp"],
            "weights": [origin["words"] for origin in package.get("origins", [])],
            "created": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "author": author(),
            "wildreid": version("wildreid"),
        },
    )
    if isinstance(rule, Missing):
        note(f"no probabilities yet: {rule.reason}; see reid gallery calibrate")
    return OpenGallery(Gallery(path), loaded)


def verify_gallery(path: str | Path) -> Checked:
    """Read all of a gallery and of its model, and compare every hash.

    A gallery that was made without a model, from embeddings alone, is whole without one.
    """
    folder = Path(path)
    found = verify(folder)
    if found.damage or not (folder / MODEL).exists():
        return found
    try:
        check_model(folder / MODEL, Gallery(folder).state.manifest.model)
    except UserError as error:
        return replace(found, damage=(str(error),))
    return found
