"""Augmentation: a recipe's transforms as functions that are applied one after another to a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from wildreid.kinds import Transform

if TYPE_CHECKING:
    from torch import Tensor


def masked(transforms: Sequence[Transform]) -> bool:
    """Whether the images of a batch must come with their masks as a fourth channel."""
    return any(transform.masked for transform in transforms)


def augmentation(transforms: Sequence[Transform], size: int) -> list[Callable[[Tensor], Tensor]]:
    """What turns (N, 3, size, size) in [0, 1], or 4 channels where it is `masked`, into (N, 3, size, size)."""
    with_masks = [transform.build(size=size) for transform in transforms if transform.masked]
    others = [transform.build(size=size) for transform in transforms if not transform.masked]
    return [*with_masks, _without_masks, *others] if with_masks else others


def _without_masks(images: Tensor) -> Tensor:
    return images[:, :3]
