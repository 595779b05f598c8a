"""How long a run's page takes to write, to open and to scroll."""

from __future__ import annotations

import shutil
import statistics
from pathlib import Path

import pytest
from benchmarks.record import Record
from benchmarks.timing import Seconds, took
from made.drawn_run import results

import wildreid_plugins.reporters.html.atlas as atlas
from wildreid_plugins.reporters.html import Html

SCROLL = """async () => {
    document.documentElement.style.scrollBehavior = "auto";
    const height = document.documentElement.scrollHeight, took = [];
    for (let n = 0, last = performance.now(); n <= 100; n++) {
        scrollTo(0, n / 100 * height);
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        took.push(now - last);
        last = now;
    }
    return took;
}"""
HOVER = """async () => {
    const canvas = document.getElementById("atlas-canvas"), took = [];
    canvas.scrollIntoView();
    const box = canvas.getBoundingClientRect();
    for (let n = 0; n < 100; n++) {
        const began = performance.now();
        const clientX = box.left + n / 100 * box.width, clientY = box.top + n / 100 * box.height;
        canvas.dispatchEvent(new PointerEvent("pointermove", {pointerType: "mouse", clientX, clientY}));
        took.push(performance.now() - began);
    }
    return took;
}"""


def test_writing(record: Record, tmp_path: Path) -> None:
    """A page of 2,000 queries without its map; photos are drawn, not read."""
    run = results(tmp_path / "run", individuals=200, unknowns=0, encounters=4, burst=5, noise=0.9)
    queries = len(run.rankings["cross-encounter"].queries)
    page = Html(umap=False).write(results=run, folder=tmp_path / "report")[0]
    record.beside(
        "Writing", {"queries": queries},
        {"wildreid": lambda: Html(umap=False).write(results=run, folder=tmp_path / "report")},
        figures={"MB": page.stat().st_size / 1e6}, aims={"seconds": ("<=", 10.0)},
    )  # fmt: skip


@pytest.mark.full
def test_opening(record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page with 5,000 points on its map, in Chromium without a GPU, 1280 by 800 pixels.

    A frame of scrolling from top to bottom in a hundred steps; a move of the pointer over the map.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        record.missing("Opening", {"points": 5000}, "there is no Chromium on this machine")
        return
    run = results(tmp_path / "run", individuals=500, unknowns=0, encounters=6, burst=5, noise=0.9)
    monkeypatch.setattr(atlas, "layout", lambda embeddings, seed: embeddings[:, :2].astype(float))
    (path,) = Html(points=5000).write(results=run, folder=tmp_path / "report")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        seconds: list[Seconds] = []
        record.benchmark.pedantic(
            lambda: seconds.append(took(lambda: page.goto(path.as_uri()))), rounds=5, warmup_rounds=1
        )
        figures: dict[str, float] = {"MB": path.stat().st_size / 1e6}
        for name, script in (("scroll", SCROLL), ("hover", HOVER)):
            frames = sorted(page.evaluate(script))
            figures[f"{name}, ms a frame"] = statistics.median(frames)
            figures[f"{name}, 95th percentile, ms"] = frames[int(0.95 * len(frames))]
        browser.close()
    record.row("Opening", {"points": 5000}, seconds={"wildreid": seconds[-5:]}, figures=figures)
