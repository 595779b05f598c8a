"""Which parameters learn in an epoch."""

from __future__ import annotations

from typing import Any, Literal, cast

from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from wildreid.errors import UserError
from wildreid.training.embedder import Embedder


def train_mode(
    embedder: Embedder, *, freeze: Literal["none", "all"] | int, thaw: int | None, epoch: int
) -> None:
    """Put the embedder into training mode for an epoch, with the frozen part of the backbone at rest.

    What is frozen gets no gradient, and its batch norms keep their statistics; a backbone frozen whole also
    runs without dropout and drop path, as it will when it embeds.

    Args:
        embedder: whose parameters are switched.
        freeze: ``none``; ``all`` of the backbone; all but its last n stages.
        thaw: epochs after which all of it learns; None: never.
        epoch: the epoch to come, 0 is the first.

    Raises:
        UserError: more stages are to learn than there are.
    """
    stages: list[tuple[str, list[nn.Parameter]]] = list(cast("Any", embedder.backbone).stages)
    if freeze != "all" and freeze != "none" and freeze >= max(1, len(stages)):
        raise UserError(
            f"all but the last {freeze} stages cannot be frozen: the backbone has {len(stages)} "
            f"({', '.join(name for name, _ in stages)})",
            where="training.freeze",
            cure=f"give at most {max(0, len(stages) - 1)}, or 'none'",
        )
    if thaw is not None and epoch >= thaw:
        freeze = "none"
    learning = len(stages) if freeze == "none" else 0 if freeze == "all" else freeze
    embedder.train()
    for index, (_, parameters) in enumerate(stages):
        for parameter in parameters:
            parameter.requires_grad_(index >= len(stages) - learning)
    if learning == 0:
        embedder.backbone.eval()
    for module in embedder.backbone.modules():
        if isinstance(module, _NormBase) and module.weight is not None and not module.weight.requires_grad:
            module.eval()
