"""``gallery.json``: what a gallery is and which files are part of it; replacing it commits a change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from wildreid.errors import UserError
from wildreid.files import reading, written
from wildreid.gallery.rule import Rule
from wildreid.recipe.model import Keeper
from wildreid.recipe.settings import Encounters

FILE = "gallery.json"
FORMAT = 3
READ = (1, 2, 3)
"""The formats that are read: 1 knows fewer columns of annotations, 2 no local features; the next change makes it
the newest."""
EXACT_UP_TO = 1_000_000
"""Images up to which a gallery is searched exactly, by default."""
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Mark(_Part):
    """Which model a gallery's embeddings are from; those of any other are refused.

    Attributes:
        name: of the run that trained it, for people.
        weights: hash of the weights' file.
        transform: hash of all that turns an image into the network's input.
        width: numbers in an embedding.
    """

    name: str
    weights: str
    transform: str
    width: int = Field(gt=0)


class Features(_Part):
    """The local features of a segment's rows by one matcher: ``segments/<name>.points.npy``, never changed.

    Attributes:
        name: of the file, without its suffix.
        matcher: the matcher's name.
        fingerprint: all that decides its features beside the photo.
        record: bytes that the features of one row take.
        points: hash of the file.
    """

    name: FileName
    matcher: str
    fingerprint: str
    record: int = Field(gt=0)
    points: str


class Segment(_Part):
    """Some rows of a gallery: ``segments/<name>.parquet`` and ``segments/<name>.npy``, never changed.

    Attributes:
        name: of both files, without their suffix.
        rows: how many.
        annotations: hash of the Parquet file.
        embeddings: hash of the numpy file.
        features: files of local features, one a matcher; none where there are none.
    """

    name: FileName
    rows: int = Field(ge=0)
    annotations: str
    embeddings: str
    features: tuple[Features, ...] = ()


class Matching(_Part):
    """How photos are compared point by point, as the run of the gallery's model proved it on validation.

    Attributes:
        stands: what ranked in the run: ``fused``, else nothing is matched.
        says: the run's gate in sentences.
        matchers: the fields of each, by name.
        fingerprints: all that decides the features of each beside the photo.
        fusion: the fields of what makes one score of all.
        reranker: of what orders the nearest again before they are matched; None: the cosine similarity stands.
        pairs: gallery images that each photo is matched to, at most.
        curves: from each score, the embedding's first, to the probability that a pair is one animal.
    """

    stands: str
    says: tuple[str, ...] = ()
    matchers: tuple[dict[str, Any], ...] = ()
    fingerprints: tuple[str, ...] = ()
    fusion: dict[str, Any] = Field(default_factory=dict)
    reranker: dict[str, Any] | None = None
    pairs: int = Field(50, ge=1)
    curves: tuple[dict[str, Any], ...] = ()

    @property
    def known(self) -> dict[str, str]:
        """The fingerprint of each matcher, by its name."""
        names = (str(one["name"]) for one in self.matchers)
        return dict(zip(names, self.fingerprints, strict=True))

    @property
    def counts(self) -> bool:
        """Whether matching counts: validation proved that it helps."""
        return self.stands == "fused" and bool(self.curves)


class JournalEnd(_Part):
    """How much of ``journal.jsonl`` counts; what stands after it was never committed.

    Attributes:
        changes: lines.
        bytes: their length.
        last: hash of the last line.
    """

    changes: int = Field(0, ge=0)
    bytes: int = Field(0, ge=0)
    last: str = ""


class Manifest(_Part):
    """All of ``gallery.json``.

    Attributes:
        format: version of the folder's layout.
        model: whose embeddings these are.
        rule: the present decision and calibration, a copy of what the journal says; None: there is none.
        fused: the same for scores that matchers have a part in.
        matching: how photos are compared point by point; None: the model's run knew no matchers.
        licence: of the photos and annotations, in words.
        provenance: where the gallery came from: run, time, author, version.
        encounters: what counts as one burst and one encounter.
        apart: what keeps two photos from being matched, whoever they show, as in the recipe of its model.
        exact_up_to: images up to which every search is exact; above it an inverted-file index helps.
        segments: the rows, oldest first.
        journal: its end.
    """

    format: int
    model: Mark
    rule: Rule | None = None
    fused: Rule | None = None
    matching: Matching | None = None
    licence: str = ""
    provenance: dict[str, Any] = Field(default_factory=dict)
    encounters: Encounters = Encounters()
    apart: tuple[Keeper, ...] = ()
    exact_up_to: int = Field(EXACT_UP_TO, ge=0)
    segments: tuple[Segment, ...] = ()
    journal: JournalEnd = JournalEnd()

    @property
    def rows(self) -> int:
        """How many rows the segments hold, removed ones included."""
        return sum(segment.rows for segment in self.segments)

    def save(self, folder: Path) -> None:
        """Replace the manifest: from here on the change has happened."""
        with written(folder / FILE) as file:
            file.write(self.model_dump_json(indent=1).encode() + b"\n")

    @classmethod
    def load(cls, folder: Path) -> Manifest:
        """Read it.

        Raises:
            UserError: the folder is no gallery; a later version wrote it; the file is damaged.
        """
        path = folder / FILE
        if not path.is_file():
            raise UserError(
                f"{folder} is no gallery: it has no {FILE}", cure="make one with: reid gallery create"
            )
        with reading(path, cure="take the file from a backup; without it the gallery cannot be read"):
            text = path.read_text(encoding="utf-8")
            version = json.loads(text)["format"]
            if version not in READ:
                raise UserError(
                    f"the gallery has format {version}; this version of wildreid reads "
                    f"{' and '.join(map(str, READ))}",
                    where=str(path),
                    cure="install the version of wildreid that wrote it, or a later one",
                )
            return cls.model_validate_json(text)
