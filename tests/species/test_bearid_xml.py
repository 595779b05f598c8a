"""BearID's XML files, with every oddity that real ones have."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from wildreid.data.images import read
from wildreid.data.table import BOX
from wildreid.errors import UserError

IMAGES = """<?xml version='1.0' encoding='ISO-8859-1'?>
<?xml-stylesheet type='text/xsl' href='image_metadata_stylesheet.xsl'?>
<dataset><name>é</name><images>
<image file='/home/melanie/images/brooksFalls/ra/bf_1/one.JPG'>
  <dateTime>2016:07:01 10:00:00</dateTime>
  <box top='5' left='4' width='20' height='24'><label>bf_1</label>
    <part name='leye' x='10' y='12'/><part name='reye' x='20' y='12'/>
    <part name='head_top' x='14' y='2'/></box>
  <box top='5' left='30' width='20' height='24'><label>bc_jacque</label>
    <part name='htop' x='90' y='-3'/><part name='nose' x='' y='7'/></box>
</image>
<image file='..\\images\\brooksFalls\\ra\\bf_1\\two.jpg'>
  <box top='1' left='1' width='9' height='9'><part name='top' x='3' y='1'/></box>
  <box top='1' left='1' width='9' height='9' ignore='1'><label>bf_1</label></box>
  <box top='1' left='1' width='0' height='9'><label>bf_1</label></box>
</image>
<image file='brooksFalls/ra/bf_1/none.jpg'/>
<image file='brooksFalls/ra/bf_1/gone.jpg'>
  <box top='1' left='1' width='9' height='9'><label>bf_1</label></box></image>
</images></dataset>
""".encode("latin-1")

CHIPS = """<?xml version='1.0' encoding='ISO-8859-1'?>
<dataset><chips>
<chip file='chips/brooksFalls/ra/bf_1/one_chip_0.jpg'><label>bf_1</label><resolution>10000</resolution>
  <chip_dimensions height='150' width='150'/>
  <part name='leye' x='40' y='60'/><part name='reye' x='80' y='60'/>
  <source file='/elsewhere/brooksFalls/ra/bf_1/one.JPG'>
    <box top='5' left='4' width='20' height='24'/></source></chip>
<chip file='chips/brooksFalls/ra/bf_1/two_chip_0.JPG'><label>bf_1</label>
  <source file='brooksFalls/ra/bf_1/two.jpg'/></chip>
</chips></dataset>
"""


@pytest.fixture
def root(tmp_path, picture):
    picture("images/brooksFalls/ra/bf_1/one.jpg")
    picture("images/brooksFalls/ra/bf_1/two.jpg")
    (tmp_path / "images.xml").write_bytes(IMAGES)
    return tmp_path


def test_each_box_is_a_row_and_the_rest_says_why(bears, root, capsys):
    table = bears.dataset("bearid-xml", root=root, files={"all": "images.xml"}).table()
    assert table["image"].tolist() == ["images/brooksFalls/ra/bf_1/one.jpg"] * 2 + [
        "images/brooksFalls/ra/bf_1/two.jpg"
    ]
    assert table["identity"].fillna("?").tolist() == ["bf_1", "bc_jaque", "?"]
    assert table["box_left"].tolist() == [4, 30, 1]
    assert table["timestamp"].tolist()[:2] == [pd.Timestamp("2016-07-01 10:00")] * 2
    assert [(failure.row, failure.reason) for failure in table.failures] == [
        (4, "the box is marked to be ignored"),
        (5, "the box is empty or not a number"),
        (6, "the image has no box"),
        (7, "the photo is not there"),
    ]
    assert "7 rows came, 3 are used, 4 left out" in " ".join(capsys.readouterr().err.split())


def test_three_names_of_the_head_top_are_one(bears, root):
    rows = bears.dataset("bearid-xml", root=root, files={"all": "images.xml"}).table().rows
    assert rows["htop_x"].tolist() == [14, 90, 3]  # one of them outside its box and photo
    assert rows["leye_x"].isna().tolist() == [False, True, True]
    assert rows["nose_x"].isna().all()


def test_chips_take_their_date_from_the_photo_that_they_were_cut_from(bears, root, picture):
    picture("chips/brooksFalls/ra/bf_1/one_chip_0.jpg")
    picture("chips/brooksFalls/ra/bf_1/two_chip_0.jpg")
    (root / "chips_train.xml").write_text(CHIPS, encoding="latin-1")
    (root / "dates.csv").write_text(
        "IMAGE,LABEL,DATE,YEAR,MONTH,DAY,TIME\nbrooksFalls/ra/bf_1/one.jpg,bf_1,20160701,2016,7,1,90000\n"
    )
    option = bears.dataset("bearid-xml", root=root, files={"train": "chips_train.xml"}, images="dates.csv")
    rows = option.table().rows
    assert rows["image"].tolist() == [
        f"chips/brooksFalls/ra/bf_1/{name}_chip_0.jpg" for name in ("one", "two")
    ]
    assert rows["timestamp"][0] == pd.Timestamp("2016-07-01 09:00")
    assert pd.isna(rows["timestamp"][1])
    assert rows["part"].tolist() == ["train", "train"]
    assert rows["source"].tolist() == ["brooksFalls/ra"] * 2
    assert rows["box_left"].isna().all()


def test_without_photos_the_file_can_still_be_read(bears, root):
    option = bears.dataset("bearid-xml", root=root, files={"val": "images.xml"}, check_files=False)
    table = option.table()
    assert table["image"][0] == "brooksFalls/ra/bf_1/one.JPG"
    assert len(table) == 4


def test_aligned_eyes_stand_where_they_should(bears, tmp_path, picture):
    """Two dots on a tilted face come to stand at the two places for eyes, whatever their turn."""
    canvas = np.zeros((400, 500, 3), np.uint8)
    eyes = ((310, 130), (190, 210))  # the first is the bear's left one, on the right of the photo
    for x, y in eyes:
        canvas[y - 6 : y + 7, x - 6 : x + 7] = 255
    path = tmp_path / "images/brooksFalls/ra/bf_1/a.png"
    path.parent.mkdir(parents=True)
    Image.fromarray(canvas).save(path)
    parts = "".join(
        f"<part name='{n}' x='{x}' y='{y}'/>" for n, (x, y) in zip(("leye", "reye"), eyes, strict=True)
    )
    box = "<box top='100' left='150' width='200' height='200'><label>bf_1</label>{}</box>"
    (tmp_path / "images.xml").write_text(
        "<dataset><images><image file='brooksFalls/ra/bf_1/a.png'>"
        + box.format(parts)
        + "<box top='1' left='1' width='9' height='9'><label>bf_2</label></box></image></images></dataset>"
    )
    option = bears.dataset("bearid-xml", root=tmp_path, files={"all": "images.xml"}, align="eyes", chip=100)
    table = option.table()
    assert [failure.reason for failure in table.failures] == [
        "an eye is not marked: the face cannot be aligned"
    ]
    assert table["box_left"].isna().all()
    assert table["unaligned"][0] == "images/brooksFalls/ra/bf_1/a.png"
    face = np.asarray(Image.open(table.root / table["image"][0]).convert("L"), dtype=float)
    assert face.shape == (100, 100)
    for half, x in ((face[:, :50], 35.0), (face[:, 50:], 15.0)):
        down, right = np.indices(half.shape)
        weight = half * (half > 100)
        assert (weight * (right + 0.5)).sum() / weight.sum() == pytest.approx(x, abs=1)
        assert (weight * (down + 0.5)).sum() / weight.sum() == pytest.approx(50, abs=1)
    written = (table.root / table["image"][0]).stat().st_mtime_ns
    again = option.table()
    assert (again.root / again["image"][0]).stat().st_mtime_ns == written


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<dataset/>", "neither images nor chips"),
        (
            "<dataset><images><image file='a.jpg'/></images></dataset>",
            "none of the 1 annotations can be used",
        ),
        ("no xml", "not readable as XML"),
        (None, "no such"),
    ],
)
def test_files_that_are_none_are_said_plainly(bears, root, content, said):
    if content is not None:
        (root / "bad.xml").write_text(content)
    with pytest.raises(UserError, match=said):
        bears.dataset("bearid-xml", root=root, files={"all": "bad.xml"}).table()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_turn_with_photos_taken_on_the_side(bears, tmp_path, orientation):
    """imglab boxes the photo as it is stored; what is read by the table's box is what was boxed."""
    stored = np.zeros((40, 60, 3), np.uint8)
    stored[10:16, 20:32] = 255
    folder = tmp_path / "brooksFalls/ra/bf_1"
    folder.mkdir(parents=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(stored).save(folder / "a.png", exif=exif)
    (tmp_path / "images.xml").write_text(
        "<dataset><images><image file='brooksFalls/ra/bf_1/a.png'>"
        "<box left='20' top='10' width='12' height='6'><label>bf_1</label><part name='nose' x='26' y='13'/></box>"
        "</image></images></dataset>"
    )
    row = bears.dataset("bearid-xml", root=tmp_path, files={"all": "images.xml"}).table().rows.iloc[0]
    box = tuple(float(row[name]) for name in BOX)
    seen = read(folder / "a.png", box=box)
    assert seen.shape[:2] == ((6, 12) if orientation < 5 else (12, 6))
    assert (seen == 255).all()
    assert row["nose_x"] == box[0] + box[2] / 2
    assert row["nose_y"] == box[1] + box[3] / 2
