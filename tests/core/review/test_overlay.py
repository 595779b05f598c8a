"""What matches in two photos: drawn over them on demand, told where there is nothing, hidden from a second look."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.core.review.drawn import Bears
from tests.core.review.test_desk import say

from wildreid.errors import UserError
from wildreid.review.applying import Newcomers
from wildreid.review.desk import Desk
from wildreid.review.settings import Settings


@pytest.fixture
def desk(bears: Bears) -> Iterator[Desk]:
    opened = bears.opened()
    made = Desk(opened.gallery, Settings(audit=1.0, second_share=1.0))
    made.receive(Newcomers(opened, opened.identify([bears.asked])))
    made.explain = lambda key, other: ([(0.25, 0.5, 0.75, 0.5, 0.9)], "")
    yield made
    made.close()


def pair(view: dict[str, Any]) -> tuple[str, str]:
    return view["photos"][0]["key"], view["candidates"][0]["photos"][0]["key"]


def test_only_what_is_on_ones_screen_is_explained(desk: Desk) -> None:
    view = desk.next("Ann")
    assert desk.explained("Ann", pair(view))["matches"] == [(0.25, 0.5, 0.75, 0.5, 0.9)]
    for who, asked in (("Bob", pair(view)), ("Ann", ("x", "y"))):
        with pytest.raises(UserError, match="not on your screen"):
            desk.explained(who, asked)


def test_a_second_look_sees_nothing_of_it(desk: Desk) -> None:
    view = desk.next("Ann")
    say(desk, view, "same")
    assert desk.settle(20)
    while not (second := desk.next("Bob"))["blind"]:
        say(desk, second, "bad-photo", who="Bob", reason="dark")
    found = desk.explained("Bob", pair(second))
    assert found["matches"] == []
    assert "second look" in found["why"]


def test_a_gallery_without_local_features_says_how_to_add_them(bears: Bears) -> None:
    pytest.importorskip("starlette", reason="the extra review is not installed")
    from wildreid.gallery.store import Gallery
    from wildreid.review.building import Built
    from wildreid.review.serving import Address, prepare

    desk = Desk(Gallery(bears.folder), Settings(audit=1.0))
    built = Built(desk, bears.folder, Address(), name="127.0.0.1:1")
    prepare(built, [bears.asked], None)
    found = desk.explained("Ann", pair(desk.next("Ann")))
    assert found["matches"] == []
    assert "reid gallery features" in found["why"]
    desk.close()
