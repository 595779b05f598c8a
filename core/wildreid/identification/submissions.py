"""Answers in the form that AnimalCLEF takes: who each query is (2025), or which queries are one animal (2026)."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from wildreid.data.table import Table
from wildreid.errors import UserError
from wildreid.identification.identify import Answer
from wildreid.identification.outputs import Discovered, Identified

Form = Literal["own", "animalclef"]
NEW = "new_individual"
"""What the competition calls an animal that its database does not have."""


def queries(table: Table) -> Table:
    """The rows of the competition's table that are asked about.

    Args:
        table: with ``image_id``; where it has ``role`` or ``part``, queries alone and test alone are asked about.

    Raises:
        UserError: it is not that table, or asks about nothing.
    """
    rows = table.rows
    if "image_id" not in rows:
        raise UserError(
            f"the table has no column 'image_id'; it has {', '.join(rows.columns)}",
            cure="give the metadata.csv of the competition",
        )
    if "role" in rows:
        rows = rows[rows["role"].eq("query").fillna(False)]
    elif "part" in rows:
        rows = rows[rows["part"].eq("test").fillna(False)]
    if rows.empty:
        raise UserError("no row of the table is a query", cure="give the metadata.csv of the competition")
    return table.with_rows(rows)


def identities(found: Identified) -> pd.DataFrame:
    """``image_id`` and ``identity`` of each query, as AnimalCLEF 2025 takes them.

    A burst's answer is each of its photos'. The competition has no "undecided": such a query is the first
    candidate, or new where that is as likely; a photo that cannot be read is new.
    """
    of_burst = {answer.burst: answer for answer in found.encounters}
    said = {answer.query: _name(of_burst.get(answer.burst, answer)) for answer in found.images}
    rows = found.table.rows
    who = [said.get(query, NEW) for query in rows["id"]]
    return pd.DataFrame({"image_id": rows["image_id"].to_numpy(), "identity": who})


def clusters(found: Discovered) -> pd.DataFrame:
    """``image_id`` and ``cluster`` of each query, as AnimalCLEF 2026 takes them: ``cluster_<dataset>_<n>``.

    Known individuals and proposed ones are clusters alike; a photo that cannot be read is alone in its own.

    Raises:
        UserError: the table has no column ``dataset``.
    """
    rows = found.identified.table.rows
    if "dataset" not in rows:
        raise UserError("the table has no column 'dataset'", cure="give the metadata.csv of the competition")
    said = dict(zip(found.rows["image"], found.rows["identity"], strict=True))
    who = [said.get(image) for image in rows["image"]]
    names = pd.Series(
        [f"? {image}" if pd.isna(name) else str(name) for image, name in zip(rows["image"], who, strict=True)]
    )
    numbers = names.groupby(rows["dataset"].to_numpy()).transform(lambda own: pd.factorize(own)[0])
    labels = [f"cluster_{data}_{number}" for data, number in zip(rows["dataset"], numbers, strict=True)]
    return pd.DataFrame({"image_id": rows["image_id"].to_numpy(), "cluster": labels})


def _name(answer: Answer) -> str:
    if answer.individual is not None:
        return answer.individual
    likely = answer.new_probability is None or answer.new_probability < 0.5
    if answer.verdict == "undecided" and answer.candidates and likely:
        return answer.candidates[0].individual
    return NEW
