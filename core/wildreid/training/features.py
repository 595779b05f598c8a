"""What a frozen backbone makes of each image, computed once: a head trains on it in seconds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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
from wildreid.training.embedder import Embedder
from wildreid.training.forms import FORM, Form, base_of, hash_of_network, keys_of
from wildreid.training.fuse import fused
from wildreid.training.prefetch import prefetch
from wildreid.training.world import ALONE, World

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats, Ints
    from wildreid.data.pixels import ImageRows

BATCH = 32
"""Images that go through the backbone at once: always so many, that none's features depend on how many came."""

Item = tuple[bytes, bytes, int]
"""The key of the features, the seed of an augmented view, and a row."""


def rests(recipe: Recipe) -> bool:
    """Whether the backbone sees each image in the same few forms in every epoch, so that they can be kept.

    It does where all of it is frozen for good, and images are not augmented or in a fixed number of views; and
    where nothing is trained at all.
    """
    training = recipe.training
    if training.epochs == 0:
        return True
    frozen = training.freeze == "all" and training.thaw is None
    return frozen and (not recipe.transforms or training.views is not None)


@dataclass(frozen=True)
class _Kept:
    """What one network made of each image: one reader for each test-time view, and for each augmented one."""

    looks: list[Records]
    views: list[Records]


class CachedFeatures:
    """The features of a table's rows, in place of its images: an `Embedder` takes (N, features) as well.

    Args:
        parts: of each network that the backbone is made of, mostly one.
        join: from the features of each to those of the backbone.
    """

    def __init__(self, parts: Sequence[_Kept], join: Callable[[list[Tensor]], Tensor] | None = None) -> None:
        self._parts, self._join = parts, join

    def __len__(self) -> int:
        return len(self._parts[0].looks[0])

    def take(self, rows: Sequence[int] | Ints) -> Floats:
        """(rows, features) float32 of the images as they are, the mean over their test-time views.

        Raises:
            UserError: they were cleared from the cache meanwhile.
        """
        rows = np.asarray(rows, np.int64)
        looks = range(len(self._parts[0].looks))
        seen = [self._joined(_taken(part.looks[n], rows) for part in self._parts) for n in looks]
        mean: Floats = seen[0] if len(seen) == 1 else np.mean(seen, axis=0, dtype=np.float32)
        return mean

    def draw(self, rows: Sequence[int] | Ints, *, seed: Sequence[int]) -> Floats:
        """(rows, features) float32, each of one of its image's augmented views; as `take` where there are none.

        The seed decides which, so that threads may read ahead.
        """
        views = len(self._parts[0].views)
        if not views:
            return self.take(rows)
        rows = np.asarray(rows, np.int64)
        drawn = np.random.default_rng(seed).integers(1, views + 1, len(rows))
        return self._joined(self._drawn(part, rows, drawn) for part in self._parts)

    def _drawn(self, part: _Kept, rows: Ints, drawn: Ints) -> Floats:
        taken: Floats = np.empty((len(rows), *part.views[0].shape), np.float32)
        for number in np.unique(drawn):
            here = np.flatnonzero(drawn == number)
            taken[here] = _taken(part.views[number - 1], rows[here])
        return taken

    def _joined(self, parts: Iterable[Floats]) -> Floats:
        if self._join is None:
            (only,) = parts
            return only
        joined: Floats = self._join([torch.from_numpy(part) for part in parts]).numpy()
        return joined


def _taken(records: Records, rows: Ints) -> Floats:
    taken, missing = records.take(rows)
    if len(missing):
        raise UserError("the features were cleared from the cache", cure="resume the run")
    found: Floats = taken
    return found


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

    Features are found again by the image's own key (the bytes of its file, its box, how it is read and fitted),
    the weights of the network, the precision and the test-time view; those of an augmented view also by the
    augmentation, the seed and the view's number. A view is drawn from a seed of its own, the same whenever and
    beside whatever it is computed. A backbone made of several networks (``parts``) keeps those of each, so that
    another recipe with one of them finds them.

    Args:
        embedder: its backbone is asked; it is left in the mode it was in.
        images: the decoded images.
        recipe: says how images are augmented, and in how many views.
        rows: positions in `images` of which the plain image is wanted.
        learned: positions of which the augmented views are wanted.
        device: as in a recipe.
        cache: the folder of caches.
        world: the processes that do the same; each begins elsewhere and takes over what another has computed.

    Raises:
        UserError: the cache cannot be written, or has no room.
    """
    training, backbone = embedder.training, cast("Any", embedder.backbone)
    parts = getattr(backbone, "parts", None)
    if parts is None:
        named = f"{FORM}|{hash_of_network(recipe.backbone, backbone, embedder.layout)}"
        networks = [(named, embedder)]
    else:
        networks = [
            (f"{FORM}|{hash_of_network(one.option, one.network, embedder.layout)}", _alone(one, embedder))
            for one in parts
        ]
    whole = "" if parts is None else "|".join(named for named, _ in networks)
    try:
        kept = [
            _kept(
                network, named, images, recipe, rows=rows, learned=learned, beside=whole, device=device,
                cache=cache, world=world,
            )
            for named, network in networks
        ]  # fmt: skip
    finally:
        embedder.train(training)
    return CachedFeatures(kept, None if parts is None else backbone.join)


def _alone(part: Any, embedder: Embedder) -> Embedder:
    """One network of a backbone of several, as an embedder of its own."""
    head = torch.nn.Identity()
    head.width = part.width
    alone = Embedder(part, head, size=embedder.size, views=embedder.views)
    alone.lay_out(channels_last=embedder.layout == torch.channels_last)
    return alone


def _kept(
    network: Embedder,
    named: str,
    images: ImageRows,
    recipe: Recipe,
    *,
    rows: Ints,
    learned: Ints,
    beside: str,
    device: str,
    cache: Path,
    world: World,
) -> _Kept:
    """The features of one network; `beside` names those that see the same augmented images, if any."""
    place = pick_device(device)
    keep_freed_memory(place)
    half = pick_precision(recipe.training.precision, place)
    width = int(cast("Any", network.backbone).width)
    forms = [Form(look) for look in network.views]
    forms += [Form(view=n + 1) for n in range(recipe.training.views or 0 if recipe.transforms else 0)]
    keys = [
        keys_of(images, learned if form.view else rows, base_of(named, half, form, recipe)) for form in forms
    ]
    seeds = keys
    if beside:
        seeds = [
            keys_of(images, learned, base_of(beside, half, form, recipe)) if form.view else own
            for form, own in zip(forms, keys, strict=True)
        ]
        keys = [
            [
                hashlib.blake2b(a + b, digest_size=16).digest() if a else a
                for a, b in zip(own, seed, strict=True)
            ]
            if form.view
            else own
            for form, own, seed in zip(forms, keys, seeds, strict=True)
        ]
    compute = _computer(network, recipe, place=place, half=half)

    def read(work: tuple[Form, list[Item]]) -> tuple[Form, list[Item], NDArray[np.uint8]]:
        form, items = work
        return form, items, images_for(recipe.transforms, images, [row for _, _, row in items])

    limit = int(recipe.images.cache_gib * 2**30)
    with Slabs(cache / "features", record=4 * width, limit=limit, suffix="f32") as slabs:
        found = slabs.find(key for form in keys for key in form if key)
        batches: list[tuple[Form, list[Item]]] = []
        wanted = missing = 0
        for form, own, seed in zip(forms, keys, seeds, strict=True):
            todo = {key: (key, seed[row], row) for row, key in enumerate(own) if key}
            items = [item for key, item in todo.items() if key not in found]
            wanted, missing = wanted + len(todo), missing + len(items)
            start = len(items) * world.rank // world.size
            turned = items[start:] + items[:start]
            batches += [(form, turned[n : n + BATCH]) for n in range(0, len(turned), BATCH)]
        for form, items, pixels in bar(prefetch(batches, read, threads=1), "features", total=len(batches)):
            found.update(slabs.find(key for key, _, _ in items) if world.size > 1 else {})
            if all(key in found for key, _, _ in items):
                continue
            found.update(slabs.add(compute(form, items, pixels)))
            if not all(key in found for key, _, _ in items):
                raise UserError(
                    f"the features of {wanted} images have no room in the cache",
                    where="images.cache_gib",
                    cure=f"allow {4 * width * wanted / 2**30:.1f} GiB or more",
                )
        if missing:
            say(f"kept    {missing} times {width} features of the frozen backbone")
        readers = [
            slabs.reader((found.get(key, NOWHERE) for key in own), shape=(width,), dtype="float32")
            for own in keys
        ]
    return _Kept(readers[: len(network.views)], readers[len(network.views) :])


def _computer(
    network: Embedder, recipe: Recipe, *, place: torch.device, half: torch.dtype | None
) -> Callable[[Form, Sequence[Item], NDArray[np.uint8]], dict[bytes, Floats]]:
    """A function from images in one form to the features that the network makes of them."""
    folded = fused(network.to(place))
    augment = augmentation(recipe.transforms, recipe.images.size)

    @torch.inference_mode()
    def compute(form: Form, items: Sequence[Item], pixels: NDArray[np.uint8]) -> dict[bytes, Floats]:
        raw = torch.split(torch.from_numpy(pixels).to(place), 1)
        seen = [
            _view(folded, image, augment, seed) if form.view else folded.prepare(image)
            for image, (_, seed, _) in zip(raw, items, strict=True)
        ]
        inputs = form.look.of(torch.cat(seen + seen[-1:] * (BATCH - len(seen))))
        with torch.autocast(place.type, half, enabled=half is not None):
            vectors = folded.backbone(inputs.contiguous(memory_format=folded.layout))
        found: Floats = vectors[: len(items)].float().cpu().numpy()
        return {key: vector for (key, _, _), vector in zip(items, found, strict=True)}

    return compute


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
