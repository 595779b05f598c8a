"""How long the page takes to write (aim: 10 s for 2,000 queries, UMAP apart), to open and to scroll."""

from __future__ import annotations

import shutil
import statistics
from pathlib import Path
from typing import Any

import pytest
from tests.plugins.reporters.drawn_run import results

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


def test_writing_the_page_of_2000_queries(benchmark: Any, tmp_path: Path) -> None:
    run = results(tmp_path / "run", individuals=200, unknowns=0, encounters=4, burst=5, noise=0.9)
    benchmark.extra_info["queries"] = len(run.rankings["cross-encounter"].queries)
    (path,) = benchmark.pedantic(
        Html(umap=False).write,
        kwargs={"results": run, "folder": tmp_path / "report"},
        rounds=5,
        warmup_rounds=1,
    )
    benchmark.extra_info["megabytes"] = round(path.stat().st_size / 1e6, 2)


def test_opening_the_page_with_5000_points(
    benchmark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no Chromium on this machine")
    run = results(tmp_path / "run", individuals=500, unknowns=0, encounters=6, burst=5, noise=0.9)
    monkeypatch.setattr(atlas, "layout", lambda embeddings, seed: embeddings[:, :2].astype(float))
    (path,) = Html(points=5000).write(results=run, folder=tmp_path / "report")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        benchmark.pedantic(page.goto, args=[path.as_uri()], rounds=5, warmup_rounds=1)
        assert page.inner_text("#map p").startswith("A UMAP of all 5,000 photos")
        for name, script in (("scroll", SCROLL), ("hover", HOVER)):
            took = sorted(page.evaluate(script))
            benchmark.extra_info[f"{name}, median ms a frame"] = round(statistics.median(took), 1)
            benchmark.extra_info[f"{name}, 95th percentile"] = round(took[int(0.95 * len(took))], 1)
        benchmark.extra_info["megabytes"] = round(path.stat().st_size / 1e6, 2)
        browser.close()
