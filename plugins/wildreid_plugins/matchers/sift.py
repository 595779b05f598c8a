"""SIFT: corners and their gradients, without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.errors import UserError
from wildreid.kinds import Matcher

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wildreid.kinds import LocalMatcher
    from wildreid_plugins.matchers.points import Found

WIDTH = 128


class Sift(Matcher):
    """SIFT with mutual nearest neighbours, compared by the roots of its numbers: no weights, nothing learned.

    It needs OpenCV: ``pip install opencv-python-headless``. 65 KiB a photo are kept.

    Source: Lowe 2004, "Distinctive Image Features from Scale-Invariant Keypoints"; the roots are Arandjelović and
    Zisserman 2012, "Three things everyone should know to improve object retrieval".
    """

    name = "sift"
    size: int = Field(512, ge=64, le=1024, description="pixels a side that it looks at")
    points: int = Field(256, ge=16, le=4096, description="points of a photo that are kept, the strongest")
    cosine: float = Field(0.9, gt=0, lt=1, description="cosine similarity over which two points match")

    def build(self, *, device: str) -> LocalMatcher:
        """Points are found on the CPU, and compared on the device.

        Raises:
            UserError: OpenCV is not installed.
        """
        import numpy as np

        from wildreid_plugins.matchers.neighbours import MutualNeighbours

        try:
            import cv2
        except ImportError:
            raise UserError(
                "the matcher sift needs OpenCV, which is not installed",
                where="matchers",
                cure="pip install opencv-python-headless",
            ) from None
        sift = cv2.SIFT_create()

        def one(image: NDArray[np.uint8]) -> Found:
            points, numbers = sift.detectAndCompute(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), None)
            xy = np.array([point.pt for point in points], np.float32).reshape(-1, 2)
            strength = np.array([point.response for point in points], np.float32)
            if numbers is None:
                return xy, strength, np.zeros((0, WIDTH), np.float32)
            share = numbers / np.maximum(numbers.sum(axis=1, keepdims=True), 1e-6)
            return xy, strength, np.sqrt(share).astype(np.float32)  # of length one

        def find(images: NDArray[np.uint8]) -> list[Found]:
            return [one(np.ascontiguousarray(image)) for image in images]

        return MutualNeighbours(
            find, size=self.size, points=self.points, width=WIDTH, cosine=self.cosine, device=device
        )
