"""The rule of a gallery: from the validation queries of a run, or from the gallery itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wildreid.artefacts import Decision, Missing, Ranking
from wildreid.data.apart import keep_apart
from wildreid.data.groups import annotate
from wildreid.data.table import BOX, Table
from wildreid.evaluation.decision import FALSE_NEW, PRIOR, fit_decision, load_decision, new_below
from wildreid.evaluation.rank import rank
from wildreid.files import read_json, reading
from wildreid.gallery.fold import GONE
from wildreid.gallery.history import present
from wildreid.gallery.rule import Rule
from wildreid.gallery.state import State
from wildreid.identification.discover import fit_cut
from wildreid.pipeline import RunFolder

if TYPE_CHECKING:
    from wildreid.artefacts import Floats, Ints

FALSE_ACCEPTS = 0.05
"""The share of unknown animals that may be taken for known ones, where nothing was asked before."""
BURSTS = 2000
"""Encounters from which at most the cut of `discover` is learned."""
UNDATED = "optimistic: without dates, images of one encounter answer for each other"
LEAST = 30
"""Mated queries that a rule needs; with fewer that the model has not trained on, the others are taken too."""
ITSELF = "this gallery, leaving out encounters and individuals in turn"
FEWEST, MOST = 10, 20_000
"""Individuals from which, and images up to which, a new gallery is calibrated unasked: above, it takes minutes."""


def rule_of_run(run: Path, *, false_new: float = FALSE_NEW) -> Rule | Missing:
    """The decision that the run fitted, and below which score an animal is called new: both on val alone.

    It is for cosine similarities. Where the run's decision is for scores of matchers or a re-ranker, it is
    fitted again for cosine similarities.
    """
    folder = RunFolder(run)
    if not folder.decision.is_file():
        return Missing("the run fitted no decision")
    decision = load_decision(folder.decision)
    if isinstance(decision, Missing):
        return decision
    table = folder.load_split()
    embeddings = folder.load_embeddings(table)
    if stands_by(folder) != "embedding":
        decision = fit_decision(
            embeddings,
            table,
            protocol=decision.protocol,
            false_accepts=decision.target,
            prior=decision.prior or PRIOR,
        )
        if isinstance(decision, Missing):
            return decision
    ranking = rank(embeddings, table, protocol=decision.protocol, part="val", keep=1)
    name = str(read_json(folder.provenance).get("name", run.name))
    source = f"the validation photos of the run {name}" + ("" if table.told_apart else f"; {UNDATED}")
    return _rule(decision, ranking, false_new, _cut(table, embeddings, table["part"] == "val"), source)


def stands_by(folder: RunFolder) -> str:
    """What ranks in a run's headline: ``embedding``, ``re-ranked`` or ``fused``."""
    if not folder.scores.is_file():
        return "embedding"
    with reading(folder.scores):
        scores = read_json(folder.scores)
        matched = scores["protocols"][scores["headline"]].get("matching") or {"stands": "embedding"}
        return str(matched["stands"])


def rule_of_gallery(
    state: State, *, false_accepts: float, false_new: float = FALSE_NEW, prior: float = PRIOR
) -> tuple[Rule | Missing, tuple[str, ...]]:
    """A rule for the gallery's present size: each encounter, and each individual, is left out in turn.

    An image is compared with all but its own encounter, as a known animal on another day would be, and with
    all but its own individual, as an unknown one would be. Images that the model has trained on look surer
    than new ones are, so they ask only where there are too few others.

    Args:
        state: the gallery.
        false_accepts: share of unknown animals that may be taken for known ones.
        false_new: share of known animals that may be called new.
        prior: share of encounters with new animals that the probabilities are meant for.

    Returns:
        the rule, or why there is none, and what one should know of it.
    """
    if len(state.individuals) < 2:
        return Missing(f"there are {len(state.individuals)} individuals; at least two are needed"), ()
    table, notes = asking(state)
    embeddings = state.embeddings(np.flatnonzero(state.codes != GONE))
    decision = fit_decision(
        embeddings, table, protocol="cross-encounter", false_accepts=false_accepts, prior=prior
    )
    if isinstance(decision, Missing):
        return decision, tuple(notes)
    ranking = rank(embeddings, table, protocol=decision.protocol, part="val", keep=1)
    source = "; ".join([ITSELF, *notes])
    asked = np.isin(np.arange(len(table)), ranking.queries)
    return _rule(decision, ranking, false_new, _cut(table, embeddings, asked), source), tuple(notes)


def asking(state: State) -> tuple[Table, list[str]]:
    """The gallery as a table in which those images ask that may, and what one should know of it."""
    table = as_table(state)
    notes: list[str] = []
    new = ~table["trained"].to_numpy(bool)
    if not new.all():
        if _enough(table):
            notes.append(f"fitted on the {new.sum()} images that the model has not trained on")
            table = table.with_rows(table.rows.assign(role=np.where(new, "both", "gallery")))
        else:
            notes.append(
                "optimistic: fitted on images that the model has trained on, because there are no others"
            )
    if not table.told_apart:
        notes.append(UNDATED)
    return table, notes


def can_tell(state: State) -> bool:
    """Whether a gallery's own images make a better rule than validation of a run, whose gallery was another.

    That is so where there are enough individuals, and images of them that the model has not trained on.
    """
    if len(state.individuals) < FEWEST or state.images > MOST:
        return False
    table = as_table(state)
    asking = table.rows[~table["trained"].astype(bool)]
    return _enough(table) and asking["identity"].nunique() >= FEWEST


def _enough(table: Table) -> bool:
    """Whether enough images that the model has not trained on have another to be matched to."""
    encounters = table.rows.groupby("identity")["encounter"].transform("nunique")
    mated = (encounters > 1).to_numpy() | (not table.told_apart)
    return int(np.count_nonzero(mated & ~table["trained"].to_numpy(bool))) >= LEAST


def as_table(state: State) -> Table:
    """The gallery as a table of validation rows, with encounters by who is known now."""
    rows = present(state)
    folder = rows["image"].str.rpartition("/")[0]
    frame = pd.DataFrame(
        {
            "image": rows["key"],
            "identity": rows["individual"],
            "camera": rows["camera"],
            "timestamp": rows["timestamp"],
            "source": folder,
            "viewpoint": rows["viewpoint"],
            "part": "val",
            "trained": rows["trained"],
            **{side: rows[side] for side in BOX},
        }
    )
    if "species" in rows:
        frame["species"] = rows["species"]
    table = annotate(Table.of(frame, state.folder), state.manifest.encounters)
    return keep_apart(table, state.manifest.apart)


def _cut(table: Table, embeddings: Floats, asked: Any) -> float | None:
    """Where proposals stop to merge, from the named bursts among some rows; of very many, from a sample."""
    rows, burst = known_bursts(table, asked)
    return fit_cut(embeddings[rows.index], burst, rows["identity"].to_numpy(object))


def known_bursts(table: Table, asked: Any) -> tuple[pd.DataFrame, Ints]:
    """The named rows among some, of `BURSTS` bursts at most, and the numbers of their bursts."""
    rows = table.rows[asked & table["identity"].notna()]
    burst = pd.factorize(rows["identity"] + " | " + rows["sequence"])[0]
    if burst.max(initial=0) >= BURSTS:
        people = rows["identity"].drop_duplicates().sample(frac=1, random_state=0)
        sizes = pd.Series(burst).groupby(rows["identity"].to_numpy()).nunique().reindex(people)
        rows = rows[rows["identity"].isin(people[(sizes.cumsum() <= BURSTS).to_numpy()])]
        burst = pd.factorize(rows["identity"] + " | " + rows["sequence"])[0]
    return rows, burst.astype(np.int64)


def _rule(
    decision: Decision, ranking: Ranking, false_new: float, same_from: float | None, source: str
) -> Rule:
    below = new_below(ranking, decision.threshold, false_new)
    return Rule(decision, below, false_new, same_from, source)
