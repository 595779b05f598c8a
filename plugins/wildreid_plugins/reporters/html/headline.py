"""The answer in words, both protocols side by side, and what the threshold means in practice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from wildreid.artefacts import Ranking
from wildreid.page.render import count, percent
from wildreid_plugins.reporters.html.view import View

CHIEF = ("accuracy@1", "accuracy@3", "accuracy@5", "accuracy@10")
SHARES = ("accuracy", "dir", "fpir", "fpr", "map", "baks", "baus", "ece", "eer", "r-precision")
WORDS = {
    "accuracy@": "right individual among the first {k}",
    "image-accuracy@": "a right photo among the nearest {k}",
    "macro-accuracy@": "right among the first {k}, mean over individuals",
    "encounter-accuracy@": "right among the first {k}, the encounter's photos voting",
    "dir@": "known individuals found among the first {k} and believed",
    "mrr": "mean reciprocal rank",
    "map": "mean average precision",
    "r-precision": "R-precision",
    "auroc": "known told from new (AUROC)",
    "fpr@95tpr": "new taken for known, where 95 % of known are believed",
    "fpir": "new individuals taken for known ones",
    "baks": "known individuals named right (BAKS)",
    "baus": "new individuals called new (BAUS)",
    "brier": "Brier score of the probability",
    "ece": "calibration error of the probability (ECE)",
    "eer": "verification: equal error rate",
    "ari": "clusters: adjusted Rand index",
    "ami": "clusters: adjusted mutual information",
    "nmi": "clusters: normalised mutual information",
}


def words_of(name: str) -> str:
    """What a score says, for those who do not know its name."""
    stem, at, k = name.partition("@")
    return WORDS.get(name) or WORDS.get(stem + at, name).format(k=k)


def figure_of(name: str, score: Mapping[str, Any]) -> dict[str, Any]:
    """One score as the page shows it: value, interval, n; or the reason why there is none."""
    value = score.get("value")
    if value is None:
        return {"words": "–", "reason": score.get("reason") or "not measured", "sort": ""}
    stem = name.partition("@")[0].removeprefix("image-").removeprefix("macro-").removeprefix("encounter-")
    share = stem in SHARES
    shown = [
        percent(end) if share else f"{end:.3f}"
        for end in (value, score.get("low"), score.get("high"))
        if end is not None
    ]
    interval = f"{shown[1]} to {shown[2]}".replace("\N{NO-BREAK SPACE}% to", " to") if len(shown) == 3 else ""
    return {
        "words": shown[0],
        "interval": interval,
        "n": score.get("n"),
        "note": score.get("note"),
        "sort": value,
    }


def headline(view: View) -> dict[str, Any]:
    """The headline's sentence, its cautions, and the protocols side by side."""
    counts = view.block["counts"]
    protocols = view.scores["protocols"]
    names = list(dict.fromkeys(name for block in protocols.values() for name in block["scores"]))
    return {
        "chief": figure_of("accuracy@1", view.block["scores"].get("accuracy@1", {})),
        "counts": counts,
        "queried": count(counts["mated"], "photo"),
        "who": count(counts.get("query_individuals", counts["individuals"]), "individual"),
        "against": f"{count(counts['gallery'], 'photo')} of {count(counts['individuals'], 'individual')}",
        "confidence": percent(view.results.recipe.get("evaluation", {}).get("confidence", 0.95), 0),
        "optimistic": view.scores.get("optimistic") or view.block.get("optimistic"),
        "blocks": protocols,
        "chief_rows": [_row(name, protocols) for name in CHIEF if name in names],
        "other_rows": [_row(name, protocols) for name in names if name not in CHIEF],
        "leak": _leak(view),
    }


def _row(name: str, protocols: Mapping[str, Any]) -> dict[str, Any]:
    cells = []
    for block in protocols.values():
        score = block["scores"].get(name)
        cells.append(figure_of(name, score) if score else {"words": "–", "reason": "not asked for"})
    return {"name": name, "words": words_of(name), "cells": cells}


def _leak(view: View) -> dict[str, Any]:
    """What photos of the query's own encounter are worth: both protocols on the same queries."""
    rankings = view.results.rankings
    strict, loose = rankings.get("cross-encounter"), rankings.get("image-loo")
    if strict is None or loose is None:
        return {"reason": "it takes both protocols, cross-encounter and image-loo, to tell"}
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
        return {"reason": (view.scores.get("decision") or {}).get("reason") or "no threshold was fitted"}
    if ranking is None:
        return {"reason": "there is no ranking under the headline's protocol"}
    best = ranking.top_scores[:, 0]
    believed, mated = best >= decision.threshold, ranking.mated
    right = ranking.own_rank == 1
    known = {
        "named right": mated & believed & right,
        "named wrong": mated & believed & ~right,
        "called new": mated & ~believed,
    }
    new = {"called new": ~mated & ~believed, "taken for a known one": ~mated & believed}
    individuals = view.block["counts"]["individuals"]
    return {
        "threshold": f"{decision.threshold:.3f}",
        "target": percent(decision.target, 0),
        "simulated": decision.simulated,
        "fitted_on": f"{count(decision.queries[0], 'photo')} of known and {decision.queries[1]:,} of new individuals",
        "gallery": count(decision.gallery[0], "individual"),
        "grown": individuals >= 2 * decision.gallery[0],
        "individuals": individuals,
        "known": _of_hundred(known, int(mated.sum()), good=("named right",)),
        "new": _of_hundred(new, int((~mated).sum()), good=("called new",)),
        "fpir": figure_of("fpir", view.block["scores"].get("fpir", {})),
        "of_new": round(100 * float((believed & ~mated).sum() / max(1, (~mated).sum()))),
    }


def _of_hundred(cases: Mapping[str, Any], n: int, *, good: tuple[str, ...]) -> dict[str, Any]:
    if n == 0:
        return {"n": 0, "cases": []}
    parts = [
        {"words": words, "share": 100 * float(rows.sum()) / n, "good": words in good}
        for words, rows in cases.items()
    ]
    return {"n": n, "cases": parts}
