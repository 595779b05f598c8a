"""wildreid: which animal is this? Re-identify individuals in photos, for any species.

    >>> import wildreid
    >>> results = wildreid.run("species/bears/recipe.yaml", profiles=["smoke"])  # doctest: +SKIP

What stands in `__all__` is the library's stable surface; each name is loaded when it is first used, so that
``import wildreid`` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wildreid.lazily import loaded_from

if TYPE_CHECKING:
    from wildreid.artefacts import Combined, Decision, Evidence, Missing, Ranking, Results, Scores
    from wildreid.data.audit import audit
    from wildreid.data.fingerprints import fingerprint
    from wildreid.data.groups import annotate
    from wildreid.data.splits import split
    from wildreid.data.store import open_images
    from wildreid.data.table import Table
    from wildreid.errors import UserError
    from wildreid.evaluation.decision import fit_decision
    from wildreid.evaluation.embeddings import match_embeddings
    from wildreid.evaluation.rank import rank
    from wildreid.evaluation.score import score, validator
    from wildreid.identification import (
        OpenGallery,
        create_gallery,
        export,
        open_gallery,
        read_data,
        read_photos,
    )
    from wildreid.pipeline import evaluate, evaluate_embeddings, load_results, run
    from wildreid.places import cache_folder
    from wildreid.progress import quiet
    from wildreid.recipe import Loaded, Recipe, load_recipe
    from wildreid.recipe.settings import Encounters
    from wildreid.registry import Registry
    from wildreid.training.embed import embed
    from wildreid.training.embedder import build_embedder, load_embedder
    from wildreid.training.loop import train

STABLE = {
    "running a recipe": {
        "run": "wildreid.pipeline",
        "evaluate": "wildreid.pipeline",
        "evaluate_embeddings": "wildreid.pipeline",
        "load_results": "wildreid.pipeline",
        "load_recipe": "wildreid.recipe",
        "quiet": "wildreid.progress",
    },
    "the stages, one by one": {
        "fingerprint": "wildreid.data.fingerprints",
        "annotate": "wildreid.data.groups",
        "split": "wildreid.data.splits",
        "audit": "wildreid.data.audit",
        "open_images": "wildreid.data.store",
        "build_embedder": "wildreid.training.embedder",
        "train": "wildreid.training.loop",
        "load_embedder": "wildreid.training.embedder",
        "embed": "wildreid.training.embed",
        "match_embeddings": "wildreid.evaluation.embeddings",
        "rank": "wildreid.evaluation.rank",
        "fit_decision": "wildreid.evaluation.decision",
        "score": "wildreid.evaluation.score",
        "validator": "wildreid.evaluation.score",
        "cache_folder": "wildreid.places",
    },
    "who is this": {
        "create_gallery": "wildreid.identification",
        "open_gallery": "wildreid.identification",
        "OpenGallery": "wildreid.identification",
        "read_data": "wildreid.identification",
        "read_photos": "wildreid.identification",
        "export": "wildreid.identification",
    },
    "what is handed around": {
        "Table": "wildreid.data.table",
        "Ranking": "wildreid.artefacts",
        "Evidence": "wildreid.artefacts",
        "Scores": "wildreid.artefacts",
        "Decision": "wildreid.artefacts",
        "Missing": "wildreid.artefacts",
        "Combined": "wildreid.artefacts",
        "Results": "wildreid.artefacts",
        "Recipe": "wildreid.recipe",
        "Encounters": "wildreid.recipe.settings",
        "Loaded": "wildreid.recipe",
        "Registry": "wildreid.registry",
        "UserError": "wildreid.errors",
    },
}
"""The stable names by what they are for, and the module that each is loaded from."""

_HOMES = {name: module for names in STABLE.values() for name, module in names.items()}

__all__ = [
    "Combined",
    "Decision",
    "Encounters",
    "Evidence",
    "Loaded",
    "Missing",
    "OpenGallery",
    "Ranking",
    "Recipe",
    "Registry",
    "Results",
    "Scores",
    "Table",
    "UserError",
    "annotate",
    "audit",
    "build_embedder",
    "cache_folder",
    "create_gallery",
    "embed",
    "evaluate",
    "evaluate_embeddings",
    "export",
    "fingerprint",
    "fit_decision",
    "load_embedder",
    "load_recipe",
    "load_results",
    "match_embeddings",
    "open_gallery",
    "open_images",
    "quiet",
    "rank",
    "read_data",
    "read_photos",
    "run",
    "score",
    "split",
    "train",
    "validator",
]


__getattr__ = loaded_from(__name__, _HOMES)


def __dir__() -> list[str]:
    return [*__all__, "STABLE"]
