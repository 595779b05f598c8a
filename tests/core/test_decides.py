"""One list of what decides rows, weights and figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wildreid.recipe import load_recipe
from wildreid.recipe.decides import FIGURES, NOTHING, ROWS, all_but
from wildreid.recipe.model import Recipe

BEARS = Path(__file__).parents[2] / "species" / "bears" / "recipe.yaml"


def bears(*settings: str) -> Recipe:
    return load_recipe(BEARS, profiles=["smoke"], settings=settings).recipe


@pytest.mark.parametrize(
    "setting",
    ["training.workers=7", "images.cache_gib=10", "images.cache=false", "device=cpu", "name=other",
     "training.umap_every=null", "training.checkpoint_every=3", "private=true"],
)  # fmt: skip
def test_what_only_the_machine_or_the_reader_cares_about_decides_nothing(setting: str) -> None:
    assert all_but(bears(setting), NOTHING) == all_but(bears(), NOTHING)


@pytest.mark.parametrize(
    ("setting", "rows", "weights", "figures"),
    [
        ("evaluation.bootstrap=17", False, False, True),
        ("images.max_pixels=1000000", True, True, False),
        ("split_seed=9", True, True, False),
        ("images.size=32", False, True, False),
        ("training.ema=0.9", False, True, False),
        ("seed=5", False, True, False),
    ],
)
def test_every_other_key_decides_rows_weights_or_figures(
    setting: str, rows: bool, weights: bool, figures: bool
) -> None:
    def differ(*without: Any) -> bool:
        return all_but(bears(setting), *without) != all_but(bears(), *without)

    assert differ(NOTHING)
    assert differ(NOTHING, FIGURES) == (rows or weights)
    assert differ(NOTHING, FIGURES, ROWS) == (weights and not rows)
    assert differ(NOTHING, FIGURES) != figures


def test_each_key_of_the_lists_is_a_key_of_a_recipe() -> None:
    plain = bears().model_dump(mode="json")
    for key in (*NOTHING, *FIGURES, *ROWS):
        within: Any = plain
        for part in key.split("."):
            assert part in within, key
            within = within[part]


def test_a_field_at_its_default_does_not_change_the_short_form() -> None:
    short = all_but(bears(), NOTHING, defaults=False)
    assert "ema" not in short["training"]
    assert short["training"]["epochs"] == bears().training.epochs
    assert all_but(bears("training.ema=null"), NOTHING, defaults=False) == short
