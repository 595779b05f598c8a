from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from wildreid.cli import app
from wildreid.errors import UserError
from wildreid.kinds import KINDS
from wildreid.recipe.schema import HEADER, recipe_schema
from wildreid.registry import Registry
from wildreid.testing import TINY_RECIPE

REGISTRY = Registry()
SCHEMA = recipe_schema(REGISTRY)
VALIDATOR = Draft202012Validator(SCHEMA)


def tiny(**changes: Any) -> dict[str, Any]:
    return {**yaml.safe_load(TINY_RECIPE.read_text()), **changes}


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_recipes_of_the_project_fit(checkout: Path) -> None:
    for path in (TINY_RECIPE, *sorted(checkout.glob("species/*/*.yaml"))):
        recipe = yaml.safe_load(path.read_text())
        if "dataset" not in recipe:  # a search space
            continue
        schema = recipe_schema(Registry(packs=[path.parent])) if recipe.get("packs") else SCHEMA
        assert [error.message for error in Draft202012Validator(schema).iter_errors(recipe)] == [], path


@pytest.mark.parametrize(
    "changes",
    [
        {"loss": "tripplet"},
        {"loss": {"name": "triplet", "margn": 0.3}},
        {"loss": {"name": "triplet", "margin": -1}},
        {"loss": {"margin": 0.3}},
        {"dataset": "table"},  # it has a required field
        {"dataset": {"name": "table"}},
        {"sead": 3},
        {"training": {"epochs": "many"}},
        {"profiles": {"fast": {"sead": 3}}},
        {"profiles": {"fast": {"loss": {"margn": 0.3}}}},
        {"metrics": []},
    ],
)
def test_mistakes_do_not_fit(changes: dict[str, Any]) -> None:
    assert list(VALIDATOR.iter_errors(tiny(**changes)))


@pytest.mark.parametrize(
    "changes",
    [
        {"loss": {"name": "triplet", "margin": 0.3}},
        {"packs": "."},
        {"fallback": "fast", "profiles": {"fast": {"training": {"epochs": 1}}}},
        {"profiles": {"other": {"loss": {"margin": 0.3}, "dataset": {"root": "photos"}}}},
        {"profiles": {"other": {"loss": "arcface", "dataset": {"name": "folder"}}}},
        {"training": {"freeze": 2}},
    ],
)
def test_what_a_recipe_may_say_fits(changes: dict[str, Any]) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(tiny(**changes))] == []


def test_every_option_is_in_it_with_its_words() -> None:
    for kind in KINDS:
        for name, option in REGISTRY.options(kind.kind).items():
            own = SCHEMA["$defs"][f"{kind.kind}.{name}"]
            assert own["description"].startswith(option.summary())
            assert set(own["properties"]) == {"name", *option.model_fields}


def test_the_command(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["schema"])
    assert json.loads(done.stdout) == json.loads(json.dumps(SCHEMA))
    file = tmp_path / "recipe.schema.json"
    assert CliRunner().invoke(app, ["schema", "--out", str(file)]).exit_code == 0
    assert json.loads(file.read_text()) == json.loads(done.stdout)


def test_the_recipes_of_the_project_name_their_schema(checkout: Path, tmp_path: Path) -> None:
    recipes = [*checkout.glob("species/*/*.yaml"), *checkout.glob("docs/examples/*/*.yaml")]
    recipes = [path for path in recipes if "dataset" in yaml.safe_load(path.read_text())]
    assert len(recipes) >= 4
    for path in recipes:
        assert f"\n{HEADER}recipe.schema.json\n" in path.read_text(), path


def test_the_command_writes_where_the_recipe_s_line_says(checkout: Path, tmp_path: Path) -> None:
    pack = Path(shutil.copytree(checkout / "docs/examples/stripes", tmp_path / "stripes"))
    done = CliRunner().invoke(app, ["schema", str(pack / "recipe.yaml")])
    assert done.exit_code == 0, done.output
    schema = json.loads((pack / "recipe.schema.json").read_text())
    assert "dataset.drawn-stripes" in schema["$defs"], "the options of the recipe's own pack"
    assert not list(
        Draft202012Validator(schema).iter_errors(yaml.safe_load((pack / "recipe.yaml").read_text()))
    )


def test_a_recipe_without_the_line_is_told_which(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(TINY_RECIPE.read_text())
    done = CliRunner().invoke(app, ["schema", str(recipe)])
    assert isinstance(done.exception, UserError)
    assert f"{HEADER}recipe.schema.json" in str(done.exception)
    done = CliRunner().invoke(app, ["schema", str(recipe), "--out", str(tmp_path / "schema.json")])
    assert isinstance(done.exception, UserError)
