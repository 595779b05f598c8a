"""What a page withholds: cameras, paths, logins, coordinates, machines."""

from __future__ import annotations

from pathlib import Path

import pytest

from wildreid.page import WITHHELD, Veil

CAMERAS = ["North Creek", "Old Mill", "7"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("North Creek", "camera 2"),
        ("7", "camera 1"),
        ("7 of 10 from north creek, at 7", "7 of 10 from camera 2, at 7"),
        ("station_Old Mill_2", "station_camera 3_2"),
        ("Old Milling", "Old Milling"),
        ("/home/jane doe/photos", WITHHELD),
        ("C:\\Users\\jane\\photos", WITHHELD),
        ("\\\\server\\share", WITHHELD),
        ("file:///home/jane", WITHHELD),
        ("~/photos", WITHHELD),
        ("kept in /srv/archive/bears.", f"kept in {WITHHELD}"),
        ("see (/srv/x) and C:/x/y", f"see ({WITHHELD} and {WITHHELD}"),
        ("root /data/my bears/2023 is gone", f"root {WITHHELD} is gone"),
        ("https://jane:secret@track.example.org/1", "https://track.example.org/1"),
        ("DIR/FPIR, 1/r, and/or, 3 / 4", "DIR/FPIR, 1/r, and/or, 3 / 4"),
        ("species/bears/recipe.yaml", "species/bears/recipe.yaml"),
    ],
)
def test_texts(text: str, wanted: str) -> None:
    veil = Veil(CAMERAS, places=[Path("/data/my bears")])
    assert veil.text(text) == wanted


def test_data_is_seen_to_at_every_depth_and_telling_keys_are_withheld() -> None:
    veil = Veil(CAMERAS)
    given = {
        "dataset": {"root": "/home/jane/x", "shift": {"North Creek": 60}},
        "machine": {"hostname": "janes-laptop", "cores": 2, "gps_lat": 51.5, "latitude": 1.0},
        "latent": 3,
        "list": ["Old Mill", ("7", None, 2.5, True)],
    }
    assert veil.data(given) == {
        "dataset": {"root": WITHHELD, "shift": {"camera 2": 60}},
        "machine": {"hostname": WITHHELD, "cores": 2, "gps_lat": WITHHELD, "latitude": WITHHELD},
        "latent": 3,
        "list": ["camera 3", ["camera 1", None, 2.5, True]],
    }


def test_a_private_page_withholds_nothing() -> None:
    veil = Veil(CAMERAS, private=True)
    assert veil.data({"host": "x", "a": "/home/jane"}) == {"host": "x", "a": "/home/jane"}
    assert veil.camera("Old Mill") == "Old Mill"


def test_a_camera_that_nobody_named_is_withheld() -> None:
    assert Veil(CAMERAS).camera("Hidden Valley") == WITHHELD
