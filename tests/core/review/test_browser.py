"""An evening's review by keyboard alone, in a real browser; nothing serious for axe-core; pictures for the docs."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from tests.core.review.conftest import Serve
from tests.core.review.drawn import Bears
from typer.testing import CliRunner

from wildreid.cli import app
from wildreid.gallery.store import Gallery
from wildreid.review.applying import Made
from wildreid.review.journal import FILE, read, standing

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SETTLED = 320
"""Milliseconds after which the page takes a decision on a new picture."""


class Reviewer:
    """A person with a keyboard, who knows who is on each photo."""

    def __init__(self, browser: Browser, url: str, name: str, **screen: Any) -> None:
        self.context = browser.new_context(viewport={"width": 1280, "height": 800}, **screen)
        self.page: Page = self.context.new_page()
        self.said: list[str] = []
        self.view: dict[str, Any] = {}
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("response", self._seen)
        self.page.goto(url)
        self.page.keyboard.type(name)
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector("#desk:not([hidden])")

    def _seen(self, response: Any) -> None:
        if "/api/task" in response.url and response.ok:
            self.view = response.json()

    def press(self, key: str) -> str:
        """Press a key and return what the page says then."""
        self.page.wait_for_timeout(SETTLED)
        before = self.page.inner_text("#told")
        self.page.keyboard.press(key)
        self.until(lambda: self.page.inner_text("#told") != before)
        return self.page.inner_text("#told")

    def press_until(self, key: str, words: str) -> str:
        """Press a key and return what the page says once it says these words."""
        self.page.wait_for_timeout(SETTLED)
        self.page.keyboard.press(key)
        self.until(lambda: words in self.page.inner_text("#told"))
        return self.page.inner_text("#told")

    def enter_again(self, name: str) -> None:
        """Load the page, which has forgotten who one is, and say it."""
        self.page.reload()
        self.page.wait_for_selector("#enter[open]")
        self.page.fill("#enter-name", name)
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector("#desk:not([hidden])")

    def until(self, seen: Callable[[], bool]) -> None:
        """Wait for something; the page's policy lets nothing be evaluated in it."""
        for _ in range(500):
            if seen():
                return
            self.page.wait_for_timeout(20)
        raise AssertionError(f"not seen; the page says: {self.page.inner_text('body')[:500]}")

    def answer(self, names: list[str], who: str) -> str:
        """The key for who it is."""
        return str(names.index(who) + 1) if who in names else "n"


def test_an_evening(bears: Bears, serving: Serve, browser: Browser, tmp_path: Path) -> None:
    truth = bears.truth()
    rows = bears.opened().identify([bears.asked]).rows
    image = dict(zip(rows["key"], rows["image"], strict=True))
    shutil.copytree(bears.folder, tmp_path / "by-hand")
    url = serving(bears.folder, [bears.asked], audit=1.0, second_share=0.1, order="date")
    ann = Reviewer(browser, url, "Ann")
    called: dict[str, str] = {}  # new bears, by what they are called
    undone = differed = False
    for turn in range(40):
        if ann.view["task"] is None:
            break
        who = truth[image[ann.view["photos"][0]["key"]]]
        names = [one["name"] for one in ann.view["candidates"]]
        if turn == 5 and not undone:
            ann.press("n")  # a slip
            assert "undone" in ann.press("z")
            undone = True
            continue
        if called.get(who, who) not in names and not differed:
            assert names[0] in ann.press("d")  # not this one
            differed = True
            continue
        key = ann.answer(names, called.get(who, who))
        told = ann.press(key)
        if key == "n":
            lines, _, _ = read(bears.folder / FILE)
            called[who] = str(lines[-1].individual)
            assert "a new individual" in told
        else:
            assert told.endswith(called.get(who, who))
    assert ann.view["task"] is None
    assert ann.page.inner_text("#question") == "Done"
    bob = Reviewer(browser, url, "Bob")
    second = 0
    while bob.view["task"] is not None:
        assert bob.view["blind"]
        assert "%" not in bob.page.inner_text("#candidates")
        bob.press("n")
        second += 1
        if second > 30 or bob.view.get("settles"):
            break
    assert second > 0
    assert not ann.said + bob.said
    lines, _, _ = read(bears.folder / FILE)
    state = Gallery(bears.folder).state
    assert {"undo", "new", "different", "same"} <= {line.decision for line in lines}
    assert state.images == 24 + 60
    assert sum(line.blind for line in lines) == second
    by_hand(bears, tmp_path / "by-hand", lines)
    assert Gallery(tmp_path / "by-hand").state.digest() == state.digest()
    for who, images in pd.Series(truth).groupby(truth).groups.items():
        mine = [key for key, name in image.items() if name in set(images)]
        assert {state.individuals[state.codes[state.row_of[key]]] for key in mine} == {
            called.get(str(who), who)
        }
    assert Made.of(state).live


def by_hand(bears: Bears, folder: Path, lines: list[Any]) -> None:
    """The same decisions by `reid gallery add`."""
    rows = bears.opened().identify([bears.asked]).rows.set_index("key")
    photos = pd.read_csv(bears.asked).set_index("image")
    decided = []
    for line in standing(lines):
        if line.decision in ("same", "new") and not line.blind:
            for key in line.keys:
                name = rows.loc[key, "image"]
                said = {"identity": line.individual, "method": "human", "decided_by": line.reviewer}
                decided.append({"image": name, **photos.loc[name], **said, "decided_at": line.time})
    table = bears.asked.with_name("decided.csv")
    pd.DataFrame(decided).to_csv(table, index=False)
    result = CliRunner().invoke(app, ["gallery", "add", str(folder), str(table)])
    assert result.exit_code == 0, result.output
    table.unlink()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_and_nothing_is_too_wide(
    bears: Bears, serving: Serve, browser: Browser, scheme: str
) -> None:
    axe = pytest.importorskip("axe_core_python.sync_playwright", reason="axe-core-python is not installed")
    url = serving(bears.folder, [bears.asked], audit=1.0, confidence=True)
    ann = Reviewer(browser, url, "Ann", color_scheme=scheme, reduced_motion="reduce")
    pictures = os.environ.get("WILDREID_PICTURES")
    for width in (1280, 768, 320):
        ann.page.set_viewport_size({"width": width, "height": 800})
        ann.page.wait_for_timeout(200)
        assert ann.page.evaluate("document.documentElement.scrollWidth") <= width
        found = axe.Axe().run(ann.page)
        serious = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
        assert not serious, json.dumps(serious, indent=1)[:3000]
        small = ann.page.eval_on_selector_all(
            "main button, footer button, header button",
            "all => all.map(it => it.getBoundingClientRect())"
            ".filter(it => it.width && Math.min(it.width, it.height) < 24).length",
        )
        assert small == 0
        if pictures:
            ann.page.screenshot(path=Path(pictures) / f"desk-{scheme}-{width}.png", full_page=width < 700)
    for key in ("?", "u", "v", "/"):
        ann.page.keyboard.press(key)
        ann.page.wait_for_selector("dialog[open]")
        found = axe.Axe().run(ann.page)
        assert not [one for one in found["violations"] if one["impact"] in ("serious", "critical")], key
        ann.page.keyboard.press("Escape")
    assert not ann.said


def test_no_key_decides_while_typing_or_on_another_question(
    bears: Bears, serving: Serve, browser: Browser
) -> None:
    url = serving(bears.folder, [bears.asked], audit=1.0)
    ann = Reviewer(browser, url, "Ann")
    ann.page.wait_for_timeout(SETTLED)
    ann.page.keyboard.press("/")
    ann.page.wait_for_selector("#find[open]")
    ann.page.keyboard.type("nds")
    ann.page.keyboard.press("Escape")
    for _ in range(3):
        ann.page.keyboard.down("n")  # held down, it repeats and is not let go
    lines, _, _ = read(bears.folder / FILE)
    assert lines == []
    ann.page.keyboard.up("n")
    ann.until(lambda: "Decision" in ann.page.inner_text("#told"))
    lines, _, _ = read(bears.folder / FILE)
    assert [line.decision for line in lines] == ["new"]
    ann.page.keyboard.press("?")
    ann.page.uncheck("#keys-on")
    ann.page.keyboard.press("Escape")
    ann.page.wait_for_timeout(SETTLED)
    ann.page.keyboard.press("n")
    ann.page.wait_for_timeout(200)
    assert len(read(bears.folder / FILE)[0]) == 1


def test_a_conflict_is_shown_and_asked_again(bears: Bears, serving: Serve, browser: Browser) -> None:
    url = serving(bears.folder, [bears.asked], audit=1.0)
    ann = Reviewer(browser, url, "Ann")
    name = ann.view["candidates"][0]["name"]
    Gallery(bears.folder).rename(name, "Otis")
    ann.page.wait_for_timeout(SETTLED)
    ann.page.keyboard.press("Space")
    ann.page.wait_for_selector("#trouble:not([hidden])")
    assert f"'{name}' is now 'Otis'" in ann.page.inner_text("#trouble")
    ann.until(lambda: ann.page.inner_text("#right-title") == "Otis")
    assert "Otis" in ann.press("Space")


def test_matches_are_drawn_on_demand(bears: Bears, serving: Serve, browser: Browser) -> None:
    asked: list[tuple[str, str]] = []

    def explain(key: str, other: str) -> tuple[list[tuple[float, ...]], str]:
        asked.append((key, other))
        return (
            ([(0.25, 0.5, 0.75, 0.5, 0.9), (0.5, 0.5, 0.5, 0.5, 0.2)], "") if len(asked) < 2 else ([], "none")
        )

    url = serving(bears.folder, [bears.asked], audit=1.0, explain=explain)
    ann = Reviewer(browser, url, "Ann")
    ann.page.wait_for_timeout(SETTLED)
    assert ann.page.locator(".stage svg").count() == 0, "off by default"
    assert not asked
    assert "2 points match" in ann.press_until("o", "points match")
    ann.until(lambda: ann.page.locator(".stage svg").count() == 2)
    assert ann.page.locator("#left-stage circle").count() == 2
    assert ann.page.locator("#left-stage text").all_text_contents() == ["1", "2"]
    stage, dot = (ann.page.locator(f"#left-stage{one}").first.bounding_box() for one in ("", " circle"))
    assert stage is not None
    assert dot is not None
    side = min(stage["width"], stage["height"])  # the drawn bears are square
    left = stage["x"] + (stage["width"] - side) / 2
    assert abs(dot["x"] + dot["width"] / 2 - (left + 0.25 * side)) < 2
    assert asked == [(ann.view["photos"][0]["key"], ann.view["candidates"][0]["photos"][0]["key"])]
    ann.press_until("ArrowRight", "none")
    assert ann.page.locator(".stage svg circle").count() == 0
    assert not ann.said


def test_keys_are_changed_by_each_reviewer(bears: Bears, serving: Serve, browser: Browser) -> None:
    url = serving(bears.folder, [bears.asked], audit=1.0)
    ann = Reviewer(browser, url, "Ann")
    page = ann.page

    def change(act: str, key: str) -> str:
        page.click(f"[data-change={act}]")
        ann.until(lambda: "Press the key" in page.inner_text("#keys-told"))
        page.keyboard.press(key)
        ann.until(lambda: "Press the key" not in page.inner_text("#keys-told"))
        return page.inner_text("#keys-told")

    page.keyboard.press("?")
    page.wait_for_selector("#help[open]")
    assert change("new", "d") == "D is taken: it is a different animal than the marked one"
    assert "cannot be given away" in change("new", "3")
    assert change("new", "Escape") == "Nothing is changed"
    assert page.locator("#help[open]").count() == 1
    assert change("new", "q") == "Q: a new individual"
    assert change("cannot-tell", "n") == "N: cannot tell", "what was given up is free"
    listed = page.locator("tr[data-act] td:nth-child(2)").all_inner_texts()
    every = [key for text in listed for key in text.split(", ")]
    assert len(every) == len(set(every))
    page.keyboard.press("Escape")
    assert page.inner_text("[data-decide=new] kbd") == "Q"
    assert "a new individual" in ann.press("q")
    assert "cannot tell" in ann.press("n")
    page.reload()
    page.wait_for_selector("#desk:not([hidden])")
    assert page.inner_text("[data-decide=new] kbd") == "Q", "it lasts"
    page.evaluate("sessionStorage.clear()")
    ann.enter_again("Bob")
    assert page.inner_text("[data-decide=new] kbd") == "N", "another reviewer has keys of their own"
    page.evaluate("sessionStorage.clear(); localStorage.setItem('keys of Ann', '[[')")
    ann.enter_again("Ann")
    assert page.inner_text("[data-decide=new] kbd") == "N"
    assert not ann.said
