"""Every block and command of README and docs runs; what cannot run here says why, and is at least a command."""

from __future__ import annotations

import itertools
import json
import shlex
import shutil
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image
from tests.docs.blocks import Block, blocks_of
from tests.plugins.datasets import forms
from typer.testing import CliRunner
from written.commands import commands, parameters

from wildreid.cli import app
from wildreid.recipe.load import load_recipe
from wildreid.recipe.merge import merge
from wildreid.testing import TINY_RECIPE, draw_photos

ROOT = Path(__file__).parents[2]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted(ROOT.glob("docs/**/*.md")),
    *sorted(ROOT.glob("species/*/README.md")),
]
PAGES = [page for page in PAGES if "_build" not in page.parts]
REASONS = ("installs", "needs", "there is nothing to resume", "every option is checked", "takes")
ONES_THAT_INSTALL = ("pip install", "nox", "source ")


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that looks like a clone, for all pages together: what one has run, the next finds done."""
    folder = tmp_path_factory.mktemp("desk")
    for name in ("species", "docs"):
        (folder / name).symlink_to(ROOT / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


def photos(desk: Path) -> None:
    if not (desk / "photos").exists():
        draw_photos(desk / "photos", individuals=9)


def new_photos(desk: Path) -> None:
    """A few photos as they come from a camera: some of known animals, one that is none."""
    if (desk / "new-photos").exists():
        return
    run("reid run species/bears/recipe.yaml --profile smoke", desk)
    import pandas as pd

    runs = desk / "runs" / "bears-smoke"
    root = Path(json.loads((runs / "run.json").read_text())["root"])
    split = pd.read_parquet(runs / "split.parquet")
    (desk / "new-photos").mkdir()
    for number, image in enumerate(split[split["part"] == "test"]["image"].iloc[:6]):
        shutil.copy(root / image, desk / "new-photos" / f"{number}{Path(image).suffix}")
    (desk / "new-photos" / "broken.jpg").write_bytes(b"not a photo")


def a_gallery(desk: Path) -> None:
    """What the page on galleries takes for granted: a run named bears, and photos by bear."""
    new_photos(desk)
    if not (desk / "photos-by-bear").exists():
        draw_photos(desk / "photos-by-bear", individuals=20)  # enough to calibrate on
        (desk / "by-bear.yaml").write_text(
            TINY_RECIPE.read_text().replace("root: photos", "root: photos-by-bear")
        )
        run("reid run by-bear.yaml --name bears --set splitter.val=0.4 --set training.epochs=1", desk)


def a_survey(desk: Path) -> None:
    """What the page on populations takes for granted: a gallery named forest, and when its cameras stood."""
    a_gallery(desk)
    if (desk / "forest").exists():
        return
    run("reid gallery create forest --model runs/bears --data photos-by-bear/photos.csv", desk)
    import pandas as pd

    seen = pd.read_csv(desk / "photos-by-bear" / "photos.csv", parse_dates=["timestamp"])
    start, end = (
        seen["timestamp"].min().normalize(),
        seen["timestamp"].max().normalize() + pd.Timedelta(days=1),
    )
    cameras = sorted(seen["camera"].unique())
    table = pd.DataFrame({"station": cameras, "start": start, "end": end})
    table["x"], table["y"] = range(len(table)), 0
    table.to_csv(desk / "deployments.csv", index=False)


def another_survey(desk: Path) -> None:
    """What another tool exported: two photos of one animal, with its box."""
    if (desk / "survey").exists():
        return
    (desk / "survey").mkdir()
    rows = ["File,Timestamp,Individuals,Flank,Left,Right,Top,Bottom"]
    for number in range(2):
        Image.new("RGB", (200, 100), "sienna").save(desk / "survey" / f"{number}.jpg")
        rows.append(f"{number}.jpg,2024-05-0{number + 1} 10:00:00,Hera,Left,0.1,0.6,0.2,0.8")
    (desk / "survey" / "traptagger.csv").write_text("\n".join(rows), encoding="utf-8")


def exports(desk: Path) -> None:
    """What the page on other tools takes for granted: a package as Agouti writes it."""
    root = desk / "agouti-export"
    if root.exists():
        return
    media, observations = [], []
    for number in range(60):  # six animals, ten days each
        forms.photo(root / f"media/{number}.jpg", (64 + number, 64))
        day = f"2024-{5 + number // 30:02d}-{1 + number % 30:02d}"
        media.append(forms.medium(number, timestamp=f"{day}T10:00:00+02:00"))
        observations.append(forms.seen(number, eventID=f"e{number}", individualID=f"heron {number // 10}"))
    forms.camtrap(root, media, observations)


PREPARE: dict[str, Callable[[Path], None]] = {
    "photos": photos,
    "new-photos": new_photos,
    "gallery.md": a_gallery,
    "populations.md": a_survey,
    "survey": another_survey,
    "exports": exports,
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page(page: Path, desk: Path) -> None:
    blocks = blocks_of(page)
    if not blocks:
        pytest.skip("it has no blocks")
    if page.name in PREPARE:
        PREPARE[page.name](desk)
    names: dict[str, Any] = {"__name__": "page"}
    for block in blocks:
        if "species" in page.parts:  # its pack's own tests run it, and FOLDER stands for the reader's
            block = replace(block, key="run", value="not, needs the photos that the pack reads")
        where = f"{page.relative_to(ROOT)}:{block.line}"
        try:
            try_block(block, desk, names, where)
        except Exception as error:
            raise AssertionError(f"{where}: {type(error).__name__}: {error}") from error


def try_block(block: Block, desk: Path, names: dict[str, Any], where: str) -> None:
    if block.reason:
        assert block.reason.startswith(REASONS), f"'{block.reason}' is no reason not to run it"
    elif block.value.startswith("prepare "):
        PREPARE[block.value.removeprefix("prepare ")](desk)
    if block.key == "file":
        (desk / block.value).write_text(block.body, encoding="utf-8")
    elif block.kind in ("console", "sh", "bash"):
        for command in block.commands():
            if block.reason or any(word in command for word in ONES_THAT_INSTALL):
                parse(command)
            else:
                extra = block.value.removeprefix("with ") if block.value.startswith("with ") else ""
                run(f"{command} {extra}", desk, exits=int(block.value) if block.key == "exits" else 0)
    elif block.kind == "python":
        code = compile("\n" * block.line + block.body, where, "exec")
        if not block.reason:
            exec(code, names)
    elif block.kind == "yaml":
        check_yaml(block, desk)
    elif block.kind == "toml":
        tomllib.loads(block.body)
    elif block.kind == "json":
        json.loads(block.body)
    elif block.kind != "csv":
        raise AssertionError(f"nobody knows how to run a block of {block.kind}")


def run(command: str, desk: Path, *, exits: int = 0) -> None:
    """Run a command as a reader would, in this process."""
    words = shlex.split(command)
    words = words[1:] if words[0].endswith("python") and "-m" in words else words
    assert words[0] == "reid", f"{command}: only reid is run here"
    done = CliRunner().invoke(app, words[1:])
    code = 2 if type(done.exception).__name__.endswith("Error") else done.exit_code
    assert code == exits, f"{command}: exit code {code}\n{done.output}\n{done.exception!r}"


def parse(command: str) -> None:
    """See that the words of every `reid` in a command are ones it has."""
    known = dict(commands())
    lexer = shlex.shlex(command, posix=True, punctuation_chars=";&")
    lexer.whitespace_split = True
    for separates, part in itertools.groupby(lexer, lambda word: set(word) <= {";", "&"}):
        words = list(part)
        if separates or not words or not words[0].endswith("reid"):
            continue
        name = next(name for name in (" ".join(words[1:3]), words[1]) if name in known)
        options = {option for parameter in parameters(known[name]) for option in parameter.names}
        given = {word.partition("=")[0] for word in words if word.startswith("-") and not word[1:2].isdigit()}
        assert given <= options | {"--help"}, f"{command}: reid {name} has no {given - options}"


def check_yaml(block: Block, desk: Path) -> None:
    """A whole recipe loads; a part of one is laid over a small recipe, and that loads."""
    part = yaml.safe_load(block.body)
    if block.value == "fragment" or "dataset" not in part or "loss" not in part:
        part = merge(yaml.safe_load(TINY_RECIPE.read_text()), part, top=True)
    file = desk / "block.yaml"
    file.write_text(yaml.safe_dump(part), encoding="utf-8")
    load_recipe(file)
