"""What a frozen backbone makes of each image, computed once: a head trains on it in seconds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor

from wildreid.data.augmentation import augmentation, images_for
from wildreid.data.slabs import NOWHERE, Records, Slabs
from wildreid.errors import UserError
from wildreid.progress import bar, say
from wildreid.recipe.model import Recipe
from wildreid.training.device import keep_freed_memory, pick_device, pick_precision
from wildreid.training.fuse import fused
from wildreid.training.prefetch import prefetch
from wildreid.training.world import ALONE, World

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats, Ints
    from wildreid.data.store import ImageRows
    from wildreid.training.embedder import Embedder

FORM = 1
"""Of the features in the cache; a change of how they are computed makes a new one."""
BATCH = 32
"""Images that go through the backbone at once: always so many, that none's features depend on how many came."""

Item = tuple[int, int]
"""A view (0 is the plain image) and a row."""


def rests(recipe: Recipe) -> bool:
    """Whether the backbone sees each image in the same few forms in every epoch, so that they can be kept.

    It does where all of it is frozen for good, and images are not augmented or in a fixed number of views.
    """
    training = recipe.training
    frozen = training.freeze == "all" and training.thaw is None
    return frozen and (not recipe.transforms or training.views is not None)


class CachedFeatures:
    """The features of a table's rows, in place of its images: an `Embedder` takes (N, features) as well.

    Args:
        plain: of each row's image as it is.
        views: of each row's image as it was changed, once for each view.
    """

    def __init__(self, plain: Records, views: Sequence[Records] = ()) -> None:
        self._forms = [plain, *views]

    def __len__(self) -> int:
        return len(self._forms[0])

    def take(self, rows: Sequence[int] | Ints) -> Floats:
        """(rows, features) float32 of the plain images.

        Raises:
            UserError: they were cleared from the cache meanwhile.
        """
        return self._take(np.asarray(rows, np.int64), np.zeros(len(rows), np.int64))

    def draw(self, rows: Sequence[int] | Ints, *, seed: Sequence[int]) -> Floats:
        """(rows, features) float32, each of one of its image's views; of the plain image where there are none.

        The seed decides which, so that threads may read ahead.
        """
        views = len(self._forms) - 1
        if not views:
            return self.take(rows)
        drawn = np.random.default_rng(seed).integers(1, views + 1, len(rows))
        return self._take(np.asarray(rows, np.int64), drawn)

    def _take(self, rows: Ints, form: Ints) -> Floats:
        taken: Floats = np.empty((len(rows), *self._forms[0].shape), np.float32)
        for number in np.unique(form):
            here = np.flatnonzero(form == number)
            taken[here], missing = self._forms[number].take(rows[here])
            if len(missing):
                raise UserError("the features were cleared from the cache", cure="resume the run")
        return taken


def open_features(
    embedder: Embedder,
    images: ImageRows,
    recipe: Recipe,
    *,
    rows: Ints,
    learned: Ints,
    device: str,
    cache: Path,
    world: World = ALONE,
) -> CachedFeatures:
    """What the backbone makes of these rows; what is not in the cache yet is computed and kept there.

    They are found again by the image's own key (the bytes of its file, its box, how it is read and fitted),
    the weights of the backbone and the precision; those of a view also by the augmentation, the seed and the
    view's number. A view is drawn from a seed of its own, the same whenever and beside whatever it is computed.

    Args:
        embedder: its backbone is asked; it is left in the mode it was in.
        images: the decoded images.
        recipe: says how images are augmented, and in how many views.
        rows: positions in `images` of which the plain image is wanted.
        learned: positions of which the views are wanted.
        device: as in a recipe.
        cache: the folder of caches.
        world: the processes that do the same; each begins elsewhere and takes over what another has computed.

    Raises:
        UserError: the cache cannot be written, or has no room.
    """
    place = pick_device(device)
    keep_freed_memory(place)
    half = pick_precision(recipe.training.precision, place)
    training = embedder.training
    network = fused(embedder.to(place))
    augment = augmentation(recipe.transforms, recipe.images.size)
    width = int(cast("Any", embedder.backbone).width)
    base = f"{FORM}|{_weights(embedder, recipe)}|{half}"
    forms = _forms(images, recipe, rows, learned, base)

    def read(items: Sequence[tuple[bytes, Item]]) -> tuple[Sequence[tuple[bytes, Item]], NDArray[np.uint8]]:
        rows = [row for _, (_, row) in items]
        return items, images_for(recipe.transforms, images, rows)

    @torch.inference_mode()
    def compute(items: Sequence[tuple[bytes, Item]], pixels: NDArray[np.uint8]) -> dict[bytes, Floats]:
        raw = torch.split(torch.from_numpy(pixels).to(place), 1)
        seen = [
            _view(network, image, augment, key) if view else network.prepare(image)
            for image, (key, (view, _)) in zip(raw, items, strict=True)
        ]
        inputs = torch.cat(seen + seen[-1:] * (BATCH - len(seen))).contiguous(memory_format=network.layout)
        with torch.autocast(place.type, half, enabled=half is not None):
            vectors = network.backbone(inputs)
        found: Floats = vectors[: len(items)].float().cpu().numpy()
        return {key: vector for (key, _), vector in zip(items, found, strict=True)}

    limit = int(recipe.images.cache_gib * 2**30)
    with Slabs(cache / "features", record=4 * width, limit=limit, suffix="f32") as slabs:
        found = slabs.find(key for form in forms for key in form if key)
        todo = {key: (view, row) for view, form in enumerate(forms) for row, key in enumerate(form) if key}
        missing = [(key, item) for key, item in todo.items() if key not in found]
        batches = _turned(missing, world)
        try:
            for items, pixels in bar(prefetch(batches, read, threads=1), "features", total=len(batches)):
                found.update(slabs.find(key for key, _ in items) if world.size > 1 else {})
                if all(key in found for key, _ in items):
                    continue
                found.update(slabs.add(compute(items, pixels)))
                if not all(key in found for key, _ in items):
                    raise UserError(
                        f"the features of {len(todo)} images have no room in the cache",
                        where="images.cache_gib",
                        cure=f"allow {4 * width * len(todo) / 2**30:.1f} GiB or more",
                    )
        finally:
            embedder.train(training)
        if missing:
            say(f"kept    {len(missing)} times {width} features of the frozen backbone")
        kept = [
            slabs.reader((found.get(key, NOWHERE) for key in form), shape=(width,), dtype="float32")
            for form in forms
        ]
    return CachedFeatures(kept[0], kept[1:])


def _forms(images: ImageRows, recipe: Recipe, rows: Ints, learned: Ints, base: str) -> list[list[bytes]]:
    """The keys of the plain images, then of each view of those that are learned from."""
    changes = json.dumps([one.model_dump(mode="json") for one in recipe.transforms])
    views = range(1, 1 + (recipe.training.views or 0 if recipe.transforms else 0))
    seen = [_keys(images, learned, f"{base}|{changes}|{recipe.seed}|{view}") for view in views]
    return [_keys(images, rows, base), *seen]


def _turned(missing: Sequence[tuple[bytes, Item]], world: World) -> list[Sequence[tuple[bytes, Item]]]:
    """What is to be computed, in batches; each process begins elsewhere, so that they meet late."""
    start = len(missing) * world.rank // world.size
    turned = [*missing[start:], *missing[:start]]
    return [turned[n : n + BATCH] for n in range(0, len(turned), BATCH)]


def _keys(images: ImageRows, rows: Ints, base: str) -> list[bytes]:
    """The key of the features of each of the images, empty for those that are not wanted."""
    keys = [b""] * len(images)
    for row in rows:
        keys[row] = hashlib.blake2b(images.keys[row] + base.encode(), digest_size=16).digest()
    return keys


def _view(
    network: Embedder, image: Tensor, augment: Sequence[Callable[[Tensor], Tensor]], key: bytes
) -> Tensor:
    """One image, changed as `key` seeds it, as the backbone takes it."""
    with _seeded(int.from_bytes(key[:8], "little") >> 1, image.device):
        return network.prepare(image, augment)


@contextmanager
def _seeded(seed: int, place: torch.device) -> Iterator[None]:
    """Generators of torch begin at this seed, and are afterwards where they were."""
    with torch.random.fork_rng([place] if place.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def _weights(embedder: Embedder, recipe: Recipe) -> str:
    """A hash of the backbone: its description, its layout in memory, and every number in it."""
    digest = hashlib.blake2b(recipe.backbone.untrained().model_dump_json().encode(), digest_size=16)
    digest.update(str(embedder.layout).encode())
    for name, tensor in sorted(embedder.backbone.state_dict().items()):
        digest.update(f"{name}{tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().float().cpu().contiguous().numpy().data)
    return digest.hexdigest()
