"""Pictures of the pages that wildreid writes: ``python docs/figures/pages.py [RUN]``, into ``docs/images``.

A run of the drawn bears is taken, or made; a gallery is made of its train and val parts and asked about its test
photos; then a headless Chromium opens each page, without a network, and takes its first screen.
"""

from __future__ import annotations

import json
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))  # run as a file, it knows its own folder alone

from made.browser import opened
from PIL import Image

HERE = Path(__file__).parent
RECIPE = HERE.parents[1] / "species" / "bears" / "recipe.yaml"
WIDTH, HEIGHT = 1100, 820
COLOURS = 96
"""Of the picture that shows photos, which would else be large."""


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
    wrong: list[str] = []
    with opened() as browser:
        context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, offline=True)
        for name, path in found.items():
            page = context.new_page()
            page.on("pageerror", lambda error, name=name: wrong.append(f"{name}: {error}"))
            page.on("request", lambda asked, name=name: _local(asked, name, wrong))
            page.goto(path.absolute().as_uri())
            page.wait_for_timeout(500)  # pictures below the screen are decoded late
            page.screenshot(path=out / f"{name}.png")
            page.close()
    return wrong


def shoot_desk(gallery: Path, photos: Path, root: Path, out: Path) -> list[str]:
    """Take the review desk's first question about a new photo as ``OUT/desk.png``; gives its errors."""
    wrong: list[str] = []
    with served(gallery, photos, root) as address, opened() as browser:
        page = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}).new_page()
        page.on("pageerror", lambda error: wrong.append(f"desk: {error}"))
        page.on("console", lambda message: wrong.append(f"desk: {message.text}"))
        page.goto(address)
        page.keyboard.type("Ann")
        page.keyboard.press("Enter")
        page.wait_for_selector("#desk:not([hidden])")
        page.select_option("#mode", "identify")
        page.get_by_role("heading", name="This animal").wait_for()
        page.wait_for_load_state("networkidle")
        page.screenshot(path=out / "desk.png")
    with Image.open(out / "desk.png") as picture:
        picture.convert("RGB").quantize(COLOURS).save(out / "desk.png", optimize=True)
    return wrong


@contextmanager
def served(gallery: Path, photos: Path, root: Path) -> Iterator[str]:
    """The address of a desk that asks about all these photos, while it is served."""
    import uvicorn

    from wildreid.gallery.store import Gallery
    from wildreid.review.beside import Beside
    from wildreid.review.building import Built
    from wildreid.review.desk import Desk
    from wildreid.review.serving import Address, prepare
    from wildreid.review.settings import Settings

    with socket.create_server(("127.0.0.1", 0)) as bound:
        name = f"127.0.0.1:{bound.getsockname()[1]}"
        desk = Desk(Gallery(gallery), Settings(audit=1.0))
        built = Built(desk, gallery, Address(), name=name, beside=Beside(root))
        prepare(built, [photos], root)
        server = uvicorn.Server(uvicorn.Config(built.app, log_level="warning", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        yield f"http://{name}/#t={built.doors.token}"
        server.should_exit = True
        thread.join(30)


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
        found, images = pages(run, folder, profiles=["sample"]), HERE.parent / "images"
        wrong = shoot(found, images)
        root = Path(json.loads((run / "run.json").read_text(encoding="utf-8"))["root"])
        wrong += shoot_desk(folder / "bears", folder / "new.csv", root, images)
    if wrong:
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main()
