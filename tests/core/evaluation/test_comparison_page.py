"""The page of several runs: their figures, the differences, what their recipes differ in."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from made.drawn_run import results
from typer.testing import CliRunner

from wildreid.artefacts import Results
from wildreid.cli import app
from wildreid.errors import UserError
from wildreid.evaluation.compare import Comparison, compare
from wildreid.evaluation.comparison_page import comparison_page
from wildreid_plugins.metrics.accuracy_at_k import AccuracyAtK

BAD = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Results]:
    folder = tmp_path_factory.mktemp("runs")
    first, second = results(folder / "a", noise=0.9), results(folder / "b", noise=0.4)
    recipe = {**second.recipe, "loss": {"name": "triplet", "weights": "/home/jane/w.pt"}}
    return [first, replace(second, name=BAD, recipe=recipe)]


@pytest.fixture(scope="module")
def found(runs: list[Results]) -> Comparison:
    return compare(runs, [AccuracyAtK()], resamples=200)


@pytest.fixture(scope="module")
def read(runs: list[Results], found: Comparison) -> str:
    """The page without its tags."""
    page = comparison_page(found, runs)
    assert "<script>alert" not in page
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", body).replace("\N{NO-BREAK SPACE}", " ").split())


def test_each_figure_stands_with_its_difference(read: str, found: Comparison) -> None:
    first, second = found.figures["accuracy@1"]
    assert second.difference is not None
    assert second.difference > 0.2
    assert second.difference_interval is not None
    row = read[read.index("right individual first") :]
    assert f"{100 * (first.value or 0):.1f} %" in row[:200]
    low, high = second.difference_interval
    assert (
        f"+{100 * second.difference:.1f} points +{100 * low:.1f} to +{100 * high:.1f} points · beyond noise"
        in row
    )


def test_what_is_within_noise_is_said_to_be(read: str, found: Comparison) -> None:
    assert found.figures["accuracy@10"][1].within_noise
    assert "within noise" in read[read.index("among the first 10") :]


def test_recipes_are_set_side_by_side_where_they_differ(read: str) -> None:
    differing = read[read.index("What the recipes differ in") :]
    assert "loss.name arcface triplet" in differing
    assert "loss.weights – (withheld)" in differing
    assert "dataset" not in differing
    assert "jane" not in read


def test_runs_that_cannot_be_compared_are_refused_before_a_page_is_written(tmp_path: Path) -> None:
    page = tmp_path / "compare.html"
    said = CliRunner().invoke(app, ["compare", str(tmp_path / "a"), str(tmp_path / "b"), "--html", str(page)])
    assert isinstance(said.exception, UserError)
    assert not page.exists()


def test_what_must_be_known_stands_above_the_table(runs: list[Results], found: Comparison) -> None:
    page = comparison_page(replace(found, notes=("a is optimistic: <no dates>",)), runs)
    assert '<p class="notice">a is optimistic: &lt;no dates&gt;.</p>' in page
