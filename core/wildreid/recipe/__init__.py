"""The recipe: one YAML file, validated whole before anything heavy is imported."""

from wildreid.recipe.load import Loaded, load_recipe, resolved, revised
from wildreid.recipe.model import Measurement, Recipe
from wildreid.recipe.settings import Evaluation, Images, Training

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
