"""Any loss of pytorch-metric-learning by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pydantic import Field

from wildreid.errors import UserError
from wildreid.kinds import Loss
from wildreid.option import did_you_mean

if TYPE_CHECKING:
    from wildreid.kinds import Objective

APART = {
    "BaseMetricLossFunction", "GenericPairLoss", "WeightRegularizerMixin", "EmbeddingRegularizerMixin",
    "BaseLossWrapper", "CrossBatchMemory", "MultipleLosses", "SelfSupervisedLoss", "VICRegLoss",
    "LargeMarginSoftmaxLoss", "DynamicSoftMarginLoss",
}  # fmt: skip
"""What stands beside the losses there: their bases, wrappers of other losses, and losses of other inputs.

LargeMarginSoftmaxLoss scales by the length of embeddings, which is always one here; DynamicSoftMarginLoss
keeps the graph of one batch for the next, and its second step fails (2.9.0)."""

UNMINED = {"InstanceLoss", "P2SGradLoss", "PNPLoss"}
"""Losses that look at the whole batch and refuse a miner's choice."""

FILLED = ("num_classes", "embedding_size", "descriptors_dim")


class Pml(Loss):
    """Any loss of pytorch-metric-learning by its name there, with its own arguments.

    ``num_classes`` and ``embedding_size`` are filled in, from the training identities and the head's width.
    Units are those of that library: margins of angles in degrees, distances of unit vectors. For losses that
    classify, a miner only weights images, as it does for `arcface`.

    Source: Musgrave et al. 2020, "PyTorch Metric Learning"; each loss's own is in its documentation.
    """

    name = "pml"
    loss: str = Field("ProxyAnchorLoss", min_length=1, description="its name, such as NTXentLoss")
    options: dict[str, bool | int | float | str] = Field(
        {}, description="its arguments, such as {temperature: 0.1}; numbers, words and true or false"
    )
    distance: str | None = Field(
        None, description="CosineSimilarity, LpDistance, SNRDistance …; null: the loss's own"
    )

    def build(self, *, width: int, classes: int) -> Objective:
        """Owns what that loss owns.

        Raises:
            UserError: no such loss or distance, or arguments that it does not take.
        """
        from pytorch_metric_learning import distances, losses

        made = _one_of(losses, self.loss, what="loss", suffix="Loss")
        settings: dict[str, Any] = dict(self.options)
        known = _arguments(made)
        for argument in settings:
            if argument not in known:
                raise UserError(
                    f"{self.loss} takes no '{argument}'{did_you_mean(argument, known)}; it takes "
                    f"{', '.join(sorted(known - set(FILLED)))}",
                    where="loss.options",
                )
        sizes = zip(FILLED, (classes, width, width), strict=True)
        settings = {name: value for name, value in sizes if name in known} | settings
        try:
            if self.distance:
                settings["distance"] = _one_of(distances, self.distance, what="distance", suffix="")()
            loss = made(**settings)
        except (TypeError, ValueError, AssertionError, KeyError) as error:
            raise UserError(
                f"{self.loss} cannot be built in this way: {str(error).strip()}", where="loss.options"
            ) from None
        if self.loss in UNMINED:
            loss.register_forward_pre_hook(_refuse_miner)
        return cast("Objective", loss)


def _refuse_miner(loss: Any, arguments: tuple[Any, ...]) -> None:
    if len(arguments) > 2 and arguments[2] is not None:
        raise UserError(f"{type(loss).__name__} takes no miner", where="miner", cure="take the miner 'none'")


def _one_of(module: Any, name: str, *, what: str, suffix: str) -> Any:
    known = [
        key
        for key, value in vars(module).items()
        if isinstance(value, type)
        and key not in APART
        and not key.startswith("Base")
        and key.endswith(suffix)
    ]
    if name not in known:
        raise UserError(
            f"pytorch-metric-learning has no {what} named '{name}'{did_you_mean(name, known)}; there are: "
            f"{', '.join(sorted(known))}",
            where=f"loss.{what}",
        )
    return getattr(module, name)


def _arguments(made: type) -> set[str]:
    """The names of a class's arguments, its bases' included, since theirs are handed on."""
    import inspect

    found: set[str] = set()
    for one in made.__mro__:
        if one.__module__.startswith("pytorch_metric_learning"):
            parameters = inspect.signature(one).parameters.values()
            found |= {
                each.name
                for each in parameters
                if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)
            }
    return found - {"distance", "collect_stats"}
