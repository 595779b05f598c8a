"""What backbones built on timm share: stages from input to output, and the attributes of `Features`."""

from __future__ import annotations

from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from torch import nn

    from wildreid.kinds import Features


def as_features(
    model: Any,
    *,
    size: int,
    mean: tuple[float, float, float],
    std: tuple[float, float, float],
    fixed: bool = False,
) -> Features:
    """Wrap a timm model without classifier, so that its own attribute names cannot clash with ours.

    ``fixed`` says that it takes images of its own size alone.
    """
    from collections import OrderedDict

    from torch import Tensor, nn

    from wildreid_plugins.backbones.places import places_of

    class Network(nn.Sequential):
        def places(self, images: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
            features, leaf = places_of(self.timm, images)
            return features, (leaf,)

    network = Network(OrderedDict(timm=model))
    described: dict[str, Any] = {
        "width": int(model.num_features),
        "size": size,
        "mean": mean,
        "std": std,
        "fixed": fixed,
    }
    if hasattr(
        model, "head_hidden_size"
    ):  # what comes out of the pooled head; num_features comes out of the trunk
        described["width"] = int(model.head_hidden_size)
    for name, value in (described | {"stages": stages(model)}).items():
        setattr(network, name, value)
    return cast("Features", network)


def stages(model: Any) -> list[tuple[str, list[nn.Parameter]]]:
    """Group a timm model's parameters from input to output, as its own ``group_matcher`` has it.

    A last group of vectors alone, such as a closing norm, joins the stage before it: freezing "all but the
    last stage" would otherwise leave next to nothing to train.
    """
    from timm.models import group_parameters

    by_name = dict(model.named_parameters())
    groups = [
        list(names) for _, names in sorted(group_parameters(model, model.group_matcher(coarse=True)).items())
    ]
    closing = groups.pop() if len(groups) > 1 and all(by_name[name].ndim == 1 for name in groups[-1]) else []
    labels = [_shared(names) or ("" if index else "stem") for index, names in enumerate(groups)]
    labels = [
        label if label and labels.count(label) == 1 else f"{label}.{index}".lstrip(".")
        for index, label in enumerate(labels)
    ]
    groups[-1] += closing
    return [(label, [by_name[name] for name in names]) for label, names in zip(labels, groups, strict=True)]


def _shared(names: list[str]) -> str:
    """What the names of a stage's parameters begin with, such as ``layer1`` or ``stages.0``."""
    paths = [name.split(".")[:-1] for name in names]
    shared = takewhile(lambda parts: len(set(parts)) == 1, zip(*paths, strict=False))
    return ".".join(parts[0] for parts in islice(shared, 2))
