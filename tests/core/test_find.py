from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest
from typer.testing import CliRunner

from wildreid.cli import app
from wildreid.errors import UserError
from wildreid.recipe import find, load_recipe
from wildreid.recipe.find import find_recipe, installed_recipes
from wildreid.registry import Registry
from wildreid.testing import TINY_RECIPE

REGISTRY = Registry()
RECIPE = TINY_RECIPE.read_text().replace("name: tiny\n", "")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pack named wolves, as it lies in site-packages, with two recipes and something else."""
    folder = tmp_path / "site" / "wolves_of_somewhere"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('a pack is not imported to list its recipes')")
    (folder / "recipe.yaml").write_text(RECIPE)
    (folder / "baseline.yaml").write_text(RECIPE)
    (folder / "space.yaml").write_text("base: recipe.yaml\n")
    points = EntryPoints([EntryPoint("wolves", "wolves_of_somewhere", "wildreid")])
    monkeypatch.setattr(find.importlib.metadata, "entry_points", lambda group: points)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("WILDREID_PLUGINS", "")
    monkeypatch.chdir(tmp_path)
    yield folder
    sys.modules.pop("wolves_of_somewhere", None)


def test_installed_recipes_have_the_packs_name(installed: Path) -> None:
    assert installed_recipes() == {
        "wolves": installed / "recipe.yaml",
        "wolves/baseline": installed / "baseline.yaml",
    }
    assert find_recipe("wolves/baseline") == installed / "baseline.yaml"


def test_a_blocked_pack_has_none(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WILDREID_PLUGINS", "-wolves")
    assert installed_recipes() == {}


def test_files_and_folders_win(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "wolves").mkdir()
    with pytest.raises(UserError, match=r"holds no recipe\.yaml"):
        find_recipe(tmp_path / "wolves")
    (tmp_path / "wolves" / "recipe.yaml").write_text(RECIPE)
    assert find_recipe("wolves") == Path("wolves/recipe.yaml")
    assert find_recipe("wolves/recipe.yaml") == Path("wolves/recipe.yaml")


def test_a_folder_gives_the_recipe_its_name_and_its_paths(installed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "foxes"
    folder.mkdir()
    (folder / "recipe.yaml").write_text(RECIPE)
    recipe = load_recipe(folder, registry=REGISTRY).recipe
    assert recipe.name == "foxes"
    assert recipe.dataset.root == folder / "photos"  # type: ignore[attr-defined]


def test_a_misspelt_name_is_told_what_is_near(installed: Path) -> None:
    with pytest.raises(UserError) as caught:
        find_recipe("wolvs")
    assert "there is no recipe wolvs, did you mean 'wolves'?" in str(caught.value)
    assert "wolves, wolves/baseline" in str(caught.value)


def test_the_command_lists_installed_and_near_ones(installed: Path, tmp_path: Path) -> None:
    for folder in ("here/pack", "runs/done"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "recipe.yaml").write_text(RECIPE + "profiles: {quick: {}}\n")
    (tmp_path / "runs" / "done" / "run.json").write_text("{}")
    done = CliRunner().invoke(app, ["recipes"])
    assert done.exit_code == 0, done.output
    assert "wolves/baseline" in done.output
    assert "here/pack/recipe.yaml" in done.output
    assert "quick" in done.output
    assert "runs/done" not in done.output


def test_with_none_the_command_says_how_to_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find.importlib.metadata, "entry_points", lambda group: EntryPoints())
    monkeypatch.chdir(tmp_path)
    assert "reid new species" in CliRunner().invoke(app, ["recipes"]).output
