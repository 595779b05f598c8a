"""Mutual nearest neighbours: each of two points is the one in its image that is most like the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from wildreid_plugins.matchers.points import Points

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from wildreid.artefacts import LocalFeatures
    from wildreid_plugins.matchers.points import Find

TOGETHER = 256
"""Gallery images compared at once on a GPU; on a CPU that gains nothing, and one pair goes after another."""


class MutualNeighbours(Points):
    """Scores and lines by mutual nearest neighbours whose cosine similarity is over a threshold.

    Args:
        find: as for `Points`.
        size: as for `Points`.
        points: as for `Points`.
        width: as for `Points`.
        cosine: the threshold, above 0, so that the zeros after an image's last point match nothing.
        device: to compare on.
    """

    symmetric = True

    def __init__(self, find: Find, *, size: int, points: int, width: int, cosine: float, device: str) -> None:
        super().__init__(find, size=size, points=points, width=width)
        self._cosine, self._device = cosine, torch.device(device)

    @torch.inference_mode()
    def score(self, query: LocalFeatures, gallery: LocalFeatures) -> NDArray[np.float64]:
        """(N,) how many points of the query have such a neighbour in each gallery image."""
        asked = self._of(query)[0]
        if self._device.type == "cpu":
            pairs = (self._of(gallery.take([number]))[0] for number in range(len(gallery)))
            return np.array([int(_mutual(asked, one, self._cosine)[0].sum()) for one in pairs], np.float64)
        counts = [
            _mutual(asked, self._of(gallery.take(slice(n, n + TOGETHER))), self._cosine)[0].sum(dim=-1)
            for n in range(0, len(gallery), TOGETHER)
        ]
        found: NDArray[np.float64] = (
            torch.cat(counts).cpu().numpy().astype(np.float64) if counts else np.zeros(0)
        )
        return found

    @torch.inference_mode()
    def lines(self, query: LocalFeatures, gallery: LocalFeatures) -> NDArray[np.float32]:
        """(M, 5) points that are neighbours, and their similarity, the most alike first."""
        matched = _mutual(self._of(query)[0], self._of(gallery)[0], self._cosine)
        hit, other, alike = (one.cpu().numpy() for one in matched)
        own = np.flatnonzero(hit)
        own = own[np.argsort(-alike[own], kind="stable")]
        sure = np.minimum(alike[own], 1)[:, None]
        ends = [query.points[0, own], gallery.points[0, other[own]], sure]
        return np.concatenate(ends, axis=1).astype(np.float32)

    def _of(self, features: LocalFeatures) -> Tensor:
        return torch.from_numpy(features.descriptors).to(self._device).float()


def _mutual(a: Tensor, b: Tensor, cosine: float) -> tuple[Tensor, Tensor, Tensor]:
    """For each point of (P, width) `a` whether it has such a neighbour in (…, P, width) `b`; which; how alike."""
    alike = a @ b.transpose(-1, -2)
    best, other = alike.max(dim=-1)
    back = alike.max(dim=-2).indices
    mutual = back.gather(-1, other) == torch.arange(len(a), device=a.device)
    return mutual & (best > cosine), other, best
