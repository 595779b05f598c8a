"""A gallery of animals that were met several times, and new encounters of them at the desk."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import uvicorn
from benchmarks.timing import Clock, Seconds
from PIL import Image

from wildreid.artefacts import Decision
from wildreid.data.table import Table
from wildreid.gallery.manifest import Mark
from wildreid.gallery.rule import Rule
from wildreid.gallery.store import Gallery
from wildreid.identification.bursts import bursts
from wildreid.identification.identify import identify
from wildreid.identification.models import Model
from wildreid.identification.opened import OpenGallery
from wildreid.identification.outputs import Identified
from wildreid.identification.search import Search
from wildreid.recipe.settings import Images
from wildreid.review.applying import Newcomers
from wildreid.review.building import Built
from wildreid.review.desk import Desk
from wildreid.review.serving import Address
from wildreid.review.settings import Settings

WIDTH = 512
MARK = Mark(name="made", weights="w", transform="t", width=WIDTH)
PHOTOS, FRAMES = 20, 2
"""Photos of an individual in the gallery, and of an encounter."""
NOISE = 1.0
"""Of an embedding, as long as what all photos of an individual have in common: cosines near 0.5."""
RULE = Rule(
    decision=Decision(
        threshold=0.4, target=0.05, method="logistic", scores=(-1.0, 0.2, 0.4, 1.0),
        probabilities=(0.0, 0.01, 0.9, 0.99), gallery=(5000, 100_000), queries=(500, 200), simulated=False,
        protocol="cross-encounter",
    ),
    new_below=0.25, known_called_new=0.05,
)  # fmt: skip


class Stranger(Model):
    """A model that is never asked to embed: the desk has its embeddings already."""

    def __init__(self) -> None:
        super().__init__(MARK, Images(size=64))

    def _embed(self, images: Any, rows: Any, total: int | None = None) -> Any:
        raise AssertionError("nothing is embedded while known photos are reviewed")


def _rows(who: np.ndarray, visit: np.ndarray, seed: int) -> pd.DataFrame:
    when = pd.Timestamp("2024-01-01") + pd.to_timedelta(visit, unit="h")
    return pd.DataFrame(
        {
            "key": [f"{seed:08x}{row:024x}" for row in range(len(who))],
            "image": [f"{seed}-{row}.jpg" for row in range(len(who))],
            "identity": [f"bear {one:05d}" for one in who],
            "camera": "cam",
            "visit": "cam@" + pd.Series(when).dt.strftime("%Y-%m-%d"),
            "timestamp": when,
        }
    )


def _vectors(who: np.ndarray, centres: np.ndarray, seed: int) -> np.ndarray:
    draw = np.random.default_rng(seed)
    found = centres[who] + NOISE * draw.standard_normal((len(who), WIDTH), dtype=np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def _centres(people: int) -> np.ndarray:
    return np.random.default_rng(7).standard_normal((people, WIDTH), dtype=np.float32)


def catalogue(folder: Path, images: int) -> Gallery:
    """A gallery of so many images: 20 of each individual, in encounters of two."""
    who = np.repeat(np.arange(images // PHOTOS), PHOTOS)
    visit = np.tile(np.repeat(np.arange(PHOTOS // FRAMES), FRAMES), images // PHOTOS) * 24 * 9 + who % 24
    gallery = Gallery.create(folder, MARK, rule=RULE, exact_up_to=2_000_000)
    gallery.add(_rows(who, visit, 1), _vectors(who, _centres(images // PHOTOS), 1), model=MARK)
    return gallery


def newcomers(gallery: Gallery, photos: Path, encounters: int) -> Newcomers:
    """Encounters of two new photos, a tenth of them of animals that the gallery does not know."""
    people = len(gallery.state.individuals)
    draw = np.random.default_rng(3)
    who = np.repeat(draw.choice(int(people * 1.1), encounters, replace=False), FRAMES)
    rows = _rows(who, np.repeat(np.arange(encounters), FRAMES) + 24 * 200, 2).drop(columns=["identity"])
    rows = rows.assign(id=rows["image"], sequence=np.repeat(np.arange(encounters), FRAMES), viewpoint="left")
    photos.mkdir()
    for name in rows["image"]:
        pixels = np.random.default_rng(len(name)).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((256, 256)).save(photos / name)
    table = Table.of(rows.assign(identity=None), photos)
    vectors = _vectors(who, _centres(int(people * 1.1)), 2)
    search = Search(gallery.state)
    asked = rows.assign(burst=bursts(rows))
    images, answers = identify(search, asked, vectors)
    found = Identified(tuple(images), tuple(answers), (), search, asked, vectors, table)
    return Newcomers(OpenGallery(gallery, Stranger()), found)


class Browser:
    """A desk behind its server, asked as its page asks; close it.

    Args:
        gallery: whose it is.
        photos: a folder for the new photos.
        encounters: how many are to be decided.

    Attributes:
        compared: seconds that comparing the gallery's own encounters took.
    """

    def __init__(self, gallery: Gallery, photos: Path, encounters: int) -> None:
        found = newcomers(gallery, photos, encounters)
        desk = Desk(gallery, Settings(audit=1.0))
        self._bound = socket.create_server(("127.0.0.1", 0))
        name = f"127.0.0.1:{self._bound.getsockname()[1]}"
        built = Built(desk, gallery.folder, Address(), name=name)
        built.pictures.receive(found)
        desk.receive(found)
        clock = Clock()
        desk.compare()
        self.compared = clock.read().wall
        self._server = uvicorn.Server(uvicorn.Config(built.app, log_level="warning", ws="none"))
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._bound]}, daemon=True
        )
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        self._line = http.client.HTTPConnection(name)
        self._said = {"Origin": f"http://{name}", "Content-Type": "application/json"}
        entered = self.ask("POST", "/session", {"name": "Ann", "secret": built.doors.token})
        self._said["X-Reid-Token"] = entered["token"]
        self.view = self.ask("GET", "/api/task")

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """What the server answers."""
        self._line.request(method, path, json.dumps(body) if body else None, self._said)
        answer = self._line.getresponse()
        said: dict[str, Any] = json.loads(answer.read())
        assert answer.status == 200, said
        if cookie := answer.headers.get("set-cookie"):
            self._said["Cookie"] = cookie.partition(";")[0]
        return said

    def decide(self) -> None:
        """The first candidate is it."""
        view = self.view
        said = {"task": view["lease"], "revision": view["revision"], "decision": "same"}
        self.ask("POST", "/api/decide", {**said, "candidate": view["candidates"][0]["id"]})

    def next(self) -> None:
        """The next question."""
        self.view = self.ask("GET", "/api/task")
        assert self.view["task"] is not None

    def close(self) -> None:
        """Stop the server."""
        self._line.close()
        self._server.should_exit = True
        self._thread.join(30)
        self._bound.close()


def first_page(gallery: Path) -> Seconds:
    """Seconds from the command to the page."""
    clock = Clock()
    command = [sys.executable, "-m", "wildreid", "review", str(gallery)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[1].partition("#")[0]
        while True:
            try:
                with urllib.request.urlopen(address) as page:
                    page.read()
                break
            except OSError:
                time.sleep(0.005)
        seconds = clock.read()
        process.kill()
    return seconds
