"""Six ways to break a plugin; each is told with its file and what to do, and the rest goes on working."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from wildreid.cli import app

GOOD = """
from wildreid.hookspecs import hookimpl
from wildreid.kinds import Loss


class Howl(Loss):
    "A loss."
    name = "howl"

    def build(self, *, width, classes):
        from torch import nn

        class Product(nn.Module):
            def forward(self, embeddings, labels, mined=None):
                return (embeddings * embeddings[:1].detach()).sum()

        return Product()


@hookimpl
def wildreid_losses():
    return [Howl]
"""

BROKEN = {
    "misspelt hook": ("def wildreid_losses", "def wildreid_loses", "did you mean 'wildreid_losses'?"),
    "import error": (
        "from wildreid.kinds import",
        "import howling\nfrom wildreid.kinds import",
        "install it, or",
    ),
    "duplicate name": (
        '"howl"',
        '"triplet"',
        "rename one, or leave one of the two plugins out",
    ),
    "wrong return type": ("return [Howl]", "return Howl", "write: return [YourClass]"),
    "method missing": ("def build", "def bild", "does not define build(), which each loss has"),
    "heavy import": (
        "from wildreid.kinds",
        "import torch\nfrom wildreid.kinds",
        "import it inside the method",
    ),
}


def plugins(folder: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["plugins", *words, "--pack", str(folder)], env={"COLUMNS": "400"})
    return done.exit_code, done.output


def write(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "__init__.py").write_text(text)
    return folder


@pytest.mark.parametrize("how", BROKEN)
def test_the_message_names_the_file_and_the_cure(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wildreid.testing.plugins.check_option", lambda option: None)
    old, new, cure = BROKEN[how]
    assert old in GOOD
    folder = write(tmp_path / "wolves", GOOD.replace(old, new))
    code, shown = plugins(folder, "--check")
    assert code == 1
    (line,) = [line for line in shown.splitlines() if cure in line]
    assert str(folder) in line
    code, shown = plugins(folder, "losses")
    assert code == 0
    assert "arcface" in shown  # the others go on working
    if how != "heavy import":
        assert cure in shown


def test_the_good_one_is_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WILDREID_PLUGINS", "wolves")
    code, shown = plugins(write(tmp_path / "wolves", GOOD), "--check")
    assert code == 0
    assert "2 keep their contract, 0 do not" in shown
