"""A network of timm with weights that were read from a file, every one of which must belong to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wildreid.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

RESIZED = ("relative_position_bias_table", "pos_embed", "patch_embed.proj.weight")
"""What timm fits to another input size without a word."""


def build_network(
    architecture: str,
    state: Mapping[str, Tensor],
    *,
    where: str,
    config: Mapping[str, Any],
    settings: Mapping[str, Any],
    resize: bool = False,
) -> Any:
    """Build a timm network without classifier and fill it from a state dict, older timm's names included.

    Args:
        architecture: the network's name in timm.
        state: names to tensors; those of a classifier may be left over.
        where: the file that they are from, for errors.
        config: as timm's ``pretrained_cfg``.
        settings: other arguments of the network.
        resize: whether tables of positions may be resized to the network's input, as timm does it.

    Raises:
        UserError: names that are missing or left over; shapes that are others, and what was expected.
    """
    import timm
    import torch
    from timm.models import get_pretrained_cfg

    with torch.device("meta"):
        bare = timm.create_model(architecture, pretrained_cfg=dict(config), **settings)
    known = get_pretrained_cfg(architecture, allow_unregistered=True)
    spare = config.get("classifier") or (known.classifier if known else None) or ()
    spare = (spare,) if isinstance(spare, str) else tuple(spare)
    state = {
        name: value for name, value in state.items() if not name.startswith(tuple(f"{one}." for one in spare))
    }
    own = bare.state_dict()
    if _shapes(state) == _shapes(own):  # timm before 1.0.31 renames what has the newer names already
        network = timm.create_model(architecture, pretrained_cfg=dict(config), **settings)
        network.load_state_dict(dict(state))
        return network
    if not resize:
        _same_sizes(architecture, state, own, where=where)
    # timm forgives missing and spare names as soon as it drops a classifier itself: it gets none
    strict = {**config, "classifier": None, "state_dict": state}
    try:
        return timm.create_model(architecture, pretrained=True, pretrained_cfg=strict, **settings)
    except (RuntimeError, KeyError, AttributeError, ValueError) as error:
        raise UserError(
            f"the weights do not fit {architecture}: {_problems(error)}",
            where=where,
            cure="name the network that these weights are of",
        ) from None


def _shapes(state: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in state.items()}


def _same_sizes(
    architecture: str, state: Mapping[str, Tensor], own: Mapping[str, Tensor], *, where: str
) -> None:
    other = [
        f"{name} {tuple(value.shape)} for {tuple(own[name].shape)}"
        for name, value in state.items()
        if name.endswith(RESIZED) and name in own and value.shape != own[name].shape
    ]
    if other:
        raise UserError(
            f"the weights do not fit {architecture}; {len(other)} of another shape: {', '.join(other[:4])}"
            + (" …" if len(other) > 4 else ""),
            where=where,
            cure="name the network, and the input size, that these weights are of",
        )


def _problems(error: Exception) -> str:
    """The names and shapes out of torch's message, the first of them."""
    lines = [line.strip().rstrip(".") for line in str(error).splitlines()]
    told = [line for line in lines[1:] if line] or [str(error)]
    shown = [line if len(line) < 300 else f"{line[:300]} …" for line in told[:3]]
    return "; ".join(shown) + (" …" if len(told) > 3 else "")
