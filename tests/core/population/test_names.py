from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from wildreid.population.names import codes, file_names, plain


def test_plain_names() -> None:
    assert [plain(name) for name in ("F01", "Björn #2", ";*/", "a_b", "Ærø")] == [
        "F01",
        "Bjorn-2",
        "x",
        "a-b",
        "r",
    ]


def test_one_that_is_taken_gets_a_number_and_plain_names_stay() -> None:
    assert codes(["a b", "a-b", "A-B", "a;b"]) == {
        "A-B": "A-B",
        "a-b": "a-b.2",
        "a b": "a-b.3",
        "a;b": "a-b.4",
    }


@given(st.sets(st.text(min_size=1), max_size=20))
def test_every_name_has_its_own(names: set[str]) -> None:
    found = codes(names)
    assert set(found) == names
    assert len({code.casefold() for code in found.values()}) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9.-]+", code) for code in found.values())


@given(st.sets(st.text(min_size=1).filter(lambda text: text.strip("/. ")), max_size=20))
def test_files_are_flat_and_fit_every_form(images: set[str]) -> None:
    found = file_names(images)
    assert len({name.casefold() for name in found.values()}) == len(images)
    for name in found.values():
        assert re.fullmatch(r"[A-Za-z0-9.]+", name)
        assert re.fullmatch(r"^(?=^[^./~])(^((?!\.{2}).)*$).*$", f"media/{name}")


def test_files_keep_what_they_can() -> None:
    assert file_names(["who01/IMG_1.JPG", "who01/img-1.jpg"]) == {
        "who01/IMG_1.JPG": "who01.IMG.1.JPG",
        "who01/img-1.jpg": "who01.img.1.2.jpg",
    }
