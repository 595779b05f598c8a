"""The hooks: what a plugin may offer. All are alike: no argument in, a list of classes of one kind out.

A plugin is a module (or package) named by an entry point of the group ``wildreid``, or a species pack named
by a recipe's ``packs``. It imports `hookimpl` from here and its kinds from `wildreid.kinds`. Each docstring
below holds a complete plugin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from wildreid import kinds

PROJECT = "wildreid"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a function of a plugin as the implementation of the hook of that name."""


@hookspec
def wildreid_datasets() -> list[type[kinds.Dataset]]:  # type: ignore[empty-body]
    r"""Where the rows of a table come from: a reader of files on disk.

    Called: first of all, and by `reid data`, `reid audit` and `reid check --build`.

    >>> from __future__ import annotations
    >>> from pydantic import Field
    >>> from wildreid.hookspecs import hookimpl
    >>> from wildreid.kinds import Dataset
    >>> from wildreid.option import Location

    >>> class Herd(Dataset):
    ...     '''A folder for each cow, camera and time in the file's name: Bella/gate_20240601-080000_1.jpg.'''
    ...
    ...     name = "herd"
    ...     root: Location = Field(description="folder that holds a folder for each cow")
    ...
    ...     def table(self) -> Table:
    ...         import pandas as pd
    ...         from wildreid.data.table import Table
    ...         from wildreid.errors import UserError
    ...
    ...         photos = sorted(self.root.glob("*/*_*_*.jpg"))
    ...         if not photos:
    ...             raise UserError("there is no photo of a cow", where=str(self.root))
    ...         parts = [photo.stem.split("_") for photo in photos]
    ...         rows = pd.DataFrame(
    ...             {
    ...                 "image": [photo.relative_to(self.root).as_posix() for photo in photos],
    ...                 "identity": [photo.parent.name for photo in photos],
    ...                 "camera": [camera for camera, _, _ in parts],
    ...                 "timestamp": pd.to_datetime([time for _, time, _ in parts], format="%Y%m%d-%H%M%S"),
    ...             }
    ...         )
    ...         return Table.of(rows, self.root)

    >>> @hookimpl
    ... def wildreid_datasets() -> list[type[Dataset]]:
    ...     return [Herd]
    """


@hookspec
def wildreid_splitters() -> list[type[kinds.Splitter]]:  # type: ignore[empty-body]
    r"""Which rows train, which choose the weights, which test.

    Called: once a run, after groups and encounters are known.

    >>> from __future__ import annotations
    >>> from wildreid.hookspecs import hookimpl
    >>> from wildreid.kinds import Splitter

    >>> class EveryThird(Splitter):
    ...     '''Every third individual tests, every other third chooses.'''
    ...
    ...     name = "every-third"
    ...
    ...     def split(self, *, table: Table, seed: int) -> Table:
    ...         individuals = sorted(table["identity"].dropna().unique())
    ...         part = {who: ("train", "val", "test")[n % 3] for n, who in enumerate(individuals)}
    ...         parts = table["identity"].map(part)
    ...         return table.with_rows(table.rows.assign(part=parts, role="both"))

    >>> @hookimpl
    ... def wildreid_splitters() -> list[type[Splitter]]:
    ...     return [EveryThird]
    """


@hookspec
def wildreid_segmenters() -> list[type[kinds.Segmenter]]:  # type: ignore[empty-body]
    r"""What tells the animal from the place.

    Called: where a recipe has a ``foreground``, once for each photo; the masks are kept.

    >>> from __future__ import annotations
    >>> from pydantic import Field
    >>> from wildreid.hookspecs import hookimpl
    >>> from wildreid.kinds import Segmenter

    >>> class Bright(Segmenter):
    ...     '''What is brighter than the photo as a whole: a white animal at night.'''
    ...
    ...     name = "bright"
    ...     longest = 128
    ...     several = True
    ...     above: float = Field(40, ge=0, le=255, description="by how much, of 255")
    ...
    ...     def build(self, *, device: str) -> Callable[[Sequence[Crop]], Sequence[NDArray[np.uint8]]]:
    ...         def segment(crops):
    ...             greys = [crop.pixels.mean(axis=2) for crop in crops]
    ...             return [255 * (grey > grey.mean() + self.above).astype("uint8") for grey in greys]
    ...
    ...         return segment

    >>> @hookimpl
    ... def wildreid_segmenters() -> list[type[Segmenter]]:
    ...     return [Bright]
    """


@hookspec
def wildreid_transforms() -> list[type[kinds.Transform]]:  # type: ignore[empty-body]
    r"""An augmentation of training images.

    Called: for each training batch, on the training device.

    >>> from __future__ import annotations
    >>> from pydantic import Field
    >>> from wildreid.hookspecs import hookimpl
    >>> from wildreid.kinds import Transform

    >>> class Dusk(Transform):
    ...     '''Darken each image by its own amount.'''
    ...
    ...     name = "dusk"
    ...     strength: float = Field(0.5, ge=0, le=1, description="the most light that is taken away")
    ...
    ...     def build(self, *, size: int) -> Callable[[Tensor], Tensor]:
    ...         import torch
    ...
    ...         return lambda images: (
    ...             images * (1 - self.strength * torch.rand(len(images), 1, 1, 1, device=images.device))
    ...         )

    >>> @hookimpl
    ... def wildreid_transforms() -> list[type[Transform]]:
    ...     return [Dusk]
    """


@hookspec
def wildreid_backbones() -> list[type[kinds.Backbone]]:  # type: ignore[empty-body]
    r"""The network from pixels to features.

    Called: when training begins, and when a model is loaded again.

    >>> from __future__ import annotations
    >>> from pydantic import Field
    >>> from wildreid.hookspecs import hookimpl
    >>> from wildreid.kinds import Backbone

    >>> class Small(Backbone):
    ...     '''Two convolutions and a mean over the image.'''
    ...
    ...     name = "two-layers"
    ...     channels: int = Field(32, gt=0, description="numbers that an image becomes")
    ...
    ...     def build(self) -> Features:
    ...         from torch import nn
    ...
    ...         class Layers(nn.Sequential):
    ...             size = 64  # pixels a side that it is made for
    ...             mean, std = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)  # taken from pixels in [0, 1]
    ...
    ...             @property
    ...             def width(self):
    ...                 return self[2].out_channels
    ...
    ...             @property
    ...             def stages(self):
    ...                 # from input to output, each parameter once: rates and freezing go by them
    ...                 return [("first", [*self[0].parameters()]), ("second", [*self[2].parameters()])]
    ...
    ...         return Layers(
    ...             nn.Conv2d(3, self.channels, 3, stride=2),
    ...             nn.ReLU(),
    ...             nn.Conv2d(self.channels, self.channels, 3, stride=2),
    ...             nn.ReLU(),
    ...             nn.AdaptiveAvgPool2d(1),
    ...             nn.Flatten(),
    ...         )

    >>> @hookimpl
    ... def wildreid_backbones() -> list[type[Backbone]]:
    ...     return [Small]
    """


@hookspec
def wildreid_heads() -> list[type[kinds.Head]]:  # type: ignore[empty-body]
    r"""What turns features into an embedding.

    Called: when a model is built.

    >>> from __future__ import annotations
    >>> from pydantic import Field
    >>> from wildreid.hookspecs import hookimpl
    >>> from wildreid.kinds import Head

    >>> class Plain(Head):
    ...     '''One linear layer.'''
    ...
    ...     name = "plain"
    ...     size: int = Field(128, gt=0, description="numbers in an embedding")
    ...
    ...     def build(self, *, width: int) -> nn.Module:
    ...         from torch import nn
    ...
    ...         layer = nn.Linear(width, self.size)
    ...         layer.width = self.size
    ...         return layer

    >>> @hookimpl
    ... def wildreid_heads() -> list[type[Head]]:
    ...     return [Plain]
    """


@hookspec
def wildreid_losses() -> list[type[kinds.Loss]]:  # type: ignore[empty-body]
    r"""What training makes small.

    Called: when training begins.

    >>> from __future__ import annotations
    >>> from pydantic import Field
    >>> from wildreid.hookspecs import hookimpl
    >>> from wildreid.kinds import Loss

    >>> class Triplet(Loss):
    ...     '''Pull images of one animal nearer than any other animal's, by a margin.'''
    ...
    ...     name = "my-triplet"
    ...     margin: float = Field(0.2, gt=0, description="how much nearer, in cosine distance")
    ...
    ...     def build(self, *, width: int, classes: int) -> Objective:
    ...         from pytorch_metric_learning import distances, losses
    ...
    ...         return losses.TripletMarginLoss(margin=self.margin, distance=distances.CosineSimilarity())

    >>> @hookimpl
    ... def wildreid_losses() -> list[type[Loss]]:
    ...     return [Triplet]
    """


@hookspec
def wildreid_miners() -> list[type[kinds.Miner]]:  # type: ignore[empty-body]
    r"""Which pairs or triplets of a batch are worth learning from.

    Called: for each training batch, before the loss.

    >>> from __future__ import annotations
    >>> from wildreid.hookspecs import hookimpl
    >>> from wildreid.kinds import Miner

    >>> class Everything(Miner):
    ...     '''All pairs.'''
    ...
    ...     name = "everything"
    ...
    ...     def build(self) -> Callable[[Tensor, Tensor], tuple[Tensor, ...] | None]:
    ...         return lambda embeddings, labels: None

    >>> @hookimpl
    ... def wildreid_miners() -> list[type[Miner]]:
    ...     return [Everything]
    """


@hookspec
def wildreid_samplers() -> list[type[kinds.Sampler]]:  # type: ignore[empty-body]
    r"""Which images make a batch.

    Called: at the start of each epoch.

    >>> from __future__ import annotations
    >>> from wildreid.hookspecs import hookimpl
    >>> from wildreid.kinds import Sampler

    >>> class Shuffled(Sampler):
    ...     '''All rows in another order each epoch, the same one for the same seed.'''
    ...
    ...     name = "shuffled"
    ...
    ...     def build(self, *, table: Table, batch: int, seed: int) -> Batches:
    ...         import numpy as np
    ...
    ...         class Slices:
    ...             epoch = 0
    ...
    ...             def set_epoch(self, epoch: int) -> None:
    ...                 self.epoch = epoch
    ...
    ...             def __len__(self) -> int:
    ...                 return len(table) // batch
    ...
    ...             def __iter__(self) -> Iterator[list[int]]:
    ...                 order = np.random.default_rng([seed, self.epoch]).permutation(len(table))
    ...                 return (order[n * batch : (n + 1) * batch].tolist() for n in range(len(self)))
    ...
    ...         return Slices()

    >>> @hookimpl
    ... def wildreid_samplers() -> list[type[Sampler]]:
    ...     return [Shuffled]
    """


@hookspec
def wildreid_optimizers() -> list[type[kinds.Optimizer]]:  # type: ignore[empty-body]
    r"""How the parameters are moved.

    Called: when training begins.

    >>> from __future__ import annotations
    >>> from pydantic import Field
    >>> from wildreid.hookspecs import hookimpl
    >>> from wildreid.kinds import Optimizer

    >>> class PlainSGD(Optimizer):
    ...     '''Gradient descent, one rate for all.'''
    ...
    ...     name = "plain-sgd"
    ...     rate: float = Field(0.01, gt=0, description="learning rate")
    ...
    ...     def build(self, *, groups: Mapping[str, list[nn.Parameter]]) -> torch.optim.Optimizer:
    ...         import torch
    ...
    ...         return torch.optim.SGD(
    ...             [{"params": group, "name": name} for name, group in groups.items()], lr=self.rate
    ...         )

    >>> @hookimpl
    ... def wildreid_optimizers() -> list[type[Optimizer]]:
    ...     return [PlainSGD]
    """


@hookspec
def wildreid_schedulers() -> list[type[kinds.Scheduler]]:  # type: ignore[empty-body]
    r"""How the learning rates change over time.

    Called: after each step and each validation.

    >>> from __future__ import annotations
    >>> from wildreid.hookspecs import hookimpl
    >>> from wildreid.kinds import Scheduler

    >>> class Halve(Scheduler):
    ...     '''Halve the rates at half time.'''
    ...
    ...     name = "halve"
    ...
    ...     def build(self, *, optimizer: torch.optim.Optimizer, steps: int) -> Schedule:
    ...         from torch.optim.lr_scheduler import StepLR
    ...
    ...         class EachStep(StepLR):
    ...             def step(self, value: float | None = None) -> None:
    ...                 if value is None:
    ...                     super().step()
    ...
    ...         return EachStep(optimizer, max(1, steps // 2), gamma=0.5)

    >>> @hookimpl
    ... def wildreid_schedulers() -> list[type[Scheduler]]:
    ...     return [Halve]
    """


@hookspec
def wildreid_matchers() -> list[type[kinds.Matcher]]:  # type: ignore[empty-body]
    r"""What compares two photos point by point.

    Called: where a recipe has ``matchers``, once for each photo and once for each pair; both are kept.

    >>> from __future__ import annotations
    >>> from wildreid.hookspecs import hookimpl
    >>> from wildreid.kinds import Matcher

    >>> class Brightest(Matcher):
    ...     '''One point, the brightest of the animal; two match where they are as bright.'''
    ...
    ...     name = "brightest"
    ...
    ...     def build(self, *, device: str) -> LocalMatcher:
    ...         import numpy as np
    ...         from wildreid.artefacts import LocalFeatures
    ...
    ...         class Built:
    ...             size, points, width, symmetric = 64, 1, 1, True
    ...
    ...             def extract(self, images, masks):
    ...                 greys = np.where(masks > 127, images.mean(axis=3), 0).reshape(len(images), -1)
    ...                 at, light = greys.argmax(axis=1), greys.max(axis=1)
    ...                 there = light > 0
    ...                 points = np.stack([at % 64, at // 64], axis=1) * there[:, None]
    ...                 half = points[:, None].astype(np.float16), light[:, None, None].astype(np.float16)
    ...                 return LocalFeatures(*half, there.astype(np.int64))
    ...
    ...             def score(self, query, gallery):
    ...                 light = gallery.descriptors[:, 0, 0].astype(float)
    ...                 apart = np.abs(light - float(query.descriptors[0, 0, 0]))
    ...                 return np.exp(-apart / 10) * gallery.counts * query.counts
    ...
    ...             def lines(self, query, gallery):
    ...                 sure = self.score(query, gallery)
    ...                 ends = np.concatenate([query.points[0, 0], gallery.points[0, 0], sure])
    ...                 return ends[None].astype(np.float32)[sure > 0]
    ...
    ...         return Built()

    >>> @hookimpl
    ... def wildreid_matchers() -> list[type[Matcher]]:
    ...     return [Brightest]
    """


@hookspec
def wildreid_fusions() -> list[type[kinds.Fusion]]:  # type: ignore[empty-body]
    r"""How one score is made of the embedding's and the matchers'.

    Called: where a recipe has ``matchers``, once for each query.

    >>> from __future__ import annotations
    >>> from wildreid.hookspecs import hookimpl
    >>> from wildreid.kinds import Fusion

    >>> class Doubting(Fusion):
    ...     '''As probable as the score that doubts most says.'''
    ...
    ...     name = "doubting"
    ...
    ...     def fuse(self, *, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    ...         return probabilities.min(axis=0)

    >>> @hookimpl
    ... def wildreid_fusions() -> list[type[Fusion]]:
    ...     return [Doubting]
    """


@hookspec
def wildreid_rerankers() -> list[type[kinds.Reranker]]:  # type: ignore[empty-body]
    r"""What orders the nearest candidates again by their embeddings.

    Called: where a recipe has a ``reranker``, once for each query.

    >>> from __future__ import annotations
    >>> from pydantic import Field
    >>> from wildreid.hookspecs import hookimpl
    >>> from wildreid.kinds import Reranker

    >>> class Company(Reranker):
    ...     '''A candidate that is like many other candidates rises.'''
    ...
    ...     name = "company"
    ...     reach: int = Field(20, ge=2, description="candidates that are ordered again")
    ...
    ...     def rerank(
    ...         self,
    ...         *,
    ...         query: NDArray[np.float32],
    ...         candidates: NDArray[np.float32],
    ...     ) -> NDArray[np.float64]:
    ...         return ((candidates @ query + candidates @ candidates.mean(axis=0)) / 2).astype("float64")

    >>> @hookimpl
    ... def wildreid_rerankers() -> list[type[Reranker]]:
    ...     return [Company]
    """


@hookspec
def wildreid_metrics() -> list[type[kinds.Metric]]:  # type: ignore[empty-body]
    r"""A number that says how right a ranking is.

    Called: once for each protocol, after ranking.

    >>> from __future__ import annotations
    >>> from wildreid.artefacts import Missing
    >>> from wildreid.hookspecs import hookimpl
    >>> from wildreid.kinds import Metric

    >>> class Lead(Metric):
    ...     '''How far a query's own individual is ahead of the best other one, in cosine similarity.'''
    ...
    ...     name = "lead"
    ...
    ...     def measure(self, *, evidence: Evidence) -> dict[str, float | NDArray[np.float64] | Missing]:
    ...         import numpy as np
    ...
    ...         ranking = evidence.ranking
    ...         lead = ranking.own_score.astype("float64") - ranking.impostor_score
    ...         lead[~np.isfinite(lead)] = np.nan  # NaN is a query that does not count
    ...         if np.isnan(lead).all():
    ...             return {"lead": Missing("no query has its own and another individual to be matched to")}
    ...         return {"lead": lead}

    >>> @hookimpl
    ... def wildreid_metrics() -> list[type[Metric]]:
    ...     return [Lead]
    """


@hookspec
def wildreid_trackers() -> list[type[kinds.Tracker]]:  # type: ignore[empty-body]
    r"""Where the numbers and pictures of a run are written as it goes.

    Called: opened when training begins, written to after each epoch and when a picture is done, closed when the
    report is written.

    >>> from __future__ import annotations
    >>> from contextlib import contextmanager
    >>> from wildreid.hookspecs import hookimpl
    >>> from wildreid.kinds import Tracker

    >>> class Shout(Tracker):
    ...     '''Print every number.'''
    ...
    ...     name = "shout"
    ...
    ...     @contextmanager
    ...     def open(self, *, run: Run) -> Iterator[Log]:
    ...         class Printer:
    ...             def log(self, step, values, pictures=None):
    ...                 print(run.name.upper(), step, dict(values))
    ...
    ...         yield Printer()

    >>> @hookimpl
    ... def wildreid_trackers() -> list[type[Tracker]]:
    ...     return [Shout]
    """


@hookspec
def wildreid_reporters() -> list[type[kinds.Reporter]]:  # type: ignore[empty-body]
    r"""What a person reads when a run is over.

    Called: last of all, and by `reid report`.

    >>> from __future__ import annotations
    >>> from wildreid.hookspecs import hookimpl
    >>> from wildreid.kinds import Reporter

    >>> class OneLine(Reporter):
    ...     '''The headline in a text file.'''
    ...
    ...     name = "one-line"
    ...
    ...     def write(self, *, results: Results, folder: Path) -> list[Path]:
    ...         path = folder / "headline.txt"
    ...         path.write_text(f"{results.name} {results.stamp}")
    ...         return [path]

    >>> @hookimpl
    ... def wildreid_reporters() -> list[type[Reporter]]:
    ...     return [OneLine]
    """


@hookspec
def wildreid_clusterers() -> list[type[kinds.Clusterer]]:  # type: ignore[empty-body]
    r"""How encounters with unknown animals are grouped into proposed individuals.

    Called: by `reid discover`, once.

    >>> from __future__ import annotations
    >>> from wildreid.hookspecs import hookimpl
    >>> from wildreid.kinds import Clusterer

    >>> class Strangers(Clusterer):
    ...     '''Every encounter is another animal.'''
    ...
    ...     name = "strangers"
    ...
    ...     def cluster(self, *, similarity: NDArray[np.float32], cut: float) -> NDArray[np.int64]:
    ...         import numpy as np
    ...
    ...         return np.full(len(similarity), -1)

    >>> @hookimpl
    ... def wildreid_clusterers() -> list[type[Clusterer]]:
    ...     return [Strangers]
    """


@hookspec
def wildreid_exporters() -> list[type[kinds.Exporter]]:  # type: ignore[empty-body]
    r"""The form in which a survey is written for another program.

    Called: by `reid gallery export`, once, and once for each draw of uncertain identities.

    >>> from __future__ import annotations
    >>> from wildreid.hookspecs import hookimpl
    >>> from wildreid.kinds import Exporter

    >>> class Lines(Exporter):
    ...     '''A line for each encounter: who, where, on which occasion.'''
    ...
    ...     name = "lines"
    ...
    ...     def write(self, *, survey: Survey, folder: Path) -> list[Path]:
    ...         met = survey.detections
    ...         lines = [
    ...             f"{one.code} {one.station} {one.occasion}\n"
    ...             for one in met[["code", "station", "occasion"]].itertuples()
    ...         ]
    ...         path = folder / "encounters.txt"
    ...         path.write_text("".join(lines), encoding="utf-8", newline="\n")
    ...         return [path]

    >>> @hookimpl
    ... def wildreid_exporters() -> list[type[Exporter]]:
    ...     return [Lines]
    """
