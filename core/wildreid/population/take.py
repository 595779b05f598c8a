"""From annotations and deployments to a survey: what is taken, what is left out and why, and what is hidden."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wildreid.data.table import BOX
from wildreid.errors import UserError
from wildreid.population.design import Design
from wildreid.population.effort import effort_of, occasions_of, placed
from wildreid.population.hiding import Told
from wildreid.population.locations import Frame
from wildreid.population.select import in_zone, select
from wildreid.population.survey import Survey

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEXES = {"f": "F", "female": "F", "m": "M", "male": "M"}


def take_survey(
    rows: pd.DataFrame,
    deployments: pd.DataFrame,
    design: Design,
    *,
    name: str = "survey",
    model: str = "",
    frame: Frame | None = None,
    read: Callable[[str], NDArray[np.uint8]] | None = None,
    size: Callable[[str], tuple[int, int]] | None = None,
) -> Survey:
    """Put annotations into the stations and occasions of a survey.

    Args:
        rows: one row for each annotation: ``image``, ``individual`` (missing: nobody knows) and ``timestamp``;
            where known ``station``, ``camera``, ``deployment``, ``event``, ``utc_offset``, ``species``, ``sex``,
            ``life_stage``, ``viewpoint``, boxes, ``method``, ``decided_by``, ``decided_at``, ``probability``,
            ``private``.
        deployments: as `wildreid.population.deployments.read_deployments` gives them.
        design: what is taken and what is told.
        name: of the gallery.
        model: of its model.
        frame: its frame of coordinates; needed where a public survey has any.
        read: gives an image's upright pixels, by its path.
        size: gives (width, height) of the upright image, by its path.

    Raises:
        UserError: nothing is left; no camera was looking when a photo was taken; clocks do not agree; an
            individual has two sexes; coordinates cannot be told.
    """
    occasions, note = occasions_of(
        deployments, design.occasion_days, start_hour=design.start_hour, partial=design.partial,
        since=design.moment("since"), until=design.moment("until"),
    )  # fmt: skip
    notes = [note] if note else []
    selected = select(rows, deployments, occasions, design)
    taken = _described(selected.rows)
    effort = effort_of(deployments, occasions, cameras_independent=design.cameras_independent)
    idle = [str(k) for k in effort if effort[k].sum() == 0]
    if idle:
        notes.append(f"nobody looked in occasion {', '.join(idle)}; not every model takes that")
    told = Told(design, frame, deployments, taken)
    places = told.deployments()
    notes += told.notes
    return Survey(
        name=name,
        model=model,
        photos=told.photos(taken),
        deployments=places,
        stations=told.stations(sorted(effort.index)),
        occasions=occasions,
        effort=effort.rename(index=told.names["station"]).sort_index(),
        design=design,
        identities=_identities(taken),
        counts={
            "came in": len(rows),
            "written": len(taken),
            "left out": selected.left,
            "nobody knows who, by station": _by_station(selected.strangers, deployments, design, told),
        },
        notes=tuple(notes),
        dropped=told.dropped(selected.dropped),
        hidden=told.hidden(),
        read=None if read is None else _by_row(taken, read),
        sizes=_sizes(taken, size),
    )


def _described(rows: pd.DataFrame) -> pd.DataFrame:
    """Sex of each individual and number of each event, in the order of the files."""
    rows = rows.sort_values(["image", *BOX], kind="stable", ignore_index=True)
    sexes: dict[str, str] = {}
    for who, sex in zip(rows["individual"], rows["sex"].fillna(""), strict=True):
        known = SEXES.get(str(sex).strip().lower(), "")
        if known and sexes.setdefault(str(who), known) != known:
            raise UserError(
                f"'{who}' is female on some photos and male on others", cure="correct its sex in the data"
            )
    rows["sex"] = [sexes.get(str(who), "") for who in rows["individual"]]
    day = rows["timestamp"].dt.strftime("%Y-%m-%d")
    # what is no event of the source is one day, which an occasion that begins at noon may divide
    met = rows["event"].fillna(rows["visit"].fillna(day) + " in " + rows["occasion"].astype("string"))
    rows["event"] = pd.factorize(rows["deployment"].astype("string") + " | " + met.astype("string"))[0] + 1
    return rows


def _identities(rows: pd.DataFrame) -> str:
    """Who decided, in words without signs that any format minds; empty where no machine did."""
    machine = rows["method"].eq("machine").fillna(False).astype(bool)
    if not machine.any():
        return ""
    least = float(rows.loc[machine, "probability"].min())
    return (
        f"identities of {machine.sum()} photos by a machine, at probabilities from {least:.3g}, "
        f"and of {(~machine).sum()} by people"
    )


def _by_row(
    rows: pd.DataFrame, read: Callable[[str], NDArray[np.uint8]]
) -> Callable[[int], NDArray[np.uint8]]:
    images = list(rows["image"])
    return lambda row: read(images[row])


def _sizes(
    rows: pd.DataFrame, size: Callable[[str], tuple[int, int]] | None
) -> Callable[[int], tuple[int, int] | None]:
    if {"image_width", "image_height"} <= set(rows) and rows[["image_width", "image_height"]].notna().all(
        axis=None
    ):
        known = rows[["image_width", "image_height"]].to_numpy()
        return lambda row: (int(known[row, 0]), int(known[row, 1]))
    if size is None:
        return lambda row: None
    images = list(rows["image"])
    return lambda row: size(images[row])


def _by_station(
    strangers: pd.DataFrame, deployments: pd.DataFrame, design: Design, told: Told
) -> dict[str, int]:
    """How many photos that nobody could name each station has."""
    dated = strangers[strangers["timestamp"].notna()]
    at = placed(in_zone(dated, deployments, design), deployments)
    names = told.names["station"]
    found = Counter(names[str(name)] for name in deployments["station"].to_numpy()[at[at >= 0]])
    elsewhere = len(strangers) - sum(found.values())
    return {**dict(sorted(found.items())), **({"elsewhere": elsewhere} if elsewhere else {})}
