from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from wildreid import registry as registry_module
from wildreid.errors import PluginError
from wildreid.registry import Registry

LOSS = """
from pydantic import Field
from wildreid.hookspecs import hookimpl
from wildreid.kinds import Loss

class Mine(Loss):
    "A loss."
    name = "{name}"

    def build(self, *, width, classes):
        raise NotImplementedError

@hookimpl
def wildreid_losses():
    return [Mine]
"""


def pack(folder: Path, text: str, **files: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(textwrap.dedent(text))
    for name, content in files.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(content))
    return folder


def reason(folder: Path) -> str:
    registry = Registry(packs=[folder], installed=False)
    (broken,) = registry.broken
    assert str(folder) in str(broken)
    return broken.reason


def test_a_pack_is_found_by_path_with_relative_imports(tmp_path: Path) -> None:
    folder = pack(tmp_path / "wolves", "from .losses import wildreid_losses", losses=LOSS.format(name="howl"))
    registry = Registry(packs=[folder], installed=False)
    assert list(registry.options("loss")) == ["howl"]
    assert registry.source(registry.choose("loss", "howl")).plugin == "wolves"


def test_a_pack_named_twice_registers_once(tmp_path: Path) -> None:
    folder = pack(tmp_path / "wolves", LOSS.format(name="howl"))
    registry = Registry(packs=[folder, tmp_path / "." / "wolves"], installed=False)
    assert len(registry.sources) == 1
    assert not registry.broken


def test_a_folder_without_code_is_a_pack_too(tmp_path: Path) -> None:
    (tmp_path / "cows").mkdir()
    assert not Registry(packs=[tmp_path / "cows"], installed=False).broken


def test_a_pack_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="does not exist"):
        Registry(packs=[tmp_path / "nowhere"], installed=False)


def test_an_unknown_name_lists_what_there_is_and_what_failed(tmp_path: Path) -> None:
    registry = Registry(
        packs=[
            pack(tmp_path / "a", LOSS.format(name="howl")),
            pack(tmp_path / "b", "import nothing_like_this"),
        ],
        installed=False,
    )
    with pytest.raises(ValueError, match="no loss is named 'howll', did you mean 'howl'") as caught:
        registry.choose("loss", "howll")
    assert "there are: howl" in str(caught.value)
    assert "nothing_like_this" in str(caught.value)


def test_two_plugins_with_one_name_are_both_named(tmp_path: Path) -> None:
    first, second = (pack(tmp_path / name, LOSS.format(name="howl")) for name in ("a", "b"))
    registry = Registry(packs=[first, _changed(second)], installed=False)
    assert list(registry.options("loss")) == ["howl"]
    assert "two plugins offer a loss named 'howl'" in registry.broken[0].reason
    assert str(first) in registry.broken[0].reason
    assert str(second) in registry.broken[0].reason


def _changed(folder: Path) -> Path:
    """Make the pack another one than its twin, which would otherwise be taken for the same found twice."""
    file = folder / "__init__.py"
    file.write_text(file.read_text() + "\n# another\n")
    return folder


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "def wildreid_losses",
            "def wildreid_loses",
            "there is no hook 'wildreid_loses', did you mean 'wildreid_losses'?",
        ),
        ("@hookimpl\n", "", "lacks its decorator"),
        ("return [Mine]", "return Mine", "not a list of classes"),
        ("return [Mine]", "return [Mine()]", "which is no Loss class"),
        ("return [Mine]", "return [int]", "which is no Loss class"),
        ('name = "howl"', "", "has no name"),
        ("def build", "def bild", "does not define build()"),
        ("from pydantic import Field", "from pydantic import Feld", "ImportError"),
    ],
)
def test_a_broken_plugin_is_named_with_its_place(tmp_path: Path, old: str, new: str, words: str) -> None:
    text = LOSS.format(name="howl")
    assert old in text
    found = reason(pack(tmp_path / "wolves", text.replace(old, new)))
    assert words in found
    assert "__init__.py" in found or "Mine" in found


def test_a_broken_plugin_leaves_nothing_behind(tmp_path: Path) -> None:
    text = LOSS.format(name="howl").replace("return [Mine]", "return [Mine, int]")
    registry = Registry(packs=[pack(tmp_path / "wolves", text)], installed=False)
    assert not registry.options("loss")
    assert not registry.sources


def test_the_variable_narrows_or_blocks_what_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WILDREID_PLUGINS", "builtin")
    assert Registry().options("loss")
    monkeypatch.setenv("WILDREID_PLUGINS", "-builtin")
    assert not Registry().options("loss")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A pack named wolves as it lies in site-packages, and no other plugin."""
    folder = pack(tmp_path / "site" / "wolves_of_somewhere", LOSS.format(name="howl"))
    points = EntryPoints([EntryPoint("wolves", "wolves_of_somewhere", "wildreid")])
    monkeypatch.setattr(registry_module.importlib.metadata, "entry_points", lambda group: points)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("WILDREID_PLUGINS", "")
    yield folder
    sys.modules.pop("wolves_of_somewhere", None)


def test_an_installed_pack_whose_recipe_names_its_own_folder_is_the_installed_one(installed: Path) -> None:
    registry = Registry(packs=[installed])
    assert not registry.notes
    assert [source.plugin for source in registry.sources] == ["wolves"]
    assert list(registry.options("loss")) == ["howl"]


def test_a_copy_by_path_wins_over_an_installed_pack_and_says_so(installed: Path, tmp_path: Path) -> None:
    copied = pack(tmp_path / "wolves", LOSS.format(name="howl"))
    registry = Registry(packs=[copied])
    assert registry.notes == [f"pack 'wolves' is taken from {copied}, not from the installed copy"]
    assert [source.place for source in registry.sources] == [str(copied)]


def test_an_installed_pack_that_is_blocked_may_still_be_named_by_path(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WILDREID_PLUGINS", "-wolves")
    assert not Registry().options("loss")
    assert list(Registry(packs=[installed]).options("loss")) == ["howl"]
