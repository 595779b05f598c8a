"""Heat maps: which places of two photos made their embeddings alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from wildreid.errors import UserError
from wildreid.kinds import Mapped
from wildreid.training.looks import Look

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats
    from wildreid.training.embedder import Embedder

TOGETHER = 8
"""Pairs that a GPU looks at in one call, always so many; on a CPU one, so that none depends on those beside it."""


@dataclass(frozen=True)
class Heat:
    """What each place of two photos adds to their similarity.

    Attributes:
        similarity: the cosine of the two embeddings.
        maps: (2, side, side) of the first photo and of the second. The sum of each is the similarity, less what
            comes from no place: constants of the network, such as the biases of a head.
    """

    similarity: float
    maps: Floats


def heat_maps(
    embedder: Embedder,
    first: NDArray[np.uint8],
    second: NDArray[np.uint8],
    *,
    device: str = "cpu",
) -> list[Heat]:
    """What each place of the first and the second photo of each pair adds to the similarity of the two.

    The similarity is the product of two vectors over their lengths, and a vector is mostly a mean over places: so
    the similarity is a sum over places, once for each photo (Stylianou et al. 2019). Where layers lie between, the
    part of a place is its activation times the gradient of the similarity there, summed over channels: Grad-CAM
    (Selvaraju et al. 2017) with the gradient of each place in the stead of its mean. Lengths, deviations of
    normalising layers and weights of attention count as constants (Ali et al. 2022); that keeps the sum where a
    layer would undo any change of scale. It is exact behind means, linear heads, batch norms and whitening, and an
    approximation behind curved layers.

    Args:
        embedder: whose backbone is a `Mapped`.
        first: (P, size, size, 3) photos as the network sees them.
        second: their partners.
        device: to compute on.

    Sources: Selvaraju et al. 2017, "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
    Localization"; Stylianou et al. 2019, "Visualizing Deep Similarity Networks"; Ali et al. 2022, "XAI for
    Transformers: Better Explanations through Conservative Propagation".

    Raises:
        UserError: the backbone does not say where in a photo its features come from.
    """
    if not isinstance(embedder.backbone, Mapped):
        raise UserError(
            "this backbone does not say where in a photo its features come from",
            where="backbone",
            cure="its plugin may add the method `places`; see wildreid.kinds.Mapped",
        )
    training, place = embedder.training, torch.device(device)
    embedder.to(place).eval()
    step = _together(place)
    try:
        return [
            one
            for start in range(0, len(first), step)
            for one in _heat(embedder, first[start : start + step], second[start : start + step], step)
        ]
    finally:
        embedder.train(training)


def _together(place: torch.device) -> int:
    return 1 if place.type == "cpu" else TOGETHER


def _heat(
    embedder: Embedder, first: NDArray[np.uint8], second: NDArray[np.uint8], together: int
) -> list[Heat]:
    missing = [(0, together - len(first)), *[(0, 0)] * 3]
    both = np.concatenate([np.pad(one, missing, mode="edge") for one in (first, second)])
    pixels = torch.from_numpy(both).to(embedder.mean.device)
    with torch.inference_mode(mode=False), torch.enable_grad(), _Constants():
        seen = [_seen(embedder, view, embedder.prepare(pixels)) for view in embedder.views]
        features = torch.stack([one for one, _ in seen]).mean(0)
        vectors = F.normalize(embedder.head(features).float())
        partners = vectors.detach().roll(together, dims=0)
        alike = (vectors * partners).sum(1)
        maps = [(one, view) for (_, own), view in zip(seen, embedder.views, strict=True) for one in own]
        slopes = torch.autograd.grad(alike.sum(), [one for one, _ in maps])
    side = max(max(one.shape[2:]) for one, _ in maps)
    parts = [
        laid((one.detach() * slope).float().sum(1), view, side)
        for (one, view), slope in zip(maps, slopes, strict=True)
    ]
    added = torch.stack(parts).sum(0).cpu().numpy()
    return [
        Heat(float(alike[n].detach()), np.stack([added[n], added[together + n]]).astype(np.float32))
        for n in range(len(first))
    ]


def _seen(embedder: Embedder, view: Look, images: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
    backbone: Any = embedder.backbone
    features, maps = backbone.places(view.of(images))
    return features, maps


def laid(parts: Tensor, view: Look, side: int) -> Tensor:
    """(N, h, w) parts of a view's places, on the places of the photo: (N, side, side) of the same sum."""
    parts = parts.flip(-1) if view.flipped else parts
    down, across = (_shares(count, view.crop, side).to(parts) for count in parts.shape[1:])
    return down @ parts @ across.T


def _shares(count: int, crop: float, side: int) -> Tensor:
    """(side, count) the share of each of `count` stretches of the middle `crop` of a line in each of its `side`."""
    edges = (1 - crop) / 2 + crop * np.arange(count + 1) / count
    own = np.arange(side + 1) / side
    low = np.maximum(edges[None, :-1], own[:-1, None])
    high = np.minimum(edges[None, 1:], own[1:, None])
    return torch.from_numpy(np.clip(high - low, 0, None) * count / crop)


class _Constants(TorchFunctionMode):
    """Within it, the lengths that vectors are divided by, and the weights of attention, let no gradient through."""

    def __torch_function__(
        self, function: Any, types: Any, args: Sequence[Any] = (), given: Mapping[str, Any] | None = None
    ) -> Any:
        given = dict(given or {})
        if function is F.normalize:
            return _normalized(*args, **given)
        if function is F.layer_norm:
            return _layer_norm(*args, **given)
        if function in (F.rms_norm, torch.rms_norm):
            return _rms_norm(*args, **given)
        if function is F.scaled_dot_product_attention:
            query, key, *rest = args
            return function(query.detach(), key.detach(), *rest, **given)
        if function in (F.softmax, torch.softmax, Tensor.softmax):
            return function(*args, **given).detach()
        return function(*args, **given)


def _normalized(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Any = None) -> Tensor:
    length: Tensor = input.norm(p, dim, keepdim=True)
    return input / length.clamp_min(eps).detach()


def _layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    over = tuple(range(-len(normalized_shape), 0))
    spread = (input.var(over, correction=0, keepdim=True) + eps).sqrt().detach()
    normed = (input - input.mean(over, keepdim=True)) / spread
    normed = normed if weight is None else normed * weight
    return normed if bias is None else normed + bias


def _rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    over = tuple(range(-len(normalized_shape), 0))
    eps = torch.finfo(input.dtype).eps if eps is None else eps
    normed = input / (input.square().mean(over, keepdim=True) + eps).sqrt().detach()
    return normed if weight is None else normed * weight
