from __future__ import annotations

import getpass
import importlib.metadata
import json
import platform
import tomllib
from pathlib import Path

import pytest
from huggingface_hub import constants
from typer.testing import CliRunner

from wildreid.cli import app
from wildreid.pipeline import doctor


@pytest.fixture
def private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose caches, proxies and weights would give somebody away."""
    cache = tmp_path / "secret-park"
    (cache / "secret-den").mkdir(parents=True)
    (cache / "secret-den" / "secret.bin").write_bytes(bytes(1000))
    hub = tmp_path / "secret-hub"
    for name in ("models--timm--resnet18.a1_in1k", "models--secret-park--lions", "models--secret-two--bears"):
        (hub / name).mkdir(parents=True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(hub))
    monkeypatch.setenv("WILDREID_CACHE", str(cache))
    monkeypatch.setenv("HTTPS_PROXY", "http://secret:secret@127.0.0.1:9")
    monkeypatch.setenv("WILDREID_SECRETPARK", "secret")
    return tmp_path


def test_the_extras_are_those_of_pyproject(checkout: Path) -> None:
    project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(doctor.EXTRAS) == set(project["optional-dependencies"]) - {"dev", "docs", "test"}


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_nothing_private_is_said(form: list[str], private: Path) -> None:
    done = CliRunner().invoke(app, ["doctor", *form], env={"COLUMNS": "300"})
    assert done.exit_code in (0, 1)
    assert "HTTPS_PROXY" in done.output
    assert "timm/resnet18.a1_in1k" in done.output
    assert "and 2 of other owners" in done.output
    for word in ("secret", "lions", str(private), str(Path.home()) + "/", platform.node()):
        assert word.lower() not in done.output.lower()
    if len(getpass.getuser()) > 4:
        assert getpass.getuser() not in done.output


def test_caches_are_counted(private: Path) -> None:
    found = doctor.examine(ask_network=False)
    assert found["network"] == "not asked"
    cache = found["caches"]["wildreid"]
    assert (cache["files"], cache["bytes"], cache["place"]) == (1, 1000, "where WILDREID_CACHE says")


def test_the_parts_of_the_cache_are_told_by_their_size(private: Path) -> None:
    matches = private / "secret-park" / "matches"
    matches.mkdir()
    (matches / "mutual.sqlite").write_bytes(bytes(3_000_000))
    assert doctor.examine(ask_network=False)["caches"]["wildreid"]["parts"] == {"matches": 3_000_000}
    said = CliRunner().invoke(app, ["doctor", "--offline"], env={"COLUMNS": "300"}).output
    assert "3 MB in 2 files (matches 3)" in said


def needs(*lines: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: list(lines))


def test_what_is_missing_or_too_old_is_a_problem_and_exits_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    needs("numpy>=999", "no-such-library>=1", "rich>=1", 'numpy>=1; extra == "onnx"', monkeypatch=monkeypatch)
    done = CliRunner().invoke(app, ["doctor", "--json", "--offline"])
    assert done.exit_code == 1
    found = json.loads(done.output)
    assert found["libraries"]["no-such-library"] == "missing"
    named = [problem for problem in found["problems"] if "library" in problem]
    assert [
        name in problem for name, problem in zip(("numpy>=999", "no-such-library>=1"), named, strict=True)
    ]
    assert found["extras"]["onnx"]["missing"] == []


def test_an_extra_that_is_missing_is_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    needs("rich>=1", 'no-such-library>=2; extra == "onnx"', monkeypatch=monkeypatch)
    found = doctor.examine(ask_network=False)
    assert found["extras"]["onnx"]["missing"] == ["no-such-library>=2"]
    assert found["extras"]["offline"]["missing"] == []
    assert not [problem for problem in found["problems"] if "library" in problem]
