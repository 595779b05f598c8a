"""Where in an image a timm model's features come from: the map that they are pooled from, open to gradients."""

from __future__ import annotations

from math import isqrt
from typing import TYPE_CHECKING, Any

from wildreid.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor


def places_of(model: Any, images: Tensor) -> tuple[Tensor, Tensor]:
    """What `wildreid.kinds.Mapped.places` asks for, of a timm model without classifier.

    The map is what the last layers pool. Where they take a class token alone, it is the patches that enter the last
    block, from which that token is told for the last time.

    Raises:
        UserError: the model has no map of places, or not one that we know how to lay out.
    """
    import torch

    if getattr(model, "global_pool", "") == "token":
        return _before_last_block(model, images)
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


def _before_last_block(model: Any, images: Tensor) -> tuple[Tensor, Tensor]:
    import torch
    from timm.models.eva import Eva
    from timm.models.vision_transformer import VisionTransformer

    if not isinstance(model, VisionTransformer | Eva):  # others add the token late, or mix it in otherwise
        raise _unknown(model)
    caught: list[Tensor] = []

    def cut(_: Any, given: tuple[Any, ...]) -> tuple[Any, ...]:
        before, leaf = _parted(model, given[0], images)
        caught.append(leaf)
        torch.set_grad_enabled(True)  # until the end of no_grad
        return _joined(before, leaf), *given[1:]

    hook = model.blocks[globals().get("BLOCK", -1)].register_forward_pre_hook(cut)
    try:
        with torch.no_grad():
            features = model(images)
    finally:
        hook.remove()
    return features, caught[0]


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
        cure="a heat map needs a convolutional network, a Swin or a plain ViT",
    )
