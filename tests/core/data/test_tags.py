from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from tests.core.data.test_xmp import bag, packet

from wildreid.data.files import find_images
from wildreid.data.table import BOX, Table
from wildreid.data.tags import Tags, tagged


def photo(path: Path, xmp: bytes = b"", *, size: tuple[int, int] = (64, 48), turn: int = 1) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path, exif=exif, **({"xmp": xmp} if xmp else {}))


def keywords(*words: str) -> bytes:
    return packet(bag("lr:hierarchicalSubject", *words))


def region(
    name: str, *, area: str = "x='0.5' y='0.5' w='0.25' h='0.5'", kind: str = "Pet", unit: str = "normalized"
) -> str:
    sides = area.replace(" ", " stArea:")
    return (
        f"<rdf:li><rdf:Description mwg-rs:Name='{name}' mwg-rs:Type='{kind}'>"
        f"<mwg-rs:Area stArea:{sides} stArea:unit='{unit}'/></rdf:Description></rdf:li>"
    )


def regions(*items: str, drawn_on: tuple[int, int] | None = (64, 48)) -> str:
    on = f"<mwg-rs:AppliedToDimensions stDim:w='{drawn_on[0]}' stDim:h='{drawn_on[1]}'/>" if drawn_on else ""
    listed = f"<mwg-rs:RegionList><rdf:Bag>{''.join(items)}</rdf:Bag></mwg-rs:RegionList>"
    return f"<mwg-rs:Regions rdf:parseType='Resource'>{on}{listed}</mwg-rs:Regions>"


def read(root: Path, tags: Tags = Tags("individual")) -> Table:  # noqa: B008
    images, others = find_images(root)
    table = tagged(pd.DataFrame({"image": images}), root, tags, others=others).table(form="photos")
    assert table.origin is not None
    assert table.origin.records == len(table) + len(table.failures)
    return table


def who(table: Table) -> dict[str, str | None]:
    return {
        image: None if pd.isna(name) else name
        for image, name in zip(table["image"], table["identity"], strict=True)
    }


def boxes(table: Table) -> dict[str, list[float]]:
    return dict(zip(table["identity"], table.rows[list(BOX)].astype(float).to_numpy().tolist(), strict=True))


def test_the_keyword_files_give_what_they_should(real_data: Path) -> None:
    table = read(real_data / "formats/keywords")
    assert who(table) == {
        "flat.jpg": "Bella", "deep.jpg": "Bella", "lr.jpg": "Bella", "slashname.jpg": "F/12", "mwg.jpg": "Bella",
        "sidecar.jpg": "Bella", "subjectonly.jpg": None,
    }  # fmt: skip
    assert boxes(table.with_rows(table.rows[table["image"] == "mwg.jpg"])) == {"Bella": [24, 12, 16, 24]}
    assert {failure.image for failure in table.failures} == {"two.jpg", "LICENCE.md"}


def test_a_pride_is_no_lioness(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg", keywords("individual|pride A|Bella"))
    assert who(read(tmp_path)) == {"a.jpg": "Bella"}


def test_two_names_without_regions_are_failures_and_with_regions_two_rows(tmp_path: Path) -> None:
    photo(tmp_path / "two.jpg", keywords("individual|A", "individual|B"))
    both = bag("lr:hierarchicalSubject", "individual|A", "individual|B")
    left, right = (
        region(name, area=f"x='{x}' y='0.5' w='0.25' h='0.5'") for name, x in (("A", 0.25), ("B", 0.75))
    )
    photo(tmp_path / "apart/two.jpg", packet(both, regions(left, right)))
    table = read(tmp_path)
    assert boxes(table) == {"A": [8, 12, 16, 24], "B": [40, 12, 16, 24]}
    assert [(failure.image, failure.kind) for failure in table.failures] == [
        ("two.jpg", "2 individuals on one photo without boxes")
    ] * 2


def test_a_name_that_no_region_has_is_a_failure_beside_the_rows_that_have_one(tmp_path: Path) -> None:
    both = bag("lr:hierarchicalSubject", "individual|A", "individual|B")
    photo(tmp_path / "a.jpg", packet(both, regions(region("A"))))
    table = read(tmp_path)
    assert boxes(table) == {"A": [24, 12, 16, 24]}
    assert len(table.failures) == 1


def test_a_sidecar_is_asked_where_the_photo_says_nothing(tmp_path: Path) -> None:
    for name in ("a", "b", "c", "d"):
        photo(tmp_path / f"{name}.jpg", keywords("individual|Cara") if name in "cd" else b"")
    (tmp_path / "a.XMP").write_bytes(keywords("individual|Bella"))
    (tmp_path / "b.jpg.xmp").write_bytes(keywords("individual|Bella"))
    (tmp_path / "c.xmp").write_bytes(keywords("individual|Bella"))
    (tmp_path / "d.xmp").write_bytes(keywords("Species|Lion"))
    (tmp_path / "e.xmp").write_bytes(keywords("individual|Bella"))
    table = read(tmp_path)
    assert who(table) == {"a.jpg": "Bella", "b.jpg": "Bella", "d.jpg": "Cara"}
    assert {(failure.image, failure.reason) for failure in table.failures} == {
        ("c.jpg", "the photo and its sidecar name different animals: Cara and Bella"),
        ("e.xmp", "a sidecar of no photo that is here"),
    }


def test_a_sidecar_may_add_the_box_of_a_name(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg", keywords("individual|Bella"))
    (tmp_path / "a.jpg.xmp").write_bytes(packet(regions(region("Bella"))))
    assert boxes(read(tmp_path)) == {"Bella": [24, 12, 16, 24]}


@pytest.mark.parametrize(
    ("turn", "expected"),
    # stored 64 × 48, upright 48 × 64; the region's corners in the stored photo are 24, 0 and 40, 24
    [(6, [24, 24, 24, 16]), (8, [0, 24, 24, 16])],
)
def test_regions_drawn_on_the_photo_as_stored_are_turned_with_it(
    tmp_path: Path, turn: int, expected: list[float]
) -> None:
    item = region("Bella", area="x='0.5' y='0.25' w='0.25' h='0.5'")
    photo(tmp_path / "a.jpg", packet(regions(item)), turn=turn)
    assert boxes(read(tmp_path)) == {"Bella": expected}


def test_regions_drawn_on_the_photo_as_seen_are_left(tmp_path: Path) -> None:
    item = region("Bella", area="x='0.5' y='0.25' w='0.25' h='0.5'")
    photo(
        tmp_path / "a.jpg", packet(regions(item, drawn_on=(480, 640))), turn=6
    )  # of the photo before it shrank
    photo(tmp_path / "b.jpg", packet(regions(item.replace("Bella", "Cara"), drawn_on=None)), turn=6)
    assert boxes(read(tmp_path)) == {"Bella": [18, 0, 12, 32], "Cara": [18, 0, 12, 32]}


@pytest.mark.parametrize(
    ("item", "drawn_on", "reason"),
    [
        (region("Bella"), (64, 64), "its regions were drawn on a picture of 64 × 64"),
        (region("Bella", unit="pixel"), (64, 48), "is in pixel, not in shares"),
        (region("Bella", area="x='nan' y='0' w='1' h='1'"), (64, 48), "a number missing"),
        (region("Bella", area="x='0.5' y='0.5' w='0' h='1'"), (64, 48), "no area"),
        (region("Bella", area="x='0.9' y='0.5' w='0.5' h='1'"), (64, 48), "leaves the photo"),
    ],
)
def test_a_region_that_cannot_be_used_is_a_failure(
    tmp_path: Path, item: str, drawn_on: tuple[int, int], reason: str
) -> None:
    photo(tmp_path / "a.jpg", packet(regions(item, drawn_on=drawn_on)))
    table = read(tmp_path)
    assert len(table) == 0
    assert reason in table.failures[0].reason


def test_regions_count_by_their_type(tmp_path: Path) -> None:
    items = [region(name, kind=kind, area=f"x='{x}' y='0.5' w='0.1' h='0.5'") for name, kind, x in (
        ("Bella", "Pet", 0.2), ("Anna", "Face", 0.4), ("0123", "BarCode", 0.6), ("there", "Focus", 0.8),
    )]  # fmt: skip
    photo(tmp_path / "a.jpg", packet(regions(*items)))
    assert set(read(tmp_path)["identity"]) == {"Bella", "Anna"}
    assert set(read(tmp_path, Tags("individual", regions=frozenset({"pet"})))["identity"]) == {"Bella"}
    assert read(tmp_path, Tags("individual", regions=frozenset()))["identity"].isna().all()


def test_flat_keywords_are_names_only_if_asked(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg", packet(bag("dc:subject", "lion", "Bella")))
    photo(tmp_path / "b.jpg", packet(bag("dc:subject", "lion", "F12")))
    photo(
        tmp_path / "c.jpg",
        packet(bag("dc:subject", "Bella"), bag("lr:hierarchicalSubject", "individual|Cara")),
    )
    assert who(read(tmp_path)) == {"a.jpg": None, "b.jpg": None, "c.jpg": "Cara"}
    tags = Tags("individual", flat=frozenset({"Bella"}), pattern="F[0-9]+")
    assert who(read(tmp_path, tags)) == {"a.jpg": "Bella", "b.jpg": "F12", "c.jpg": "Cara"}


def test_flat_keywords_of_iptc_are_read_too(tmp_path: Path) -> None:
    words = [b"Bella", "Åse".encode(), "Zoë".encode("latin-1")]
    data = b"".join(b"\x1c\x02\x19" + len(word).to_bytes(2, "big") + word for word in words)
    block = b"8BIM\x04\x04\x00\x00" + len(data).to_bytes(4, "big") + data + b"\0" * (len(data) % 2)
    segment = b"Photoshop 3.0\0" + block
    photo(tmp_path / "a.jpg")
    jpeg = (tmp_path / "a.jpg").read_bytes()
    marker = b"\xff\xed" + (len(segment) + 2).to_bytes(2, "big") + segment
    (tmp_path / "a.jpg").write_bytes(jpeg[:2] + marker + jpeg[2:])
    for name in ("Bella", "Åse", "Zoë"):
        assert who(read(tmp_path, Tags("individual", flat=frozenset({name})))) == {"a.jpg": name}
    assert who(read(tmp_path)) == {"a.jpg": None}


def test_what_is_damaged_is_a_failure_of_its_photo_alone(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg", b"<!DOCTYPE a><a/>")
    photo(tmp_path / "b.jpg", b"<a")
    photo(tmp_path / "c.jpg", packet(attributes="xmpNote:HasExtendedXMP='1F'"))
    photo(tmp_path / "d.jpg", keywords("individual|Bella"))
    (tmp_path / "e.jpg").write_text("no image")  # told when its pixels are asked for
    table = read(tmp_path)
    assert who(table) == {"d.jpg": "Bella", "e.jpg": None}
    assert [failure.kind for failure in table.failures] == [
        "what is written in it cannot be used", "what is written in it cannot be used",
        "its XMP goes on in an extended packet, which is not read",
    ]  # fmt: skip


def test_png_and_tiff_carry_xmp_too(tmp_path: Path) -> None:
    from PIL import PngImagePlugin, TiffImagePlugin

    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", keywords("individual|Bella").decode())
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png", pnginfo=info)
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[700] = keywords("individual|Cara")
    Image.new("RGB", (8, 8)).save(tmp_path / "b.tif", tiffinfo=tags)
    assert who(read(tmp_path)) == {"a.png": "Bella", "b.tif": "Cara"}
