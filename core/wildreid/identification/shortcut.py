"""The shortcut audit of embeddings that came from elsewhere, by the model that made them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wildreid.data.pixels import HeldImages
from wildreid.errors import UserError
from wildreid.identification.models import DRAWN, SAME, load_model
from wildreid.pipeline.folder import RunFolder
from wildreid.pipeline.results import load_results
from wildreid.pipeline.shortcut import Eye, audit_by
from wildreid.progress import quiet
from wildreid.registry import Registry

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats, Ints
    from wildreid.data.store import ImageStore

CURE = "give the run, or what reid export wrote, that embedded these photos in these boxes"


def audit_embeddings(
    path: str | Path,
    model: str | Path,
    *,
    foreground: str | None = None,
    device: str = "auto",
    registry: Registry | None = None,
) -> dict[str, Any]:
    """Measure embeddings with the animals hidden and with the place hidden; writes ``shortcut.json``.

    Before that the model embeds a few of the photos as they are, and is refused where its vectors are not those
    that were measured.

    Args:
        path: the folder that ``reid evaluate --embeddings`` wrote; its photos must be at hand.
        model: a run's folder, or what ``reid export`` wrote.
        foreground: as for `wildreid.pipeline.shortcut.audit_shortcut`.
        device: to embed on.
        registry: of the model's plugins; None: those that are installed.

    Raises:
        UserError: the run has a network of its own; the model is not the one that made the embeddings; as for
            `wildreid.pipeline.shortcut.audit_shortcut`.
    """
    folder = RunFolder(Path(path))
    results, measured = load_results(folder.path), folder.measured()
    if not folder.of_embeddings:
        raise UserError(
            f"{folder.path} has a network of its own, and is audited by that",
            where="`model=…`",
            cure="leave it out",
        )
    seer = load_model(Path(model), registry=registry, device=device)

    def embed(pixels: NDArray[np.uint8]) -> Floats:
        with quiet():  # there is a bar already
            return seer.embed(HeldImages(pixels), np.arange(len(pixels)))

    def check(images: ImageStore, rows: Ints) -> None:
        some = np.unique(np.linspace(0, len(rows) - 1, DRAWN).round().astype(np.int64))
        known, found = results.embeddings[rows[some]], embed(images.take(some))
        if found.shape[1] != known.shape[1]:
            raise UserError(
                f"the model gives {found.shape[1]} numbers for a photo, and the embeddings have {known.shape[1]}",
                where="`model=…`",
                cure=CURE,
            )
        cosine = (found * known).sum(axis=1)
        if not cosine.min() >= SAME:
            raise UserError(
                f"the model did not make these embeddings: of {len(some)} photos the least cosine similarity of "
                f"its vector to the one that was measured is {cosine.min():.4f}",
                where="`model=…`",
                cure=CURE,
            )

    eye = Eye(seer.images, seer.foreground, embed, seer.mark.weights, seer.device)
    return audit_by(
        eye, folder, results, measured.recipe, measured.registry, foreground=foreground, check=check
    )
