from __future__ import annotations

import numpy as np
import pytest
from made.tables import make_table

from wildreid.artefacts import Evidence
from wildreid.data.pixels import HeldImages
from wildreid.evaluation.intervals import Bootstrap
from wildreid.evaluation.probes import blank, mirror, probes
from wildreid.evaluation.rank import rank

SIZE = 16


def photos(who, camera, *, rim):
    """Squares whose middle tells the animal on its left side, and whose rim tells the camera."""
    random = np.random.default_rng(0)
    marks = random.integers(0, 255, (who.max() + 1, SIZE // 2, SIZE // 4, 3))
    places = random.integers(0, 255, (camera.max() + 1, SIZE, SIZE, 3))
    images = places[camera] if rim else np.full((len(who), SIZE, SIZE, 3), 127)
    images[:, SIZE // 4 : 3 * SIZE // 4, SIZE // 4 : SIZE // 2] = marks[who]
    return images.astype(np.uint8)


def look(images):
    flat = images.reshape(len(images), -1).astype(np.float32) - 127
    flat += 1e-3 * np.arange(flat.shape[1])
    return flat / np.linalg.norm(flat, axis=1, keepdims=True)


def probed(*, rim, cameras=3, see=look):
    count = 96
    who = np.arange(count) // 12
    meeting = np.arange(count) // 2
    camera = meeting % cameras
    rows = [(f"{i:02}.jpg", f"a{who[i]}", f"e{meeting[i]}", "both") for i in range(count)]
    table = make_table(rows)
    table.rows["camera"] = [f"c{n}" for n in camera]
    pixels = photos(who, camera, rim=rim)
    embeddings = see(pixels)
    ranking = rank(embeddings, table, protocol="cross-encounter")
    evidence = Evidence(ranking, table, embeddings)
    intervals = Bootstrap(evidence.individuals, 100, 0.95, 0)
    return probes(evidence, HeldImages(pixels), see, intervals=intervals, batch=17)


def test_a_network_that_sees_the_animal_alone():
    found = probed(rim=False)
    assert found["background"]["reference"] == 1
    assert found["background"]["value"] <= 0.2
    assert found["mirrored"]["value"] < 0.6
    assert found["background"]["n"] == found["mirrored"]["n"] == 96
    assert not found["background"]["too_few"]


def test_a_network_that_sees_the_background_tells_cameras_apart():
    camera = probed(rim=True)["camera"]
    assert camera["value"] == 1
    assert camera["reference"] == pytest.approx(1 / 5, abs=0.05)
    assert camera["low"] == camera["high"] == 1


def test_embeddings_that_are_all_alike_tell_nothing():
    found = probed(rim=True, see=lambda images: np.full((len(images), 4), 0.5, np.float32))
    assert found["camera"]["value"] == pytest.approx(found["camera"]["reference"])
    assert found["background"]["value"] == found["mirrored"]["value"] == 0


def test_one_camera_cannot_be_told_from_another():
    camera = probed(rim=True, cameras=1)["camera"]
    assert camera["value"] is None
    assert "no individual" in camera["reason"]


def test_blank_hides_the_box_and_keeps_the_rim():
    images = np.arange(2 * SIZE * SIZE * 3, dtype=np.uint8).reshape(2, SIZE, SIZE, 3)
    hidden = blank(images)
    assert (hidden[:, 2:14, 2:14] == 127).all()
    assert np.array_equal(hidden[:, :2], images[:, :2])
    wide = blank(images, margin=0.5)
    assert (wide[:, 4:12, 4:12] == 127).all()
    assert np.array_equal(wide[:, :4], images[:, :4])
    assert np.array_equal(mirror(mirror(images)), images)
    assert np.array_equal(mirror(images)[:, :, 0], images[:, :, -1])
