"""A gallery read as a survey: its annotations, its frame, its photos, and how often its identities are wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from wildreid.data.images import measure_all, read
from wildreid.errors import UserError
from wildreid.gallery.history import present
from wildreid.population.estimators import Errors, Share
from wildreid.population.locations import Frame
from wildreid.population.take import take_survey

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wildreid.gallery.state import State
    from wildreid.identification.opened import OpenGallery
    from wildreid.population.design import Design
    from wildreid.population.export import Take
    from wildreid.population.survey import Survey


def taker(state: State, deployments: pd.DataFrame, *, photos: Path | None = None) -> Take:
    """What makes surveys of a gallery's annotations.

    Args:
        state: the gallery.
        deployments: as `wildreid.population.deployments.read_deployments` gives them.
        photos: the folder that the images' paths start at; None: they are not there.
    """
    frame = Frame.open(state.folder)
    pixels: Callable[[str], NDArray[np.uint8]] | None = None
    size: Callable[[str], tuple[int, int]] | None = None
    if photos is not None:

        def pixels(image: str) -> NDArray[np.uint8]:
            return read(photos / image)

        def size(image: str) -> tuple[int, int]:
            found = measure_all([photos / image])[0]
            if found is None:
                raise UserError(
                    "the photo is not there, or cannot be read",
                    where=str(photos / image),
                    cure="say where the photos are: `photos=FOLDER`",
                )
            return found

    def take(rows: pd.DataFrame, design: Design) -> Survey:
        return take_survey(
            rows, deployments, design, name=state.folder.absolute().name, model=state.manifest.model.name,
            frame=frame, read=pixels, size=size,
        )  # fmt: skip

    return take


def rows_of(state: State) -> pd.DataFrame:
    """The annotations that are in the gallery, with ``individual``: who it is now."""
    return present(state).drop(columns=["identity"])


def facts(state: State) -> dict[str, Any]:
    """What an export says of the gallery that it came from."""
    return {
        "name": state.folder.absolute().name,
        "digest": state.digest(),
        "changes": len(state.changes),
        "model": state.manifest.model.name,
        "stamp": state.manifest.provenance.get("stamp", ""),
        "licence": state.manifest.licence,
    }


def errors_of(state: State) -> Errors | None:
    """How often the gallery's rule was fitted to be wrong; None where it is not calibrated."""
    rule = state.rule
    if rule is None:
        return None
    known, new = rule.decision.queries
    source = f"the gallery's rule: {rule.source}" if rule.source else "the gallery's rule"
    if rule.decision.simulated:
        new = known
    merged = Share.of(rule.decision.target, new)
    if rule.decision.accepts is not None:
        merged = Share(rule.decision.target, *rule.decision.accepts)
    return Errors(Share.of(rule.known_called_new, known), merged, source)


def errors_of_run(folder: Path) -> Errors:
    """How often a run was wrong on its test part: 1 − DIR@1 for missed matches, FPIR for false ones.

    Raises:
        UserError: it is no finished run, or it could not measure them.
    """
    from wildreid.pipeline.results import load_results

    scores = load_results(folder).scores
    block = scores["protocols"][scores["headline"]]["scores"]
    found = {}
    for name in ("dir@1", "fpir"):
        one = block.get(name)
        if one is None or one["value"] is None:
            reason = "its recipe has no metric dir-fpir" if one is None else one["reason"]
            raise UserError(
                f"the run has no {name}: {reason}",
                where=str(folder),
                cure="evaluate it with the metric dir-fpir",
            )
        low, high = one.get("low"), one.get("high")
        value = float(one["value"])
        found[name] = Share(value, value if low is None else low, value if high is None else high)
    hit = found["dir@1"]
    missed = Share(1 - hit.value, 1 - hit.high, 1 - hit.low)
    return Errors(missed, found["fpir"], f"the run {folder.name}, protocol {scores['headline']}")


def undecided(opened: OpenGallery, sources: list[Path], *, root: Path | None = None) -> pd.DataFrame:
    """Photos that are not in a gallery, each burst with its candidates and their calibrated probabilities.

    Beside the individuals of the gallery there is the newcomer that the photos propose, with the probability
    of a new individual.

    Raises:
        UserError: the gallery has no calibration, hence no probabilities.
    """
    if opened.state.rule is None:
        raise UserError(
            "the gallery has no calibration, so nothing can be drawn by probability",
            where=str(opened.gallery.folder),
            cure="fit it first: reid gallery calibrate",
        )
    found = opened.discover([str(one) for one in sources], root=root)
    seen = found.identified
    rows = seen.rows.reset_index(drop=True)
    proposed = found.rows.drop_duplicates("burst").set_index("burst")
    candidates = {}
    for answer in seen.encounters:
        given = {one.individual: float(one.probability or 0) for one in answer.candidates}
        name = f"new-{rows.loc[rows['burst'] == answer.burst, 'key'].min()[:6]}"
        if answer.burst in proposed.index and bool(proposed.at[answer.burst, "proposed"]):
            name = str(proposed.at[answer.burst, "identity"])
        if answer.new_probability:
            given[name] = float(answer.new_probability)
        candidates[answer.burst] = given
    rows = rows[~rows["key"].isin(list(opened.state.row_of))]
    return rows.assign(
        individual=None,
        method="machine",
        decided_by=opened.state.manifest.model.name,
        encounter=rows["burst"].astype("string"),
        candidates=rows["burst"].map(candidates),
    ).drop(columns=["identity", "burst"], errors="ignore")
