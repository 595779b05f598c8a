"""Nothing that a public export writes tells where a camera stands, what it is called, or on whose machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.plugins.exporters.test_golden import CASES

from wildreid.kinds import Exporter
from wildreid.population.deployments import deployments_of
from wildreid.population.design import Design
from wildreid.population.export import export_survey
from wildreid.population.locations import Frame
from wildreid.population.survey import Survey
from wildreid.population.take import take_survey
from wildreid_plugins.exporters.wildbook import Wildbook

SECRETS = (
    "Grizzly Ford", "grizzly-ford", "Grizzly-Ford", "grizzly.ford", "Otter Bend", "SN-99417", "SN.99417",
    "99417", "99418", "56.781234", "56.7812", "-125.431299", "125.4312", "56.798765", "125.409876",
    "612345", "6298765", "/home/ada",
    "Ada's hut", "near the bridge",
)  # fmt: skip


def rows() -> pd.DataFrame:
    table = [
        ("Bella", "Grizzly Ford", 1),
        ("Bella", "Otter Bend", 7),
        ("Otis", "Grizzly Ford", 2),
        ("Otis", "Otter Bend", 12),
    ]
    return pd.DataFrame(
        {
            "image": [f"Grizzly Ford/SN-99417/home/ada/IMG_{n}.jpg" for n in range(4)],
            "individual": [who for who, _, _ in table],
            "station": [station for _, station, _ in table],
            "camera": ["SN-99417" if station == "Grizzly Ford" else "SN-99418" for _, station, _ in table],
            "event": [f"Grizzly Ford {n}" for n in range(4)],
            "timestamp": [pd.Timestamp("2024-05-01 10:00") + pd.Timedelta(days=day) for *_, day in table],
            "species": "Ursus arctos",
            "latitude": 56.781234,
            "longitude": -125.431299,
            "source": "/home/ada/photos",
        }
    )


def deployments(*, metres: bool) -> pd.DataFrame:
    place = (
        {"x": ["612345.6", "613999.1"], "y": ["6298765.4", "6299999.9"]}
        if metres
        else {"latitude": ["56.781234", "56.798765"], "longitude": ["-125.431299", "-125.409876"]}
    )
    return deployments_of(
        pd.DataFrame(
            {
                "deployment": ["Grizzly Ford 2024", "Otter Bend 2024"],
                "station": ["Grizzly Ford", "Otter Bend"],
                "camera": ["SN-99417", "SN-99418"],
                "start": "2024-05-01T00:00:00-07:00",
                "end": "2024-05-16T00:00:00-07:00",
                "setupBy": "Ada's hut",
                "deploymentComments": "near the bridge",
                "cameraModel": "SN-99417",
                "camera_serial": ["99417", "99418"],
                "gps_altitude": ["612345", "612345"],
                **place,
            }
        )
    )


@pytest.mark.parametrize(("metres", "draws"), [(False, 0), (False, 2), (True, 0)])
@pytest.mark.parametrize(("exporter", "survey", "place"), CASES, ids=lambda one: getattr(one, "name", ""))
def test_no_public_file_tells(
    exporter: Exporter, survey: object, place: str, metres: bool, draws: int, tmp_path: Path
) -> None:
    if metres and exporter.name == "camtrap-dp":
        pytest.skip("Camtrap DP has degrees alone")
    if exporter.name == "wildbook":
        exporter = Wildbook(location_id="Demo site")
    table, folder = deployments(metres=metres), tmp_path / "out"

    def take(some: pd.DataFrame, design: Design) -> Survey:
        return take_survey(some, table, design, name="bears", model="run", frame=Frame("42" * 16))

    lost = rows().assign(timestamp=pd.Timestamp("2025-01-01"), image="Otter Bend/late.jpg").iloc[:1]
    some = pd.concat([rows(), lost], ignore_index=True).assign(method="human")
    done = export_survey(
        some, take, Design(drop_outside=True), exporter, folder, facts={"name": "bears"}, draws=draws
    )
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.relative_to(folder).as_posix() for path in files} == set(done.files)
    assert any(path.name == "dropped.csv" for path in files)
    for path in files:
        data = path.read_bytes() + path.as_posix().removeprefix(str(tmp_path)).encode()
        for secret in (*SECRETS, str(tmp_path)):
            assert secret.encode() not in data, f"{path.name} tells {secret}"
    assert done.key is not None
    assert "Grizzly Ford" in done.key.read_text()
    assert done.key.parent == folder.parent


def test_a_private_export_tells_and_needs_no_frame(tmp_path: Path) -> None:
    def take(some: pd.DataFrame, design: Design) -> Survey:
        return take_survey(some, deployments(metres=False), design, name="bears")

    exporter: Any = next(one for one, _, _ in CASES if one.name == "camtrap-dp")
    done = export_survey(rows(), take, Design(private=True), exporter, tmp_path / "out", facts={})
    text = (tmp_path / "out" / "deployments.csv").read_text()
    for told in ("Grizzly-Ford", "56.781234", "-125.431299", "Ada's hut", "near the bridge"):
        assert told in text
    assert done.key is None
