from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from wildreid.errors import UserError
from wildreid.population.deployments import deployments_of
from wildreid.population.design import Design
from wildreid.population.locations import Frame
from wildreid.population.survey import Survey
from wildreid.population.take import take_survey

FRAME = Frame("77" * 16)
DEPLOYMENTS = deployments_of(
    pd.DataFrame(
        {
            "station": ["A", "B"],
            "camera": ["c", "d"],
            "start": ["2024-05-01", "2024-05-01"],
            "end": ["2024-05-11", "2024-05-11"],
            "x": ["0", "100"],
            "y": ["0", "50"],
        }
    )
)


def rows(**columns: Any) -> pd.DataFrame:
    base = {
        "image": ["1.jpg", "2.jpg", "3.jpg", "4.jpg"],
        "individual": ["Bella", "Bella", "Otis", "Otis"],
        "station": ["A", "B", "A", "A"],
        "timestamp": ["2024-05-01T10:00:00", "2024-05-06T00:00:00", "2024-05-02", "2024-05-02T00:00:30"],
    }
    return pd.DataFrame({**base, **columns})


def survey(given: pd.DataFrame | None = None, *, frame: Frame | None = FRAME, **design: Any) -> Survey:
    return take_survey(
        rows() if given is None else given,
        DEPLOYMENTS,
        Design(**{"station_names": True, **design}),
        frame=frame,
    )


def test_photos_of_one_day_before_one_camera_are_an_encounter() -> None:
    found = survey()
    assert found.histories.to_numpy().tolist() == [[1, 1], [1, 0]]
    otis = found.encounters[found.encounters["individual"] == "Otis"].iloc[0]
    assert (otis["photos"], otis["last"]) == (2, pd.Timestamp("2024-05-02 00:00:30"))
    assert found.encounters["event"].tolist() == [1, 2, 3]


def test_events_of_the_source_are_better_knowledge_than_days() -> None:
    found = survey(rows(event=["e1", "e2", "e3", "e4"]))
    assert len(found.encounters) == 4
    both = survey(rows(station=["A", "A", "A", "A"], event=["e1", "e2", "e1", None], visit=["v"] * 4))
    assert len(both.encounters) == 4  # e1 holds two animals; the last has no event, and its visit counts
    assert both.encounters["event"].nunique() == 3


def test_a_day_is_divided_where_occasions_begin_at_noon() -> None:
    given = rows(
        individual="Bella",
        station="A",
        timestamp=["2024-05-02T02:00", "2024-05-02T03:00", "2024-05-02T22:00", "2024-05-03T01:00"],
        visit=["c on 2024-05-02"] * 3 + ["c on 2024-05-03"],
    )
    found = survey(given, occasion_days=1, start_hour=12)
    assert found.histories.loc["Bella"].tolist()[:4] == [0, 1, 2, 0]
    assert survey(given, occasion_days=1).histories.loc["Bella"].tolist()[:4] == [0, 1, 1, 0]


def test_what_goes_in_comes_out_or_is_counted_by_its_reason() -> None:
    given = pd.concat(
        [
            rows(),
            rows(method="machine", probability=[0.99, 0.5, None, 0.95]),
            rows(individual=None),
            rows(timestamp=None),
            rows(species="Lynx lynx"),
            rows(private=True),
        ],
        ignore_index=True,
    )
    given["image"] = [f"{n}.jpg" for n in range(len(given))]
    counts = survey(given, species="Ursus arctos").counts
    assert counts["left out"] == {
        "named by a machine, not by a person": 4,
        "nobody knows who it is": 4,
        "of another species than Ursus arctos": 4,
        "private frames": 4,
        "without a date": 4,
    }
    assert counts["written"] == 4
    assert counts["came in"] == counts["written"] + sum(counts["left out"].values())
    assert counts["nobody knows who, by station"] == {"A": 3, "B": 1}
    more = survey(given, species="Ursus arctos", machine=True)
    assert more.counts["written"] == 6
    assert more.counts["left out"]["named by a machine with a probability below 0.95, or none"] == 2
    assert set(more.photos["species"]) == {"Ursus arctos"}
    assert survey(given, species="Ursus arctos", private=True).counts["written"] == 8


def test_flanks() -> None:
    given = rows(viewpoint=["left", "right", "left", None])
    assert list(survey(given, side="left").individuals["individual"]) == ["Bella", "Otis"]
    assert list(survey(given, side="right").individuals["individual"]) == ["Bella"]
    assert list(survey(given, side="linked").individuals["individual"]) == ["Bella"]
    assert survey(given, side="both").counts["written"] == 4


def test_dates_may_be_bounded() -> None:
    found = survey(since="2024-05-02", until="2024-05-08", occasion_days=3)
    assert found.occasions.words() == "2 occasions of 3 days from 2024-05-02"
    assert found.counts["left out"] == {"outside the dates that were asked for": 1}
    with pytest.raises(UserError, match="since is '2024-05-02T00:00Z', no local time"):
        Design(since="2024-05-02T00:00Z")


def test_a_detection_while_no_camera_looked_is_an_error_that_names_it_or_is_listed() -> None:
    given = rows(timestamp=["2024-05-01T10:00:00", "2024-05-11", "2024-05-02", "2024-05-02T00:00:30"])
    with pytest.raises(UserError) as caught:
        survey(given)
    for words in ("2.jpg", "'Bella'", "station 'B'", "2024-05-11 00:00:00", "no camera", "drop_outside"):
        assert words in str(caught.value)
    found = survey(given, drop_outside=True)
    assert found.counts["left out"] == {"when no camera was looking": 1}
    assert found.dropped.to_dict("list") == {
        "image": ["2.jpg"], "individual": ["Bella"], "station": ["B"], "timestamp": [pd.Timestamp("2024-05-11")],
    }  # fmt: skip


def test_what_lies_in_an_occasion_that_is_not_whole_is_counted() -> None:
    found = survey(
        occasion_days=4,
        drop_outside=True,
        given=rows(timestamp=["2024-05-01", "2024-05-10", "2024-05-02", "2024-05-02"]),
    )
    assert found.counts["left out"] == {"in an occasion that is not whole": 1}
    assert "make no whole occasion" in found.notes[0]


def test_clocks_must_agree_or_the_zone_be_said() -> None:
    zoned = DEPLOYMENTS.assign(start_offset=120, end_offset=120)
    given = rows(utc_offset=[0, 0, 0, 0])
    with pytest.raises(UserError, match=r"its clock is \+0 minutes from UTC, the deployments' are \+120"):
        take_survey(given, zoned, Design(station_names=True), frame=FRAME)
    found = take_survey(given, zoned, Design(station_names=True, timezone="Europe/Brussels"), frame=FRAME)
    assert found.photos["timestamp"][0] == pd.Timestamp("2024-05-01 12:00")
    assert found.zoned(found.photos["timestamp"][0], None) == "2024-05-01T12:00:00+02:00"
    agreed = take_survey(rows(utc_offset=120), zoned, Design(station_names=True), frame=FRAME)
    assert agreed.photos["timestamp"][0] == pd.Timestamp("2024-05-01 10:00")
    silent = take_survey(rows(), zoned, Design(station_names=True), frame=FRAME)
    assert silent.photos["utc_offset"].tolist() == [120.0] * 4  # the deployment's own
    with pytest.raises(UserError, match="nobody knows in which zone"):
        survey().zoned(pd.Timestamp("2024-05-01"), np.nan)


def test_sexes() -> None:
    found = survey(rows(sex=["Female", None, "m", "M"]))
    assert dict(zip(found.individuals["individual"], found.individuals["sex"], strict=True)) == {
        "Bella": "F",
        "Otis": "M",
    }
    assert set(survey(rows(sex=["?", "", None, "unknown"])).individuals["sex"]) == {""}
    with pytest.raises(UserError, match="'Bella' is female on some photos and male on others"):
        survey(rows(sex=["f", "m", "m", "m"]))


def test_a_person_s_word_counts_for_all_of_an_encounter() -> None:
    given = rows(method=["human", "human", "machine", "human"], probability=[None, None, 0.99, None])
    found = survey(given, machine=True)
    assert found.encounters["method"].tolist() == ["human", "human", "human"]
    assert (
        found.identities
        == "identities of 1 photos by a machine, at probabilities from 0.99, and of 3 by people"
    )


def test_nothing_left_is_an_error_that_says_why() -> None:
    with pytest.raises(UserError, match="no detection is left: 4 named by a machine"):
        survey(rows(method="machine"))
    with pytest.raises(UserError, match="there was none"):
        survey(rows().iloc[:0])
    with pytest.raises(UserError, match="no column individual"):
        survey(rows().drop(columns="individual"))


def test_public_names_need_a_frame_and_are_the_same_next_year() -> None:
    with pytest.raises(UserError, match="needs a frame"):
        survey(frame=None, station_names=False)
    one, other = survey(station_names=False), survey(rows().iloc[[0, 2]], station_names=False)
    assert list(one.stations.index) == list(other.stations.index)
    assert not {"A", "B", "c", "d"} & {*one.stations.index, *one.photos["camera"], *one.photos["deployment"]}
    assert one.photos["file"].str.fullmatch(r"P[0-9a-f]{6}\.jpg").all()
    known = one.hidden.set_index(["sort", "name"])["code"]
    assert known["station", "A"] in one.stations.index
    moved = one.stations[["x", "y"]].to_numpy()
    assert np.hypot(*(moved[0] - moved[1])) == pytest.approx(np.hypot(100, 50), abs=0.2)
    assert np.abs(moved).max() > 200
    assert "x" not in one.deployments
    assert survey(private=True, frame=None).stations.loc["B"].tolist() == [100.0, 50.0]


def test_covariates_are_told_where_they_are_numbers_that_tell_no_place() -> None:
    table = DEPLOYMENTS.assign(
        elevation=["10", "20.5"], habitat=["bog", "fen"], gps_lat=["1", "2"], serial="7"
    )
    public = take_survey(rows(), table, Design(), frame=FRAME)
    assert list(public.stations) == ["x", "y", "elevation"]
    assert {"habitat", "gps_lat", "serial"} & set(public.deployments) == set()
    private = take_survey(rows(), table, Design(private=True))
    assert "habitat" in private.deployments


def test_degrees_that_are_coarse_already_are_not_told_and_that_is_said() -> None:
    table = DEPLOYMENTS.drop(columns=["x", "y"]).assign(
        x=np.nan, y=np.nan, latitude=[50.1, 50.2], longitude=[4.1, 4.2]
    )
    table.attrs["decimals"] = 1
    found = take_survey(rows(), table, Design(), frame=FRAME)
    assert found.deployments["latitude"].isna().all()
    assert "no degrees are told" in found.notes[0]
    assert all(x == x for place in found.metres().values() for x in place)


@pytest.mark.parametrize(
    ("field", "value"),
    [("occasion_days", 0), ("start_hour", 24), ("precision", 4), ("min_probability", 2.0), ("side", "top")],
)
def test_a_design_that_cannot_be_is_refused(field: str, value: object) -> None:
    with pytest.raises(UserError, match=field.split("_")[0]):
        Design(**{field: value})  # type: ignore[arg-type]
