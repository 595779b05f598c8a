"""The page in a real browser, without a network: sort, filter, map and slider, and not one error."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from made.drawn_run import frames, results

from wildreid_plugins.reporters.html import Html

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with names that are HTML, a map of epochs, and a map of the final model in place of UMAP's."""
    import wildreid_plugins.reporters.html.atlas as atlas

    run = results(
        tmp_path_factory.mktemp("runs") / "drawn", individuals=14, names={0: "<script>alert(1)</script>"}
    )
    frames(run)
    with pytest.MonkeyPatch.context() as patch:
        # the real layout takes a minute to import; test_atlas has it
        patch.setattr(atlas, "layout", lambda embeddings, seed: embeddings[:, :2].astype(float))
        (path,) = Html().write(results=run, folder=run.folder / "report")
    return path


@pytest.fixture(params=[1280, 400])
def page(browser: Browser, report: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page, opened from its file at two widths; it may ask for nothing and complain of nothing."""
    context = browser.new_context(viewport={"width": request.param, "height": 800}, offline=True)
    opened = context.new_page()
    asked: list[str] = []
    said: list[str] = []
    opened.on("request", lambda asking: asked.append(asking.url))
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("dialog", lambda dialog: said.append(dialog.message))
    opened.goto(report.as_uri())
    yield opened
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [report.as_uri()]
    context.close()


def column(page: Page, n: int) -> list[str]:
    cells: list[str] = page.eval_on_selector_all(
        f"#individuals-table tbody tr:not([hidden]) > :nth-child({n})",
        "cells => cells.map(cell => cell.innerText)",
    )
    return cells


def picture(page: Page) -> str:
    drawn: str = page.evaluate("document.getElementById('atlas-canvas').toDataURL()")
    return drawn


def test_nothing_is_wider_than_the_screen(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_layout_does_not_shift(page: Page) -> None:
    shift = """() => new Promise(done => {
        let sum = 0;
        new PerformanceObserver(list => list.getEntries().forEach(entry => sum += entry.value))
            .observe({type: 'layout-shift', buffered: true});
        setTimeout(() => done(sum), 300);
    })"""
    assert page.evaluate(shift) == 0


def test_a_heading_sorts_its_column(page: Page) -> None:
    button = page.locator("#individuals-table thead button").nth(6)
    button.click()
    up = [float(text.rstrip("\N{NO-BREAK SPACE}%")) for text in column(page, 7) if text[0].isdigit()]
    assert up == sorted(up)
    assert len(set(up)) > 1
    assert button.locator("..").get_attribute("aria-sort") == "ascending"
    assert column(page, 7)[-1] == "no match possible", "what is missing comes last"
    button.focus()
    page.keyboard.press("Enter")
    down = [text for text in column(page, 7) if text[0].isdigit()]
    assert [float(text.rstrip("\N{NO-BREAK SPACE}%")) for text in down] == sorted(up, reverse=True)
    assert column(page, 7)[-1] == "no match possible"


def test_the_filter_leaves_what_fits(page: Page) -> None:
    before = column(page, 1)
    page.fill("#individuals-table-filter", "bear 00")
    after = column(page, 1)
    assert 0 < len(after) < len(before)
    assert all(
        "bear 00" in row for row in page.locator("#individuals-table tbody tr:visible").all_inner_texts()
    )
    page.fill("#individuals-table-filter", "")
    assert column(page, 1) == before


def test_a_name_that_is_html_shows_as_text(page: Page) -> None:
    assert "<script>alert(1)</script>" in column(page, 1)


def test_a_point_of_the_map_tells_who_it_is(page: Page) -> None:
    data: dict[str, Any] = page.evaluate("JSON.parse(document.getElementById('atlas-data').textContent)")
    canvas = page.locator("#atlas-canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    x, y = data["pictures"][0]["xy"][0]
    inner = box["width"] - 32
    page.mouse.click(box["x"] + 16 + x / 1000 * inner, box["y"] + 16 + (1 - y / 1000) * inner)
    names = data["points"]["individual"]
    assert page.inner_text("#atlas-told .who") in names["names"]
    assert page.inner_text("#atlas-told .camera").startswith("camera ")
    assert "data:image/jpeg" in page.eval_on_selector(
        "#atlas-told .thumb", "it => getComputedStyle(it).backgroundImage"
    )


def test_the_map_answers_to_keys(page: Page) -> None:
    page.focus("#atlas-canvas")
    page.keyboard.press("ArrowRight")
    first = page.inner_text("#atlas-told")
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    assert page.inner_text("#atlas-told") != first
    page.keyboard.press("Escape")
    assert "no photo chosen" in page.inner_text("#atlas-told")


def test_the_slider_goes_through_the_epochs(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    final = picture(page)
    assert page.is_disabled("#atlas-epoch")
    page.select_option("#atlas-show", "epochs")
    last = picture(page)
    page.focus("#atlas-epoch")
    page.keyboard.press("Home")
    assert page.inner_text(".epoch output") == "epoch 1"
    first = picture(page)
    page.keyboard.press("ArrowRight")
    assert page.inner_text(".epoch output") == "epoch 2"
    assert len({final, last, first, picture(page)}) == 4
    page.select_option("#atlas-show", "final")
    assert picture(page) == final


def test_colour_and_search_change_the_map(page: Page) -> None:
    by_individual = picture(page)
    page.select_option("#atlas-colour", "camera")
    assert page.locator("#atlas-told .key li").all_inner_texts() == ["camera 1", "camera 2", "camera 3"]
    by_camera = picture(page)
    page.fill("#atlas-find", "bear 003")
    assert len({by_individual, by_camera, picture(page)}) == 3


def test_print_opens_what_is_folded(page: Page) -> None:
    assert not page.locator("#recipe pre").first.is_visible()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#recipe pre").first.is_visible()


def test_dark_is_dark(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert sum(map(int, background.removeprefix("rgb(").rstrip(")").split(","))) < 150


@pytest.mark.parametrize("where", ["beside", "inside"])
def test_a_photo_opens_large_with_contrast_and_mirror(
    browser: Browser, where: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run = results(tmp_path_factory.mktemp("runs") / "large", individuals=8)
    (path,) = Html(umap=False, pictures=where).write(results=run, folder=run.folder / "report")  # type: ignore[arg-type]
    assert (path.parent / "index-photos").is_dir() == (where == "beside")
    context = browser.new_context(viewport={"width": 400, "height": 800}, offline=True)
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.goto(path.as_uri())
    first = page.locator("button.larger").first
    assert first.get_attribute("aria-label")
    first.focus()
    page.keyboard.press("Enter")
    image = page.locator("dialog.large img")
    image.wait_for()
    page.wait_for_function("document.querySelector('dialog.large img').naturalWidth > 0")
    page.get_by_role("button", name="mirror").click()
    assert "scaleX(-1)" in (image.get_attribute("style") or "")
    page.get_by_label("contrast").fill("180")
    assert "contrast(180%)" in (image.get_attribute("style") or "")
    page.keyboard.press("Escape")
    assert not page.locator("dialog.large").is_visible()
    assert wrong == []
    context.close()
