from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from wildreid.errors import UserError
from wildreid.population.locations import FRAME, Frame, coarsened, decimals, metres, rounding

ORIGIN = (50.0, 4.0)


def test_transverse_mercator_as_proj_gives_it() -> None:
    found = metres(np.array([50.01, 49.6, 50.0]), np.array([4.02, 3.5, 4.0]), ORIGIN)
    np.testing.assert_allclose(found, [[1433.618, 1112.483], [-36144.347, -44369.979], [0, 0]], atol=1e-3)


def test_distances_over_100_km_are_right_to_30_ppm() -> None:
    """Beside the length of a meridian by its integral."""
    a, f = 6_378_137.0, 1 / 298.257223563
    e2 = f * (2 - f)
    grid = np.radians(np.linspace(49.5, 50.4, 20_001))
    arc = np.trapezoid(a * (1 - e2) / (1 - e2 * np.sin(grid) ** 2) ** 1.5, grid)
    south, north = metres(np.array([49.5, 50.4]), np.array([4.0, 4.0]), ORIGIN)
    assert abs(np.hypot(*(north - south)) / arc - 1) < 3e-5


def places(
    latitude: float = 51.496, longitude: float = 4.774, uncertainty: float | None = 187
) -> pd.DataFrame:
    return pd.DataFrame(
        {"latitude": [latitude], "longitude": [longitude], "coordinate_uncertainty": [uncertainty]},
        dtype=float,
    )


def test_rounded_degrees_say_how_uncertain_they_are() -> None:
    assert coarsened(places(), 3, 2).iloc[0].tolist() == [51.5, 4.77, 1510]
    assert coarsened(places(51.49612, 4.77412, None), 5, 2).iloc[0].tolist() == [51.5, 4.77, 1500]
    assert coarsened(places(51.49612, 4.77412, 187), 5, 1)["coordinate_uncertainty"][0] == 187 + 14697
    assert [rounding(-10, 1), rounding(59.9, 3), rounding(60, 2), rounding(-89, 3)] == [15691, 147, 1246, 112]
    with pytest.raises(UserError, match="rounding them to 2 hides nothing"):
        coarsened(places(51.5, 4.77), 2, 2)


def test_decimals_are_counted_as_they_are_written() -> None:
    assert decimals(["50.00", "4.1", "", "4"]) == 2


def test_a_frame_keeps_distances_and_itself(tmp_path: Path) -> None:
    given = np.array([[0.0, 0.0], [1200.0, 300.0], [500.0, 1500.0]])
    frame = Frame.open(tmp_path).kept()
    moved = frame.disguised(given)
    apart = [np.hypot(*(moved[i] - moved[j])) for i, j in ((0, 1), (0, 2), (1, 2))]
    np.testing.assert_allclose(apart, [1236.932, 1581.139, 1389.244], atol=0.5)
    assert np.hypot(*(moved[0] - given[0])) > 1
    again = Frame.open(tmp_path)
    assert again.salt == frame.salt
    np.testing.assert_array_equal(again.disguised(given), moved)
    assert not np.allclose(Frame("00" * 16).disguised(given), moved)
    assert oct((tmp_path / FRAME).stat().st_mode)[-3:] == "600"


def test_the_first_survey_sets_the_origin_for_all_others(tmp_path: Path) -> None:
    first = Frame.open(tmp_path).about("degrees", (50.0, 4.0))
    later = Frame.open(tmp_path).about("degrees", (60.0, 5.0))
    assert first.origins == later.origins == {"degrees": (50.0, 4.0)}
    both = Frame.open(tmp_path).about("metres", (1.0, 2.0))
    assert both.origins == {"degrees": (50.0, 4.0), "metres": (1.0, 2.0)}
    (tmp_path / FRAME).write_text(json.dumps({"salt": "1"}))
    with pytest.raises(UserError, match="damaged"):
        Frame.open(tmp_path)


def test_an_alias_is_the_same_at_every_export_and_tells_nothing() -> None:
    one, other = Frame("00" * 16), Frame("01" * 16)
    assert one.alias("S", "creek") == one.alias("S", "creek")
    assert (
        len(
            {
                one.alias("S", "creek"),
                other.alias("S", "creek"),
                one.alias("C", "creek"),
                one.alias("S", "ford"),
            }
        )
        == 4
    )
