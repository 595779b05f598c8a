"""BearID's two tables: the images with their dates, and the individuals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd  # noqa: TID253 (this module is imported where a table is read)

from wildreid.data.table import BOX, Failure
from wildreid.errors import UserError

from .photos import DEEP, key, parts

_ABOUT = {
    "BearID identifier": "identity",
    "Bear number (given at fieldsite)": "number",
    "Bear name (given at fieldsite)": "bear_name",
    "Sex": "sex",
    "Age category in images": "age",
    "Year born (known)": "born",
    "Geographic location": "location",
    "Comments": "comments",
}


def read_images(file: Path) -> tuple[pd.DataFrame, list[str]]:
    """BearID's images table.

    A date of zeros is missing; times lack their leading zeros (``84304`` is 08:43:04).

    Returns:
        Columns image, identity, timestamp, origin, source and row; and what a reader should know, in words.

    Raises:
        UserError: no such file, or a column is missing.
    """
    raw = _read(file, ("IMAGE", "LABEL", "DATE", "TIME"))
    date, time = raw["DATE"].str.strip(), raw["TIME"].str.strip().str.zfill(6)
    known = ~date.isin(["", "0"])
    when = pd.to_datetime((date + time).where(known), format="%Y%m%d%H%M%S", errors="coerce")
    names = raw["IMAGE"].map(parts)
    rows = pd.DataFrame(
        {
            "image": raw["IMAGE"].str.strip(),
            "identity": raw["LABEL"].str.strip(),
            "timestamp": when,
            "origin": names.map(lambda four: four[0] if len(four) == DEEP else None),
            "source": names.map(lambda four: "/".join(four[:2]) if len(four) == DEEP else None),
        }
    ).astype({"origin": "string", "source": "string"})
    impossible = date[known & when.isna()]
    notes = [f"{len(impossible)} dates do not exist and count as missing: {_some(list(impossible))}"]
    return rows.assign(row=rows.index + 1), notes if len(impossible) else []


def folders(files: Sequence[str]) -> tuple[pd.DataFrame, list[Failure]]:
    """The same columns from photos that lie in ``ORIGIN/SOURCE/LABEL``, without dates."""
    deep = [file for file in files if len(parts(file)) == DEEP]
    failures = [
        Failure(file, "not in a folder ORIGIN/SOURCE/LABEL") for file in files if len(parts(file)) != DEEP
    ]
    names = [parts(file) for file in deep]
    rows = pd.DataFrame(
        {
            "image": pd.array(deep, dtype="string"),
            "identity": pd.array([label for _, _, label, _ in names], dtype="string"),
            "timestamp": pd.Series(pd.NaT, index=range(len(deep)), dtype="datetime64[us]"),
            "origin": pd.array([origin for origin, *_ in names], dtype="string"),
            "source": pd.array([f"{origin}/{source}" for origin, source, *_ in names], dtype="string"),
            "row": range(1, len(deep) + 1),
        }
    )
    return rows, failures


def dates(rows: pd.DataFrame, file: Path) -> tuple[pd.DataFrame, int]:
    """Take dates from an images table, by the name of the photo or of the one that a chip was cut from.

    Returns:
        The rows with their ``timestamp`` filled in where it was missing, and how many have no row there.
    """
    table, _ = read_images(file)
    when = table.assign(key=table["image"].map(key)).drop_duplicates("key").set_index("key")["timestamp"]
    names = rows["original"].fillna(rows["image"]).map(key)
    filled: pd.Series[pd.Timestamp] = when.reindex(names).set_axis(rows.index).fillna(rows["timestamp"])
    return rows.assign(timestamp=filled), int((~names.isin(when.index)).sum())


def once(rows: pd.DataFrame, failures: list[Failure]) -> pd.DataFrame:
    """The rows without those that say again what an earlier one said; these are added to the failures."""
    boxes = [rows[name].round() for name in BOX if name in rows]
    again = pd.concat([rows["image"], *boxes], axis=1).duplicated()
    failures += [
        Failure(image, f"is there twice, here as {who}", row=int(row))
        for image, who, row in rows.loc[again, ["image", "identity", "row"]].itertuples(index=False)
    ]
    return rows[~again].reset_index(drop=True)


def read_individuals(file: Path, aliases: Mapping[str, str]) -> pd.DataFrame:
    """BearID's individuals table, by identity: number, bear_name, sex, age, born, location and comments.

    Raises:
        UserError: no such file, or it has no column of identifiers.
    """
    raw = _read(file, ("BearID identifier",)).rename(columns=_ABOUT)
    about: pd.DataFrame = raw[[name for name in _ABOUT.values() if name in raw]].apply(
        lambda column: column.str.strip()
    )
    about = about.mask(about == "").dropna(subset=["identity"])
    about["identity"] = about["identity"].replace(dict(aliases))
    if "age" in about:  # "subadult;adult" and "subadult; adult" are one
        about["age"] = about["age"].str.replace(r"\s*;\s*", "; ", regex=True)
    if "born" in about:
        about["born"] = pd.to_numeric(about["born"], errors="coerce").astype("Int64")
    return about.drop_duplicates("identity").set_index("identity")


def with_individuals(
    rows: pd.DataFrame, individuals: pd.DataFrame, aliases: Mapping[str, str]
) -> tuple[pd.DataFrame, list[str]]:
    """Join what is known of each bear to its images; a bear that the table does not know keeps its images.

    Returns:
        The same rows in the same order with more columns, and what a reader should know, in words.
    """
    rows = rows.assign(identity=rows["identity"].replace(dict(aliases)))
    joined = rows.join(individuals, on="identity")
    labels = set(rows["identity"].dropna())
    notes = []
    if strangers := sorted(labels - set(individuals.index)):
        notes.append(f"not in the individuals table, kept all the same: {_some(strangers)}")
    if unseen := sorted(set(individuals.index) - labels):
        notes.append(f"individuals without an image: {_some(unseen)}")
    return joined, notes


def _some(names: Sequence[str], most: int = 8) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _read(file: Path, columns: Sequence[str]) -> pd.DataFrame:
    try:
        raw = pd.read_csv(file, dtype="string", keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError("there is no such table", where=str(file)) from None
    except (OSError, ValueError) as error:
        raise UserError(f"the table cannot be read: {error}", where=str(file)) from None
    raw.columns = raw.columns.str.strip()
    missing = [name for name in columns if name not in raw]
    if missing:
        raise UserError(
            f"the table has no column {', '.join(map(repr, missing))}; it has {', '.join(raw.columns)}",
            where=str(file),
            cure="give the file as it comes from BearID",
        )
    return raw
