"""The recipe: one YAML file, validated whole before anything heavy is imported."""

from wildreid.recipe.load import Loaded, load_recipe, resolved, revised
from wildreid.recipe.model import Evaluation, Images, Measurement, Recipe, Training

__all__ = [
    "Evaluation",
    "Images",
    "Loaded",
    "Measurement",
    "Recipe",
    "Training",
    "load_recipe",
    "resolved",
    "revised",
]
