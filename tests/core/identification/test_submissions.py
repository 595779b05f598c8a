from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from wildreid.cli import app
from wildreid.data.table import Table
from wildreid.errors import UserError
from wildreid.identification import OpenGallery
from wildreid.identification.identify import Answer, Candidate
from wildreid.identification.submissions import NEW, _name, clusters, identities, queries


def reid(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def metadata(photos: Path, tmp_path: Path) -> Path:
    """The photos as the competition would give them out; one of its queries is no photo."""
    rows = pd.read_csv(photos / "table.csv").rename(columns={"image": "path", "timestamp": "date"})
    rows["split"] = rows.pop("part").map({"train": "database", "val": "database", "test": "query"})
    rows["identity"] = rows["identity"].where(rows["split"] == "database")
    rows["dataset"] = ["A" if who % 2 else "B" for who in rows["path"].str[0].astype(int)]
    rows = rows.assign(image_id=range(1000, 1000 + len(rows)), orientation="left", species="noise").drop(
        columns="camera"
    )
    extra = rows.iloc[-1:].assign(image_id=7, path="gone.png", split="query")
    path = tmp_path / "metadata.csv"
    pd.concat([rows, extra]).to_csv(path, index=False)
    return path


def test_every_query_is_in_the_submission_once(
    known: OpenGallery, metadata: Path, photos: Path, tmp_path: Path
) -> None:
    asked = pd.read_csv(metadata)
    ids = asked.loc[asked["split"] == "query", "image_id"]
    common = (known.gallery.folder, metadata, "--root", photos, "--format", "animalclef", "--csv")
    reid("identify", *common, tmp_path / "2025.csv")
    said = pd.read_csv(tmp_path / "2025.csv")
    assert list(said.columns) == ["image_id", "identity"]
    assert sorted(said["image_id"]) == sorted(ids)
    assert said.loc[said["image_id"] == 7, "identity"].tolist() == [NEW]
    assert set(said["identity"]) <= {*known.state.individuals, NEW}
    reid("discover", *common, tmp_path / "2026.csv", "--cut", "0.5")
    grouped = pd.read_csv(tmp_path / "2026.csv").merge(asked, on="image_id")
    assert sorted(grouped["image_id"]) == sorted(ids)
    assert grouped["cluster"].str.fullmatch(r"cluster_[AB]_\d+").all()
    assert (grouped["cluster"].str[8] == grouped["dataset"]).all()
    for _, own in grouped.groupby("dataset"):
        numbers = own["cluster"].str.rpartition("_")[2].astype(int)
        assert set(numbers) == set(range(numbers.max() + 1))
    assert (grouped["cluster"] == grouped.loc[grouped["image_id"] == 7, "cluster"].iloc[0]).sum() == 1


def test_clusters_are_the_same_individuals(known: OpenGallery, metadata: Path, photos: Path) -> None:
    from wildreid.identification import read_photos

    table = queries(read_photos([metadata], root=photos))
    found = known.discover(table, cut=0.5)
    labels = dict(zip(table["image_id"], clusters(found)["cluster"], strict=True))
    rows = found.rows.set_index("image")
    named = [(rows["identity"][image], labels[number], data) for image, number, data in zip(
        table["image"], table["image_id"], table["dataset"], strict=True
    ) if not pd.isna(rows["identity"][image])]  # fmt: skip
    pairs = {(name, data): label for name, label, data in named}
    assert len(set(pairs.values())) == len(pairs)
    assert all(pairs[name, data] == label for name, label, data in named)
    assert len(identities(found.identified)) == len(table)


def test_what_is_not_the_competitions_table_is_refused(
    known: OpenGallery, asked: Path, photos: Path, metadata: Path
) -> None:
    with pytest.raises(UserError, match="no column 'image_id'"):
        reid(
            "identify",
            known.gallery.folder,
            asked,
            "--root",
            photos,
            "--format",
            "animalclef",
            "--csv",
            metadata.parent / "x.csv",
        )
    with pytest.raises(UserError, match="written to a file"):
        reid("identify", known.gallery.folder, metadata, "--format", "animalclef")
    rows = pd.DataFrame({"image": ["a.jpg"], "identity": ["x"], "image_id": ["1"]})
    with pytest.raises(UserError, match="no row of the table is a query"):
        queries(Table.of(rows.assign(part="train"), Path("/")))
    assert len(queries(Table.of(rows, Path("/")))) == 1


@pytest.mark.parametrize(
    ("verdict", "new", "name"),
    [("known", 0.9, "bear 1"), ("new", 0.1, NEW), ("undecided", 0.4, "bear 2"), ("undecided", 0.6, NEW),
     ("undecided", None, "bear 2"), ("unreadable", None, NEW)],
)  # fmt: skip
def test_a_competition_knows_no_undecided(verdict: str, new: float | None, name: str) -> None:
    candidates = (Candidate("bear 2", None, 0.5, 1, 1, None),)
    answer = Answer(
        "a.jpg", ("a.jpg",), verdict, individual="bear 1" if verdict == "known" else None,  # type: ignore[arg-type]
        new_probability=new, candidates=candidates,
    )  # fmt: skip
    assert _name(answer) == name
