"""The definitions of ranking and its figures, in plain loops: what the fast code must equal."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass
class Naive:
    """One query under one protocol."""

    identity: str | None
    own_rank: int = 0
    own_score: float = math.nan
    impostor: float = -math.inf
    true_ranks: list[int] = field(default_factory=list)
    valid: int = 0
    masked: int = 0


def rank(scores, queries, gallery, across):
    """`queries` and `gallery` are lists of (image, identity, encounter); scores[q][g]."""
    answers = []
    for q, (image, identity, encounter) in enumerate(queries):
        answer = Naive(identity)
        valid = []
        for g, (other_image, other, other_encounter) in enumerate(gallery):
            if other_image == image:
                continue
            if across and other == identity and other_encounter == encounter:
                answer.masked += 1
                continue
            valid.append((scores[q][g], other))
        answer.valid = len(valid)
        best = {}
        for score, other in valid:
            best[other] = max(best.get(other, -math.inf), score)
        answer.impostor = max((s for other, s in best.items() if other != identity), default=-math.inf)
        if identity in best:
            answer.own_score = best[identity]
            answer.own_rank = 1
            for other, score in best.items():
                if other != identity and score >= best[identity] - 1e-6:
                    answer.own_rank += 1
            mine = sorted((s for s, other in valid if other == identity), reverse=True)
            for before, score in enumerate(mine):
                others = sum(1 for s, other in valid if other != identity and s >= score - 1e-6)
                answer.true_ranks.append(before + 1 + others)
        answers.append(answer)
    return answers


def average_precision(true_ranks):
    return sum((i + 1) / r for i, r in enumerate(true_ranks)) / len(true_ranks)


def auroc(mated, non_mated):
    wins = sum(1 for m in mated for u in non_mated if m > u + 1e-6)
    return wins / (len(mated) * len(non_mated))
