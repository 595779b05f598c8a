"""A gallery that matches: features kept, photos shortlisted, matched and fused as in a run, and what is said."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.core.matching.made import Colour

from wildreid.gallery.manifest import Matching
from wildreid.gallery.store import Gallery
from wildreid.hookspecs import hookimpl
from wildreid.identification import OpenGallery, create_gallery, local, open_gallery, read_data
from wildreid.matching.candidates import ORDER
from wildreid.matching.curve import PairCurve
from wildreid.registry import Registry, Source

CURVES = (PairCurve(6.0, -3.0), PairCurve(4.0, -15.0))
MATCHING = Matching(
    stands="fused",
    says=("Matching by colour counts.",),
    matchers=({"name": "colour"},),
    fingerprints=(Colour().fingerprint(),),
    fusion={"name": "calibrated-mean"},
    pairs=6,
    curves=tuple(asdict(one) for one in CURVES),
)


class Plugin:
    """Offers the matcher of these tests."""

    @hookimpl
    def wildreid_matchers(self) -> list[Any]:
        return [Colour]


@pytest.fixture(autouse=True)
def _colours(monkeypatch: pytest.MonkeyPatch) -> None:
    def registry() -> Registry:
        found = Registry()
        found.add(Plugin(), Source("tests", "here"))
        return found

    monkeypatch.setattr(local, "Registry", registry)


@pytest.fixture(scope="session")
def plain(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty gallery of the tiny run, which knows matchers."""
    folder = tmp_path_factory.mktemp("matching") / "g"
    create_gallery(folder, tiny)
    Gallery(folder).describe([], [], matching=MATCHING)
    return folder


@pytest.fixture
def matching(plain: Path, tiny: Path, tmp_path: Path) -> OpenGallery:
    """A gallery of train and val that keeps local features."""
    folder = tmp_path / "g"
    shutil.copytree(plain, folder)
    opened = open_gallery(folder)
    opened.add(read_data(tiny, parts=["train", "val"]))
    opened.calibrate()
    return opened


def naive(opened: OpenGallery, found: Any, pairs: int) -> np.ndarray:
    """(photos, individuals) the fused score of the best image, by two loops."""
    state, matchers = opened.state, opened.matchers
    rows = found.where(np.arange(len(found.rows)))
    (own,) = matchers.look(found.photos, rows)
    kept = state.local["colour"]
    scores = np.full((len(rows), len(state.individuals)), -np.inf)
    for n, row in enumerate(rows):
        cosine = state.embeddings(np.arange(len(state.codes))) @ found.embeddings[n]
        listed = np.argsort(-cosine, kind="stable")[:pairs]
        for other in range(len(state.codes)):
            count = 0.0
            if other in listed:
                features = local.unpacked(kept.take(np.array([other])), matchers.built[0])
                count = float(matchers.built[0].score(own.take([row]), features)[0])
            first, second = CURVES[0](cosine[[other]])[0], CURVES[1](np.log1p([count]))[0]
            fused = ((first + second) / 2 + ORDER * first) / (1 + ORDER)
            code = state.codes[other]
            scores[n, code] = max(scores[n, code], fused)
    return scores


def test_identify_answers_by_the_fused_score(matching: OpenGallery, asked: Path, photos: Path) -> None:
    found = matching.identify(asked, root=photos)
    assert found.comparison is not None
    assert found.comparison.scores == pytest.approx(naive(matching, found, 6), abs=1e-5)
    alone = matching.identify(asked, root=photos, matching=False)
    assert alone.comparison is None
    first = found.images[0].candidates[0]
    assert first.score == pytest.approx(found.comparison.scores[0].max(), abs=1e-6)
    assert found.rule == matching.state.fused
    assert alone.rule == matching.state.rule
    print(found.notes, found.comparison.words, alone.notes)
