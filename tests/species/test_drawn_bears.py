"""The drawn bears: the same each time, and hard where they should be hard."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wildreid.data.fingerprints import fingerprint
from wildreid.data.groups import annotate
from wildreid.recipe.settings import Encounters

TINY = {"individuals": 5, "encounters": 3, "frames": 2, "size": 64}


def digest(root: Path, names) -> str:
    found = hashlib.sha256()
    for name in sorted(names):
        found.update(name.encode() + (root / name).read_bytes())
    return found.hexdigest()


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("WILDREID_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_same_fields_give_the_same_bytes(bears, cache, monkeypatch, tmp_path):
    option = bears.dataset("drawn-bears", **TINY)
    first = option.table()
    monkeypatch.setenv("WILDREID_CACHE", str(tmp_path / "other"))
    second = option.table()
    assert first.root != second.root
    assert first.rows.equals(second.rows)
    assert digest(first.root, first["image"]) == digest(second.root, second["image"])
    reseeded = bears.dataset("drawn-bears", **TINY, seed=1).table()
    assert reseeded["image"].tolist() != first["image"].tolist()


def test_they_are_drawn_once(bears, cache):
    option = bears.dataset("drawn-bears", **TINY)
    table = option.table()
    before = {path: path.stat().st_mtime_ns for path in table.root.rglob("*.jpg")}
    assert len(before) == len(table)
    option.table()
    assert {path: path.stat().st_mtime_ns for path in table.root.rglob("*.jpg")} == before


def test_two_may_draw_at_once_and_an_interrupted_drawing_leaves_nothing(bears, cache, monkeypatch):
    option = bears.dataset("drawn-bears", **TINY)
    painting = bears.module("painting")
    paint, calls = painting.paint, []

    def interrupted(*args, **kwargs):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return paint(*args, **kwargs)

    monkeypatch.setattr(painting, "paint", interrupted)
    with pytest.raises(KeyboardInterrupt):
        option.table()
    assert list((cache / "drawn-bears").iterdir()) == []
    monkeypatch.setattr(painting, "paint", paint)
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda _: option.table(), range(2))
    assert one.rows.equals(other.rows)
    assert [path.name for path in (cache / "drawn-bears").iterdir()] == [one.root.name]


@pytest.fixture(scope="module")
def photos(bears):
    """Every photo of the data set as it comes, unpainted."""
    fields = bears.dataset("drawn-bears").model_dump()
    return bears.module("visits").photos(
        **{name: fields[name] for name in fields if name not in ("name", "size")}
    )


def test_who_comes_by_is_as_uneven_as_in_the_field(photos):
    images = Counter(photo.face.name for photo in photos)
    assert len(images) == 24
    assert 400 <= len(photos) <= 600
    assert sorted(images.values())[:2] == [1, 3]
    assert {photo.scene.camera for photo in photos} == {"falls", "meadow", "woods"}
    undated = [photo for photo in photos if photo.when is None]
    assert 0 < len(undated) < 0.1 * len(photos)
    encounters = defaultdict(set)
    for photo in photos:
        encounters[photo.face.name].add(photo.image.rpartition("_")[0])
    assert sorted(len(seen) for seen in encounters.values())[2] >= 5


def test_bursts_are_seconds_long(photos):
    bursts = defaultdict(list)
    for photo in photos:
        if photo.when is not None:
            bursts[photo.image.rpartition("_")[0]].append(photo.when)
    steps = [(b - a).total_seconds() for times in bursts.values() for a, b in pairwise(times)]
    assert min(steps) > 0
    assert np.mean(np.array(steps) <= 60) > 0.7
    assert len({photo.image for photo in photos}) == len(photos)


@pytest.fixture(scope="module")
def small(bears):
    return bears.dataset("drawn-bears", individuals=6, encounters=4, frames=3, size=96).table()


def test_encounters_are_as_drawn(small, tmp_path):
    """Frames of one visit are one encounter, and no two visits look so alike that they become one."""
    table = annotate(fingerprint(small, cache=tmp_path), Encounters())
    visits = table["image"].str.rpartition("_")[0] + table["identity"]
    undated = table["timestamp"].isna()
    joined = table.rows[undated][
        ["identity", "camera"]
    ].drop_duplicates()  # an undated visit joins others there
    loose = ~(table["identity"] + table["camera"]).isin(joined["identity"] + joined["camera"])
    pairs = set(zip(visits[loose], table["encounter"][loose], strict=True))
    assert len(pairs) == visits[loose].nunique() == table["encounter"][loose].nunique()


def test_frames_of_a_burst_are_near_and_encounters_are_far(small):
    pixels = {
        image: np.asarray(Image.open(small.root / image).convert("L"), dtype=float)
        for image in small["image"]
    }
    within, across = [], []
    for _, rows in small.rows.groupby("identity"):
        images = rows["image"].tolist()
        for n, one in enumerate(images):
            for other in images[n + 1 :]:
                same = one.rpartition("_")[0] == other.rpartition("_")[0]
                (within if same else across).append(np.abs(pixels[one] - pixels[other]).mean())
    assert np.median(within) < 0.6 * np.median(across)


@pytest.mark.stress
def test_a_trained_network_sees_more_than_an_untrained_one(checkout, tmp_path):
    """Across encounters training pays; the optimistic figure flatters both."""
    import wildreid

    def accuracy(name, settings):
        results = wildreid.run(
            checkout / "species/bears/recipe.yaml",
            profiles=["sample"],
            settings=settings,
            out=tmp_path,
            name=name,
        )
        return {
            protocol: block["scores"]["accuracy@1"]["value"]
            for protocol, block in results.scores["protocols"].items()
        }

    untrained = accuracy("untrained", {"training.epochs": 0})
    trained = accuracy("trained", {})
    assert trained["cross-encounter"] > untrained["cross-encounter"] + 0.2
    assert untrained["image-loo"] > untrained["cross-encounter"] + 0.4
