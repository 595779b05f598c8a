"""The packs' recipes: each validates with each profile, and says what it falls back to."""

from __future__ import annotations

import pytest
import yaml

from wildreid.errors import UserError
from wildreid.recipe import load_recipe

RECIPES = ("bears/recipe.yaml", "bears/baseline.yaml", "cows/recipe.yaml")


@pytest.mark.parametrize("name", RECIPES)
def test_each_profile_validates(checkout, name):
    path = checkout / "species" / name
    profiles = yaml.safe_load(path.read_text())["profiles"]
    for profile in profiles:
        loaded = load_recipe(path, profiles=[profile])
        assert not loaded.registry.broken, profile
        assert loaded.recipe.about


@pytest.mark.parametrize("name", RECIPES)
def test_each_recipe_opens_with_the_command_that_runs_it(checkout, name):
    first, *_ = (checkout / "species" / name).read_text().splitlines()
    assert first.startswith(f"# reid run species/{name}")


@pytest.mark.parametrize("name", ["bears/recipe.yaml", "bears/baseline.yaml"])
def test_without_the_photos_the_sample_runs_and_says_so(checkout, name):
    loaded = load_recipe(checkout / "species" / name)
    assert loaded.recipe.stamp == "sample"
    assert loaded.recipe.dataset.name == "drawn-bears"
    assert "WILDREID_BEARID" in loaded.notes[0]


def test_with_the_photos_it_is_the_winner_of_the_article_s_search(checkout, tmp_path, monkeypatch):
    monkeypatch.setenv("WILDREID_BEARID", str(tmp_path))
    loaded = load_recipe(checkout / "species/bears/recipe.yaml")
    recipe = loaded.recipe
    assert not loaded.notes
    assert recipe.dataset.root == tmp_path
    assert (recipe.backbone.model, recipe.backbone.pretrained) == ("convnext_large", True)
    assert (recipe.loss.name, recipe.loss.margin, recipe.loss.scale) == ("arcface", 41.0, 128)
    assert (recipe.miner.name, recipe.sampler.images, recipe.training.batch) == ("hard", 4, 32)
    rates = recipe.optimizer
    assert (rates.name, rates.backbone_rate, rates.head_rate, rates.loss_rate) == (
        "adam",
        7.2e-5,
        7.2e-5,
        7.2e-4,
    )
    head = recipe.head
    assert (head.name, head.depth, head.hidden, head.width, head.norm) == ("mlp", 1, 2048, 512, "before")
    rotation, color = recipe.transforms
    assert (rotation.degrees, color.hue, recipe.images.fit) == (16.7, 0.25, "squash")
    assert (recipe.splitter.name, recipe.splitter.group) == ("open-set", "camera-date")
    assert (recipe.images.size, recipe.training.epochs, recipe.training.patience) == (224, 200, 40)
    circle = load_recipe(checkout / "species/bears/recipe.yaml", profiles=["circle"]).recipe
    assert circle.loss.name == "circle"


def test_cows_are_no_code(checkout):
    assert not list((checkout / "species/cows").glob("**/*.py"))


def test_cows_say_how_to_point_at_the_photos(checkout):
    recipe = load_recipe(checkout / "species/cows/recipe.yaml").recipe
    assert recipe.stamp == ""
    with pytest.raises(UserError, match="is not there") as error:
        recipe.dataset.table()
    assert "`dataset.root=FOLDER`" in error.value.cure


def test_cows_as_they_are(checkout, real_data):
    settings = {"dataset.root": real_data / "opencows2020"}
    table = load_recipe(checkout / "species/cows/recipe.yaml", settings=settings).recipe.dataset.table()
    assert (len(table), table.individuals) == (1409, 46)
    assert table["identity"].min() == "001"
    assert not table.dated


def test_the_article_s_search_holds_its_winner(checkout):
    space = yaml.safe_load((checkout / "species/bears/search.yaml").read_text(encoding="utf-8"))["space"]
    winner = yaml.safe_load((checkout / "species/bears/recipe.yaml").read_text(encoding="utf-8"))
    arcface = next(one for one in space["loss"]["choice"] if one["name"] == "arcface")
    low, high = arcface["margin"]["uniform"]
    assert low <= winner["loss"]["margin"] <= high
    assert winner["loss"]["scale"] in arcface["scale"]["choice"]
    assert winner["backbone"]["model"] in space["backbone"]["model"]["choice"]
    assert winner["head"]["hidden"] in space["head"]["hidden"]["choice"]
    assert winner["head"]["width"] in space["head"]["width"]["choice"]
    assert winner["miner"] in space["miner"]["choice"]
    rates = winner["optimizer"]
    for key in ("head_rate", "loss_rate"):
        low, high = space["optimizer"][key]["loguniform"]
        assert low <= round(rates[key] / rates["backbone_rate"], 6) <= high
    low, high = space["optimizer"]["backbone_rate"]["loguniform"]
    assert low <= rates["backbone_rate"] <= high
    for drawn, chosen, key in zip(space["transforms"], winner["transforms"], ("degrees", "hue"), strict=True):
        low, high = drawn[key]["uniform"]
        assert low <= chosen[key] <= high
