"""The kinds of option, each with the one method that its options write.

Methods take keyword arguments only. Nothing heavy is imported here, nor may a plugin's module import anything
heavy at its top: `reid plugins` and `reid check` read every plugin without torch.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Protocol, Self, TypeGuard, runtime_checkable

from pydantic import Field

from wildreid.option import Option

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import torch
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from wildreid.artefacts import Combined, Crop, Evidence, LocalFeatures, Missing, Results
    from wildreid.data.peek import Guess, Peek
    from wildreid.data.table import Table
    from wildreid.population.survey import Survey


Unknown = Annotated[
    list[str] | None,
    Field(
        description="words, as names of animals or cameras, that mean that nobody knows: [NA, unidentified]; "
        "[]: none, they are names; null: such a word is asked about"
    ),
]
"""A data set's field for words that may be a name or mean unknown; see `wildreid.data.names.settled`."""


class Dataset(Option):
    """Where the rows come from."""

    kind: ClassVar[str] = "dataset"

    @abstractmethod
    def table(self) -> Table:
        """Read the annotations; no pixels are read. What cannot be used goes into the table's failures.

        Raises:
            UserError: the root or a file is missing, a required column is missing, a path leaves the root.
        """

    @classmethod
    def recognise(cls, *, peek: Peek) -> Guess | None:
        """What this data set would make of somebody's file or folder, told by its structure; None: nothing.

        By this `reid new species --from`, `reid identify` and others take files as they are. It must be
        certain, since what it claims is read so, and it opens no photo.
        """
        return None

    def deployments(self) -> pd.DataFrame | None:
        """The deployments of cameras that the source knows, for effort; None where it knows none.

        Columns ``deployment``, ``station``, ``camera``, ``start``, ``end`` (ISO 8601), and where known
        ``latitude``, ``longitude``, ``coordinate_uncertainty``; further columns are covariates.
        """
        return None


class Splitter(Option):
    """Which rows train, which choose, which test.

    ``leaky = True`` declares that this splitter does not keep groups whole; every output is then stamped.
    """

    kind: ClassVar[str] = "splitter"
    leaky: ClassVar[bool] = False

    @abstractmethod
    def split(self, *, table: Table, seed: int) -> Table:
        """Add ``part`` (train, val, test or missing: not used) and ``role`` (query, gallery, both).

        The table has ``sequence``, ``group`` and ``encounter``. The engine then checks the invariants. The
        answer depends on the rows and the seed alone, not on the order of the rows.
        """

    def asked(self) -> Mapping[str, float]:
        """The shares that it was asked for; what was not reached is said to whoever runs it.

        ``val`` and ``test`` are shares of the images; ``new val`` and ``new test`` shares of the individuals,
        which are in that part alone.
        """
        return {}


class Segmenter(Option):
    """What tells the animal from the place: a soft mask of one animal in each photo.

    Masks are made once and kept, by the photo's bytes, its box, the margin around it, their size, the
    `fingerprint` and the row's `key`.

    Attributes:
        longest: pixels on the longer side of the crops that it looks at; None: it needs no pixels, and its masks
            are as large as the images of the recipe.
        several: whether its masks may show several animals; of the parts of such a mask the engine keeps the one
            at the middle of the box, without a box the largest.
    """

    kind: ClassVar[str] = "segmenter"
    longest: ClassVar[int | None] = None
    several: ClassVar[bool] = False

    @abstractmethod
    def build(self, *, device: str) -> Callable[[Sequence[Crop]], Sequence[NDArray[np.uint8] | Missing]]:
        """A function from crops to masks, on this device (``cpu``, ``cuda:0`` …) where it can.

        A mask is (height, width) uint8 of the crop's shape, 255 where the animal is and 0 where it is not; or
        `Missing` with the reason why there is none, such as a photo of which nobody drew a mask.

        Raises:
            UserError: what it needs is not installed, or is not what it was.
        """

    def fingerprint(self) -> str:
        """All that decides a mask beside the photo, the box and the row: by default the fields that were set.

        An option with weights adds their hash.
        """
        return f"{self.name} {self.model_dump_json(exclude_defaults=True)}"

    def key(self, *, row: Mapping[str, Any], root: Path) -> str:
        """What in a row of the table decides its mask, such as the hash of a file; nothing by default."""
        return ""


class Transform(Option):
    """An augmentation of training images, drawn again for each image of a batch.

    Attributes:
        masked: whether it is given (N, 4, size, size), the masks of the animals as a fourth channel, and gives as
            much back; such transforms come first in a recipe, and need its ``foreground``.
    """

    kind: ClassVar[str] = "transform"
    masked: ClassVar[bool] = False

    @abstractmethod
    def build(self, *, size: int) -> Callable[[Tensor], Tensor]:
        """A function from (N, 3, size, size) float in [0, 1] to the same; runs on the batch's device.

        With ``masked`` it is (N, 4, size, size), and the fourth channel is 1 where the animal is. Randomness comes
        from torch's global generators, which the engine seeds and checkpoints.
        """


class Features(Protocol):
    """What a backbone builds: a ``torch.nn.Module`` with these attributes.

    Called with (N, 3, size, size) normalised float it gives (N, width) float, pooled.

    Attributes:
        width: features an image.
        size: pixels a side that it takes.
        mean: three numbers subtracted from images in [0, 1].
        std: three numbers then divided by.
        stages: from input to output, named lists of its parameters for freezing, thawing and layer-wise
            rates; together they hold each parameter exactly once.

    One that is also a `Mapped` can be asked for heat maps.
    """

    width: int
    size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    stages: Sequence[tuple[str, list[nn.Parameter]]]

    def __call__(self, images: Tensor) -> Tensor:
        """(N, 3, size, size) to (N, width)."""
        ...


@runtime_checkable
class Mapped(Protocol):
    """What a backbone builds that can also say where in an image its features come from: for heat maps."""

    def places(self, images: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The (N, width) features, as a call gives them, and the maps that they were made from.

        Each map is (N, channels, h, w), laid over the image from its upper left; a leaf from which gradients are
        tracked to the features, and nothing before it. Images of a batch do not know of one another.

        Raises:
            UserError: this network has no such map.
        """
        ...


@dataclass(frozen=True)
class Origin:
    """Where the weights that a network starts with come from, and on which terms.

    Attributes:
        source: in words, such as ``hf-hub:OWNER/NAME``.
        licence: as its author writes it, such as ``cc-by-nc-4.0``; empty where none is stated.
        citation: what to cite; empty where nothing is known.
    """

    source: str
    licence: str = ""
    citation: str = ""

    @property
    def noncommercial(self) -> bool:
        """Whether the licence forbids commercial use, by its words."""
        words = re.split(r"[^a-z]+", self.licence.lower())
        return "nc" in words or "noncommercial" in "".join(words)

    def __str__(self) -> str:
        terms = ", for non-commercial use alone" if self.noncommercial else ""
        return f"{self.source}: {self.licence or 'no licence stated'}{terms}"

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for ``model.json`` and ``run.json``."""
        return {
            "source": self.source,
            "licence": self.licence or None,
            "non_commercial": self.noncommercial,
            "citation": self.citation or None,
            "words": str(self),
        }


class Backbone(Option):
    """The network that turns pixels into features."""

    kind: ClassVar[str] = "backbone"

    @abstractmethod
    def build(self) -> Features:
        """Build the module, with weights.

        Raises:
            UserError: no such model, weights that do not fit, no network where weights must be fetched.
        """

    def untrained(self) -> Self:
        """The same network with no weights fetched or read: what a saved model is rebuilt with.

        An option with weights of its own overrides it; a model must load where those cannot be had.
        """
        return self

    def origins(self) -> tuple[Origin, ...]:
        """Where its first weights come from; none where it starts from random ones. Nothing is fetched for it."""
        return ()


class Fitted(Protocol):
    """What a head builds that is also fitted on the training photos, once, when training is over.

    Attributes:
        before: the ``torch.nn.Module`` from features to what it is fitted on; it has a ``width``.
        width: numbers in an embedding.
    """

    before: nn.Module
    width: int

    def after(self, vectors: Tensor) -> Tensor:
        """(N, before.width) of unit length to (N, width): the fitted part alone."""
        ...

    def fit(self, vectors: Tensor, labels: Tensor, judge: Callable[[], float] | None) -> str:
        """Fill its buffers from (N, before.width) vectors of unit length and (N,) classes of train.

        ``judge`` measures ``after`` as it is now on val, by the watched figure, higher is better; None where
        nothing may choose. Returns what was chosen, in words.

        Raises:
            UserError: too few photos to fit on.
        """
        ...


def is_fitted(head: object) -> TypeGuard[Fitted]:
    """Whether what a head built is a `Fitted`; from Python 3.12 on `isinstance` does not see submodules."""
    return all(hasattr(head, name) for name in ("before", "width", "after", "fit"))


class Head(Option):
    """What turns features into an embedding.

    ``chooses = True`` declares that it builds a `Fitted` which chooses something on val.
    """

    kind: ClassVar[str] = "head"
    chooses: ClassVar[bool] = False

    @abstractmethod
    def build(self, *, width: int) -> nn.Module:
        """A module from (N, width) to (N, its own ``width`` attribute); the engine scales to unit length.

        One that is also a `Fitted` is fitted on train when training is over.
        """


class Objective(Protocol):
    """What a loss builds: a ``torch.nn.Module``, or a function where it neither learns nor remembers anything."""

    def __call__(self, embeddings: Tensor, labels: Tensor, mined: tuple[Tensor, ...] | None = None) -> Tensor:
        """(N, width) unit-length embeddings and (N,) labels 0 … classes - 1, to a scalar.

        ``mined`` is what a miner gave: (anchors, positives, negatives), or (a1, p, a2, n); None: all pairs.
        """
        ...


class Loss(Option):
    """What training makes small."""

    kind: ClassVar[str] = "loss"

    @abstractmethod
    def build(self, *, width: int, classes: int) -> Objective:
        """A module for embeddings of this width; ``classes`` is the number of training identities.

        A loss that must know more of them also takes ``table: Table | None = None``, the training rows: label 0 is
        the first ``identity`` in the order of names. It is None where there is no table yet, as in a check.
        """

    def objective(self, *, width: int, classes: int, table: Table | None = None) -> Objective:
        """What `build` makes, which is given the training rows if it takes a ``table``."""
        import inspect

        if "table" in inspect.signature(self.build).parameters:
            return self.build(width=width, classes=classes, table=table)  # type: ignore[call-arg]
        return self.build(width=width, classes=classes)


class Miner(Option):
    """Which pairs or triplets of a batch are worth learning from.

    For a loss over pairs or triplets (triplet, contrastive, circle, supcon, multi-similarity) only those that
    the miner names count. A classification loss (arcface, subcenter-arcface) compares an image with learned
    directions and has no pairs: there a miner merely weights images by how often it named them, and the images
    that it did not name are left out. The miner `none` leaves such a loss as its paper writes it.
    """

    kind: ClassVar[str] = "miner"

    @abstractmethod
    def build(self) -> Callable[[Tensor, Tensor], tuple[Tensor, ...] | None]:
        """A function from (embeddings, labels) to pytorch-metric-learning's index tuple; None: all pairs."""


class Batches(Protocol):
    """What a sampler builds: batches of row positions, drawn again each epoch."""

    def set_epoch(self, epoch: int) -> None:
        """Draw for this epoch; the same epoch and seed give the same batches."""
        ...

    def __iter__(self) -> Iterator[list[int]]:
        """Lists of positions in the table that was given."""
        ...

    def __len__(self) -> int:
        """Batches an epoch."""
        ...


class Sampler(Option):
    """Which images make a batch."""

    kind: ClassVar[str] = "sampler"

    @abstractmethod
    def build(self, *, table: Table, batch: int, seed: int) -> Batches:
        """Batches of ``batch`` positions in ``table`` (training rows only; it has ``encounter``).

        Raises:
            UserError: a batch cannot be filled as asked, such as too few identities.
        """


class Optimizer(Option):
    """How the parameters are moved."""

    kind: ClassVar[str] = "optimizer"

    @abstractmethod
    def build(self, *, groups: Mapping[str, list[nn.Parameter]]) -> torch.optim.Optimizer:
        """An optimizer over named groups, in this order: ``backbone.<stage>`` …, ``head``, ``loss``.

        Each group becomes one or more of torch's parameter groups, which carry its ``name``.
        """


class Schedule(Protocol):
    """What a scheduler builds."""

    def step(self, value: float | None) -> None:
        """Called after each optimizer step with None, and after each validation with the watched value."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """All that a resumed run needs."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        ...


class Scheduler(Option):
    """How the learning rates change over time."""

    kind: ClassVar[str] = "scheduler"

    @abstractmethod
    def build(self, *, optimizer: torch.optim.Optimizer, steps: int) -> Schedule:
        """A schedule for a run of ``steps`` optimizer steps in all."""


class LocalMatcher(Protocol):
    """What a matcher builds.

    Attributes:
        size: pixels a side of the square images that it takes.
        points: the most points that it finds in one.
        width: numbers in a point's descriptor.
        symmetric: whether two images have the same score whichever is the query.
    """

    size: int
    points: int
    width: int
    symmetric: bool

    def extract(self, images: NDArray[np.uint8], masks: NDArray[np.uint8]) -> LocalFeatures:
        """Local features of (N, size, size, 3) images, at pixels alone where (N, size, size) masks are over 127.

        On a CPU it is given one image at a time, on a GPU always as many.
        """
        ...

    def score(self, query: LocalFeatures, gallery: LocalFeatures) -> NDArray[np.float64]:
        """(N,) how well one query image matches each of N gallery images: 0 for not at all, more for better.

        A pair's score does not depend on the pairs beside it.
        """
        ...

    def lines(self, query: LocalFeatures, gallery: LocalFeatures) -> NDArray[np.float32]:
        """(M, 5) the matched points of two images: x and y in the query, x and y in the other, confidence.

        Pixels are those of the images that `extract` was given; confidence is above 0 and at most 1, the
        best first.
        """
        ...


class Matcher(Option):
    """What compares two photos point by point: the pattern of a coat, a fluke, a shell.

    Features are made once and kept, by the photo, its box and mask, and the `fingerprint`; so are scores of pairs.
    Points lie on the animal where there are masks, else in its box.
    """

    kind: ClassVar[str] = "matcher"

    @abstractmethod
    def build(self, *, device: str) -> LocalMatcher:
        """Build it with its weights, on this device (``cpu``, ``cuda:0`` …).

        Raises:
            UserError: what it needs is not installed, or weights are not what they were.
        """

    def fingerprint(self) -> str:
        """All that decides features and scores: by default the fields that were set.

        An option with weights adds their hash.
        """
        return f"{self.name} {self.model_dump_json(exclude_defaults=True)}"


class Fusion(Option):
    """How one score is made of the similarity of embeddings and the scores of matchers."""

    kind: ClassVar[str] = "fusion"

    @abstractmethod
    def fuse(self, *, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N,) one score in [0, 1] for each of a query's N candidates, higher is better.

        ``probabilities`` is (scores, N): by each score, the embedding's first, the probability that query and
        candidate are one animal, calibrated on pairs of validation. Where one candidate is at least as probable
        by every score as another, its fused score is not lower.
        """


class Reranker(Option):
    """What orders a query's nearest candidates again by what their embeddings say of one another.

    Attributes:
        reach: candidates that it is given, the nearest; those beyond stay behind them in their order.
    """

    kind: ClassVar[str] = "reranker"
    reach: int

    @abstractmethod
    def rerank(self, *, query: NDArray[np.float32], candidates: NDArray[np.float32]) -> NDArray[np.float64]:
        """(N,) a new similarity in [-1, 1] of each candidate, higher is better.

        ``query`` is (width,) and ``candidates`` (N, width), of unit length, the nearest first. A photo that the
        query may not be matched to is not among them, so it can help nobody.
        """


class Metric(Option):
    """A number, or several, that say how right a ranking is."""

    kind: ClassVar[str] = "metric"

    @abstractmethod
    def measure(
        self, *, evidence: Evidence
    ) -> Mapping[str, float | NDArray[np.float64] | Combined | Missing]:
        """Names to figures; pure and numpy alone.

        A figure is a float; or a (Q,) array with one value a query, NaN where the query does not count,
        whose mean is the figure: the engine then gives it an interval by individual; or `Combined`, which
        is computed from several such means and has an interval too; or `Missing` with the reason why it
        cannot be estimated.
        """


class Run(Protocol):
    """What a tracker and others may know of a run that begins."""

    @property
    def folder(self) -> Path:
        """The run's folder."""
        ...

    @property
    def name(self) -> str:
        """The run's name."""
        ...

    @property
    def recipe(self) -> Mapping[str, Any]:
        """The resolved recipe as plain data."""
        ...

    @property
    def hashes(self) -> Mapping[str, str]:
        """Hashes of what goes into training (``inputs``) and of the table (``table``)."""
        ...


class Log(Protocol):
    """What a tracker opens."""

    def log(self, step: int, values: Mapping[str, float], pictures: Mapping[str, Path] | None = None) -> None:
        """Record numbers, and pictures by the path of their PNG, at an epoch.

        Numbers come epoch after epoch; a resumed run may tell of its last one again. A picture may come late,
        without numbers, after later epochs were reported.
        """
        ...


@runtime_checkable
class ReportLog(Log, Protocol):
    """What a tracker opens that also wants to know of the end."""

    def report(self, results: Results, paths: Sequence[Path]) -> None:
        """Record what came out, and the files that the reporters wrote, the first one to open first."""
        ...


class Tracker(Option):
    """Where the numbers and pictures of a run are written as it goes."""

    kind: ClassVar[str] = "tracker"

    @abstractmethod
    def open(self, *, run: Run) -> AbstractContextManager[Log]:
        """Open it for one run; a resumed run opens it again.

        Whatever it raises, here or later, is reported once; it is then closed with that error and left out, and
        the run goes on. It must not wait long for something that does not answer.
        """


class Reporter(Option):
    """What a person reads when a run is over."""

    kind: ClassVar[str] = "reporter"

    @abstractmethod
    def write(self, *, results: Results, folder: Path) -> list[Path]:
        """Write into ``folder`` and return the files written, the one to open first; may be empty."""


class Clusterer(Option):
    """How encounters with unknown animals are grouped into proposed individuals."""

    kind: ClassVar[str] = "clusterer"

    @abstractmethod
    def cluster(self, *, similarity: NDArray[np.float32], cut: float) -> NDArray[np.int64]:
        """The cluster of each of N encounters, as (N,) numbers; -1: one that is like no other, on its own.

        ``similarity`` is (N, N), symmetric cosine, and ``-inf`` for two that cannot be one animal, such as
        two animals in one frame; the engine divides a cluster that holds such a pair all the same. ``cut``
        is the similarity at which two are as likely one animal as not. The images of one burst are already
        one encounter. The answer does not depend on the order of the encounters, the numbers may.
        """


class Exporter(Option):
    """The form in which a survey is written for another program."""

    kind: ClassVar[str] = "exporter"

    @abstractmethod
    def write(self, *, survey: Survey, folder: Path) -> list[Path]:
        """Write into ``folder``, which is there and empty, and return the files written.

        What ``survey`` holds may be written: where it is public, its places and names are replaced already.
        The same survey gives the same bytes: no clock, no random name, no order but the survey's own. Beside
        the data lies ``load.R`` where R reads them.

        Raises:
            UserError: the survey lacks what this form needs, such as positions or a species.
        """


KINDS: tuple[type[Option], ...] = tuple(
    found
    for found in list(globals().values())
    if isinstance(found, type) and issubclass(found, Option) and "kind" in vars(found)
)
"""Every kind above, in the order in which they stand."""
