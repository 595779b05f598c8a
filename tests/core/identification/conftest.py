"""One tiny run, and a gallery of its train and val photos; no test here changes either."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made import noise
from PIL import Image

import wildreid
from wildreid.identification import OpenGallery, create_gallery, open_gallery, read_data

RECIPE = (
    noise.RECIPE.replace("bootstrap: 50", "bootstrap: 0, protocols: [fixed-gallery, cross-encounter]")
    + "name: tiny\n"
)
PEOPLE, STRANGERS, DAYS = 8, 2, 6
ROWS = 460  # eight batches, the last of them not whole
BROKEN = 4
PARTS = ("train", "train", "val", "val", "test", "test")


def take(folder: Path) -> pd.DataFrame:
    """The last two individuals are in test alone, the others in all parts, two days each."""

    def part(who: int, day: int) -> str | None:
        return PARTS[day] if who < PEOPLE - STRANGERS or PARTS[day] == "test" else None

    return noise.noise(folder, individuals=PEOPLE, days=DAYS, part=part, spread=40)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny finished run; its photos lie beside its parent, in ``photos``."""
    base = tmp_path_factory.mktemp("tiny")
    take(base / "photos")
    (base / "recipe.yaml").write_text(RECIPE)
    return wildreid.run(base / "recipe.yaml", out=base / "runs").folder


@pytest.fixture(scope="session")
def photos(tiny: Path) -> Path:
    return tiny.parents[1] / "photos"


@pytest.fixture(scope="session")
def known(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> OpenGallery:
    """A gallery of the run's train and val photos."""
    folder = tmp_path_factory.mktemp("galleries") / "known"
    create_gallery(folder, tiny).add(read_data(tiny, parts=["train", "val"]))
    return open_gallery(folder)


@pytest.fixture(scope="session")
def asked(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of the test photos, with labels; it lies apart from the photos."""
    table = pd.read_csv(photos / "table.csv")
    path = tmp_path_factory.mktemp("asked") / "test.csv"
    table[table["part"] == "test"].drop(columns="part").to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of 460 small photos of noise, four of them broken, and one row that names none."""
    folder = tmp_path_factory.mktemp("many")
    draw = np.random.default_rng(1)
    rows = []
    for number in range(ROWS):
        name = f"{number:04d}.png"
        if number % 150 == 3:
            (folder / name).write_bytes(b"no photo")
        else:
            Image.fromarray(draw.integers(0, 256, (20, 24, 3), np.uint8)).save(folder / name)
        date = pd.Timestamp("2024-05-01") + pd.Timedelta(hours=number)
        rows.append({"image": name, "identity": f"cow {number % 20}", "camera": "gate", "timestamp": date})
    rows.insert(400, {"image": "", "identity": "cow 1"})
    pd.DataFrame(rows).to_csv(folder / "table.csv", index=False)
    return folder / "table.csv"
