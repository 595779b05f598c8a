from __future__ import annotations

import json
import math
from pathlib import Path

import pandas as pd
import pytest
from scipy.stats import binomtest
from tests.core.cli.test_gallery_commands import reid
from tests.core.gallery.made import MARK, RULE, unit

from wildreid.errors import UserError
from wildreid.gallery.store import Gallery
from wildreid.identification import open_gallery
from wildreid.population.draws import drawn, uncertain_of
from wildreid.population.of_gallery import undecided

DEPLOYMENTS = """\
station,camera,start,end,latitude,longitude
Grizzly Ford,ford,2024-05-01,2024-05-31,56.781234,-125.431299
Otter Bend,bend,2024-05-01,2024-05-31,56.798765,-125.409876
"""


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    """Three animals before two cameras; the last photo was named by a machine."""
    met = [
        ("Bella", "ford", 1),
        ("Bella", "ford", 8),
        ("Otis", "bend", 2),
        ("Otis", "ford", 12),
        ("Ida", "bend", 14),
    ]
    rows = pd.DataFrame(
        {
            "key": [f"{n:032x}" for n in range(len(met))],
            "image": [f"Grizzly Ford/{n}.jpg" for n in range(len(met))],
            "identity": [who for who, _, _ in met],
            "camera": [camera for _, camera, _ in met],
            "timestamp": [pd.Timestamp("2024-05-01 12:00") + pd.Timedelta(days=day) for *_, day in met],
            "species": "Ursus arctos",
            "sex": ["female", None, "male", "male", None],
            "method": ["human"] * 4 + ["machine"],
            "decided_by": ["ada"] * 4 + ["made"],
            "probability": [None] * 4 + [0.97],
        }
    )
    made = Gallery.create(tmp_path / "bears", MARK, rule=RULE)
    made.add(rows, unit(len(rows), 1), model=MARK)
    (tmp_path / "deployments.csv").write_text(DEPLOYMENTS)
    return tmp_path / "bears"


def test_an_export_in_every_form(gallery: Path, tmp_path: Path) -> None:
    where = ("--deployments", tmp_path / "deployments.csv", "--timezone", "America/Vancouver")
    for name in ("csv", "mark", "secr", "oscr", "camtrapr", "camtrap-dp", "wildbook"):
        more = ("--set", "location_id=Demo site") if name == "wildbook" else ()
        out = reid("gallery", "export", gallery, "--to", name, *where, "--out", tmp_path / name, *more).output
        assert "2 individuals in 4 encounters at 2 stations, 6 occasions of 5 days from 2024-05-01" in out
        assert "left out: 1 photo: named by a machine" in out
        assert f"{name}.private.csv says which name stands for which" in out
        assert "PRIVATE" not in out
        record = json.loads((tmp_path / name / "export.json").read_text())
        assert record["exporter"]["name"] == name
        assert record["gallery"]["digest"] == Gallery(gallery).state.digest()
        assert record["identities of photos decided by"] == {"human": {"ada": 4}}
        for path in (tmp_path / name).rglob("*"):
            for secret in ("Grizzly", "Otter", "56.7812", "125.4312", str(tmp_path)):
                assert path.is_dir() or secret not in path.read_text()


def test_machine_private_and_names_are_asked_for(gallery: Path, tmp_path: Path) -> None:
    where = ("--to", "csv", "--deployments", tmp_path / "deployments.csv")
    out = reid(
        "gallery", "export", gallery, *where, "--out", tmp_path / "p", "--private", "--include", "machine"
    ).output
    assert "PRIVATE: this says where the animals live" in out
    assert "3 individuals" in out
    assert "Grizzly-Ford" in (tmp_path / "p" / "sightings.csv").read_text()
    with pytest.raises(UserError, match="there is no 'guess' to include"):
        reid("gallery", "export", gallery, *where, "--out", tmp_path / "x", "--include", "guess")
    with pytest.raises(UserError, match="did you mean 'csv'"):
        reid("gallery", "export", gallery, "--to", "cvs", *where[2:], "--out", tmp_path / "x")
    with pytest.raises(UserError, match="needs --draws"):
        reid("gallery", "export", gallery, *where, "--out", tmp_path / "x", "--undecided", tmp_path)
    assert not (tmp_path / "x").exists()


def test_population(gallery: Path, tmp_path: Path) -> None:
    where = ("--deployments", tmp_path / "deployments.csv")
    out = reid(
        "population",
        gallery,
        *where,
        "--html",
        tmp_path / "p.html",
        "--json",
        tmp_path / "p.json",
        "--season",
        "month",
    ).output
    for words in (
        "individuals seen",
        "Chapman",
        "Schnabel",
        "minimum number alive: 2024-05: 2",
        "Only 2 encounters were",
    ):
        assert words in out
    assert "5.0 % (" in out
    assert json.loads((tmp_path / "p.json").read_text())["figures"][0]["value"] == 2
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert "Grizzly" not in page
    assert "56.78" not in page
    with pytest.raises(UserError, match=r"has no recipe\.yaml"):
        reid("population", gallery, *where, "--run", tmp_path)
    with pytest.raises(UserError, match="there is no season 'moon'"):
        reid("population", gallery, *where, "--season", "moon")


def test_history_tells_where_and_with_whom(gallery: Path, tmp_path: Path) -> None:
    state = Gallery(gallery).state
    rows = state.rows.iloc[:1].assign(
        key="f" * 32,
        identity="Otis",
        visit="bend@2024-05-15",
        image="x.jpg",
        timestamp=pd.Timestamp("2024-05-15 12:05"),
    )
    other = rows.assign(key="e" * 32, identity="Ida", timestamp=pd.Timestamp("2024-05-15 12:00"))
    Gallery(gallery).add(pd.concat([rows, other]).drop(columns=["change"]), unit(2, 9), model=MARK)
    out = reid("history", gallery, "--stations", "--together", "--html", tmp_path / "h.html").output
    lines = [line.split() for line in out.splitlines()]
    assert ["Bella", "ford", "1", "2", "2024-05-02", "2024-05-09"] in lines
    assert ["Ida", "Otis", "1", "1", "2024-05-15", "2024-05-15", "0.33"] in lines
    page = (tmp_path / "h.html").read_text(encoding="utf-8")
    assert "Who with whom" in page
    assert "First and last seen by station" in page


def test_undecided_photos_are_drawn_by_their_probabilities(
    smoke_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """200 draws on a gallery of drawn bears: each burst has each candidate as often as its probability says."""
    monkeypatch.chdir(tmp_path)
    reid("gallery", "create", "g", "--model", smoke_run, "--data", smoke_run, "--part", "train")
    Gallery("g").calibrate(RULE)
    root = Path(json.loads((smoke_run / "run.json").read_text())["root"])
    split = pd.read_parquet(smoke_run / "split.parquet")
    new = split[split["part"] == "test"].head(12)
    new[["image", "camera", "timestamp"]].to_csv("new.csv", index=False)
    low, high = (
        split["timestamp"].min().normalize(),
        split["timestamp"].max().normalize() + pd.Timedelta(days=1),
    )
    cameras = sorted(split["camera"].dropna().unique())
    table = pd.DataFrame({"station": cameras, "camera": cameras, "start": low, "end": high}).astype("string")
    table.to_csv("d.csv", index=False)

    reid("identify", "g", "new.csv", "--root", root, "--json", "who.json")
    said = json.loads(Path("who.json").read_text())["encounters"]
    loose = undecided(open_gallery("g", device="cpu"), [Path("new.csv")], root=root).reset_index(drop=True)
    assert len(loose) == len(new)
    drawing, count = uncertain_of(loose), 200
    names = pd.concat([drawn(loose, drawing, 4, n)["individual"] for n in range(count)], axis=1)
    within = []
    for answer in said:
        own = names[loose["image"].isin(answer["images"])].fillna("?")
        assert (own.nunique() == 1).all()  # a burst is one animal
        expected = {one["individual"]: one["probability"] for one in answer["candidates"]}
        drawn_names = own.iloc[0].mask(own.iloc[0].str.startswith("new-"), "new")
        for name, p in {**expected, "new": answer["new_probability"]}.items():
            times = int((drawn_names == name).sum())
            # that many by chance: one in a hundred thousand; there are some dozens of candidates
            assert binomtest(times, count, p).pvalue > 1e-5, (answer["query"], name)
            within.append(abs(times / count - p) <= 3 * math.sqrt(p * (1 - p) / count))
    assert len(within) >= 10
    assert sum(within) >= 0.95 * len(within)

    where = ("--deployments", "d.csv", "--occasion-days", "30", "--partial", "--station-names")
    out = reid("population", "g", *where, "--run", smoke_run).output
    block = json.loads((smoke_run / "scores.json").read_text())
    scores = block["protocols"][block["headline"]]["scores"]
    missed, merged = 1 - scores["dir@1"]["value"], scores["fpir"]["value"]
    assert f"wrong identities: {100 * missed:.1f} %" in out
    assert f"{100 * merged:.1f} % (" in out
    draws = ("--draws", "2", "--undecided", "new.csv", "--root", root, "--seed", "4")
    out = reid("gallery", "export", "g", "--to", "csv", *where, *draws, "--out", "drawn").output
    assert "2 draws, the first of" in out
    assert (Path("drawn") / "pool.R").is_file()
    record = json.loads((Path("drawn") / "export.json").read_text())
    assert record["draws"] == {"draws": 2, "seed": 4, "uncertain encounters": len(said)}
    for n in (1, 2):
        table = pd.read_csv(Path("drawn") / f"draw_{n:03d}" / "sightings.csv")
        expected = drawn(loose, drawing, 4, n)["individual"].dropna()
        assert set(table.loc[table["method"] == "machine", "individual"]) == set(expected)
