"""The answer in words, both protocols side by side, and what the threshold means in practice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from wildreid.artefacts import Ranking
from wildreid.page import count, figure, interval, percent, words_of
from wildreid_plugins.reporters.html.view import View

BESIDE = {
    "macro-accuracy@1": "mean over individuals, so that one with many photos counts as much as one with few",
    "accuracy@1, a month apart": "photos whose nearest gallery photo of the same animal is 30 days or more away",
    "chance": "what guessing gives: a gallery photo drawn at random",
}
"""Figures that stand beside the headline, in words."""
RELATIONS = {
    "disjoint": "Training relation: no animal of this test was in the training photos.",
    "seen": "Training relation: the network was trained on other photos of the same animals.",
    "seen and unseen": "Training relation: the network was trained on other photos of some of these animals.",
    "no training part": "Training relation: nothing was trained.",
    "closed": "Gallery relation: every animal asked about is in the gallery, so none is new.",
    "open": "Gallery relation: some animals asked about are not in the gallery, as new ones are not.",
}
CHIEF = ("accuracy@1", "accuracy@3", "accuracy@5", "accuracy@10")


def figure_of(name: str, score: Mapping[str, Any]) -> dict[str, Any]:
    """One score as the page shows it: value, interval, n; or the reason why there is none."""
    value = score.get("value")
    if value is None:
        reason = score.get("reason") or "not measured"
        return {"words": "–", "interval": "", "n": None, "note": None, "reason": reason}
    return {
        "words": figure(name, value),
        "interval": interval(name, (score.get("low"), score.get("high"))),
        "n": score.get("n"),
        "note": score.get("note"),
        "reason": None,
    }


def headline(view: View) -> dict[str, Any]:
    """The headline's sentence, its cautions, and the protocols side by side."""
    counts = view.block["counts"]
    blocks = view.scores["protocols"]
    names = list(dict.fromkeys(name for block in blocks.values() for name in block["scores"]))
    asked = view.identity[view.ranking.queries[view.ranking.mated]]
    return {
        "chief": figure_of("accuracy@1", view.block["scores"].get("accuracy@1", {})),
        "counts": counts,
        "asked": f"{count(len(asked), 'photo')} of {count(len(set(asked.tolist())), 'individual')}",
        "against": f"{count(counts['gallery'], 'photo')} of {count(counts['individuals'], 'individual')}",
        "confidence": percent(view.results.recipe.get("evaluation", {}).get("confidence", 0.95), 0),
        "optimistic": view.block.get("optimistic") or view.scores.get("optimistic"),
        "reason": blocks[view.headline].get("reason"),
        "beside": [
            {**(found := figure_of("accuracy@1", score)), "words_of": found["words"], "words": words}
            for name, words in BESIDE.items()
            if (score := view.block.get("beside", {}).get(name)) and score.get("value") is not None
        ],
        "relations": [
            RELATIONS.get(view.block["training_relation"], ""),
            RELATIONS.get(view.block["gallery_relation"], ""),
        ],
        "blocks": blocks,
        "chief_rows": [_row(name, blocks) for name in CHIEF if name in names],
        "other_rows": [_row(name, blocks) for name in names if name not in CHIEF],
        "leak": _leak(view),
    }


def by_species(view: View) -> list[dict[str, Any]]:
    """A row for each species that is kept apart: its chief scores."""
    found = view.block.get("species") or {}
    names = [name for name in (*CHIEF, "map") if any(name in block["scores"] for block in found.values())]
    return [
        {
            "name": species,
            "names": names,
            "cells": [figure_of(name, block["scores"].get(name, {})) for name in names],
            "queries": block["counts"]["queries"],
        }
        for species, block in found.items()
    ]


def _row(name: str, protocols: Mapping[str, Any]) -> dict[str, Any]:
    cells = []
    for block in protocols.values():
        score = block["scores"].get(name)
        cells.append(figure_of(name, score or {"reason": "not asked for"}))
    return {"name": name, "words": words_of(name), "cells": cells}


def _leak(view: View) -> dict[str, Any]:
    """What photos of the query's own encounter are worth: both protocols on the same queries."""
    blocks, rankings = view.scores["protocols"], view.results.rankings
    for protocol in ("cross-encounter", "image-loo"):
        if protocol not in rankings:
            return {"reason": f"the recipe does not ask for {protocol}"}
        if reason := blocks[protocol].get("reason"):
            return {"reason": reason}
    strict, loose = rankings["cross-encounter"], rankings["image-loo"]
    both = sorted(_mated_rows(strict) & _mated_rows(loose))
    if not both:
        return {"reason": "no query could be matched across encounters"}
    across, within = _accuracy(strict, both), _accuracy(loose, both)
    return {
        "across": percent(across),
        "within": percent(within),
        "points": f"{100 * (within - across):.1f}",
        "n": len(both),
    }


def _mated_rows(ranking: Ranking) -> set[int]:
    return set(ranking.queries[ranking.mated].tolist())


def _accuracy(ranking: Ranking, rows: list[int]) -> float:
    return float(np.mean(ranking.own_rank[np.isin(ranking.queries, rows)] == 1))


def practice(view: View) -> dict[str, Any]:
    """What happens to 100 photos of known and 100 of new individuals at the fitted threshold."""
    ranking, decision = view.ranking, view.results.decision
    if decision is None:
        return {"reason": (view.scores.get("decision") or {}).get("reason") or "none was fitted"}
    mated, right = ranking.mated, ranking.own_rank == 1
    chances = decision.shares(ranking.top_scores)
    said = np.array(
        [
            decision.verdict(float(score), None if chances is None else chances[at])[0]
            for at, score in enumerate(ranking.first_score)
        ]
    )
    known = {
        "named right": mated & (said == "known") & right,
        "named wrong": mated & (said == "known") & ~right,
        "undecided": mated & (said == "undecided"),
        "called new": mated & (said == "new"),
    }
    new = {
        "called new": ~mated & (said == "new"),
        "undecided": ~mated & (said == "undecided"),
        "taken for a known one": ~mated & (said == "known"),
    }
    individuals = view.block["counts"]["individuals"]
    return {
        "threshold": f"{decision.threshold:.3f}",
        "target": percent(decision.target, 0),
        "simulated": decision.simulated,
        "meant_for": decision.in_words,
        "accepts": None
        if decision.accepts is None
        else f"{percent(decision.accepts[0], 0)} to {percent(decision.accepts[1], 0)}",
        "fitted_on": f"{count(decision.queries[0], 'query', 'queries')} of known and "
        f"{decision.queries[1]:,} of new individuals",
        "gallery": count(decision.gallery[0], "individual"),
        "grown": individuals >= 2 * decision.gallery[0],
        "individuals": individuals,
        "known": _of_hundred(known, int(mated.sum()), good="named right"),
        "new": _of_hundred(new, int((~mated).sum()), good="called new"),
        "fpir": figure_of("fpir", view.block["scores"].get("fpir", {})),
        "taken": round(100 * float(new["taken for a known one"].sum()) / max(1, int((~mated).sum()))),
    }


def _of_hundred(cases: Mapping[str, Any], n: int, *, good: str) -> dict[str, Any]:
    """Shares in percent, each with its words and its colour."""
    return {
        "n": n,
        "cases": [
            {
                "words": words,
                "share": 100 * float(rows.sum()) / max(1, n),
                "look": "good" if words == good else "doubt" if words == "undecided" else "bad",
            }
            for words, rows in cases.items()
        ],
    }
