"""What learns, and how: the network with its loss, miner, optimizer and schedule, for the loop and for checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from wildreid.data.augmentation import augmentation
from wildreid.errors import UserError, first_line
from wildreid.option import blamed
from wildreid.recipe.model import Recipe
from wildreid.training.device import pick_precision

if TYPE_CHECKING:
    from wildreid.data.table import Table
    from wildreid.kinds import Objective, Schedule
    from wildreid.training.embedder import Embedder


class _Function(nn.Module):
    """A loss that is a plain function: it has no parameters, and nothing to keep."""

    def __init__(self, function: Objective) -> None:
        super().__init__()
        self.function = function

    def forward(self, embeddings: Tensor, labels: Tensor, mined: tuple[Tensor, ...] | None = None) -> Tensor:
        return self.function(embeddings, labels, mined)


@dataclass(frozen=True)
class Learner:
    """A network and all that changes its weights.

    Attributes:
        recipe: what names all of it.
        embedder: the network.
        objective: the loss.
        miner: gives the loss its pairs.
        augment: what is done to a batch of images, one after the other.
        own: parameters of the loss itself; no wrapper of the network averages their gradients.
        learning: every parameter that learns, those of the loss too.
        optimizer: moves them.
        schedule: their rates.
        scaler: of the loss, where gradients are of 16-bit floats.
        average: of the network's weights over steps; None: none is kept.
        clip: the largest norm of the gradient; None: any.
    """

    recipe: Recipe
    embedder: Embedder
    objective: nn.Module
    miner: Callable[[Tensor, Tensor], tuple[Tensor, ...] | None]
    augment: Sequence[Callable[[Tensor], Tensor]]
    own: Sequence[nn.Parameter]
    learning: Sequence[nn.Parameter]
    optimizer: torch.optim.Optimizer
    schedule: Schedule
    scaler: torch.amp.GradScaler
    average: AveragedModel | None
    clip: float | None

    @property
    def measured(self) -> Embedder:
        """The network that is validated and kept: the average, where there is one."""
        return self.embedder if self.average is None else cast("Embedder", self.average.module)

    def loss(self, embeddings: Tensor, truth: Tensor) -> Tensor:
        """Of a whole batch: (N, width) embeddings and (N,) labels."""
        with blamed(self.recipe.miner, "on a batch"):
            mined = self.miner(embeddings, truth)
        with blamed(self.recipe.loss, "on a batch"):
            loss: Tensor = self.objective(embeddings, truth, mined)
        return loss

    def step(self) -> None:
        """Move the weights by the gradients that have been added up."""
        if self.clip is not None:
            self.scaler.unscale_(self.optimizer)  # the norm is of the gradient itself
            nn.utils.clip_grad_norm_(self.learning, self.clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        self.schedule.step(None)
        if self.average is not None:
            self.average.update_parameters(self.embedder)

    def parts(self) -> dict[str, Any]:
        """What a checkpoint keeps the state of, by name."""
        parts: dict[str, Any] = {
            "embedder": self.embedder, "objective": self.objective, "optimizer": self.optimizer,
            "schedule": self.schedule, "scaler": self.scaler,
        }  # fmt: skip
        return parts if self.average is None else parts | {"average": self.average}


def build_learner(
    recipe: Recipe, embedder: Embedder, *, classes: int, steps: int, table: Table | None = None
) -> Learner:
    """Build everything that a recipe names beside the network, on the network's device.

    Args:
        recipe: names them.
        embedder: what `build_embedder` made of it.
        classes: training identities.
        steps: optimizer steps of the whole training.
        table: the training rows, for a loss that asks for them; None: there are none yet.

    Raises:
        UserError: there is nothing to learn; whatever an option finds wrong when it is built.
    """
    settings, place = recipe.training, embedder.mean.device
    built = recipe.loss.objective(width=embedder.width, classes=classes, table=table)
    objective = (built if isinstance(built, nn.Module) else _Function(built)).to(place)
    miner = recipe.miner.build()
    augment = augmentation(recipe.transforms, recipe.images.size)
    groups = embedder.groups()
    if not groups:
        raise UserError(
            f"the backbone '{recipe.backbone.name}' and the head '{recipe.head.name}' have nothing to learn",
            where="training.epochs",
            cure="set training.epochs to 0, which takes the network as it comes",
        )
    if own := list(objective.parameters()):
        groups["loss"] = own
    optimizer = recipe.optimizer.build(groups=groups)
    half = pick_precision(settings.precision, place)
    return Learner(
        recipe=recipe,
        embedder=embedder,
        objective=objective,
        miner=miner,
        augment=augment,
        own=own,
        learning=[parameter for group in groups.values() for parameter in group],
        optimizer=optimizer,
        schedule=recipe.scheduler.build(optimizer=optimizer, steps=steps),
        scaler=torch.amp.GradScaler(place.type, enabled=half is torch.float16),
        average=None
        if settings.ema is None
        else AveragedModel(embedder, multi_avg_fn=get_ema_multi_avg_fn(settings.ema)),  # type: ignore[no-untyped-call]
        clip=settings.clip,
    )


def compile_network(embedder: Embedder, size: int) -> None:
    """Compile the network in place, and once run it, so that a missing compiler is reported now.

    Args:
        embedder: on the device that it is to run on.
        size: pixels a side of its images.

    Raises:
        UserError: torch.compile does not work here.
    """
    embedder.compile()
    try:
        with torch.no_grad():
            embedder.eval()(torch.zeros(2, 3, size, size, device=embedder.mean.device))
    except Exception as error:
        raise UserError(
            f"torch.compile does not work here: {first_line(error)}",
            where="training.compile",
            cure="install a C++ compiler, or take `training.compile=false`",
        ) from None
