from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from wildreid.errors import RecipeError, UserError
from wildreid.search.load import Search, load_search

Searching = Callable[..., Search]

CONDITIONS = """\
space:
  loss:
    choice:
      - {name: triplet, margin: {uniform: [0.1, 0.5]}}
      - {name: arcface, margin: {uniform: [10, 40]}, scale: {choice: [16, 64]}}
      - contrastive
  miner: {choice: [easy, hard], when: {loss: [triplet, contrastive]}}
  optimizer:
    name: {choice: [adam, sgd]}
    backbone_rate: {loguniform: [1.0e-5, 1.0e-3]}
    head_rate: {loguniform: [10, 100], times: optimizer.backbone_rate}
  head:
    depth: {int: [0, 3]}
    hidden: {choice: [64, 128], when: {head.depth: [1, 2, 3]}}
  transforms:
    - {name: rotation, degrees: {uniform: [1, 30]}}
    - {name: color, hue: {uniform: [0, 0.1]}}
"""


def wrong(searching: Searching, space: str) -> str:
    with pytest.raises(RecipeError) as caught:
        searching(space)
    return str(caught.value)


def test_a_draw_becomes_a_recipe(searching: Searching) -> None:
    search = searching(CONDITIONS)
    values = {
        "loss": "arcface", "loss.arcface.margin": 20.0, "loss.arcface.scale": 16, "optimizer.name": "sgd",
        "optimizer.backbone_rate": 1e-4, "optimizer.head_rate:ratio": 50.0, "head.depth": 2, "head.hidden": 64,
        "transforms.rotation.degrees": 7.0, "transforms.color.hue": 0.05,
    }  # fmt: skip
    recipe = search.recipe(values).recipe.model_dump(mode="json")
    assert recipe["loss"] == {"name": "arcface", "margin": 20.0, "scale": 16.0, "smoothing": 0.0}
    assert recipe["optimizer"]["name"] == "sgd"
    assert recipe["optimizer"]["head_rate"] == pytest.approx(5e-3)
    assert (recipe["head"]["depth"], recipe["head"]["hidden"], recipe["head"]["width"]) == (2, 64, 16)
    assert [one["name"] for one in recipe["transforms"]] == ["rotation", "color"]
    assert recipe["miner"]["name"] == "none", "what is not drawn stays as the recipe has it"


def test_a_ratio_may_multiply_what_the_recipe_sets(searching: Searching) -> None:
    ratio = "{uniform: [0.1, 0.5], times: optimizer.head_rate}"
    search = searching(f"space: {{optimizer: {{head_decay: {ratio}}}}}")
    recipe = search.recipe({"optimizer.head_decay:ratio": 0.2}).recipe.model_dump(mode="json")
    assert recipe["optimizer"]["head_decay"] == pytest.approx(0.2 * 0.003)


def test_configurations_of_a_finite_space_are_listed(searching: Searching) -> None:
    search = searching(
        """\
space:
  loss: {choice: [{name: triplet, margin: {choice: [0.1, 0.2]}}, circle]}
  head:
    depth: {int: [0, 1]}
    hidden: {choice: [64, 128], when: {head.depth: 1}}
"""
    )
    listed = search.space.configurations
    assert listed is not None
    # (two margins + circle) × (depth 0 + two widths of depth 1)
    assert len({tuple(sorted(map(str, values.items()))) for values in listed}) == len(listed) == 9
    assert searching(CONDITIONS).space.configurations is None


def test_two_ways_of_writing_one_configuration_have_one_key(searching: Searching) -> None:
    search = searching("space: {loss: {choice: [triplet, {name: circle}, {name: circle, scale: 80.0}]}}")
    names = list(search.space.draws[0].items)
    keys = {search.key({"loss": name}) for name in names}
    assert len(keys) == 3, "a field that is set differs from one that is left at its default"
    assert search.key({"loss": names[0]}) == search.key({"loss": names[0]})


@pytest.mark.parametrize(
    ("space", "says"),
    [
        ("space: {}", "there is no draw in it"),
        ("space: {loss: arcface}", "there is no draw in it"),
        ("trials: 3", "space | Field required"),
        ("tirals: 3\nspace: {loss: {choice: [arcface]}}", "did you mean 'trials'?"),
        ("space:\n  loss:\n    margn: {uniform: [0.1, 0.5]}", "space.loss.margn | Extra inputs"),
        ("space:\n  lss: {choice: [arcface]}", "did you mean 'loss'? (line 2)"),
        ("space: {loss: {choice: [arcfcae, triplet]}}", "did you mean 'arcface'?"),
        ("space: {head: {depth: {int: [0, 7]}}}", "less than or equal to 3"),
        ("space: {loss: {margin: {uniform: [0.5, 0.1]}}}", "the first end is below the second"),
        ("space: {loss: {margin: {loguniform: [0, 0.1]}}}", "greater than 0"),
        ("space: {loss: {margin: {uniform: [0.1, 0.2], int: [1, 2]}}}", "drawn in one way"),
        ("space: {loss: {margin: {uniform: [0.1, 0.2], log: true}}}", "Extra inputs"),
        ("space: {loss: {choice: []}}", "at least 1 item"),
        ("space: {loss: {choice: [arcface, arcface]}}", "is there twice"),
        ("space: {seed: {int: [0, 9]}}", "cannot be drawn"),
        ("space: {splitter: {choice: [open-set, random]}}", "cannot be drawn"),
        ("space: {training: {watch: {choice: [accuracy@1, accuracy@5]}}}", "cannot be drawn"),
        ("settings: {training: {epochs: 0}}\nspace: {loss: {choice: [arcface]}}", "trains for 0 epochs"),
        ("space: {optimizer: {head_rate: {uniform: [1, 2], times: optimizer.nothing}}}", "holds no number"),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_place(searching: Searching, space: str, says: str) -> None:
    assert says in wrong(searching, space)


@pytest.mark.parametrize(
    ("when", "says"),
    [
        ("{los: arcface}", "its condition names no draw: 'los', did you mean 'loss'?"),
        ("{loss: circle}", "its condition is never met: 'loss' is one of arcface, triplet"),
        ("{head.dropout: 0.1}", "which is no choice and no whole number"),
        ("{miner: hard}", "leads back to itself"),
        ("{loss: arcface, head.width: 32}", "contradict each other about 'loss'"),
    ],
)
def test_impossible_conditions(searching: Searching, when: str, says: str) -> None:
    space = f"""\
space:
  loss: {{choice: [arcface, triplet]}}
  head:
    dropout: {{uniform: [0, 0.5]}}
    width: {{choice: [16, 32], when: {{loss: triplet}}}}
  miner: {{choice: [none, hard], when: {when}}}
"""
    assert says in wrong(searching, space)


def test_a_condition_against_the_branch_it_stands_in(searching: Searching) -> None:
    space = """\
space:
  loss:
    choice:
      - {name: arcface, margin: {uniform: [10, 20], when: {loss: triplet}}}
      - triplet
"""
    assert "reached only where loss is arcface (line 4)" in wrong(searching, space)


def test_all_mistakes_at_once(searching: Searching) -> None:
    told = wrong(
        searching,
        "space:\n  loss: {choice: [arcfcae]}\n  head: {depth: {int: [0, 9]}}\n  sed: {int: [0, 1]}\n",
    )
    assert told.count("\n") == 3
    assert all(f"(line {line})" in told for line in (2, 3, 4))


def test_profiles_of_space_and_recipe(micro: Path) -> None:
    path = micro / "space.yaml"
    path.write_text(
        """\
space: {loss: {choice: [triplet, circle]}, head: {width: {choice: [16, 32]}}}
profiles:
  longer: {trials: 3, space: {loss: {choice: [arcface]}, head: {width: 64}}}
  small: {settings: {training: {batch: 6}}}
"""
    )
    search = load_search(path, profiles=["longer", "small"])
    assert search.plan.trials == 3
    assert [tuple(one.items) for one in search.space.draws] == [("arcface",)], "a draw is replaced whole"
    assert search.recipe({"loss": "arcface"}).recipe.head.model_dump()["width"] == 64
    assert search.base.recipe.training.epochs == 3, "the recipe's profile of that name is laid too"
    assert search.base.recipe.training.batch == 6
    with pytest.raises(UserError, match=r"no profile 'shorter'.*longer, small"):
        load_search(path, profiles=["shorter"])


def test_a_setting_of_what_is_drawn_is_refused(searching: Searching) -> None:
    for setting in ("head.depth=1", "head={depth: 1}", "loss.margin=0.2"):
        with pytest.raises(UserError, match="would have no effect"):
            searching(settings=[setting])
    assert searching(settings=["training.epochs=7"]).base.recipe.training.epochs == 7


def test_the_identity_of_a_search_holds_what_matters_and_no_paths(
    searching: Searching, tmp_path: Path
) -> None:
    one = searching()
    assert str(tmp_path) not in str(one.identity())
    assert searching(settings=["training.workers=1", "device=cpu", "name=other"]).identity() == one.identity()
    assert searching(settings=["training.epochs=3"]).identity() != one.identity()
    assert searching(settings=["seed=1"]).identity() != one.identity()
