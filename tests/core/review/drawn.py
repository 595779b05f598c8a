"""Drawn bears, a model that needs no network, a gallery of some and encounters of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from tests.core.gallery.made import RULE

from wildreid.data.pixels import ImageRows
from wildreid.data.read import read_table
from wildreid.gallery.manifest import Mark
from wildreid.gallery.store import Gallery
from wildreid.identification.models import Model
from wildreid.identification.opened import OpenGallery
from wildreid.recipe.settings import Images

SIDE, GRID = 48, 4
MARK = Mark(name="mean colours", weights="w", transform="t", width=3 * GRID**2)


class MeanColours(Model):
    """Embeds the colours of a coarse grid: enough to tell drawn bears apart."""

    def __init__(self) -> None:
        super().__init__(MARK, Images(size=SIDE))

    def _embed(self, images: ImageRows, rows: np.ndarray, total: int | None = None) -> np.ndarray:
        pixels = images.take(rows).astype(np.float32)
        step = SIDE // GRID
        means = pixels.reshape(-1, GRID, step, GRID, step, 3).mean(axis=(2, 4)).reshape(-1, 3 * GRID**2)
        means = means - 128 + 1e-3
        return (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32)


@dataclass(frozen=True)
class Bears:
    """A gallery's folder, the table of its photos and the table of the photos to review."""

    folder: Path
    table: Path
    asked: Path

    def opened(self) -> OpenGallery:
        return OpenGallery(Gallery(self.folder), MeanColours())

    def deployments(self) -> Path:
        """Where the one camera stood, all the year."""
        path = self.asked.with_name("deployments.csv")
        text = "station,camera,start,end,latitude,longitude\ngate,gate,2024-04-30,2024-12-31,58.12345,-155.54321\n"
        path.write_text(text, encoding="utf-8")
        return path

    def truth(self) -> dict[str, str]:
        """Who is on each photo, by its file."""
        rows = pd.read_csv(self.asked.with_name("truth.csv"))
        return dict(zip(rows["image"], rows["identity"], strict=True))


def draw_bears(folder: Path, *, known: int = 8, new: int = 2, encounters: int = 30, seed: int = 5) -> Bears:
    """Known bears have three encounters in the gallery; encounters of two photos are to be reviewed."""
    draw = np.random.default_rng(seed)
    (folder / "photos").mkdir(parents=True)
    coats = draw.integers(20, 236, (known + new, GRID, GRID, 3))

    def take(who: int, day: int, frames: int) -> list[dict[str, object]]:
        rows = []
        for frame in range(frames):
            name = f"{day:03d}-{frame}.png"
            coat = coats[who].repeat(SIDE // GRID, axis=0).repeat(SIDE // GRID, axis=1)
            pixels = np.clip(coat + draw.normal(0, 22, coat.shape), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).resize((192, 192)).save(folder / "photos" / name)
            when = pd.Timestamp("2024-05-01 09:00") + pd.Timedelta(days=day, seconds=3 * frame)
            side = ("left", "right")[day % 2]
            rows.append(
                {
                    "image": name,
                    "identity": f"bear {who}",
                    "camera": "gate",
                    "timestamp": when,
                    "viewpoint": side,
                }
            )
        return rows

    day, held, asked = 0, [], []
    for _ in range(3):
        for who in range(known):
            held += take(who, day, 1)
            day += 1
    for n in range(encounters):
        asked += take(n % (known + new), day, 2)
        day += 1
    table, queries = folder / "photos" / "held.csv", folder / "photos" / "asked.csv"
    pd.DataFrame(held).to_csv(table, index=False)
    pd.DataFrame(asked).to_csv(queries.with_name("truth.csv"), index=False)
    pd.DataFrame(asked).drop(columns="identity").to_csv(queries, index=False)
    made = Bears(folder / "gallery", table, queries)
    Gallery.create(made.folder, MARK, rule=RULE)
    made.opened().add(read_table(table, table.parent))
    return made
