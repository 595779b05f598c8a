"""The shortcut audit of a run: what it knows of the animal, and what of the place; ``shortcut.json``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wildreid.artefacts import Evidence
from wildreid.data.store import ImageStore, open_images
from wildreid.errors import UserError
from wildreid.evaluation.intervals import Bootstrap
from wildreid.evaluation.shortcut import seen, shortcut
from wildreid.files import hash_of_file, read_json, write_json
from wildreid.kinds import Segmenter
from wildreid.pipeline.folder import RunFolder
from wildreid.pipeline.learn import seeing
from wildreid.pipeline.results import load_results
from wildreid.places import cache_folder
from wildreid.recipe import Loaded, Measurement
from wildreid.training.device import pick_device

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats, Ints, Results
    from wildreid.data.table import Table
    from wildreid.recipe.settings import Images
    from wildreid.registry import Registry

FORMAT = 1


@dataclass(frozen=True)
class Eye:
    """What looks at the photos once more.

    Attributes:
        images: how photos become its input.
        foreground: what makes the masks that belong to it; None: it has none.
        embed: (N, size, size, 3) uint8 to (N, width) float32 of unit length.
        weights: a hash of what it is.
        device: that a segmenter may use.
    """

    images: Images
    foreground: Segmenter | None
    embed: Callable[[NDArray[np.uint8]], Floats]
    weights: str
    device: str

    @property
    def masked(self) -> bool:
        """Whether it sees photos by its masks, so that no others will do."""
        return self.foreground is not None and (self.images.background != "keep" or self.images.tighten)


def measure_shortcut(
    loaded: Loaded,
    evidence: Evidence,
    images: ImageStore,
    folder: RunFolder,
    weights: str,
    *,
    device: str,
) -> None:
    """Write ``shortcut.json`` where the recipe asks for it; one of other weights does not stay."""
    wanted = loaded.recipe.evaluation.shortcut
    if wanted or (wanted is None and loaded.recipe.foreground is not None):
        eye = _own_eye(loaded, folder, weights, device)
        _write(loaded.recipe, evidence, images, np.arange(len(images)), folder, eye)
    elif folder.shortcut.is_file() and read_json(folder.shortcut)["weights"] != weights:
        folder.shortcut.unlink()


def audit_shortcut(
    path: str | Path, *, foreground: str | None = None, device: str | None = None
) -> dict[str, Any]:
    """Measure a finished run with the animals hidden and with the place hidden, and write ``shortcut.json``.

    Args:
        path: the run's folder; its photos must be at hand.
        foreground: the name of the segmenter whose masks hide; None: the recipe's, else the table's column
            ``mask``, else the middle of each box stands for the animal.
        device: to embed on; the recipe's own if None.

    Raises:
        UserError: the run is not finished, has no network, or none of its photos can be read; no such segmenter.
    """
    folder = RunFolder(Path(path))
    if folder.of_embeddings:
        raise UserError(
            "this run measures embeddings from elsewhere: it has no network that could look at photos with the "
            "animal hidden",
            where=str(folder.path),
            cure="give the model that made them, a run or what reid export wrote: `model=…`",
        )
    results, loaded = load_results(folder.path), folder.load_recipe()
    place = str(pick_device(device or loaded.recipe.device))
    eye = _own_eye(loaded, folder, hash_of_file(folder.model), place)
    return audit_by(eye, folder, results, loaded.recipe, loaded.registry, foreground=foreground)


def audit_by(
    eye: Eye,
    folder: RunFolder,
    results: Results,
    recipe: Measurement,
    registry: Registry,
    *,
    foreground: str | None,
    check: Callable[[ImageStore, Ints], None] = lambda images, rows: None,
) -> dict[str, Any]:
    """The same by any eye that makes the embeddings of a run.

    Args:
        eye: what looks.
        folder: of the run.
        results: the run, read.
        recipe: by which it was measured.
        registry: to choose a segmenter from.
        foreground: as for `audit_shortcut`.
        check: is given the images, and which rows of the table they are, before anything is hidden.
    """
    blocks = results.scores["protocols"]
    usable = [name for name, block in blocks.items() if not block["reason"]]
    if not usable:
        reason = next(iter(blocks.values()))["reason"]
        raise UserError(f"nothing can be measured in this run: {reason}", where=str(folder.path))
    protocol = results.scores["headline"] if results.scores["headline"] in usable else usable[0]
    evidence = Evidence(results.rankings[protocol], results.table, results.embeddings, None, recipe.seed)
    rows = np.union1d(evidence.ranking.queries, evidence.ranking.gallery)
    some = results.table.with_rows(results.table.rows.iloc[rows])
    segmenter = _segmenter(eye.foreground, registry, some, foreground)
    if segmenter != eye.foreground and eye.masked:
        assert eye.foreground is not None
        raise UserError(
            f"the run sees its photos by the masks of '{eye.foreground.name}', and is audited by those",
            where="`foreground=…`",
            cure="leave it out",
        )
    images = open_images(some, eye.images, cache=cache_folder(), foreground=segmenter, device=eye.device)
    if not images.usable.all():
        gone = int((~images.usable).sum())
        raise UserError(
            f"{gone} of the {len(rows)} photos of this run cannot be read: {images.failures[0].reason}",
            where=str(results.table.root),
            cure="bring them back to where they were",
        )
    check(images, rows)
    return _write(recipe, evidence, images, rows, folder, eye)


def _own_eye(loaded: Loaded, folder: RunFolder, weights: str, device: str) -> Eye:
    """The network of a run's own."""
    recipe = loaded.recipe
    return Eye(recipe.images, recipe.foreground, seeing(folder, loaded.registry, device), weights, device)


def _segmenter(own: Segmenter | None, registry: Registry, table: Table, name: str | None) -> Segmenter | None:
    if name is None:
        if own is not None or "mask" not in table.rows:
            return own
        name = "table"
    try:
        chosen = registry.choose("segmenter", name)
    except ValueError as error:
        raise UserError(str(error), where="`foreground=…`") from None
    found: Segmenter = chosen.model_validate({})  # type: ignore[assignment]
    return found


def _write(
    recipe: Measurement, evidence: Evidence, images: ImageStore, rows: Ints, folder: RunFolder, eye: Eye
) -> dict[str, Any]:
    """Measure and write; `rows` are those of the table that the images are of."""
    settings = recipe.evaluation
    shown = np.union1d(evidence.ranking.queries, evidence.ranking.gallery)

    def see(wanted: Ints) -> Any:
        return seen(images, np.searchsorted(rows, wanted), margin=eye.images.margin)

    found = shortcut(
        evidence,
        see,
        eye.embed,
        intervals=Bootstrap(evidence.individuals, settings.bootstrap, settings.confidence, recipe.seed),
    )
    doubts = images.doubts[np.searchsorted(rows, shown)]
    masks = {
        "by": images.masked.segmenter.name if images.masked is not None else None,
        "photos": len(shown),
        "whole": int((doubts != "").sum()),
    }
    told = {
        "format": FORMAT,
        "weights": eye.weights,
        "protocol": evidence.ranking.protocol,
        "masks": masks,
        **found,
    }
    write_json(folder.shortcut, told)
    return told
