"""What one should know before trusting the answers to some photos."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wildreid.gallery.rule import Rule
from wildreid.gallery.state import State
from wildreid.identification.bursts import TORN
from wildreid.identification.identify import rule_of

if TYPE_CHECKING:
    from wildreid.identification.identify import Answer
    from wildreid.identification.matched import Comparison


def cautions(
    state: State, answers: Sequence[Answer] = (), comparison: Comparison | None = None
) -> tuple[str, ...]:
    """What one should know before trusting the answers to some images, which may have been matched."""
    rule = rule_of(state, comparison)
    notes = [] if comparison is None else comparison.notes()
    if rule is None and comparison is not None:
        notes.append(
            "the gallery is not calibrated for matched photos: scores, but no probabilities; see reid gallery "
            "calibrate"
        )
    elif rule is None:
        notes.append(
            "the gallery is not calibrated: scores, but no probabilities; see reid gallery calibrate"
        )
    elif wrong := _misfit(rule, len(state.individuals), state.images):
        notes.append(wrong)
    if rule is not None and "optimistic" in rule.source:
        notes.append(f"the thresholds come from {rule.source}")
    if torn := sum(TORN in answer.reason for answer in answers):
        notes.append(f"{torn} photos are {TORN}")
    if rule is not None and not rule.decision.tells:
        notes.append(f"{rule.decision.in_words}: nobody is called known or new; candidates are still ranked")
    if held := sum(answer.in_gallery is not None for answer in answers):
        notes.append(f"{held} of the photos are in the gallery: they find themselves, which proves nothing")
    return tuple(notes)


def _misfit(rule: Rule, individuals: int, images: int) -> str | None:
    """How a gallery of this size fares with a rule that was fitted on another."""
    if rule.outgrown(individuals, images):
        fares = "takes unknown animals for known ones"
    elif rule.thinned(individuals, images):
        fares = "calls known animals new"
    else:
        return None
    known_individuals, known_images = rule.decision.gallery
    return (
        f"the rule was fitted on a gallery of {known_individuals} individuals and {known_images} images; this one "
        f"has {individuals} and {images}, and so {fares} more often than asked; calibrate it again with "
        "reid gallery calibrate"
    )
