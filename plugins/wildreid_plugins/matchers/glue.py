"""LightGlue: a network that looks at the points of both images at once and says which belong together."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from kornia.feature.lightglue import LightGlue

from wildreid_plugins.matchers.points import Points

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from wildreid.artefacts import LocalFeatures
    from wildreid_plugins.matchers.points import Find

TOGETHER = 32
"""Pairs that go through the network at once on a GPU."""


def light_glue(weights: dict[str, Tensor], *, device: str) -> LightGlue:
    """The network for descriptors of 128 numbers. It never stops early: a pair's score is its own in any batch."""
    no_download: Any = None
    with redirect_stdout(StringIO()):  # kornia 0.8 says there that it has loaded a model
        network = LightGlue(no_download, input_dim=128, depth_confidence=-1, width_confidence=-1)
    named = {}
    for key, numbers in weights.items():
        for kind in ("self_attn", "cross_attn"):
            head, _, rest = key.partition(f"{kind}.")
            if not head and rest:  # older files number the layers after the name
                layer, _, rest = rest.partition(".")
                key = f"transformers.{layer}.{kind}.{rest}"
        named[key] = numbers
    missing = network.load_state_dict(named, strict=False).missing_keys
    assert set(missing) <= {"confidence_thresholds"}, missing
    return network.eval().to(device)


class Glued(Points):
    """Scores and lines by LightGlue.

    Args:
        find: as for `Points`.
        network: LightGlue.
        size: as for `Points`.
        points: as for `Points`.
        width: as for `Points`.
        confidence: over which a match counts.
        device: to compare on.
    """

    symmetric = False

    def __init__(
        self,
        find: Find,
        network: LightGlue,
        *,
        size: int,
        points: int,
        width: int,
        confidence: float,
        device: str,
    ) -> None:
        super().__init__(find, size=size, points=points, width=width)
        self._network, self._confidence, self._device = network, confidence, torch.device(device)

    @torch.inference_mode()
    def score(self, query: LocalFeatures, gallery: LocalFeatures) -> NDArray[np.float64]:
        """(N,) how many points of the query are matched in each gallery image, with such a confidence."""
        found = np.zeros(len(gallery))
        if not query.counts[0]:
            return found
        together = 1 if self._device.type == "cpu" else TOGETHER
        for count in np.unique(
            gallery.counts[gallery.counts > 0]
        ):  # the network takes images with as many points
            alike = np.flatnonzero(gallery.counts == count)
            for start in range(0, len(alike), together):
                some = alike[start : start + together]
                _, sure = self._matched(query, gallery.take(some))
                found[some] = (sure > self._confidence).sum(axis=1)
        return found

    @torch.inference_mode()
    def lines(self, query: LocalFeatures, gallery: LocalFeatures) -> NDArray[np.float32]:
        """(M, 5) matched points and their confidence, the surest first."""
        if not query.counts[0] or not gallery.counts[0]:
            return np.zeros((0, 5), np.float32)
        other, sure = (one[0] for one in self._matched(query, gallery))
        own = np.flatnonzero(sure > self._confidence)
        own = own[np.argsort(-sure[own], kind="stable")]
        ends = [query.points[0, own], gallery.points[0, other[own]], sure[own, None]]
        return np.concatenate(ends, axis=1).astype(np.float32)

    def _matched(self, query: LocalFeatures, gallery: LocalFeatures) -> tuple[NDArray[Any], NDArray[Any]]:
        """(N, points) which point of each gallery image a point of the query matches, and how sure; 0 for none."""
        count = int(gallery.counts[0])
        asked = self._of(query, int(query.counts[0]))
        sides = {
            "image0": {name: one.expand(len(gallery), *one.shape[1:]) for name, one in asked.items()},
            "image1": self._of(gallery, count),
        }
        found = self._network(sides)
        other, sure = found["matches0"].cpu().numpy(), found["matching_scores0"].float().cpu().numpy()
        return other, np.where(other >= 0, sure, 0)

    def _of(self, features: LocalFeatures, count: int) -> dict[str, Tensor]:
        def moved(array: NDArray[np.float16]) -> Tensor:
            return torch.from_numpy(array[:, :count]).to(self._device).float()

        size = torch.full((len(features), 2), float(self.size), device=self._device)
        return {
            "keypoints": moved(features.points),
            "descriptors": moved(features.descriptors),
            "image_size": size,
        }
