from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from wildreid.data.presets import PRESETS, Asked, recognised
from wildreid.data.read import read_table
from wildreid.data.table import BOX, Table
from wildreid.data.volunteers import Votes
from wildreid.errors import UserError


def table(file: Path, text: str | pd.DataFrame) -> Path:
    if isinstance(text, pd.DataFrame):
        text.to_csv(file, index=False)
    else:
        file.write_text(text, encoding="utf-8")
    return file


def photo(path: Path, size: tuple[int, int] = (200, 100)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path)


def balanced(read: Table) -> Table:
    origin = read.origin
    assert origin is not None
    assert origin.records == len(read) + len(read.failures) + sum(origin.counted.values())
    assert origin.rows == len(read)
    return read


def who(read: Table) -> list[str | None]:
    return [None if pd.isna(name) else name for name in read["identity"]]


def boxes(read: Table) -> list[list[float]]:
    return read.rows[list(BOX)].astype(float).to_numpy().tolist()  # type: ignore[no-any-return]


# the files of other programs


def test_traptagger_gives_the_boxes_that_were_drawn(real_data: Path) -> None:
    formats = real_data / "formats"
    read = balanced(read_table(formats / "traptagger/by-sighting.csv", formats / "camtrap-dp"))
    assert who(read) == ["Hera", "Hera", None]
    expected = json.loads((formats / "megadetector/expected-boxes.json").read_text())
    drawn = expected["box_left,box_top,box_width,box_height"]
    assert np.abs(np.subtract(boxes(read), [drawn[image] for image in read["image"]])).max() <= 1
    assert read.rows.loc[0, ["station", "camera", "event", "viewpoint"]].tolist() == [
        "S1",
        "S1-cam1",
        "5",
        "right",
    ]


def test_traptagger_by_cluster_asks_for_the_sightings(real_data: Path) -> None:
    read = balanced(read_table(real_data / "formats/traptagger/by-cluster.csv", real_data))
    assert len(read) == 0
    assert "Sighting level: Hera|Zeus" in read.failures[0].reason


def test_timelapse_joins_folder_and_file(real_data: Path) -> None:
    file = real_data / "formats/timelapse/TimelapseData.csv"
    read = balanced(read_table(file, real_data, columns={"identity": "Individual"}, like="timelapse"))
    assert read["image"].tolist()[0] == "media/sub/20210531082538-RCNX0031.JPG"
    assert who(read) == ["heron-1"] * 3


def test_volunteers_agree_or_not(real_data: Path) -> None:
    file = real_data / "formats/zooniverse/classifications.csv"
    assert who(balanced(read_table(file, real_data))) == [None]
    asked = Asked(votes=Votes(least=2, share=0.6))
    read = balanced(read_table(file, real_data, like="zooniverse", asked=asked))
    assert who(read) == ["Hera"]
    assert not {"user_name", "user_id", "user_ip", "gold_standard", "expert"} & set(read.rows)


def test_animalclef_has_parts_and_roles(real_data: Path) -> None:
    folder = real_data / "formats/animalclef"
    read = balanced(read_table(folder / "metadata-2025.csv", folder))
    assert who(read) == ["LynxID2025_lynx_1", "LynxID2025_lynx_1", None]
    assert read["part"].tolist() == ["train", "train", "test"]
    assert read["role"].tolist() == ["gallery", "gallery", "query"]
    assert read["image_id"].tolist() == ["0", "1", "2"]
    asked = Asked(datasets=("LynxID2025",))
    assert (
        len(balanced(read_table(folder / "metadata-2025.csv", folder, like="animalclef", asked=asked))) == 2
    )
    tenk = balanced(read_table(folder / "metadata-wildlifereid10k.csv", folder))
    assert tenk["part"].tolist() == ["train", "test"]
    assert tenk["event"].fillna("").tolist() == ["", "StripeSpotter_4"]
    assert "10k" in tenk.notes[0]


# the rules, on small tables


def test_a_table_is_told_by_its_columns_and_says_so(tmp_path: Path) -> None:
    for name, preset in PRESETS.items():
        assert recognised([*preset.told_by, "another"]) == name
        assert recognised([*preset.told_by, "image"]) is None  # one of ours, that has kept theirs
    assert recognised(["image", "identity", "path"]) is None
    read = read_table(table(tmp_path / "t.csv", "File,Individuals\na.jpg,B\n"), tmp_path)
    assert read.notes[-1] == "t.csv: taken for a TrapTagger export; in a recipe: like: traptagger"
    with pytest.raises(UserError, match="no column 'File'"):
        read_table(table(tmp_path / "t.csv", "Datei,Individuals\na.jpg,B\n"), tmp_path, like="traptagger")
    renamed = read_table(tmp_path / "t.csv", tmp_path, like="traptagger", columns={"image": "Datei"})
    assert renamed["image"].tolist() == ["a.jpg"]


def test_paths_from_elsewhere_are_found_by_their_end_or_fail(tmp_path: Path) -> None:
    photo(tmp_path / "cam1/a.jpg")
    names = ["C:\\Survey\\cam1\\a.jpg", "/mnt/x/cam1/gone.jpg", "https://x.org/a.jpg", "../a.jpg", "cam1\\b.jpg",
             "cam1/film.mp4", ""]  # fmt: skip
    rows = pd.DataFrame({"File": names, "Individuals": [str(number) for number in range(7)]})
    read = balanced(read_table(table(tmp_path / "t.csv", rows), tmp_path))
    assert dict(zip(read["identity"], read["image"], strict=True)) == {"0": "cam1/a.jpg", "4": "cam1/b.jpg"}
    assert [failure.key for failure in read.failures] == ["line 3", "line 4", "line 5", "line 7", "line 8"]
    assert [failure.kind for failure in read.failures][1] == "not on this machine"
    assert [failure.image for failure in read.failures][:2] == names[1:3]


def test_a_box_that_is_none_is_a_failure_of_its_row(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg")
    rows = "File,Individuals,Left,Right,Top,Bottom\na.jpg,A,0.1,0.5,0.2,0.6\na.jpg,B,0.5,0.1,0.2,0.6\n"
    rows += "a.jpg,C,x,1,0,1\n"
    read = balanced(read_table(table(tmp_path / "t.csv", rows + "gone.jpg,D,0,1,0,1\n"), tmp_path))
    assert dict(zip(read["identity"], boxes(read), strict=True)) == {"A": pytest.approx([20, 20, 80, 40])}
    assert [failure.kind for failure in read.failures] == [
        "a side of the box is not a number", "the photo's header cannot be read, so its box means nothing",
        "the box has no area",
    ]  # fmt: skip


def test_timelapse_in_its_other_forms(tmp_path: Path) -> None:
    rows = "File,RelativePath,Date,Time,DeleteFlag,Who\na.jpg,,01-May-2024,10:00:00,false,B\nb.jpg,x\\y,,,TRUE,B\n"
    read = balanced(
        read_table(table(tmp_path / "t.csv", rows), tmp_path, like="timelapse", columns={"identity": "Who"})
    )
    assert read["image"].tolist() == ["a.jpg"]
    assert read["timestamp"][0] == pd.Timestamp("2024-05-01 10:00")
    assert read.origin is not None
    assert read.origin.counted == {"marked for deletion": 1}
    with pytest.raises(UserError, match="dates cannot be read"):
        read_table(
            table(tmp_path / "t.csv", rows.replace("01-May-2024", "5/1")),
            tmp_path,
            like="timelapse",
            named=False,
        )
    zoned = rows.replace("Date,Time", "DateTime,Note").replace("01-May-2024", "2024-05-01T10:00:00+02:00")
    assert (
        read_table(table(tmp_path / "t.csv", zoned), tmp_path, like="timelapse", named=False)["utc_offset"][0]
        == 120
    )


def test_addaxai_joins_files_and_detections(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        photo(tmp_path / name)
    table(
        tmp_path / "files.csv",
        "file_id,relative_path,datetime,event_id\n1,a.jpg,2024-05-01 10:00:00,7\n2,b.jpg,,\n",
    )
    file = table(
        tmp_path / "detections.csv",
        "file_id,detection_category,bbox_x,bbox_y,bbox_width,bbox_height,confidence\n"
        "1,animal,0.1,0.2,0.4,0.4,0.9\n2,animal,0,0,1,1,0.8\n2,person,0,0,0.5,1,0.7\n9,animal,0,0,1,1,1\n",
    )
    read = balanced(read_table(file, tmp_path, named=False))
    assert who(read) == [None, None]
    assert boxes(read) == [pytest.approx([20, 20, 80, 40]), [0, 0, 200, 100]]
    assert read["private"].tolist() == [False, True]
    assert read["event"].fillna("").tolist() == ["7", ""]
    assert read.origin is not None
    assert read.origin.counted == {"person": 1}
    assert [failure.key for failure in read.failures] == ["line 5"]
    (tmp_path / "files.csv").unlink()
    with pytest.raises(UserError, match="0 tables beside this one"):
        read_table(file, tmp_path, named=False)


def test_brown_bears_have_a_split_to_choose(tmp_path: Path) -> None:
    head = "identity,path,date,camera,split_iid,split_ood\n"
    rows = head + "B,a.jpg,2020-05-01,c1,train,test\nunknown,b.jpg,,,test,train\n"
    file = table(tmp_path / "t.csv", rows)
    read = balanced(read_table(file, tmp_path))
    assert who(read) == ["B", None]
    assert read["part"].tolist() == ["train", "test"]
    other = read_table(file, tmp_path, like="brown-bear-heads", columns={"part": "split_ood"})
    assert other["part"].tolist() == ["test", "train"]


def test_clef_words_that_are_none_are_told(tmp_path: Path) -> None:
    head = "image_id,identity,path,date,orientation,species,split,dataset\n"
    file = table(tmp_path / "t.csv", head + "1,L_a,a.jpg,,left,lynx,tets,L\n2,NA,b.jpg,,left,lynx,query,L\n")
    read = balanced(read_table(file, tmp_path, unknown=[]))
    assert who(read) == ["NA"]  # an animal may be called NA
    assert read.failures[0].reason == "the split is an unknown word: tets"
    with pytest.raises(UserError, match="no data set 'M' in the table; there are: L"):
        read_table(file, tmp_path, like="animalclef", asked=Asked(datasets=("M",), unknown=[]))


# volunteers


def classification(
    photo: str = "a.jpg",
    value: object = "A",
    *,
    user: str = "",
    subject: str = "1",
    task: str = "T0",
    key: str = "Filename",
) -> dict[str, str]:
    return {
        "classification_id": "1",
        "user_name": user,
        "workflow_id": "7",
        "annotations": json.dumps([{"task": task, "value": value}]),
        "subject_data": json.dumps({subject: {"retired": None, key: photo}}),
    }


def of_volunteers(
    folder: Path, rows: list[dict[str, str]], *, key: str | None = None, **votes: object
) -> Table:
    asked = Asked(unknown=("Not sure",), votes=Votes(**votes))  # type: ignore[arg-type]
    file = table(folder / "c.csv", pd.DataFrame(rows))
    columns = {"image": key} if key else None
    return balanced(read_table(file, folder, like="zooniverse", asked=asked, columns=columns))


def test_the_answer_that_enough_volunteers_give_is_the_name(tmp_path: Path) -> None:
    rows = [classification(value=value, user=f"u{n}") for n, value in enumerate(["A", "A", "A", "A", "B"])]
    read = of_volunteers(tmp_path, rows)
    assert who(read) == ["A"]
    assert read.rows.loc[0, ["votes", "share"]].tolist() == [4, 0.8]
    assert who(of_volunteers(tmp_path, [*rows, classification(value=None)])) == [None]  # 4 of 6
    assert who(of_volunteers(tmp_path, rows, least=5)) == [None]


def test_nobody_is_called_not_sure(tmp_path: Path) -> None:
    rows = [classification(value="Not sure", user=f"u{n}") for n in range(5)]
    read = of_volunteers(tmp_path, rows)
    assert who(read) == [None]
    assert read.origin is not None
    assert read.origin.notes[-1].endswith("said the same: 1")


def test_a_volunteer_counts_once_and_nameless_ones_each_time(tmp_path: Path) -> None:
    rows = [classification(user="anna")] * 5
    read = of_volunteers(tmp_path, rows, least=2, share=0.6)
    assert who(read) == [None]
    assert read.origin is not None
    assert read.origin.counted == {"a second answer of one volunteer": 4}
    assert who(of_volunteers(tmp_path, [classification()] * 5, least=2, share=0.6)) == ["A"]


def test_a_subject_names_its_photo_by_some_key(tmp_path: Path) -> None:
    for key in ("filename", "#Image Name", "image"):
        assert of_volunteers(tmp_path, [classification(key=key)])["image"].tolist() == ["a.jpg"]
    read = of_volunteers(tmp_path, [classification(key="Frame 1")])
    assert read.failures[0].kind == "its subject names no photo; 'columns' may say the key"
    assert len(of_volunteers(tmp_path, [classification(key="Frame 1")], key="Frame 1")) == 1


def test_tasks_and_workflows_must_be_clear(tmp_path: Path) -> None:
    rows = [classification(task="T0"), classification(task="T1", value="B")]
    with pytest.raises(UserError, match="several tasks: T0, T1"):
        of_volunteers(tmp_path, rows)
    assert who(of_volunteers(tmp_path, rows, task="T1", least=1, share=0.5)) == ["B"]
    with pytest.raises(UserError, match="no volunteer answered a task 'T9'"):
        of_volunteers(tmp_path, rows, task="T9")
    with pytest.raises(UserError, match="holds 2 workflows: 7, 8"):
        of_volunteers(tmp_path, [rows[0], {**rows[0], "workflow_id": "8"}])


texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=6)
cells = st.one_of(
    texts,
    st.sampled_from(
        [
            "",
            "a.jpg",
            "x/b.jpg",
            "0.5",
            "true",
            "None",
            "A|B",
            "[]",
            "{}",
            "query",
            "2024-05-01 10:00:00",
            "animal",
        ]
    ),
)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), like=st.sampled_from(sorted(PRESETS)))
def test_every_record_ends_somewhere_and_only_user_errors_are_raised(
    data: st.DataObject, like: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("form")
    photo(folder / "a.jpg")
    preset = PRESETS[like]
    columns = sorted({*preset.told_by, *preset.columns.values()} - {"image"})
    rows = data.draw(st.lists(st.fixed_dictionaries(dict.fromkeys(columns, cells)), min_size=1, max_size=5))
    file = table(folder / "t.csv", pd.DataFrame(rows))
    try:
        read = read_table(file, folder, like=like, named=False)
    except UserError:
        return
    balanced(read)
    assert read.origin is not None
    assert read.origin.records == len(rows)
