"""What R makes of an export; skipped, with the reason, where R or a package is not to be had."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.plugins.exporters.golden_survey import as_given, in_public
from tests.plugins.exporters.test_golden import CASES

from wildreid.kinds import Exporter
from wildreid.population.draws import POOL

PACKAGES = {
    "mark": "RMark", "secr": "secr", "oscr": "oSCR", "camtrapr": "camtrapR", "camtrap-dp": "camtrapdp",
}  # fmt: skip
SAYS = {
    "mark": "1110", "secr": "No errors found", "oscr": "scrFrame", "camtrapr": "capthist", "camtrap-dp": "F01",
    "csv": "sightings", "wildbook": "individualID",
}  # fmt: skip


def run(code: str, folder: Path) -> str:
    rscript = shutil.which("Rscript")
    if rscript is None:
        pytest.skip("R is not installed")
    done = subprocess.run(
        [rscript, "--vanilla", "-e", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("exporter", "survey", "place"), CASES, ids=lambda one: getattr(one, "name", ""))
def test_load_r(exporter: Exporter, survey: object, place: str, tmp_path: Path) -> None:
    made = as_given() if survey is as_given else in_public()
    exporter.write(survey=made, folder=tmp_path)
    package = PACKAGES.get(exporter.name, "stats")
    # whatever is installed, it is R
    there = run(f"x <- parse('load.R'); cat(requireNamespace('{package}', quietly = TRUE))", tmp_path)
    if "TRUE" not in there:
        pytest.skip(f"the R package {package} is not installed")
    assert SAYS[exporter.name] in run("source('load.R')", tmp_path)


def test_pool_r(tmp_path: Path) -> None:
    shutil.copyfile(POOL, tmp_path / "pool.R")
    for n, number in enumerate((100, 110, 90), 1):
        (tmp_path / f"draw_{n:03d}").mkdir()
        (tmp_path / f"draw_{n:03d}" / "n.txt").write_text(str(number))
    estimate = "function() c(scan('n.txt', quiet = TRUE), 25)"
    said = run(f"source('pool.R'); cat(sprintf('%.3f', pool_draws({estimate})))", tmp_path)
    found = [float(text) for text in said.split()]
    assert found[:6] == [100.0, 25.0, 100.0, 158.333, 12.583, 2.82]
    assert found[6] < 100 - 12 < 100 + 12 < found[7]
