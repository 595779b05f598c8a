"""What options that work on surveys must give: exporters."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from wildreid.population.deployments import deployments_of
from wildreid.population.design import Design
from wildreid.population.locations import Frame
from wildreid.population.survey import Survey
from wildreid.population.take import take_survey
from wildreid.testing.hold import hold

SECRETS = ("Bear Creek", "SN4711", "56.123456", "-125.765432")
"""What the tiny survey's stations are called and where they are: a public survey does not tell."""


def tiny_survey(*, private: bool = False, machine: bool = True) -> Survey:
    """Four animals before three stations on three occasions of five days; the last identity is a machine's."""
    met = [
        ("Ursa", "F", 0, 1), ("Ursa", "F", 0, 6), ("Ursa", "F", 1, 11), ("Bruno", "M", 1, 2), ("Bruno", "M", 2, 12),
        ("Ida", None, 2, 7), ("Otto", "M", 0, 8),
    ]  # fmt: skip
    stations = ("Bear Creek", "Bear Creek North", "Elk Ford")
    rows = pd.DataFrame(
        {
            "image": [f"Bear Creek/SN4711/photo{n}.jpg" for n in range(len(met))],
            "individual": [who for who, *_ in met],
            "sex": [sex for _, sex, *_ in met],
            "species": "Ursus arctos",
            "station": [stations[at] for *_, at, _ in met],
            "timestamp": [pd.Timestamp("2024-05-01 08:00") + pd.Timedelta(days=day) for *_, day in met],
            "method": ["human"] * (len(met) - 1) + ["machine"],
            "decided_by": ["Ada"] * (len(met) - 1) + ["tiny"],
            "decided_at": pd.Timestamp("2024-07-01 12:00", tz="UTC"),
            "probability": [None] * (len(met) - 1) + [0.97],
        }
    )
    deployments = pd.DataFrame(
        {
            "station": stations,
            "camera": ["SN4711", "SN4712", "SN4713"],
            "start": "2024-05-01T00:00:00-07:00",
            "end": "2024-05-16T00:00:00-07:00",
            "problem1_from": ["", "", "2024-05-10"],
            "problem1_to": ["", "", "2024-05-11T12:00:00"],
            "latitude": ["56.123456", "56.140001", "56.123999"],
            "longitude": ["-125.765432", "-125.765001", "-125.740002"],
        }
    )
    design = Design(private=private, machine=machine)
    return take_survey(
        rows, deployments_of(deployments), design, name="tiny", model="tiny", frame=Frame("5eed" * 8)
    )


def check_exporter(option: Any) -> None:
    """It writes into its folder alone, the same bytes each time, and tells no more than the survey does."""
    survey = tiny_survey()
    before = survey.photos.copy()
    contents = []
    for _ in range(2):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            written = option.write(survey=survey, folder=folder)
            hold(
                isinstance(written, list) and written,
                option,
                "did not return the list of files that it wrote",
            )
            for path in written:
                hold(Path(path).is_file(), option, f"says that it wrote {path}, which is not there")
                hold(folder in Path(path).parents, option, f"wrote outside its folder: {path}")
            there = {
                str(path.relative_to(folder)): path.read_bytes()
                for path in folder.rglob("*")
                if path.is_file()
            }
            silent = sorted(set(there) - {str(Path(path).relative_to(folder)) for path in written})
            hold(not silent, option, f"wrote {', '.join(silent)} and did not say so")
            for path, data in there.items():
                for secret in (*SECRETS, name):
                    hold(secret.encode() not in data, option, f"wrote '{secret}' into {path}")
            contents.append(there)
    hold(contents[0] == contents[1], option, "wrote other bytes the second time; use no clock and no chance")
    hold(before.equals(survey.photos), option, "changed the survey it was given")
