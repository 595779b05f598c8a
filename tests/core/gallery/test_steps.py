"""A gallery says the same, in whatever order and in however many steps its photos came."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.gallery.made import MARK, RULE, unit

from wildreid.gallery.history import encounters
from wildreid.gallery.store import Gallery
from wildreid.identification.looking import visits


def photos(seed: int) -> pd.DataFrame:
    """Photos of three animals at two cameras, some undated, some around midnight."""
    draw = np.random.default_rng(seed)
    rows = 24
    times = pd.Timestamp("2024-05-01 23:30") + pd.to_timedelta(draw.integers(0, 60, rows) * 20, unit="min")
    dated = draw.random(rows) > 0.2
    frame = pd.DataFrame(
        {
            "key": [f"{seed:08x}{row:024x}" for row in range(rows)],
            "image": [f"{row}.jpg" for row in range(rows)],
            "identity": [f"bear {who}" for who in draw.integers(0, 3, rows)],
            "camera": draw.choice(["north", "south", None], rows),
            "timestamp": times.where(dated),
        }
    )
    return frame.assign(visit=visits(frame, frame["key"].tolist()))


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 99),
    order=st.randoms(use_true_random=False),
    cuts=st.sets(st.integers(1, 23), max_size=5),
)
def test_order_and_steps_do_not_count(
    seed: int, order: object, cuts: set[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows, vectors = photos(seed), unit(24, seed)
    base = tmp_path_factory.mktemp("steps")
    whole = Gallery.create(base / "whole", MARK, rule=RULE)
    whole.add(rows, vectors, model=MARK)
    mixed = list(range(24))
    order.shuffle(mixed)  # type: ignore[attr-defined]
    stepped = Gallery.create(base / "stepped", MARK, rule=RULE)
    for step in np.split(np.array(mixed), sorted(cuts)):
        stepped.add(rows.iloc[step], vectors[step], model=MARK)
    assert stepped.state.digest() == whole.state.digest()
    pd.testing.assert_frame_equal(encounters(stepped.state), encounters(whole.state))


def test_one_undated_photo_does_not_fold_the_years_of_an_animal_into_one_encounter(tmp_path: Path) -> None:
    rows = pd.DataFrame(
        {
            "key": list("abcde"),
            "image": [f"{name}.jpg" for name in "abcde"],
            "identity": "Ada",
            "camera": "gate",
            "timestamp": pd.to_datetime(
                ["2021-05-01 10:00", "2022-05-01 23:50", "2022-05-02 00:10", "2022-05-02 09:00", None]
            ),
        }
    )
    rows["visit"] = visits(rows, rows["key"].tolist())
    gallery = Gallery.create(tmp_path / "g", MARK, rule=RULE)
    gallery.add(rows, unit(5, 0), model=MARK)
    found = encounters(gallery.state)
    # two dated encounters, the second over midnight, and the undated photo alone
    assert found["encounter"].tolist() == ["gate@2021-05-01", "gate@2022-05-01", "gate@undated@e"]
    assert found["images"].tolist() == [1, 3, 1]
    assert gallery.state.encounters.tolist() == [3]
