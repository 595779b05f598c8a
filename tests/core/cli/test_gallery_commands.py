from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.core.gallery.made import RULE, made
from typer.testing import CliRunner, Result

from wildreid.cli import app
from wildreid.errors import UserError
from wildreid.gallery.store import Gallery


def reid(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return made(tmp_path / "g").folder


def test_corrections_and_undo(folder: Path) -> None:
    before = Gallery(folder).state.digest()
    assert "Otis" in reid("gallery", "rename", folder, "bear 0", "Otis").output
    assert "merged" in reid("gallery", "merge", folder, "bear 1", "Otis").output
    state = Gallery(folder).state
    rows = state.rows.iloc[state.rows_of("Otis")]
    reid("gallery", "split", folder, "Otis", "Grazer", "--image", rows["image"].iloc[0])
    visit = rows["visit"].iloc[-1]
    reid("gallery", "remove", folder, "Otis", "--encounter", visit)
    assert visit not in set(Gallery(folder).state.rows.iloc[Gallery(folder).state.rows_of("Otis")]["visit"])
    reid("gallery", "remove", folder, "bear 2")
    assert Gallery(folder).state.individuals == ("Grazer", "Otis", "bear 3", "bear 4", "bear 5")
    shown = reid("gallery", "show", folder, "Otis").output
    assert "merge 'bear 1' into 'Otis'" in shown
    for words in ("remove 'bear 2'", "images of 'Otis'", "split 1 images", "merge", "rename"):
        assert words in reid("gallery", "undo", folder).output
    assert Gallery(folder).state.digest() == before
    log = reid("gallery", "log", folder).output
    assert log.count("undone") == 5
    assert "add 60 images of 6 individuals" in log


def test_list_and_verify(folder: Path) -> None:
    out = reid("gallery", "list", folder).output
    assert "bear 5" in out
    assert "6 individuals, 60 images" in out
    out = reid("gallery", "verify", folder, "--index").output
    assert "too small for an index" in out
    assert "whole: 6 individuals" in out
    (npy,) = (folder / "segments").glob("*.npy")
    npy.write_bytes(npy.read_bytes()[:-1] + b"\0")
    result = reid("gallery", "verify", folder)
    assert result.exit_code == 1
    assert "altered" in result.output


def test_names_that_are_not_there_are_met_with_what_is(folder: Path) -> None:
    with pytest.raises(UserError, match="did you mean"):
        reid("gallery", "show", folder, "baer 1")
    with pytest.raises(UserError, match="say which images"):
        reid("gallery", "split", folder, "bear 0", "x")
    with pytest.raises(UserError, match="has no image 'strange"):
        reid("gallery", "split", folder, "bear 0", "x", "--image", "strange")


def test_history_in_the_terminal_as_csv_and_as_a_page(folder: Path, tmp_path: Path) -> None:
    out = reid("history", folder, "--csv", tmp_path / "h.csv", "--html", tmp_path / "h.html").output
    assert "2024-05-" in out
    assert (tmp_path / "h.csv").read_text().startswith("individual,encounter,camera,first,last,images")
    assert "</html>" in (tmp_path / "h.html").read_text()


def test_calibrate_says_what_it_fitted(folder: Path) -> None:
    out = reid("gallery", "calibrate", folder, "--false-accepts", "0.2").output
    assert "20 % of unknown" in out
    rule = Gallery(folder).state.rule
    assert rule is not None
    assert rule != RULE
    assert rule.decision.target == 0.2
    empty = made(folder.parent / "empty", rows=0).folder
    with pytest.raises(UserError, match="no rule could be fitted"):
        reid("gallery", "calibrate", empty)


def test_a_new_gallery_is_calibrated_on_itself_where_its_photos_suffice(
    smoke_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = ("--model", smoke_run, "--data", smoke_run, "--part", "val", "--part", "test")
    assert "known from" not in reid("gallery", "create", tmp_path / "few", *source).output
    monkeypatch.setattr("wildreid.identification.calibration.FEWEST", 2)
    monkeypatch.setattr("wildreid.identification.calibration.LEAST", 5)
    assert "known from" in reid("gallery", "create", tmp_path / "g", *source).output
    state = Gallery(tmp_path / "g").state
    assert state.rule is not None
    assert state.rule.decision.gallery == (len(state.individuals), state.images)


def test_a_file_that_cannot_be_written_is_refused_before_the_work(folder: Path, tmp_path: Path) -> None:
    for wrong, words in ((tmp_path, "is a folder"), (tmp_path / "away" / "x.csv", "there is no folder")):
        with pytest.raises(UserError, match=words):
            reid("history", folder, "--csv", wrong)
        with pytest.raises(UserError, match=words):
            reid("identify", folder, tmp_path / "no-photo.jpg", "--json", wrong)


def test_help_names_every_command() -> None:
    out = reid("gallery", "--help").output
    for command in (
        "create", "add", "list", "show", "rename", "merge", "split", "remove", "undo", "verify", "calibrate"
    ):  # fmt: skip
        assert command in out


def test_the_way_from_a_run_to_answers(
    smoke_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = ("--model", smoke_run, "--data", smoke_run, "--part", "train", "--licence", "CC BY 4.0")
    out = reid("gallery", "create", "g", *source, "--exact-up-to", "7").output
    manifest = Gallery("g").state.manifest
    assert (manifest.licence, manifest.exact_up_to) == ("CC BY 4.0", 7)
    assert "added" in out
    root = Path(json.loads((smoke_run / "run.json").read_text())["root"])
    photos = sorted(root.rglob("*.jpg"))[:6]
    out = reid(
        "identify", "g", *photos, "--json", "who.json", "--csv", "who.csv", "--html", "who.html", "--top", "2"
    ).output
    assert "6 photos in" in out
    said = json.loads(Path("who.json").read_text(encoding="utf-8"))
    assert [answer["query"] for answer in said["images"]] == [
        photo.relative_to(root).as_posix() if len({p.parent for p in photos}) > 1 else photo.name
        for photo in photos
    ]
    assert said["gallery"]["stamp"] == "smoke"
    assert ">smoke<" in Path("who.html").read_text(encoding="utf-8")
    out = reid("discover", "g", root, "--cut", "0.5", "--csv", "new.csv").output
    assert "proposed individuals" in out
    for clusterer in ("hdbscan", "connected-components"):
        reid("discover", "g", *photos, "--cut", "0.5", "--clusterer", clusterer)
    with pytest.raises(UserError, match="did you mean 'hdbscan'"):
        reid("discover", "g", *photos, "--clusterer", "hdbscam")
    with pytest.raises(UserError, match="greater than or equal to 2"):
        reid("discover", "g", *photos, "--clusterer", "hdbscan", "--set", "smallest=1")
    out = reid("export", smoke_run, "--out", "packed").output
    assert "wrote packed" in out
    with pytest.raises(UserError, match="empty"):
        reid("gallery", "create", "g", "--model", smoke_run)
