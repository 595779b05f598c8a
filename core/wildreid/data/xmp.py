"""What people wrote into a photo: the keywords and named regions of XMP, from the file or its sidecar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

Element = ElementTree.Element

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_REGIONS = "{http://www.metadataworkinggroup.com/schemas/regions/}"
_AREA = "{http://ns.adobe.com/xmp/sType/Area#}"
_SIZE = "{http://ns.adobe.com/xap/1.0/sType/Dimensions#}"
_SUBJECT = "{http://purl.org/dc/elements/1.1/}subject"
_MORE = "{http://ns.adobe.com/xmp/note/}HasExtendedXMP"
_TREES = {
    "{http://ns.adobe.com/lightroom/1.0/}hierarchicalSubject": "|",
    "{http://www.digikam.org/ns/1.0/}TagsList": "/",
    "{http://ns.iview-multimedia.com/mediapro/1.0/}CatalogSets": "|",
    "{http://ns.microsoft.com/photo/1.0/}LastKeywordXMP": "/",
}
"""The properties that hold keywords as trees, in the order that they are asked, and what parts a keyword."""


@dataclass(frozen=True)
class Region:
    """A named part of a photo, as it is there.

    Attributes:
        name: whom or what it shows.
        type: Face, Pet, Focus, BarCode, or empty.
        unit: of the numbers; ``normalized`` are shares of the photo.
        x, y: its centre.
        width, height: its sides.
    """

    name: str
    type: str
    unit: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Written:
    """What one packet of XMP says.

    Attributes:
        trees: keywords as trees, each its parts from the root on; a tuple of them for each property that has
            any, in the order in which they are to be asked.
        flat: keywords without a tree.
        regions: the named regions.
        drawn_on: width and height of the picture that they were drawn on; None where it is not told.
        unfinished: whether it says that more stands in an extended packet, which Pillow does not give.
    """

    trees: tuple[tuple[tuple[str, ...], ...], ...] = ()
    flat: tuple[str, ...] = ()
    regions: tuple[Region, ...] = ()
    drawn_on: tuple[float, float] | None = None
    unfinished: bool = False

    def below(self, tag: str) -> tuple[str, ...]:
        """The names that keywords give below a tag, each the deepest part: ``tag|pride A|Bella`` is Bella.

        The first property with such a keyword is asked alone: programs write one keyword into several. The
        tag may stand at any depth and in any case; a keyword that another one goes on from is no name.
        """
        wanted = tag.strip().casefold()
        for keywords in self.trees:
            found = [
                keyword
                for keyword in keywords
                if wanted in (part.casefold() for part in keyword[:-1])  # something stands below it
            ]
            deepest = [
                keyword
                for keyword in found
                if not any(len(other) > len(keyword) and other[: len(keyword)] == keyword for other in found)
            ]
            if deepest:
                return tuple(dict.fromkeys(keyword[-1] for keyword in deepest))
        return ()


def read_xmp(packet: bytes) -> Written:
    """Read a packet of XMP.

    Raises:
        ValueError: it is no XML, declares a document type (whose entities could do harm), or holds a region
            that is none.
    """
    parser = ElementTree.XMLParser(target=_NoDoctype())
    try:
        parser.feed(packet.strip(b"\0 \t\r\n"))
        root: Element = parser.close()
    except ElementTree.ParseError as error:
        raise ValueError(f"its XMP cannot be read: {error}") from None
    about = list(root.iter(f"{_RDF}Description"))
    trees = []
    for name, sign in _TREES.items():
        keywords = [
            tuple(part.strip() for part in text.split(sign) if part.strip())
            for one in about
            for text in _items(one.find(name))
        ]
        if any(keywords):
            trees.append(tuple(dict.fromkeys(keyword for keyword in keywords if keyword)))
    regions, drawn_on = [], None
    for one in about:
        if (inside := one.find(f"{_REGIONS}Regions")) is not None:
            listed = _inner(inside, f"{_REGIONS}RegionList")
            regions += [_region(item) for item in (() if listed is None else listed.iterfind(f"*/{_RDF}li"))]
            drawn_on = _size(_inner(inside, f"{_REGIONS}AppliedToDimensions"))
    return Written(
        trees=tuple(trees),
        flat=tuple(dict.fromkeys(text for one in about for text in _items(one.find(_SUBJECT)))),
        regions=tuple(region for region in regions if region.name),
        drawn_on=drawn_on,
        unfinished=any(_text(one, _MORE) for one in about),
    )


class _NoDoctype(ElementTree.TreeBuilder):
    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise ValueError("its XMP declares a document type, which is not read")


def _items(bag: Element | None) -> Iterator[str]:
    """The texts of a bag or sequence, or of a property that holds one text."""
    if bag is None:
        return
    items = list(bag.iter(f"{_RDF}li")) or [bag]
    for item in items:
        if text := (item.text or "").strip():
            yield text


def _region(item: Element) -> Region:
    area = _inner(item, f"{_REGIONS}Area")
    name = _text(item, f"{_REGIONS}Name")
    sides = [_text(area, f"{_AREA}{side}") for side in "xywh"] if area is not None else []
    try:
        x, y, width, height = map(float, sides)
    except ValueError:
        if name:
            raise ValueError(f"the region '{name}' has no area of four numbers: x, y, w, h") from None
        x = y = width = height = 0.0
    unit = "" if area is None else _text(area, f"{_AREA}unit")
    return Region(name, _text(item, f"{_REGIONS}Type"), unit or "normalized", x, y, width, height)


def _size(element: Element | None) -> tuple[float, float] | None:
    if element is None:
        return None
    try:
        width, height = float(_text(element, f"{_SIZE}w")), float(_text(element, f"{_SIZE}h"))
    except ValueError:
        return None
    return (width, height) if width > 0 and height > 0 else None


def _inner(element: Element, name: str) -> Element | None:
    """A structure inside another: directly, or in a Description of its own."""
    found = element.find(name)
    return found if found is not None else element.find(f"{_RDF}Description/{name}")


def _text(element: Element, name: str) -> str:
    """A field, written as an attribute or an element, of the structure or of a Description inside it."""
    for holder in (element, *element.findall(f"{_RDF}Description")):
        found = holder.get(name) or holder.findtext(name)
        if found and found.strip():
            return re.sub(r"\s+", " ", found.strip())
    return ""
