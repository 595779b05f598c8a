"""A gallery that keeps sides apart compares no left flank with a right one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.core.gallery.made import MARK, WIDTH

from wildreid.gallery.fold import GONE
from wildreid.gallery.store import Gallery
from wildreid.identification.calibration import as_table
from wildreid.identification.identify import identify
from wildreid.identification.search import Search

SIDES = ("left", "right", "front", None)


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    """Forty images of six animals, each of some side."""
    made = Gallery.create(tmp_path / "g", MARK, apart=("side",))
    draw = np.random.default_rng(0)
    vectors = draw.normal(size=(40, WIDTH)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = pd.DataFrame(
        {
            "key": [f"{n:02d}" for n in range(40)],
            "image": [f"{n}.jpg" for n in range(40)],
            "identity": [f"who{n % 6}" for n in range(40)],
            "viewpoint": pd.array(
                [SIDES[draw.integers(4)] if n != 5 else "right" for n in range(40)], "string"
            ),
            "timestamp": pd.date_range("2024-05-01", periods=40, freq="D"),
        }
    )
    made.add(rows, vectors, model=MARK)
    return made


def test_similarity_is_the_maximum_over_the_images_that_may_be_matched(gallery: Gallery) -> None:
    state = gallery.state
    draw = np.random.default_rng(1)
    queries = draw.normal(size=(8, WIDTH)).astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    asked = pd.DataFrame({"viewpoint": ["left", "right", "up", None] * 2})
    found = Search(state).similarity(queries, asked)
    side = {"left": "left", "right": "right"}
    kept = state.embeddings(np.arange(40))
    for q, query in enumerate(queries):
        mine = side.get(str(asked["viewpoint"][q]))
        for code in range(len(state.individuals)):
            scores = [
                float(query @ kept[row])
                for row in np.flatnonzero(state.codes == code)
                if mine is None or side.get(str(state.rows["viewpoint"][row])) in (None, mine)
            ]
            assert found[q, code] == pytest.approx(max(scores, default=-np.inf), abs=1e-5)
    assert not np.array_equal(found, Search(state).similarity(queries))
    shown = Search(state).exemplars(queries[0], "who1", 9, asked.iloc[[0]])
    assert all(side.get(str(state.rows["viewpoint"][row])) != "right" for row, _ in shown)
    assert as_table(state)["apart_side"].notna().any()
    assert (state.codes != GONE).all()


def test_answers_name_nobody_whose_other_side_alone_is_known(gallery: Gallery, tmp_path: Path) -> None:
    only = Gallery.create(tmp_path / "only", MARK, apart=("side",))
    vector = np.eye(1, WIDTH, dtype=np.float32)
    rows: dict[str, Any] = {"key": ["a"], "image": ["a.jpg"], "identity": ["who"], "viewpoint": ["left"]}
    only.add(pd.DataFrame(rows), vector, model=MARK)
    frame = pd.DataFrame({"id": ["q1", "q2"], "key": ["q1", "q2"], "timestamp": pd.NaT, "burst": [0, 0]})
    frame["viewpoint"] = ["right", "left"]
    images, bursts = identify(Search(only.state), frame, np.repeat(vector, 2, axis=0))
    assert images[0].candidates == ()
    assert images[0].verdict == "new"
    assert "another side" in images[0].reason
    assert images[1].candidates[0].score == pytest.approx(1)
    assert bursts[0].candidates[0].score == pytest.approx(1)  # of the image that may be matched
