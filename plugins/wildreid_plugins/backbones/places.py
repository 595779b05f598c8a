"""Where in an image a timm model's features come from: the map that they are pooled from, open to gradients."""

from __future__ import annotations

from math import isqrt
from typing import TYPE_CHECKING, Any

from wildreid.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

CURE = "a heat map needs a convolutional network, a Swin, or a ViT that takes the mean of its patches"


def places_of(model: Any, images: Tensor) -> tuple[Tensor, Tensor]:
    """What `wildreid.kinds.Mapped.places` asks for, of a timm model without classifier.

    The map is what the last layers pool. A class token gathers from all blocks what it is worth, and the patches of
    the last one add next to nothing to it, so a network that ends in one has no such map.

    Raises:
        UserError: the model has no map of places, or not one that we know how to lay out.
    """
    import torch

    if getattr(model, "global_pool", "") == "token":
        raise UserError(
            f"the network {type(model).__name__} gathers its features in a class token, and not by place",
            where="backbone",
            cure=CURE,
        )
    with torch.no_grad():
        seen = model.forward_features(images)
    if not isinstance(seen, torch.Tensor) or seen.ndim not in (3, 4):
        raise _unknown(model)
    if seen.ndim == 3:
        before, leaf = _parted(model, seen, images)
        return model.forward_head(_joined(before, leaf)), leaf
    last = getattr(model, "output_fmt", "NCHW") == "NHWC"
    leaf = (seen.permute(0, 3, 1, 2) if last else seen).detach().requires_grad_()
    return model.forward_head(leaf.permute(0, 2, 3, 1) if last else leaf), leaf


def _parted(model: Any, tokens: Tensor, images: Tensor) -> tuple[Tensor, Tensor]:
    """(N, prefix, C) tokens of no place, and the patches as (N, C, h, w), a leaf."""
    prefix = getattr(model, "num_prefix_tokens", None)
    patch = getattr(getattr(model, "patch_embed", None), "patch_size", None)
    side = 0 if prefix is None else isqrt(tokens.shape[1] - prefix)
    if patch is None or side != images.shape[-1] // patch[0] or side**2 + (prefix or 0) != tokens.shape[1]:
        raise _unknown(model)
    patches = tokens[:, prefix:].transpose(1, 2).reshape(len(tokens), -1, side, side)
    return tokens[:, :prefix].detach(), patches.detach().requires_grad_()


def _joined(before: Tensor, patches: Tensor) -> Tensor:
    import torch

    return torch.cat([before, patches.flatten(2).transpose(1, 2)], dim=1)


def _unknown(model: Any) -> UserError:
    return UserError(
        f"the network {type(model).__name__} does not say where in a photo its features come from",
        where="backbone",
        cure=CURE,
    )
