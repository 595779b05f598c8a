"""The engine's own settings: the sections of a recipe that are no plugin's."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Protocol = Literal["cross-encounter", "image-loo", "fixed-gallery", "time-cutoff"]
# what validation measures (evaluation/score.py) and training.watch may name: this is the one list
Watched = Literal[
    "accuracy@1", "accuracy@3", "accuracy@5", "accuracy@10", "macro-accuracy@1", "mrr", "map", "macro-map",
    "1-shot", "5-shot",
]  # fmt: skip
Share = Annotated[float, Field(gt=0, lt=1)]


class Settings(BaseModel):
    """A section of a recipe: it cannot be changed, and a key that is none is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Images(Settings):
    """How pixels become the network's input; the same in training, evaluation and a gallery."""

    size: int = Field(224, ge=16, le=1024, description="pixels a side that the network sees")
    fit: Literal["pad", "squash"] = Field("pad", description="pad to a square, or change the aspect ratio")
    margin: float = Field(0.0, ge=0, le=1, description="context around a box, as a share of its longer side")
    background: Literal["keep", "grey", "blur", "noise"] = Field(
        "keep",
        description="what is put in the place of all that is not animal; with a foreground it is grey unless it is "
        "said, without one it is kept",
    )
    tighten: bool = Field(
        False, description="crop to the animal's mask with `margin` around it; needs a foreground"
    )
    max_pixels: int = Field(
        120_000_000, gt=0, description="a file that declares more pixels is refused, not decoded"
    )
    cache: bool = Field(True, description="keep decoded images in a memory-mapped file beside other caches")
    cache_gib: float = Field(
        50.0, gt=0, description="the most that the cache may hold of images, masks, features … each, in GiB"
    )


class Embedding(Settings):
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


class Encounters(Settings):
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


class Training(Settings):
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
        description="with a backbone that is always frozen: augmented views of each image, computed once and kept; "
        "null: augmented again each time. Without augmentation features are always computed once",
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


class Evaluation(Settings):
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


class LocalMatching(Settings):
    """How photos are compared point by point, between ranking and scores."""

    pairs: int = Field(
        50,
        ge=1,
        description="gallery images that each query is matched to, the nearest by the embedding; where that is all "
        "of them, matching is exhaustive; beyond them the embedding's order stays",
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
