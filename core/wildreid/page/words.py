"""Numbers and scores in words, the same on every page."""

from __future__ import annotations

NBSP = "\N{NO-BREAK SPACE}"
SHARES = ("accuracy", "dir", "fpir", "fpr", "map", "baks", "baus", "ece", "eer", "r-precision", "tar")
"""Scores that are shares, without ``@k`` and what stands before it; the others are plain numbers."""
_WORDS = {
    "accuracy@1": "right individual first",
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
    "baks-baus": "square root of BAKS × BAUS",
    "brier": "Brier score of the probability",
    "ece": "calibration error of the probability (ECE)",
    "eer": "verification: equal error rate",
    "tar@": "verification: true pairs accepted, {k}",
    "verification-pairs": "verification: pairs compared",
    "ari": "clusters: adjusted Rand index",
    "ami": "clusters: adjusted mutual information",
    "nmi": "clusters: normalised mutual information",
    "b-cubed": "clusters: B³",
    "clustered-images": "clusters: photos clustered",
}


def words_of(name: str) -> str:
    """What a score says, for those who do not know its name; a score that we do not know keeps its name."""
    stem, at, k = name.partition("@")
    return _WORDS.get(name) or _WORDS.get(stem + at, name).format(k=k)


def figure(name: str, value: float | None, *, sign: bool = False) -> str:
    """A score's value as it is shown: a share in percent, another number with three decimals."""
    if value is None:
        return "–"
    stem = name.partition("@")[0].removeprefix("image-").removeprefix("macro-").removeprefix("encounter-")
    plus = "+" if sign else ""
    if stem in SHARES:
        text = f"{100 * value:{plus}.1f}{NBSP}{'points' if sign else '%'}"
    elif value == int(value) and abs(value) > 1:
        text = f"{value:{plus},.0f}"
    else:
        text = f"{value:{plus}.3f}"
    return text.replace("-", "\N{MINUS SIGN}")


def interval(name: str, ends: tuple[float | None, float | None] | None, *, sign: bool = False) -> str:
    """The ends of a score's interval, ``"36.1 to 59.2 %"``; empty where there is none."""
    if ends is None or None in ends:
        return ""
    low, high = (figure(name, end, sign=sign) for end in ends)
    return f"{low.partition(NBSP)[0]} to {high}"


def number(value: float | None, digits: int = 2) -> str:
    """A number with so many decimals; a dash for none, which must have its reason beside it."""
    return "–" if value is None else f"{value:.{digits}f}"


def percent(value: float | None, digits: int = 1) -> str:
    """A share as a percentage: 0.614 is ``"61.4 %"``, with a space that does not break; a dash for none."""
    return "–" if value is None else f"{100 * value:.{digits}f}{NBSP}%"


def count(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: ``"1 photo"``, ``"2,000 photos"``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
