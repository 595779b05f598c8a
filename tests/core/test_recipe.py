from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from wildreid.errors import RecipeError, UserError
from wildreid.recipe import load_recipe
from wildreid.recipe.load import run_name
from wildreid.recipe.merge import merge
from wildreid.recipe.model import Recipe

RECIPE = """\
dataset: {name: folder, root: photos}
splitter: disjoint-set
backbone: {name: timm, model: resnet18, pretrained: false}
head: mlp
loss: {name: arcface, margin: 20}
miner: hard
sampler: per-identity
optimizer: adam
scheduler: constant
metrics: [accuracy-at-k]
fallback: sample
profiles:
  sample:
    stamp: sample
    dataset: {name: table, root: ., file: table.csv}
  triplet:
    loss: triplet
  narrow:
    loss: {margin: 10}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    (tmp_path / "table.csv").write_text("image,identity\n")
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE)
    return path


def test_options_that_change_their_name_are_replaced_whole_others_merge() -> None:
    assert merge({"name": "a", "x": 1}, {"name": "b"}) == {"name": "b"}
    assert merge({"name": "a", "x": 1}, {"y": 2}) == {"name": "a", "x": 1, "y": 2}
    assert merge({"name": "a", "x": 1}, {"name": "a", "y": 2}) == {"name": "a", "x": 1, "y": 2}
    assert merge({"name": "a", "x": 1}, "b") == {"name": "b"}
    assert merge("a", {"y": 2}) == {"name": "a", "y": 2}
    assert merge([1, 2], [3]) == [3]


def test_layers_are_laid_in_order(recipe: Path) -> None:
    loss = load_recipe(recipe, profiles=["narrow"], settings=["loss.margin=5"]).recipe.loss
    assert loss.model_dump()["margin"] == 5
    loss = load_recipe(recipe, profiles=["narrow"]).recipe.loss
    assert loss.model_dump()["margin"] == 10
    loss = load_recipe(recipe, profiles=["triplet"]).recipe.loss
    assert loss.name == "triplet"
    loss = load_recipe(recipe, settings={"loss": {"name": "triplet", "margin": 0.4}}).recipe.loss
    assert loss.model_dump()["margin"] == 0.4


def test_the_name_is_the_folders_where_the_file_is_recipe_yaml(recipe: Path) -> None:
    assert load_recipe(recipe).recipe.name == recipe.parent.name
    other = recipe.with_name("other.yaml")
    other.write_text(RECIPE)
    assert load_recipe(other).recipe.name == "other"


def test_no_fallback_where_the_root_is_there(recipe: Path) -> None:
    loaded = load_recipe(recipe)
    assert loaded.recipe.dataset.name == "folder"
    assert not loaded.notes


def test_the_fallback_is_loud(recipe: Path) -> None:
    (recipe.parent / "photos").rmdir()
    loaded = load_recipe(recipe, profiles=["triplet"])
    assert loaded.recipe.dataset.name == "table"
    assert loaded.recipe.stamp == "sample"
    assert loaded.recipe.loss.name == "triplet"
    (note,) = loaded.notes
    assert "sample" in note
    assert "`dataset.root=FOLDER`" in note


def test_a_root_that_was_given_is_never_replaced_by_the_fallback(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load_recipe(recipe, settings=["dataset.root=nowhere"])
    assert loaded.recipe.dataset.name == "folder"
    recipe.write_text(RECIPE.replace("root: photos", "root: '${WILDREID_TEST_ROOT:-absent}'"))
    assert load_recipe(recipe).recipe.stamp == "sample"
    monkeypatch.setenv("WILDREID_TEST_ROOT", str(tmp_path / "also-absent"))
    loaded = load_recipe(recipe)
    assert loaded.recipe.dataset.name == "folder"
    assert loaded.recipe.dataset.model_dump(mode="json")["root"] == str(tmp_path / "also-absent")


def test_all_mistakes_at_once_with_their_lines(recipe: Path) -> None:
    text = RECIPE.replace("loss: {name: arcface, margin: 20}", "loss: {name: arcface, margn: 20}")
    text = text.replace("head: mlp", "head: mlpp").replace("miner: hard", "miner: hard\nseed: -1\nbackbon: x")
    recipe.write_text(text)
    with pytest.raises(RecipeError) as caught:
        load_recipe(recipe)
    found = {problem.path: problem for problem in caught.value.problems}
    assert set(found) == {"loss.margn", "head", "seed", "backbon"}
    assert "did you mean 'margin'" in found["loss.margn"].message
    assert "no head is named 'mlpp', did you mean 'mlp'" in found["head"].message
    assert "did you mean 'backbone'" in found["backbon"].message
    assert found["head"].line == 4
    assert found["loss.margn"].line == 5
    assert found["seed"].line == 7


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [1, 2", ":1"),
        ("a: 1\nb: 2\na: 3\n", "recipe.yaml:3: the key 'a' is there twice"),
        ("- 1\n", "mapping"),
        ("", "mapping"),
        ("fallback: nosuch\n" + RECIPE.replace("fallback: sample\n", ""), "no profile 'nosuch'"),
    ],
)
def test_files_that_are_no_recipes(recipe: Path, text: str, words: str) -> None:
    recipe.write_text(text)
    with pytest.raises(UserError) as caught:
        load_recipe(recipe)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("training.qqqqqq=1", "training.qqqqqq | Extra inputs are not permitted; there are: epochs, batch,"),
        ("qqqqqq=1", "qqqqqq | Extra inputs are not permitted; there are: name, stamp,"),
        (
            "loss={name: cross-batch-memory, loss: {name: triplet, margn: 3}}",
            "loss.loss.margn | Extra inputs are not permitted, did you mean 'margin'?",
        ),
        (
            "loss={name: sum, losses: [triplet, {name: triplet, qq: 3}]}",
            "loss.losses.1.qq | Extra inputs are not permitted; there are: margin,",
        ),
        (
            "metrics=[{name: accuracy-at-k, kk: 3}]",
            "metrics.0.kk | Extra inputs are not permitted, did you mean 'k'?",
        ),
        ("training.watch=banana", "training.watch | Input should be 'accuracy@1'"),
        ("evaluation.protocols=[same-side]", "evaluation.protocols.0 | Input should be"),
        ("evaluation.protocols=[]", "evaluation.protocols | Tuple should have at least 1 item"),
    ],
)
def test_a_key_that_is_none_is_one_mistake_with_what_there_is(setting: str, words: str, recipe: Path) -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe(recipe, settings=[setting])
    assert len(caught.value.problems) == 1
    assert words in str(caught.value)


def test_a_missing_file_profile_or_equals_sign(recipe: Path) -> None:
    with pytest.raises(UserError, match="there is no recipe"):
        load_recipe(recipe.with_name("nosuch.yaml"))
    with pytest.raises(UserError, match="there is no profile 'tripplet', did you mean 'triplet'"):
        load_recipe(recipe, profiles=["tripplet"])
    with pytest.raises(UserError, match="'loss' is not a setting"):
        load_recipe(recipe, settings=["loss"])


def test_the_resolved_recipe_reads_back_as_itself(recipe: Path) -> None:
    loaded = load_recipe(recipe)
    again = recipe.with_name("again.yaml")
    again.write_text(yaml.safe_dump(loaded.recipe.model_dump(mode="json")))
    assert load_recipe(again).recipe == loaded.recipe


def test_reading_a_recipe_and_listing_plugins_loads_nothing_heavy(recipe: Path) -> None:
    heavy = (
        "torch", "torchvision", "timm", "pytorch_metric_learning", "kornia", "pandas", "pyarrow", "sklearn",
        "faiss", "umap", "matplotlib", "optuna", "scipy", "numpy", "PIL",
    )  # fmt: skip
    code = (
        "import sys; from wildreid.recipe import load_recipe; import wildreid.cli; "
        f"load_recipe({str(recipe)!r}); "
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_validation_by_a_fixed_gallery_names_the_training_part(recipe: Path) -> None:
    fixed = ["training.protocol=fixed-gallery"]
    with pytest.raises(RecipeError, match="matches val to train: set gallery to 'train'"):
        load_recipe(recipe, settings=fixed)
    assert load_recipe(recipe, settings=[*fixed, "training.gallery=train"]).recipe.training.gallery == "train"


def test_weights_are_chosen_by_a_figure_that_validation_gives(recipe: Path) -> None:
    with pytest.raises(RecipeError, match=r"'accuracy@1'.*'map'(?!.*did you mean)"):
        load_recipe(recipe, settings=["training.watch=nonsense"])
    with pytest.raises(RecipeError, match="did you mean 'mrr'"):
        load_recipe(recipe, settings=["training.watch=MRR"])


def test_a_recipe_without_a_name_takes_that_of_its_folder_as_a_name_can_be(recipe: Path) -> None:
    folder = recipe.parent / "Löwen 2023"
    folder.mkdir()
    recipe.rename(folder / "recipe.yaml")
    (recipe.parent / "photos").rename(folder / "photos")
    (recipe.parent / "table.csv").rename(folder / "table.csv")
    assert load_recipe(folder / "recipe.yaml").recipe.name == "Lowen-2023"
    assert load_recipe(folder / "recipe.yaml", settings=["name=lions"]).recipe.name == "lions"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Löwen 2023", "Lowen-2023"), ("Straße", "Strasse"), ("bears", "bears"), ("a.b_c", "a.b_c"),
        ("..hidden", "hidden"), ("São Tomé (2)", "Sao-Tome-2"), ("熊", "plain"), ("", "plain"),
    ],
)  # fmt: skip
def test_a_run_has_the_name_of_its_folder_in_plain_letters(text: str, name: str) -> None:
    assert run_name(text, otherwise="plain") == name
    assert re.fullmatch(Recipe.model_fields["name"].metadata[0].pattern, name)
