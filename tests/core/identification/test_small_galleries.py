"""The normal first case: 13 seals on 60 photos, known well, a little, or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.core.gallery.made import MARK, WIDTH

from wildreid.gallery.rule import Rule
from wildreid.gallery.store import Gallery
from wildreid.identification.bursts import bursts
from wildreid.identification.identify import Answer, identify
from wildreid.identification.looking import visits
from wildreid.identification.recalibrate import recalibrate
from wildreid.identification.search import Search

SEALS, PHOTOS, STRANGERS = 13, 60, 5


def seals(seed: int, signal: float) -> tuple[pd.DataFrame, np.ndarray]:
    """60 photos of 13 seals, then 24 to ask about: of those and of five strangers."""
    draw = np.random.default_rng(seed)
    faces = draw.standard_normal((SEALS + STRANGERS, WIDTH))
    who = np.concatenate([np.arange(PHOTOS) % SEALS, draw.integers(0, SEALS + STRANGERS, 24)])
    vectors = signal * faces[who] + draw.standard_normal((len(who), WIDTH))
    rows = pd.DataFrame(
        {
            "key": [f"{seed:08x}{row:024x}" for row in range(len(who))],
            "id": [f"{row}.jpg" for row in range(len(who))],
            "image": [f"{row}.jpg" for row in range(len(who))],
            "identity": [f"seal {one}" for one in who],
            "camera": "beach",
            "timestamp": pd.Timestamp("2024-05-01")
            + pd.to_timedelta(
                draw.integers(0, 40, len(who)) * 24 * 60 + draw.integers(0, 600, len(who)), "min"
            ),
        }
    )
    rows["sequence"] = rows["id"]
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return rows.assign(visit=visits(rows, rows["key"].tolist())), vectors.astype(np.float32)


def contradicts(answer: Answer) -> bool:
    first = answer.candidates[0].probability
    if first is None or answer.new_probability is None:
        return answer.verdict != "undecided"
    if answer.verdict == "known":
        return first < 0.5 or answer.new_probability > first
    return answer.verdict == "new" and answer.new_probability < first


@pytest.mark.parametrize("signal", [0.0, 0.5, 3.0])
def test_no_verdict_contradicts_its_probability_in_40_draws(signal: float, tmp_path: Path) -> None:
    told = named = right = 0
    for seed in range(40):
        rows, vectors = seals(seed, signal)
        gallery = Gallery.create(tmp_path / str(seed), MARK)
        gallery.add(rows[:PHOTOS], vectors[:PHOTOS], model=MARK)
        asked = rows[PHOTOS:].reset_index(drop=True)
        asked = asked.assign(burst=bursts(asked))
        uncalibrated, _ = identify(Search(gallery.state), asked, vectors[PHOTOS:])
        assert not any(contradicts(answer) for answer in uncalibrated)
        rule, _ = recalibrate(gallery.folder)
        assert isinstance(rule, Rule)
        told += rule.decision.tells
        answers, encounters = identify(Search(Gallery(gallery.folder).state), asked, vectors[PHOTOS:])
        assert not any(contradicts(answer) for answer in (*answers, *encounters))
        known = [
            (answer, who) for answer, who in zip(answers, asked["identity"], strict=True) if answer.individual
        ]
        named += len(known)
        right += sum(answer.individual == who for answer, who in known)
    if signal == 0:
        assert told <= 8  # noise looks like knowledge in one draw of five at most
    if signal == 3:
        assert told == 40
        assert named > 40 * 24 / 3  # something sensible: a third of the photos are named,
        assert right > 0.9 * named  # and nine of ten of these rightly
