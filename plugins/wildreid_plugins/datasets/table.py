"""The table dataset: a CSV or Parquet file that says who is in which photo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from wildreid.errors import UserError
from wildreid.kinds import Dataset, Unknown
from wildreid.option import Location

if TYPE_CHECKING:
    from wildreid.data import table
    from wildreid.data.peek import Guess, Peek


Like = Literal[
    "traptagger", "timelapse", "addaxai", "zooniverse", "animalclef", "wildlife-reid-10k", "brown-bear-heads"
]
_ONLY_WITH = {
    ("datasets",): ("animalclef", "wildlife-reid-10k"),
    ("task", "votes", "share"): ("zooniverse",),
}  # fields of the presets named here


class Table(Dataset):
    """A CSV or Parquet file with one row for each annotation: image, identity, and what else is known."""

    name = "table"
    root: Location = Field(description="folder that the image paths are relative to")
    file: str = Field("metadata.csv", description="the table, relative to root; .csv, .tsv or .parquet")
    like: Like | None = Field(
        None, description="whose table it is; null: its columns tell, or it is your own"
    )
    columns: dict[str, str] = Field(
        {},
        description="the file's name for image, identity, camera, timestamp, box_left, box_top, box_width, "
        "box_height, viewpoint, encounter, sequence or part, where it is another: {image: path}; time: a time of "
        "day beside a date",
    )
    dates: str | None = Field(
        None,
        description="form of the timestamps: '%d.%m.%Y %H:%M' (with %z where zones are written), excel (its day "
        "numbers) or unix (seconds, in UTC); null: ISO 8601, or what alone fits",
    )
    unknown: Unknown = None
    datasets: tuple[str, ...] = Field(
        (), description="with animalclef and wildlife-reid-10k: the data sets to keep; none: all"
    )
    task: str | None = Field(
        None, description="with zooniverse: the task that asks who it is; null: the only one there is"
    )
    votes: int = Field(3, ge=1, description="with zooniverse: how many volunteers must give one answer")
    share: float = Field(
        0.8, gt=0.5, le=1, description="with zooniverse: which share of a photo's answers that must be"
    )

    @model_validator(mode="after")
    def _check_fields(self) -> Self:
        for fields, presets in _ONLY_WITH.items():
            for name in fields:
                chosen = getattr(self, name) != type(self).model_fields[name].default
                if chosen and self.like not in presets:
                    raise ValueError(f"'{name}' is for like: {' or '.join(presets)} alone")
        return self

    @classmethod
    def recognise(cls, *, peek: Peek) -> Guess | None:
        """A table of another program or collection, by its columns; other tables need no recognising."""
        from wildreid.data.peek import SOME, Guess
        from wildreid.data.presets import PRESETS, recognised
        from wildreid.data.rows import read_rows

        like = recognised(peek.columns)
        if like is None:
            return None
        preset = PRESETS[like]
        some, _ = read_rows(peek.path, most=SOME)
        image = preset.columns["image"]
        root = peek.root_of(some[image].dropna()) if image in some else peek.path.parent
        return Guess({"root": str(root), "file": str(peek.path), "like": like}, preset.words)

    def table(self) -> table.Table:
        """Read the file.

        Raises:
            UserError: no such root or file, a required column is missing, a path leaves the root, a name that
                may mean unknown.
        """
        from wildreid.data.presets import Asked, Votes
        from wildreid.data.read import read_table

        if not self.root.is_dir():
            raise UserError(
                f"the data set's root {self.root} is not there",
                where="dataset.root",
                cure="correct it in the recipe, or give `dataset.root=FOLDER`",
            )
        votes = Votes(self.task, self.votes, self.share)
        return read_table(
            self.root / self.file,
            self.root,
            columns=self.columns,
            dates=self.dates,
            unknown=self.unknown,
            like=self.like,
            asked=Asked(datasets=self.datasets, votes=votes),
        )
