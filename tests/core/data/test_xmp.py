from __future__ import annotations

import pytest

from wildreid.data.xmp import Region, read_xmp

HEAD = (
    "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
    "<rdf:Description xmlns:lr='http://ns.adobe.com/lightroom/1.0/' xmlns:digiKam='http://www.digikam.org/ns/1.0/'"
    " xmlns:dc='http://purl.org/dc/elements/1.1/'"
    " xmlns:mwg-rs='http://www.metadataworkinggroup.com/schemas/regions/'"
    " xmlns:stArea='http://ns.adobe.com/xmp/sType/Area#'"
    " xmlns:stDim='http://ns.adobe.com/xap/1.0/sType/Dimensions#'"
    " xmlns:mediapro='http://ns.iview-multimedia.com/mediapro/1.0/'"
    " xmlns:MicrosoftPhoto='http://ns.microsoft.com/photo/1.0/' xmlns:xmpNote='http://ns.adobe.com/xmp/note/'"
)
TAIL = "</rdf:Description></rdf:RDF></x:xmpmeta>"


def bag(name: str, *words: str, kind: str = "Bag") -> str:
    return (
        f"<{name}><rdf:{kind}>{''.join(f'<rdf:li>{word}</rdf:li>' for word in words)}</rdf:{kind}></{name}>"
    )


def packet(*properties: str, attributes: str = "") -> bytes:
    return f"{HEAD} {attributes}>{''.join(properties)}{TAIL}".encode()


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("individual|Bella",), ("Bella",)),
        (("individual|pride A|Bella",), ("Bella",)),
        (
            ("individual", "individual|pride A", "individual|pride A|Bella"),
            ("Bella",),
        ),  # digiKam writes parents
        (("Animals|Individual | Bella ",), ("Bella",)),
        (("individual|F/12",), ("F/12",)),
        (("individual|1", "individual|2"), ("1", "2")),
        (("individual|A", "individual|AB"), ("A", "AB")),  # no part of a name is a parent
        (("individuals|1", "Bella", "Bella|individual"), ()),
        (("individual|M&amp;M",), ("M&M",)),
    ],
)
def test_a_name_is_the_deepest_part_below_the_tag(words: tuple[str, ...], names: tuple[str, ...]) -> None:
    assert read_xmp(packet(bag("lr:hierarchicalSubject", *words))).below("individual") == names


def test_the_first_property_that_has_the_tag_is_asked_and_each_has_its_sign() -> None:
    tree = bag("lr:hierarchicalSubject", "Species|Lion")
    tags = bag("digiKam:TagsList", "individual/F|12", kind="Seq")
    sets = bag("mediapro:CatalogSets", "individual|Cara")
    windows = bag("MicrosoftPhoto:LastKeywordXMP", "individual/Dora")
    assert read_xmp(packet(windows, sets, tags, tree)).below("individual") == ("F|12",)
    assert read_xmp(packet(windows, sets, tree)).below("individual") == ("Cara",)
    assert read_xmp(packet(windows)).below("individual") == ("Dora",)


def test_flat_keywords_are_no_trees() -> None:
    written = read_xmp(packet(bag("dc:subject", "individual", "Bella")))
    assert written.below("individual") == ()
    assert written.flat == ("individual", "Bella")


AS_ELEMENTS = (
    "<rdf:li rdf:parseType='Resource'><mwg-rs:Name>Bella</mwg-rs:Name><mwg-rs:Type>Pet</mwg-rs:Type>"
    "<mwg-rs:Area rdf:parseType='Resource'><stArea:x>0.5</stArea:x><stArea:y>0.4</stArea:y>"
    "<stArea:w>0.25</stArea:w><stArea:h>0.5</stArea:h><stArea:unit>normalized</stArea:unit></mwg-rs:Area></rdf:li>"
)
AS_ATTRIBUTES = (
    "<rdf:li><rdf:Description mwg-rs:Name='Bella' mwg-rs:Type='Pet'>"
    "<mwg-rs:Area stArea:x='0.5' stArea:y='0.4' stArea:w='0.25' stArea:h='0.5' stArea:unit='normalized'/>"
    "</rdf:Description></rdf:li>"
)


@pytest.mark.parametrize("item", [AS_ELEMENTS, AS_ATTRIBUTES])
def test_regions_are_read_in_both_forms(item: str) -> None:
    regions = (
        "<mwg-rs:Regions rdf:parseType='Resource'><mwg-rs:AppliedToDimensions stDim:w='64' stDim:h='48'/>"
        f"<mwg-rs:RegionList><rdf:Bag>{item}</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"
    )
    written = read_xmp(packet(regions))
    assert written.regions == (Region("Bella", "Pet", "normalized", 0.5, 0.4, 0.25, 0.5),)
    assert written.drawn_on == (64, 48)


def test_a_region_without_numbers_is_told_and_one_without_a_name_is_none() -> None:
    items = "<rdf:li mwg-rs:Type='Face'/><rdf:li mwg-rs:Name='Bella'/>"
    regions = (
        "<mwg-rs:Regions><rdf:Description><mwg-rs:RegionList><rdf:Bag>{}</rdf:Bag></mwg-rs:RegionList>"
        "</rdf:Description></mwg-rs:Regions>"
    )
    assert read_xmp(packet(regions.format(items[: items.index("/>") + 2]))).regions == ()
    with pytest.raises(ValueError, match="'Bella' has no area of four numbers"):
        read_xmp(packet(regions.format(items)))


def test_a_document_type_is_refused_before_its_entities_are_read() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'
    for text in (bomb.encode(), bomb.encode("utf-16")):
        with pytest.raises(ValueError, match="document type"):
            read_xmp(text)


@pytest.mark.parametrize("text", [b"", b"<", b"<a></b>", b"\xff\xfe\x00", b"no xml"])
def test_what_is_no_xml_is_told(text: bytes) -> None:
    with pytest.raises(ValueError, match="its XMP cannot be read"):
        read_xmp(text)


def test_padding_and_processing_instructions_do_not_matter() -> None:
    text = b"<?xpacket begin='\xef\xbb\xbf' id='W5M0'?>" + packet(bag("dc:subject", "Bella")) + b" " * 99
    assert read_xmp(text + b"<?xpacket end='w'?>\0").flat == ("Bella",)


def test_that_more_stands_elsewhere_is_known() -> None:
    assert read_xmp(packet(attributes="xmpNote:HasExtendedXMP='1F'")).unfinished
    assert not read_xmp(packet()).unfinished
