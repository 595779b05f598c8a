"""BearID's tables: real ones at full size, and small ones with every oddity."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import pytest
from PIL import Image

from wildreid.errors import UserError

INDIVIDUALS = "subset_individual_bear_meta.csv"


@pytest.fixture(scope="module")
def real(real_data, bears):
    return bears.dataset(
        "bearid", root=real_data / "bearid", individuals=INDIVIDUALS, check_files=False
    ).table()


def test_the_real_table_is_whole(real):
    assert len(real) == 4669
    assert real.individuals == 132
    assert real["timestamp"].isna().sum() == 130
    assert sum(count == 1 for count in Counter(real["identity"]).values()) == 8
    assert not real.failures


def test_no_bear_is_lost_when_the_individuals_are_joined(real):
    assert "bc_jacque" not in set(real["identity"])
    jacques = real.rows[real["identity"] == "bc_jaque"]
    assert len(jacques) > 0
    assert jacques["bear_name"].notna().all()
    assert real["location"].notna().all()
    assert set(real["age"].dropna()) == {"adult", "subadult", "subadult; adult"}


def test_times_are_padded_and_sources_named(real):
    rows = real.rows.set_index("image")
    photo = rows.loc["britishColumbia/melanie_20170828/bc_caramel/IMG_5819.JPG"]
    assert photo["timestamp"] == pd.Timestamp("2015-10-02 08:43:04")
    assert photo["source"] == "britishColumbia/melanie_20170828"
    assert real["source"].nunique() == 17


def test_without_the_photos_the_reader_says_how_to_do_without(real_data, bears):
    with pytest.raises(UserError, match="none of the 4669 photos is there") as error:
        bears.dataset("bearid", root=real_data / "bearid").table()
    assert "check_files=false" in error.value.cure


@pytest.fixture
def small(tmp_path, picture):
    """A root with a table of six rows, of which four can be used."""
    taken = Image.Exif()
    taken[0x010F], taken[0x0110] = "Canon", "Canon EOS 7D"
    taken.get_ifd(0x8769)[0x9003] = "2015:07:01 09:10:11"
    taken.get_ifd(0x8769)[0xA431] = "0042"
    picture("images/brooksFalls/ra/bf_1/a photo.jpg", exif=taken)
    picture("images/brooksFalls/ra/bf_1/dated.jpg")
    picture("images/britishColumbia/mc/bc_jaque/b.jpg")
    picture("images/brooksFalls/ra/bf_1/wrong.jpg")
    lines = [
        "IMAGE,LABEL,DATE,YEAR,MONTH,DAY,TIME",
        "brooksFalls/ra/bf_1/a photo.JPG,bf_1,0,0,0,0,0",
        "brooksFalls/ra/bf_1/dated.jpg,bf_1,20150702,2015,7,2,301",
        "britishColumbia/mc/bc_jaque/b.jpg,bc_jacque,20150703,2015,7,3,235959",
        "brooksFalls/ra/bf_1/gone.jpg,bf_1,20150702,2015,7,2,301",
        "brooksFalls/ra/bf_1/dated.jpg,bf_2,20150702,2015,7,2,301",
        "brooksFalls/ra/bf_1/wrong.jpg,bf_1,20151340,2015,13,40,301",
    ]
    (tmp_path / "images_info_dates.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "who.csv").write_text(
        'BearID identifier,Sex,Age category in images,Comments\nbf_1,F,"subadult;adult","a\nb"\n'
        "bc_jacque,M,adult,\nbf_9,F,adult,\n"
    )
    return tmp_path


def test_every_row_is_used_or_says_why(bears, small, capsys):
    table = bears.dataset("bearid", root=small, individuals="who.csv").table()
    assert table["image"].tolist() == [
        "images/brooksFalls/ra/bf_1/a photo.jpg",  # the table says .JPG
        "images/brooksFalls/ra/bf_1/dated.jpg",
        "images/britishColumbia/mc/bc_jaque/b.jpg",
        "images/brooksFalls/ra/bf_1/wrong.jpg",
    ]
    reasons = {(failure.row, failure.reason) for failure in table.failures}
    assert reasons == {
        (4, "the photo is not there"),
        (5, "is there twice, here as bf_2"),
    }
    said = " ".join(capsys.readouterr().err.split())
    assert "6 rows came, 4 are used, 2 left out" in said
    assert "individuals without an image: bf_9" in said
    assert "1 dates do not exist and count as missing: 20151340" in said


def test_exif_gives_the_camera_and_a_date_that_the_table_lacks(bears, small):
    rows = bears.dataset("bearid", root=small).table().rows
    assert rows["timestamp"][0] == pd.Timestamp("2015-07-01 09:10:11")
    assert rows["camera"].tolist()[0] == "Canon Canon EOS 7D 0042"
    assert rows["camera"][1:].isna().all()
    without = bears.dataset("bearid", root=small, exif=False).table().rows
    assert without["timestamp"].isna().tolist() == [True, False, False, True]


def test_aliases_go_both_ways(bears, small):
    rows = bears.dataset("bearid", root=small, individuals="who.csv").table().rows
    assert rows["identity"].tolist() == ["bf_1", "bf_1", "bc_jaque", "bf_1"]
    assert rows["sex"].tolist() == ["F", "F", "M", "F"]
    assert rows["age"][0] == "subadult; adult"


def test_folders_alone_will_do(bears, small, picture):
    picture("stray.jpg")
    table = bears.dataset("bearid", root=small, images=None).table()
    assert sorted(table["identity"]) == ["bc_jaque", "bf_1", "bf_1", "bf_1"]
    assert [failure.reason for failure in table.failures] == ["not in a folder ORIGIN/SOURCE/LABEL"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"root": "nowhere"}, "is not there"),
        ({"images": "no.csv"}, "no such table"),
        ({"individuals": "images_info_dates.csv"}, "no column 'BearID identifier'"),
    ],
)
def test_mistakes_are_said_plainly(bears, small, fields, said):
    with pytest.raises(UserError, match=said):
        bears.dataset("bearid", **{"root": small, **fields}).table()


def test_brown_bear_heads(bears, tmp_path, picture):
    for name in ("2017/Aardvark/a.JPG", "2018/Beadnose/b.JPG", "2018/Beadnose/c.JPG"):
        picture(name)
    (tmp_path / "metadata.csv").write_text(
        "image_id,identity,path,date,year,camera,split_2017,split_iid,split_ood\n"
        "0,Aardvark,2017/Aardvark/a.JPG,2017-07-01 10:00:00,2017,Canon,test,train,train\n"
        "1,Beadnose,2018/Beadnose/b.JPG,,2018,Canon,train,val,train\n"
        "2,Beadnose,2018/Beadnose/c.JPG,2018-07-01,2018,Nikon,,test,test\n"
        "3,Beadnose|Otis,2018/Beadnose/b.JPG,2018-07-01,2018,Nikon,train,test,test\n"
        "4,Otis,2018/Otis/gone.JPG,2018-07-01,2018,Nikon,train,test,test\n".replace(
            "|Otis,2018/Beadnose/b", "|Otis,2018/Otis/d"
        )
    )
    (tmp_path / "head_keypoints.csv").write_text(
        "path,keypoint_00_x,keypoint_00_y\n2017/Aardvark/a.JPG,3,4\n"
    )
    table = bears.dataset("brown-bear-heads", root=tmp_path).table()
    assert table["part"].tolist() == ["train", "val", "test"]
    assert table["camera"].tolist() == ["Canon", "Canon", "Nikon"]
    assert table["timestamp"].isna().tolist() == [False, True, False]
    assert table["keypoint_00_x"].tolist()[0] == 3
    assert {failure.reason for failure in table.failures} == {
        "named as more than one bear",
        "the image is not there",
    }
    year_out = bears.dataset("brown-bear-heads", root=tmp_path, split="2017").table()
    assert year_out["part"].fillna("none").tolist() == ["test", "train", "none"]
    blind = bears.dataset("brown-bear-heads", root=tmp_path, check_files=False).table()
    assert len(blind) == 4
