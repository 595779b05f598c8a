"""The command line as a newcomer uses it: right, and wrong in every way that is named."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from wildreid.cli import main

Reid = Callable[..., tuple[int, str, str]]


@pytest.fixture
def reid(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Reid:
    """Call `reid` in an empty folder; gives exit code, output, and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["reid", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1 if ended.code else 0
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return call


def test_help_and_version(reid: Reid) -> None:
    code, out, _ = reid("--help")
    assert code == 0
    assert "plugins" in out
    code, out, _ = reid("--version")
    assert (code, out.split()[0]) == (0, "wildreid")


def test_check_says_that_nothing_is_wrong_and_that_it_falls_back(reid: Reid, checkout: Path) -> None:
    code, out, _ = reid("check", checkout / "species/bears/recipe.yaml")
    assert code == 0
    assert "nothing wrong" in out
    assert "sample" in out


def test_check_prints_all_three_mistakes(reid: Reid, checkout: Path, tmp_path: Path) -> None:
    text = (checkout / "species/bears/recipe.yaml").read_text()
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(text + "\nsede: 3\n")
    code, _, err = reid(
        "check", wrong, "--set", f"packs={checkout / 'species/bears'}",
        "--set", "loss.margn=3", "--set", "miner=hrad",
    )  # fmt: skip
    assert code == 2
    assert "sede | Extra inputs are not permitted, did you mean 'seed'" in err
    assert "loss.margn | Extra inputs are not permitted, did you mean 'margin'" in err
    assert "no miner is named 'hrad', did you mean 'hard'" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "nosuch.yaml"], "there is no recipe nosuch.yaml"),
        (["run", "BEARS", "--set", "dataset.root=nowhere"], "nowhere"),
        (["run", "BEARS", "--profile", "smoek"], "did you mean 'smoke'"),
        (["run", "BEARS", "--profile", "smoke", "--device", "tpu"], "device"),
        (["run", "BEARS", "--profile", "smoke", "--set", "training.epochs=many"], "valid integer"),
        (["run", "COWS"], "WILDREID_COWS"),
        (["evaluate", "nowhere"], "is no run"),
        (["run", "--resume", "nowhere"], "is no run"),
        (["plugins", "lossses"], "did you mean 'loss'"),
        (["plugins", "loss", "arcfase"], "did you mean 'arcface'"),
    ],
)
def test_a_mistake_is_one_message_and_exit_code_2(
    reid: Reid, checkout: Path, arguments: list[str], words: str
) -> None:
    places = {"BEARS": checkout / "species/bears/recipe.yaml", "COWS": checkout / "species/cows/recipe.yaml"}
    code, _, err = reid(*(places.get(word, word) for word in arguments))
    assert code == 2
    assert words in err


def test_a_table_that_does_not_fit(reid: Reid, checkout: Path, tmp_path: Path) -> None:
    cows = checkout / "species/cows/recipe.yaml"
    (tmp_path / "metadata.csv").write_text("file,who\na.jpg,1\n")
    code, _, err = reid("run", cows, "--set", f"dataset.root={tmp_path}")
    assert code == 2
    assert "no column" in err
    (tmp_path / "metadata.csv").write_text("path,identity,split\n../../a.jpg,1,train\n")
    code, _, err = reid("run", cows, "--set", f"dataset.root={tmp_path}")
    assert code == 2
    assert "leaves the root" in err


def test_plugins_shows_every_kind_option_and_field(reid: Reid) -> None:
    code, out, _ = reid("plugins")
    assert code == 0
    for word in ("arcface", "open-set", "per-identity", "accuracy-at-k", "timm", "html", "jsonl", "builtin"):
        assert word in out
    code, out, _ = reid("plugins", "losses", "arcface")
    assert code == 0
    for word in ("margin", "scale", "degrees"):
        assert word in out


def test_pretrained_weights_without_a_network_name_the_ways_out(
    reid: Reid, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    code, _, err = reid(
        "check", "--build", checkout / "species/bears/baseline.yaml", "--set", "dataset.root=.",
        "--set", "backbone={name: timm, model: resnet18.a1_in1k, pretrained: true}",
    )  # fmt: skip
    assert code == 2
    assert "weights" in err


def test_a_full_disk_is_no_traceback(reid: Reid, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object, **named: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "runs/x/table.parquet")

    monkeypatch.setattr("wildreid.data.table.Table.save", full)
    code, _, err = reid("run", checkout / "species/bears/recipe.yaml", "--profile", "smoke")
    assert code == 2
    assert "error: runs/x/table.parquet: No space left on device" in err
    assert "make space on the disk" in err
