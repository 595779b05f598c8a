"""What the figures of a survey mean, in words."""

from __future__ import annotations

import numpy as np

from wildreid.data.audit import Audit
from wildreid.data.masks import Masks
from wildreid.survey.facts import Facts


def warnings(
    facts: Facts, audit: Audit, *, size: int, failures: int, masks: Masks | None = None
) -> list[str]:
    """What one should know before training on these data, worst first.

    Args:
        facts: of the whole table.
        audit: of its split.
        size: pixels a side that the network sees.
        failures: rows and files that are left out.
        masks: of the animals, where the recipe has a foreground.
    """
    who = facts.individuals
    images, people = int(who["images"].sum()), len(who)
    found = []
    if audit.leaks:
        found.append("The split leaks: every score from it will be too good. " + " ".join(audit.says()[1:3]))
    single = int((who["encounters"] == 1).sum())
    if single:
        found.append(
            f"{single:,} of {people:,} individuals have a single encounter: they can never be matched across "
            "encounters."
        )
    if facts.undated == len(facts.crops):
        found.append(
            "No image has a date: encounters cannot be told apart, so scores across encounters cannot be "
            "measured and every other score is optimistic."
        )
    elif facts.undated:
        found.append(
            f"{facts.undated:,} of {len(facts.crops):,} images have no date: each counts for every day of its "
            "individual at its camera, which makes encounters larger than they were."
        )
    half = int(np.searchsorted(np.cumsum(who["images"].to_numpy()), images / 2)) + 1 if people else 0
    if people >= 10 and half <= people // 5:
        found.append(f"{half:,} of {people:,} individuals have half of all images.")
    few = int((who["images"] < 5).sum())
    if few:
        found.append(f"{few:,} of {people:,} individuals have fewer than five images.")
    in_bursts = int(facts.bursts.loc[facts.bursts["images"] > 1, "images"].sum())
    dated = int(facts.bursts["images"].sum())
    if dated and in_bursts > dated / 2:
        found.append(
            f"{in_bursts / dated:.0%} of dated images belong to a burst: "
            f"{dated:,} images show {len(facts.bursts):,} moments."
        )
    small = int((facts.crops < size).sum())
    if small:
        found.append(
            f"{small:,} of {len(facts.crops):,} annotations are smaller than the {size} pixels that the "
            "network sees: they will be enlarged."
        )
    if facts.twice["two individuals"]:
        found.append(
            f"{len(facts.twice['two individuals']):,} files lie there for two individuals: which is right?"
        )
    if facts.unnamed:
        found.append(f"{facts.unnamed:,} rows have no identity: they are in no part.")
    if masks is not None and (whole := int((masks.doubts != "").sum())):
        found.append(
            f"{whole:,} of {len(masks.doubts):,} annotations have no mask to rely on: they are worked on as whole "
            "images."
        )
    if failures:
        files = "file or row is" if failures == 1 else "files or rows are"
        found.append(f"{failures:,} {files} left out; the list is below.")
    if people < 30:
        found.append("With fewer than 30 individuals, intervals will be wide and rough.")
    return found
