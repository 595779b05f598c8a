"""The embedder: backbone and head, from pixels to a unit-length embedding; and its two files."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from wildreid.errors import UserError, bare, first_line
from wildreid.files import hash_of_file, put, write_json
from wildreid.kinds import Backbone, Features, Head
from wildreid.packs import package_of
from wildreid.recipe.model import Recipe
from wildreid.recipe.settings import Embedding, Images
from wildreid.registry import Registry
from wildreid.training.looks import PLAIN, Look, looks

FORMAT = 1
WEIGHTS, DESCRIPTION = "model.safetensors", "model.json"


class Embedder(nn.Module):
    """Backbone and head; every embedding has length one.

    Args:
        backbone: from (N, 3, size, size) normalised float to (N, features).
        head: from (N, features) to (N, width).
        size: pixels a side of the images it is made for.
        views: in which a photo is looked at in evaluation; the features of all are averaged.

    Attributes:
        width: numbers in an embedding.
        size: as given.
        views: as given.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, backbone: Features, head: nn.Module, *, size: int, views: Sequence[Look] = PLAIN
    ) -> None:
        super().__init__()
        self.backbone = cast("nn.Module", backbone)
        self.head = head
        self.width = int(cast("int", head.width))
        self.size = size
        self.views = tuple(views)
        self.lay_out(channels_last=True)
        for name in ("mean", "std"):
            numbers = torch.tensor(getattr(backbone, name), dtype=torch.float32).view(1, 3, 1, 1)
            self.register_buffer(name, numbers, persistent=False)

    def lay_out(self, *, channels_last: bool) -> None:
        """Lay weights and images out in memory: channels last is faster for convolutions."""
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        self.to(memory_format=self.layout)

    def prepare(self, images: Tensor, augment: Sequence[Callable[[Tensor], Tensor]] = ()) -> Tensor:
        """(N, size, size, 3) uint8 to (N, 3, size, size) normalised float.

        ``augment`` works in between, on float in [0, 1]; a fourth channel, the masks, is for it alone.
        """
        pixels = images.permute(0, 3, 1, 2).float()
        if not augment:
            pixels = pixels[:, :3]
            return pixels.sub_(self.mean * 255).div_(self.std * 255).contiguous(memory_format=self.layout)
        pixels = pixels.contiguous().div_(255)  # plane by plane, as warps and matrices like it
        for change in augment:
            pixels = change(pixels)
        return ((pixels - self.mean) / self.std).contiguous(memory_format=self.layout)

    def forward(self, images: Tensor) -> Tensor:
        """To (N, width) float32 of length one.

        From (N, size, size, 3) uint8, from what `prepare` made of it, or from the (N, features) that the backbone
        made of that.
        """
        if images.dtype == torch.uint8:
            images = self.prepare(images)
        features = images if images.ndim == 2 else self.features(images)
        return F.normalize(self.head(features).float())

    def features(self, images: Tensor) -> Tensor:
        """(N, 3, size, size) as `prepare` gives it to (N, features); in evaluation the mean over the views."""
        if self.training or self.views == PLAIN:
            seen: Tensor = self.backbone(images)
            return seen
        return torch.stack([self.backbone(view.of(images)) for view in self.views]).mean(0)

    def groups(self) -> dict[str, list[nn.Parameter]]:
        """Trainable parameters as an optimizer takes them: ``backbone.<stage>`` in order, then ``head``."""
        stages = {f"backbone.{name}": list(own) for name, own in cast("Any", self.backbone).stages}
        groups = stages | {"head": list(self.head.parameters())}
        kept = {name: [one for one in own if one.requires_grad] for name, own in groups.items()}
        return {name: own for name, own in kept.items() if own}


def build_embedder(recipe: Recipe) -> Embedder:
    """Build the recipe's network on the CPU; no image is read. Random weights come from torch's generator.

    Raises:
        UserError: no such network, weights that do not fit or cannot be fetched, images of a size it does not
            take, stages that do not hold each parameter once.
    """
    backbone = recipe.backbone.build()
    module = cast("nn.Module", backbone)
    staged = [id(parameter) for _, own in backbone.stages for parameter in own]
    if sorted(staged) != sorted(id(parameter) for parameter in module.parameters()):
        raise UserError(
            f"the stages of the backbone '{recipe.backbone.name}' do not hold each of its parameters once",
            cure="tell the author of that plugin",
        )
    head = recipe.head.build(width=backbone.width)
    embedder = Embedder(backbone, head, size=recipe.images.size, views=looks(recipe.embedding))
    embedder.eval()
    scaled = any(view.scale != 1 for view in embedder.views)
    try:
        with torch.no_grad():
            shape = embedder(
                torch.zeros(1, recipe.images.size, recipe.images.size, 3, dtype=torch.uint8)
            ).shape
        if shape != (1, embedder.width):
            raise ValueError(f"an embedding has shape {tuple(shape)}, not (1, {embedder.width})")
    except (RuntimeError, AssertionError, ValueError) as error:  # some networks assert their size
        sizes = " and ".join(str(round(recipe.images.size * scale)) for scale in recipe.embedding.scales)
        raise UserError(
            f"the network does not take images of {sizes} pixels: {first_line(error)}",
            where="embedding.scales" if scaled else "images.size",
            cure=f"set images.size={backbone.size}, which the backbone is made for"
            + (", and take embedding.crops in place of scales if it takes no other" if scaled else ""),
        ) from None
    return embedder


def save_embedder(embedder: Embedder, folder: Path, recipe: Recipe) -> None:
    """Write ``model.safetensors`` and ``model.json``, each whole or not at all; nothing is pickled.

    Raises:
        UserError: they cannot be written, for example because the disk is full.
    """
    state = {name: value.detach().contiguous() for name, value in embedder.state_dict().items()}
    put(folder / WEIGHTS, lambda path: save_file(state, path), lasting=True)
    describe_embedder(embedder, folder, recipe)


def describe_embedder(embedder: Embedder, folder: Path, recipe: Recipe) -> None:
    """Write ``model.json`` for the ``model.safetensors`` that stands beside it."""
    description = {
        "format": FORMAT,
        "wildreid": version("wildreid"),
        "backbone": recipe.backbone.untrained().model_dump(mode="json"),
        "head": recipe.head.model_dump(mode="json"),
        "images": recipe.images.model_dump(mode="json"),
        "embedding": recipe.embedding.model_dump(mode="json"),
        **_masks_for(recipe),
        "size": embedder.size,
        "width": embedder.width,
        "origins": [origin.as_dict() for origin in recipe.backbone.origins()],
        "plugins": {name: package_of(type(getattr(recipe, name))) for name in ("backbone", "head")},
        "parameters": sum(parameter.numel() for parameter in embedder.parameters()),
        "sha256": hash_of_file(folder / WEIGHTS),
    }
    write_json(folder / DESCRIPTION, description, lasting=True)


def _masks_for(recipe: Recipe) -> dict[str, Any]:
    """What makes the masks that the images need; nothing where they need none."""
    if (segmenter := recipe.seen_by) is None:
        return {}
    return {"foreground": segmenter.model_dump(mode="json"), "masks": segmenter.fingerprint()}


def load_embedder(folder: str | Path, registry: Registry | None = None) -> Embedder:
    """Rebuild a saved embedder on the CPU, ready to embed. No pickle is read and nothing is fetched.

    Args:
        folder: of a run, or a package.
        registry: the options that it may name; None: those of the installed plugins.

    Raises:
        UserError: the files are missing, damaged or do not belong together; an option that no plugin offers.
    """
    folder, registry = Path(folder), registry or Registry()
    described, weights = folder / DESCRIPTION, folder / WEIGHTS
    if not described.is_file() or not weights.is_file():
        raise UserError(
            "there is no trained model",
            where=str(folder),
            cure="train one with `reid run`, or resume the run",
        )
    try:
        description = json.loads(described.read_text(encoding="utf-8"))
        if description["format"] != FORMAT:
            raise UserError(
                f"a model of format {description['format']}", where=str(described), cure="update wildreid"
            )
        context = {"registry": registry, "base": folder, "saved": True}
        backbone = Backbone.model_validate(description["backbone"], context=context)
        head = Head.model_validate(description["head"], context=context)
        images = Images.model_validate(description["images"])
        embedding = Embedding.model_validate(description.get("embedding", {}))
        expected = description["sha256"]
    except ValidationError as error:
        raise _not_here(error, description, described) from None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"not readable as a model: {error}", where=str(described)) from None
    if hash_of_file(weights) != expected:
        raise UserError(
            f"{WEIGHTS} and {DESCRIPTION} do not belong together: damaged, or a run stopped between them",
            where=str(folder),
            cure="resume the run, which writes both again, or copy both again",
        )
    features = backbone.build()
    embedder = Embedder(features, head.build(width=features.width), size=images.size, views=looks(embedding))
    load_weights(embedder, weights)
    return embedder.eval()


def _not_here(error: ValidationError, description: dict[str, Any], path: Path) -> UserError:
    """What a description asks for that is not there, such as an option whose plugin is not installed."""
    wrong = error.errors(include_url=False)[0]
    what = ".".join([error.title.lower(), *map(str, wrong["loc"])])
    words = bare(wrong["msg"])
    offered = (description.get("plugins") or {}).get(error.title.lower())
    return UserError(
        f"the model cannot be built here: {what}: {words}",
        where=str(path),
        cure=f"install the plugin that offers it{f', which was {offered}' if offered else ''}",
    )


def load_weights(embedder: Embedder, path: Path) -> None:
    """Fill an embedder from a safetensors file.

    Raises:
        UserError: damaged, or of another network.
    """
    try:
        embedder.load_state_dict(load_file(path))
    except (SafetensorError, RuntimeError, OSError) as error:
        raise UserError(f"the weights cannot be loaded: {error}", where=str(path)) from None
