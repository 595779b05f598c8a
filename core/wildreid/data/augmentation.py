"""Augmentation: a recipe's transforms as functions that are applied one after another to a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from wildreid.kinds import Transform
from wildreid.option import blamed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from wildreid.data.pixels import ImageRows
    from wildreid.data.store import ImageStore


def masked(transforms: Sequence[Transform]) -> bool:
    """Whether the images of a batch must come with their masks as a fourth channel."""
    return any(transform.masked for transform in transforms)


def images_for(
    transforms: Sequence[Transform], images: ImageRows, rows: Sequence[int] | NDArray[np.integer[Any]]
) -> NDArray[np.uint8]:
    """The images of these rows as the transforms want them: (rows, size, size, 3), or 4 with masks."""
    if masked(transforms):
        return cast("ImageStore", images).take(rows, masks=True)
    return images.take(rows)


def augmentation(transforms: Sequence[Transform], size: int) -> list[Callable[[Tensor], Tensor]]:
    """What turns images as `images_for` gives them, in [0, 1] and channels first, into (N, 3, size, size)."""
    with_masks = [_told(one, one.build(size=size)) for one in transforms if one.masked]
    others = [_told(one, one.build(size=size)) for one in transforms if not one.masked]
    return [*with_masks, _without_masks, *others] if with_masks else others


def _told(option: Transform, change: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """The same augmentation, which says whose it is where it fails."""

    def call(images: Tensor) -> Tensor:
        with blamed(option, "on a batch"):
            return change(images)

    return call


def _without_masks(images: Tensor) -> Tensor:
    return images[:, :3]
