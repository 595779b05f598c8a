"""The rules of a gallery fitted again for its present size: for cosine similarities, and for matched photos."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wildreid.artefacts import Evidence, Missing
from wildreid.evaluation.decision import FALSE_NEW, PRIOR, decide, new_below
from wildreid.evaluation.protocols import standing_in
from wildreid.gallery.fold import GONE
from wildreid.gallery.rule import Rule
from wildreid.gallery.state import State
from wildreid.gallery.store import Gallery
from wildreid.identification.calibration import (
    FALSE_ACCEPTS,
    ITSELF,
    asking,
    known_bursts,
    rule_of_gallery,
)
from wildreid.identification.discover import cut_of, encounter_similarity, fit_cut
from wildreid.identification.hinges import hinges_of
from wildreid.identification.local import build_matchers, matches
from wildreid.identification.search import tags_of
from wildreid.matching.candidates import Candidates
from wildreid.matching.pairs import PairScores
from wildreid.matching.sides import Sides, ranking_of
from wildreid.places import cache_folder

if TYPE_CHECKING:
    from wildreid.artefacts import Floats
    from wildreid.data.table import Table
    from wildreid.identification.local import Beside, Matchers

MOST = 1000
"""Images that ask when the rule for matched photos is fitted, at most: of more, whole encounters are drawn."""
HINGES = 10
"""Comparisons of two photos, for each that takes part, by which it is learned where proposals stop to merge."""


def recalibrate(
    folder: Path,
    *,
    false_accepts: float | None = None,
    false_new: float = FALSE_NEW,
    prior: float | None = None,
    matching: bool = True,
    matchers: Matchers | None = None,
    device: str = "auto",
) -> tuple[Rule | Missing, tuple[str, ...]]:
    """Fit a gallery's rules again for its present size and keep them; no model is needed.

    Args:
        folder: the gallery.
        false_accepts: share of unknown animals that may be taken for known ones; None: as before.
        false_new: share of known animals that may be called new.
        prior: share of encounters with new animals that the probabilities are meant for; None: as before.
        matching: fit the rule for matched photos too, where the gallery matches; if not, it stays as it is.
        matchers: the gallery's, where they are built already.
        device: to match on, where they are not.

    Returns:
        the rule for cosine similarities, or why none could be fitted (then the old ones stay), and notes.
    """
    gallery = Gallery(folder)
    state = gallery.state
    if false_accepts is None:
        false_accepts = state.rule.decision.target if state.rule else FALSE_ACCEPTS
    if prior is None:
        prior = (state.rule.decision.prior if state.rule else None) or PRIOR
    rule, notes = rule_of_gallery(state, false_accepts=false_accepts, false_new=false_new, prior=prior)
    if isinstance(rule, Missing):
        return rule, notes
    fused = state.fused
    if matching and matches(state):
        matchers = matchers or _built(state, device)
        anew = fused_rule_of_gallery(
            state, matchers, false_accepts=false_accepts, false_new=false_new, prior=prior
        )
        if isinstance(anew, Missing):
            notes = (*notes, f"no rule could be fitted for matched photos: {anew.reason}")
        else:
            fused = anew
    gallery.calibrate(rule, fused)
    return rule, notes


def _built(state: State, device: str) -> Matchers:
    from wildreid.training.device import pick_device

    assert state.manifest.matching is not None
    where = str(state.folder)
    return build_matchers(state.manifest.matching, device=str(pick_device(device)), where=where)


def fused_rule_of_gallery(
    state: State, matchers: Matchers, *, false_accepts: float, false_new: float, prior: float
) -> Rule | Missing:
    """As `rule_of_gallery`, for the scores of embedding and matchers together."""
    table, notes = asking(state)
    table, drawn = _drawn(table)
    rows = np.flatnonzero(state.codes != GONE)
    embeddings, local = state.embeddings(rows), matchers.beside(state, rows=rows)
    sides = Sides.of(table, standing_in(table, "cross-encounter"), part="val")
    candidates = Candidates(sides, embeddings, reranker=matchers.reranker, pairs=matchers.pairs)
    with ExitStack() as stack:
        candidates.match([stack.enter_context(PairScores(one, cache_folder())) for one in local])
    by = partial(candidates.fused, curves=matchers.curves, fusion=matchers.fusion)
    ranking = ranking_of(sides, by, keep=1)
    decision = decide(
        Evidence(ranking, table, embeddings),
        false_accepts=false_accepts,
        prior=prior,
        scores_of=sides.listing(by),
    )
    if isinstance(decision, Missing):
        return decision
    below = new_below(ranking, decision.threshold, false_new)
    cut = _cut(state, table, embeddings, local, matchers, np.isin(np.arange(len(table)), ranking.queries))
    return Rule(decision, below, false_new, cut, "; ".join([f"{ITSELF}, matched", *drawn, *notes]))


def _drawn(table: Table) -> tuple[Table, list[str]]:
    """The table with `MOST` images that ask, and what is to be said of it."""
    asks = np.flatnonzero(table.rows.get("role", pd.Series("both", table.rows.index)) == "both")
    if len(asks) <= MOST:
        return table, []
    encounters, sizes = np.unique(table["encounter"].iloc[asks].to_numpy(str), return_counts=True)
    order = np.random.default_rng(0).permutation(len(encounters))
    kept = encounters[order[np.cumsum(sizes[order]) <= MOST]]
    chosen = np.zeros(len(table), bool)
    chosen[asks] = np.isin(table["encounter"].iloc[asks].to_numpy(str), kept)
    said = f"{int(chosen.sum())} of {len(asks)} images asked"
    return table.with_rows(table.rows.assign(role=np.where(chosen, "both", "gallery"))), [said]


def _cut(
    state: State, table: Table, embeddings: Floats, local: list[Beside], matchers: Matchers, asked: object
) -> float | None:
    """Where proposals stop to merge, of bursts that were matched where it hinges on them."""
    rows, burst = known_bursts(table, asked)
    at = rows.index.to_numpy(np.int64)
    who = rows["identity"].to_numpy(object)
    cut = fit_cut(embeddings[at], burst, who)
    hinges = hinges_of(matchers, local, at, tags_of(rows, state.manifest.apart), pairs=HINGES)
    if cut is None or hinges is None:
        return cut
    similarity = encounter_similarity(embeddings[at], burst)
    settled = hinges.settled(similarity, embeddings[at], burst, np.arange(len(at)), cut=cut)
    first = np.unique(burst, return_index=True)[1]
    return cut_of(settled, np.unique(who[first].astype(str), return_inverse=True)[1])
