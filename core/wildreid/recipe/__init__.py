"""The recipe: one YAML file, validated whole before anything heavy is imported."""

from wildreid.recipe.load import Loaded, load_recipe, revised
from wildreid.recipe.model import Evaluation, Images, Recipe, Training

__all__ = ["Evaluation", "Images", "Loaded", "Recipe", "Training", "load_recipe", "revised"]
