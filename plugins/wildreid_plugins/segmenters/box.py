"""The box as a mask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from wildreid.artefacts import Missing
from wildreid.kinds import Segmenter

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wildreid.artefacts import Crop

FINER = 4
"""The shape is drawn so many times larger and then reduced, which softens its edge."""


class Box(Segmenter):
    """What lies in the animal's box, or in the ellipse that fits into it; it costs nothing and knows nothing.

    A rectangle says something only where ``images.margin`` leaves a place around the box.
    """

    name = "box"
    shape: Literal["ellipse", "rectangle"] = Field(
        "ellipse", description="what of the box is taken for animal"
    )

    def build(self, *, device: str) -> Callable[[Sequence[Crop]], Sequence[NDArray[np.uint8] | Missing]]:
        """Draw it; a row without a box has no mask."""
        import numpy as np
        from PIL import Image, ImageDraw

        def draw(crop: Crop) -> NDArray[np.uint8] | Missing:
            if crop.box is None:
                return Missing("it has no box")
            height, width = crop.shape
            picture = Image.new("L", (FINER * width, FINER * height))
            pen = ImageDraw.Draw(picture)
            left, top, right, bottom = (FINER * edge for edge in crop.scaled(crop.box))
            (pen.ellipse if self.shape == "ellipse" else pen.rectangle)(
                (left, top, max(left, right - 1), max(top, bottom - 1)), fill=255
            )
            return np.asarray(picture.reduce(FINER))

        return lambda crops: [draw(crop) for crop in crops]
