"""Training images as they are, and as a recipe's transforms change them."""

from __future__ import annotations

import numpy as np
import torch

from wildreid.data.augmentation import augmentation, images_for
from wildreid.data.store import open_images
from wildreid.data.table import Table
from wildreid.places import cache_folder
from wildreid.recipe import Recipe
from wildreid.survey.pictures import Pixels

SHOWN, TIMES = 8, 7
"""Images on the contact sheet, and how often each is augmented."""


def contact_sheet(table: Table, recipe: Recipe) -> list[list[Pixels]]:
    """Training images of different individuals, each as it is and as the recipe's transforms change it.

    Returns:
        `SHOWN` rows at most, each of one image and `TIMES` augmented forms, (size, size, 3) uint8.
    """
    train = table.rows[table["part"] == "train"]
    chosen = train.drop_duplicates("identity").head(SHOWN)
    picked = table.with_rows(chosen)
    images = open_images(picked, recipe.images, cache=cache_folder(), foreground=recipe.foreground)
    pixels = images_for(recipe.transforms, images, np.flatnonzero(images.usable))
    torch.manual_seed(recipe.seed)
    seen = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div(255).repeat_interleave(TIMES, dim=0)
    for change in augmentation(recipe.transforms, recipe.images.size):
        seen = change(seen)
    changed = seen.clamp(0, 1).mul(255).round().byte().permute(0, 2, 3, 1).numpy()
    return [[image[..., :3], *changed[n * TIMES : (n + 1) * TIMES]] for n, image in enumerate(pixels)]
