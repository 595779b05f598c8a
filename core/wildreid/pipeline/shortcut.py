"""The shortcut audit of a run: what it knows of the animal, and what of the place; ``shortcut.json``."""

from __future__ import annotations

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
from wildreid.recipe import Loaded
from wildreid.training.device import pick_device

if TYPE_CHECKING:
    from wildreid.artefacts import Ints
    from wildreid.data.table import Table

FORMAT = 1


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
        _write(loaded, evidence, images, np.arange(len(images)), folder, weights, device)
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
    results, loaded = load_results(folder.path), folder.load_recipe()
    recipe = loaded.recipe
    if not folder.model.is_file():
        raise UserError(
            "this run has embeddings and no network that could look at photos with the animal hidden",
            where=str(folder.path),
            cure="audit a run that reid run made",
        )
    blocks = results.scores["protocols"]
    usable = [name for name, block in blocks.items() if not block["reason"]]
    if not usable:
        reason = next(iter(blocks.values()))["reason"]
        raise UserError(f"nothing can be measured in this run: {reason}", where=str(folder.path))
    protocol = results.scores["headline"] if results.scores["headline"] in usable else usable[0]
    evidence = Evidence(results.rankings[protocol], results.table, results.embeddings, None, recipe.seed)
    place = str(pick_device(device or recipe.device))
    rows = np.union1d(evidence.ranking.queries, evidence.ranking.gallery)
    some = results.table.with_rows(results.table.rows.iloc[rows])
    segmenter = _segmenter(loaded, some, foreground)
    if segmenter != recipe.foreground and recipe.seen_by is not None:
        raise UserError(
            f"the run sees its photos by the masks of '{recipe.seen_by.name}', and is audited by those",
            where="`foreground=…`",
            cure="leave it out",
        )
    images = open_images(some, recipe.images, cache=cache_folder(), foreground=segmenter, device=place)
    if not images.usable.all():
        gone = int((~images.usable).sum())
        raise UserError(
            f"{gone} of the {len(rows)} photos of this run cannot be read: {images.failures[0].reason}",
            where=str(results.table.root),
            cure="bring them back to where they were",
        )
    return _write(loaded, evidence, images, rows, folder, hash_of_file(folder.model), place)


def _segmenter(loaded: Loaded, table: Table, name: str | None) -> Segmenter | None:
    if name is None:
        if loaded.recipe.foreground is not None or "mask" not in table.rows:
            return loaded.recipe.foreground
        name = "table"
    try:
        chosen = loaded.registry.choose("segmenter", name)
    except ValueError as error:
        raise UserError(str(error), where="`foreground=…`") from None
    found: Segmenter = chosen.model_validate({})  # type: ignore[assignment]
    return found


def _write(
    loaded: Loaded,
    evidence: Evidence,
    images: ImageStore,
    rows: Ints,
    folder: RunFolder,
    weights: str,
    device: str,
) -> dict[str, Any]:
    """Measure and write; `rows` are those of the table that the images are of."""
    recipe = loaded.recipe
    settings = recipe.evaluation
    shown = np.union1d(evidence.ranking.queries, evidence.ranking.gallery)

    def see(wanted: Ints) -> Any:
        return seen(images, np.searchsorted(rows, wanted), margin=recipe.images.margin)

    found = shortcut(
        evidence,
        see,
        seeing(folder, loaded.registry, device),
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
        "weights": weights,
        "protocol": evidence.ranking.protocol,
        "masks": masks,
        **found,
    }
    write_json(folder.shortcut, told)
    return told
