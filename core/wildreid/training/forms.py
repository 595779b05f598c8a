"""In which form an image goes through a frozen backbone, and under which key its features are found again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from wildreid.kinds import Backbone
from wildreid.recipe.model import Recipe
from wildreid.training.looks import PLAIN, Look

if TYPE_CHECKING:
    from wildreid.artefacts import Ints
    from wildreid.data.pixels import ImageRows

FORM = 1
"""Of the features in the cache; a change of how they are computed makes a new one."""


@dataclass(frozen=True)
class Form:
    """In which form images go through the backbone.

    Attributes:
        look: a test-time view.
        view: the number of an augmented view, from 1; 0: not augmented.
    """

    look: Look = PLAIN[0]
    view: int = 0


def base_of(named: str, half: torch.dtype | None, form: Form, recipe: Recipe) -> str:
    """What the features of an image in one form depend on beside the image."""
    base = f"{named}|{half}"
    if form.look != PLAIN[0]:
        base += f"|{form.look}"
    if form.view:
        changes = json.dumps([one.model_dump(mode="json") for one in recipe.transforms])
        base += f"|{changes}|{recipe.seed}|{form.view}"
    return base


def keys_of(images: ImageRows, rows: Ints, base: str) -> list[bytes]:
    """The key of the features of each of the images, empty for those that are not wanted."""
    keys = [b""] * len(images)
    for row in rows:
        keys[row] = hashlib.blake2b(images.keys[row] + base.encode(), digest_size=16).digest()
    return keys


def hash_of_network(option: Backbone, network: Any, layout: torch.memory_format) -> str:
    """A hash of a network: its description, its layout in memory, and every number in it."""
    digest = hashlib.blake2b(option.untrained().model_dump_json().encode(), digest_size=16)
    digest.update(str(layout).encode())
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(f"{name}{tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().float().cpu().contiguous().numpy().data)
    return digest.hexdigest()
