"""Pictures of the pages that wildreid writes: ``python docs/figures/pages.py [RUN]``, into ``docs/images``.

A run of the drawn bears is taken, or made; a gallery is made of its train and val parts and asked about its test
photos; then a headless Chromium opens each page, without a network, and takes its first screen.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RECIPE = HERE.parents[1] / "species" / "bears" / "recipe.yaml"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
WIDTH, HEIGHT = 1100, 820


def pages(run: Path, folder: Path, *, profiles: Sequence[str]) -> dict[str, Path]:
    """The pages by the name of their picture, of a run of the bears' recipe; `folder` gets what is made."""
    import pandas as pd
    from typer.testing import CliRunner

    from wildreid.cli import app

    def reid(*words: str | Path) -> None:
        done = CliRunner().invoke(app, list(map(str, words)), catch_exceptions=False)
        if done.exit_code:
            raise RuntimeError(f"reid {' '.join(map(str, words))}: {done.output}")

    split = pd.read_parquet(run / "split.parquet")
    root = json.loads((run / "run.json").read_text(encoding="utf-8"))["root"]
    asked = split[split["part"] == "test"][["image", "timestamp", "camera"]]
    asked.to_csv(folder / "new.csv", index=False)
    seen = pd.to_datetime(split["timestamp"])
    cameras = sorted(split["camera"].dropna().unique())
    days = {"start": seen.min().normalize(), "end": seen.max().normalize() + pd.Timedelta(days=1)}
    pd.DataFrame({"station": cameras, **days}).to_csv(folder / "deployments.csv", index=False)
    gallery = folder / "bears"
    chosen = [word for name in profiles for word in ("--profile", name)]
    reid("data", RECIPE, *chosen, "--out", folder / "data")
    reid("gallery", "create", gallery, "--model", run, "--data", run, "--part", "train", "--part", "val")
    reid("identify", gallery, folder / "new.csv", "--root", root, "--html", folder / "identify.html")
    reid("history", gallery, "--html", folder / "history.html")
    reid(
        "population", gallery, "--deployments", folder / "deployments.csv", "--html", folder / "population.html"
    )  # fmt: skip
    return {
        "report": run / "report" / "index.html",
        "data": folder / "data" / "index.html",
        "identify": folder / "identify.html",
        "history": folder / "history.html",
        "population": folder / "population.html",
    }


def shoot(found: dict[str, Path], out: Path) -> list[str]:
    """Take the first screen of each page as ``OUT/NAME.png``; gives their errors, and what they asked a network."""
    from playwright.sync_api import sync_playwright

    wrong: list[str] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=browser_here(), args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, offline=True)
        for name, path in found.items():
            page = context.new_page()
            page.on("pageerror", lambda error, name=name: wrong.append(f"{name}: {error}"))
            page.on("request", lambda asked, name=name: _local(asked, name, wrong))
            page.goto(path.absolute().as_uri())
            page.wait_for_timeout(500)  # pictures below the screen are decoded late
            page.screenshot(path=out / f"{name}.png")
            page.close()
        browser.close()
    return wrong


def browser_here() -> str | None:
    """A Chromium of this machine; None: playwright's own."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def _local(asked: Any, name: str, wrong: list[str]) -> None:
    if not asked.url.startswith(("file:", "data:", "blob:")):
        wrong.append(f"{name} asks for {asked.url}")


def main() -> None:
    """Write the pictures."""
    import wildreid

    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        run = (
            Path(sys.argv[1])
            if sys.argv[1:]
            else wildreid.run(RECIPE, profiles=["sample"], out=folder).folder
        )
        wrong = shoot(pages(run, folder, profiles=["sample"]), HERE.parent / "images")
    if wrong:
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main()
