"""What is uploaded holds what it must, and nothing else."""

from __future__ import annotations

import email
import re
import subprocess
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

PACKAGES = {"core/wildreid/": "wildreid/", "plugins/wildreid_plugins/": "wildreid_plugins/"}


@pytest.fixture(scope="module")
def tracked(checkout: Path) -> set[str]:
    """The files that git knows."""
    done = subprocess.run(["git", "ls-files"], cwd=checkout, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("this is no checkout of git")
    return {name for name in done.stdout.splitlines() if (checkout / name).is_file()}


def test_the_wheel_holds_both_packages_and_nothing_else(wheel: Path, tracked: set[str]) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    wanted = {
        inside + name.removeprefix(outside)
        for outside, inside in PACKAGES.items()
        for name in tracked
        if name.startswith(outside)
    }
    assert wanted - names == set()
    assert names - wanted <= {"wildreid/commit.txt"}
    assert {"wildreid/py.typed", "wildreid_plugins/py.typed"} <= names


def test_the_sdist_holds_what_tests_and_docs_need(dist: Path, tracked: set[str]) -> None:
    (file,) = dist.glob("wildreid-*.tar.gz")
    with tarfile.open(file) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert tracked - names == set()
    assert names - tracked <= {"PKG-INFO", "core/wildreid/commit.txt"}


def test_the_metadata_are_those_of_pyproject(wheel: Path, checkout: Path) -> None:
    project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    with zipfile.ZipFile(wheel) as archive:
        (info,) = {name.partition("/")[0] for name in archive.namelist() if ".dist-info/" in name}
        said = email.message_from_bytes(archive.read(f"{info}/METADATA"))
        assert f"{info}/licenses/LICENSE" in archive.namelist()
        assert "reid = wildreid.cli:main" in archive.read(f"{info}/entry_points.txt").decode()
    assert said["Version"] == project["version"]
    assert said["License-Expression"] == project["license"] == "Apache-2.0"
    assert set(said.get_all("Provides-Extra", [])) == set(project["optional-dependencies"])


def test_the_wheel_carries_no_code_of_others(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if ".dist-info/" not in name:
                text = archive.read(name).decode("utf-8")  # so there is nothing compiled, either
                assert not re.search(r"copyright \(c\)|©|SPDX-", text, re.IGNORECASE), name


def test_the_version_stands_in_one_place(checkout: Path, tracked: set[str]) -> None:
    project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    places = [
        name
        for name in tracked
        if name.endswith((".py", ".toml", ".cff", ".cfg"))
        and not name.startswith(("tests/", "made/", "species/", "docs/examples/"))
        and re.search(
            rf"version\W{{1,6}}{re.escape(project['version'])}\b", (checkout / name).read_text("utf-8")
        )
    ]
    assert places == ["pyproject.toml"]


def test_the_citation_names_what_pyproject_does(checkout: Path) -> None:
    project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((checkout / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["license"] == project["license"]
    assert citation["authors"] == project["authors"]
    assert citation["keywords"] == project["keywords"]


def test_each_library_that_comes_along_has_its_licence_on_the_page(checkout: Path) -> None:
    project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {
        name: needs
        for name, needs in project["optional-dependencies"].items()
        if name not in ("test", "dev", "docs")
    }
    page = (checkout / "docs" / "guides" / "licences.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([A-Za-z][\w-]*)`", page.partition("## Libraries")[2].partition("\n## ")[0]))
    wanted = {
        re.split(r"[^\w-]", need)[0]
        for needs in (project["dependencies"], *extras.values())
        for need in needs
    }
    assert wanted - named == set()
