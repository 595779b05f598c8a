from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.core.data.generated_tables import annotated, generated, same_encounter, same_group

from wildreid.data.groups import annotate, regroup
from wildreid.data.sets import join
from wildreid.data.table import Table
from wildreid.errors import UserError
from wildreid.recipe.settings import Encounters


def table(*rows: tuple[str, str | None, str | None, str | None], **columns: object) -> Table:
    """Rows of image, identity, camera, time."""
    frame = pd.DataFrame(rows, columns=["image", "identity", "camera", "timestamp"]).assign(**columns)
    return Table.of(frame, Path("/photos"))


def encounters(*rows: tuple[str, str | None, str | None, str | None], **columns: object) -> list[str]:
    return annotate(table(*rows, **columns), Encounters())["encounter"].tolist()


def as_matrix(names: pd.Series) -> np.ndarray:
    values = names.to_numpy(object)
    return values[:, None] == values[None, :]


@pytest.mark.parametrize("seed", range(8))
def test_encounters_and_groups_are_those_of_the_rules_applied_pair_by_pair(seed: int) -> None:
    rows = annotated(seed, individuals=6, visits=4, dates=0.8).rows
    known = rows["identity"].notna().to_numpy()
    assert (as_matrix(rows["encounter"])[known][:, known] == same_encounter(rows)[known][:, known]).all()
    assert (as_matrix(rows["group"]) == same_group(rows)).all()


@pytest.mark.parametrize("seed", range(3))
def test_names_do_not_depend_on_the_order_of_the_rows(seed: int) -> None:
    made = generated(seed)
    plain = annotate(made, Encounters()).rows.set_index("id")
    mixed = annotate(
        made.with_rows(made.rows.sample(frac=1, random_state=seed)), Encounters()
    ).rows.set_index("id")
    names = ["sequence", "group", "encounter"]
    assert plain[names].equals(mixed[names].reindex(plain.index))


def test_a_sequence_goes_on_until_a_gap_is_longer_than_asked() -> None:
    rows = [
        (f"{n}.jpg", "a", "cam", f"2021-05-01 10:{m}")
        for n, m in enumerate(["00:00", "01:00", "02:01", "02:30"])
    ]
    rows.append(("4.jpg", "b", "other", "2021-05-01 10:02:40"))
    found = annotate(table(*rows), Encounters(gap=60))["sequence"]
    assert found.nunique() == 3
    assert found[0] == found[1] != found[2] == found[3] != found[4]


def test_images_of_two_dates_at_one_camera_belong_together_only_across_midnight() -> None:
    evening, morning = "2021-05-01 23:50", "2021-05-02 00:10"
    late = "2021-05-02 00:30"
    near = encounters(("1.jpg", "a", "cam", evening), ("2.jpg", "a", "cam", morning))
    far = encounters(("1.jpg", "a", "cam", evening), ("2.jpg", "a", "cam", late))
    apart = encounters(("1.jpg", "a", "cam", evening), ("2.jpg", "a", "pond", morning))
    assert [len(set(found)) for found in (near, far, apart)] == [1, 2, 2]


def test_midnight_is_crossed_by_whatever_animal_stood_there() -> None:
    found = annotate(
        table(
            ("1.jpg", "a", "cam", "2021-05-01 20:00"),
            ("2.jpg", "b", "cam", "2021-05-01 23:55"),
            ("3.jpg", "b", "cam", "2021-05-02 00:05"),
            ("4.jpg", "a", "cam", "2021-05-02 09:00"),
        ),
        Encounters(),
    )
    assert found["group"].nunique() == 1
    assert found["encounter"].nunique() == 2


def test_without_a_camera_the_day_counts_across_folders() -> None:
    day = "2021-05-01 10:00"
    assert len(set(encounters(("x/1.jpg", "a", None, day), ("y/2.jpg", "a", None, day)))) == 1
    assert len(set(encounters(("x/1.jpg", "a", "c1", day), ("y/2.jpg", "a", "c2", day)))) == 2
    assert len(set(encounters(("x/1.jpg", "a", None, day), ("y/2.jpg", "b", None, day)))) == 2


def test_the_column_source_stands_in_for_the_folder() -> None:
    rows = [("x/1.jpg", "a", None, None), ("y/2.jpg", "a", None, None)]
    assert len(set(encounters(*rows))) == 2
    assert len(set(encounters(*rows, source="one campaign"))) == 1


def test_an_undated_image_joins_all_days_of_its_individual_at_its_camera() -> None:
    found = encounters(
        ("1.jpg", "a", "cam", "2021-05-01 10:00"),
        ("2.jpg", "a", "cam", "2021-06-01 10:00"),
        ("3.jpg", "a", "cam", None),
        ("4.jpg", "a", "pond", "2021-05-01 10:00"),
        ("5.jpg", "b", "cam", "2021-05-01 10:00"),
    )
    assert len({*found[:3]}) == 1
    assert len(set(found)) == 3


def test_one_individual_and_day_is_one_group_even_at_two_cameras() -> None:
    found = annotate(
        table(("1.jpg", "a", "c1", "2021-05-01 10:00"), ("2.jpg", "a", "c2", "2021-05-01 15:00")),
        Encounters(),
    )
    assert found["encounter"].nunique() == 2
    assert found["group"].nunique() == 1


def test_near_duplicates_join_within_one_identity_and_within_the_bits() -> None:
    rows = [(f"{who}{n}.jpg", who, f"cam{n}", f"2021-0{n}-01 10:00") for who in "ab" for n in (1, 2)]
    looks = ["00000000000000ff", "00000000000000f0"] * 2
    whole = annotate(table(*rows, phash=looks), Encounters())["encounter"].nunique()
    strict = annotate(table(*rows, phash=looks), Encounters(bits=3))["encounter"].nunique()
    off = annotate(table(*rows, phash=looks), Encounters(near_duplicates=False))["encounter"].nunique()
    assert (whole, strict, off) == (2, 4, 4)


def test_a_query_of_unknown_identity_has_its_group_for_an_encounter() -> None:
    found = annotate(
        table(("1.jpg", None, "cam", "2021-05-01 10:00"), ("2.jpg", None, "cam", "2021-05-01 11:00"),
              ("3.jpg", None, "cam", "2021-05-02 11:00")), Encounters()
    )  # fmt: skip
    assert found["encounter"][0] == found["encounter"][1] != found["encounter"][2]


def test_the_day_is_the_local_one_and_the_gap_is_measured_in_universal_time() -> None:
    # one camera, its clock set back by an hour between two frames that are ten seconds apart
    frame = table(
        ("1.jpg", "a", "cam", "2021-10-31 02:59:55"),
        ("2.jpg", "a", "cam", "2021-10-31 02:00:05"),
        utc_offset=[120.0, 60.0],
    )
    found = annotate(frame, Encounters())
    assert found["sequence"].nunique() == 1
    assert found["encounter"][0].endswith("2021-10-31")
    without = annotate(frame.with_rows(frame.rows.drop(columns="utc_offset")), Encounters())
    assert without["sequence"].nunique() == 2


@pytest.mark.parametrize(
    ("group", "expected"), [("camera-date", 3), ("sequence", 4), ("day", 2), ("camera", 2), ("herd", 1)]
)
def test_other_units_can_be_chosen(group: str, expected: int) -> None:
    rows = [
        ("1.jpg", "a", "c1", "2021-05-01 10:00"),
        ("2.jpg", "b", "c1", "2021-05-01 15:00"),
        ("3.jpg", "c", "c2", "2021-05-01 10:00"),
        ("4.jpg", "d", "c2", "2021-05-02 10:00"),
    ]
    plain = annotate(table(*rows, herd="all"), Encounters())
    assert regroup(plain, group)["group"].nunique() == expected
    assert annotate(table(*rows, herd="all"), Encounters(), group=group)["group"].nunique() == expected


def test_a_finer_unit_still_keeps_an_encounter_whole() -> None:
    rows = [("1.jpg", "a", "cam", "2021-05-01 10:00"), ("2.jpg", "a", "cam", "2021-05-01 15:00")]
    assert annotate(table(*rows), Encounters(), group="sequence")["group"].nunique() == 1


def test_a_row_without_the_chosen_column_is_a_unit_of_its_own() -> None:
    rows = [(f"{n}.jpg", f"w{n}", "cam", "2021-05-01 10:00") for n in range(4)]
    assert (
        annotate(table(*rows, herd=["x", "x", None, None]), Encounters(), group="herd")["group"].nunique()
        == 3
    )


def test_a_unit_that_there_is_not_is_refused() -> None:
    with pytest.raises(UserError, match="nothing to group by named 'herd'"):
        annotate(table(("1.jpg", "a", "cam", None)), Encounters(), group="herd")


def test_join_links_by_keys_and_by_edges() -> None:
    key = np.array([0, 0, -1, 1, 1, -1])
    found = join(6, [key], [(np.array([1]), np.array([3]))])
    assert len(set(found[[0, 1, 3, 4]])) == 1
    assert len(set(found)) == 3


def test_an_empty_table_stays_empty() -> None:
    empty = Table.of(
        pd.DataFrame({"image": pd.Series(dtype=str), "identity": pd.Series(dtype=str)}), Path("/photos")
    )
    assert len(annotate(empty, Encounters())) == 0


def test_an_event_of_the_source_is_one_sequence_and_is_never_divided() -> None:
    rows = [
        ("1.jpg", "a", "cam", "2021-05-01 22:00:00"),
        ("2.jpg", None, "cam", "2021-05-01 22:10:00"),
        ("3.jpg", "b", "cam", "2021-05-02 01:00:00"),
        ("4.jpg", "a", "cam", None),
        ("5.jpg", "a", "cam", "2021-05-02 09:00:00"),
        ("6.jpg", "a", "pond", "2021-05-03 09:00:00"),
    ]
    made = table(*rows, event=["e1", "e1", "e1", "e1", None, None])
    joined = annotate(made, Encounters(event=True))
    assert joined["sequence"].iloc[:4].nunique() == 1
    assert joined["sequence"].nunique() == 3
    assert joined["group"].iloc[:4].nunique() == 1
    assert annotate(made, Encounters())["sequence"].nunique() == 6


@pytest.mark.parametrize("seed", range(3))
def test_without_events_asking_for_them_changes_nothing(seed: int) -> None:
    made = generated(seed)
    plain, asked = annotate(made, Encounters()), annotate(made, Encounters(event=True))
    assert plain.rows.equals(asked.rows)
    silent = annotate(made.with_rows(made.rows.assign(event=pd.NA)), Encounters(event=True))
    assert silent.rows.drop(columns="event").equals(plain.rows)


def test_two_makes_of_camera_in_one_folder_are_two_bursts_and_yet_one_encounter(tmp_path: Path) -> None:
    """A folder of photos from two cameras without serial numbers, both at one carcass within a minute."""
    rows = pd.DataFrame(
        {
            "image": [f"in/{n}.jpg" for n in range(4)],
            "identity": "Ada",
            "timestamp": pd.Timestamp("2024-05-01 10:00") + pd.to_timedelta([0, 5, 10, 15], unit="s"),
            "make": ["Reconyx", "Canon", "Reconyx", "Canon"],
            "model": ["HC500", "EOS R5", "HC500", "EOS R5"],
        }
    )
    found = annotate(Table.of(rows, tmp_path), Encounters())
    assert found["sequence"].nunique() == 2
    assert found["sequence"].iloc[0] == found["sequence"].iloc[2]
    assert found["encounter"].nunique() == 1  # careful: no camera is known for certain
