"""Plots: where things are drawn, what is left out, and that names stay text."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from wildreid.page import Series, bars, line
from wildreid.page.plots import WIDTH


def svg(markup: str) -> ElementTree.Element:
    found = re.search(r"<svg.*</svg>", markup, re.DOTALL)
    assert found
    return ElementTree.fromstring(found[0])


def points(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (pair.split() for pair in path.strip("M").split("L"))]


def test_a_line_goes_through_its_points_in_proportion() -> None:
    drawn = svg(line([Series("", [0, 5, 10], [0.0, 0.25, 1.0])], title="t", x="x", y="y", y_range=(0, 1)))
    (path,) = drawn.findall("path[@class='s0']")
    (x0, y0), (x1, y1), (x2, y2) = points(path.get("d", ""))
    assert x1 - x0 == pytest.approx((x2 - x0) / 2, abs=0.2)
    assert y0 - y1 == pytest.approx((y0 - y2) / 4, abs=0.2)
    assert y2 < y0, "up is up"


def test_a_missing_figure_leaves_a_gap_and_is_not_drawn_as_zero() -> None:
    drawn = svg(
        line(
            [Series("", [1, 2, 3, 4, 5], [0.9, 0.8, None, 0.8, 0.9])], title="t", x="x", y="y", y_range=(0, 1)
        )
    )
    paths = [points(path.get("d", "")) for path in drawn.findall("path[@class='s0']")]
    assert [len(path) for path in paths] == [2, 2]
    zero = max(float(text.get("y", 0)) for text in drawn.findall("text[@class='tick']"))
    assert all(y < zero - 50 for path in paths for _, y in path)


def test_figures_of_zero_and_less_have_no_place_on_a_logarithmic_axis() -> None:
    drawn = svg(line([Series("", [1, 2, 3], [0.0, 1e-4, 1e-2])], title="t", x="x", y="y", log_y=True))
    (path,) = drawn.findall("path[@class='s0']")
    assert len(points(path.get("d", ""))) == 2
    labels = [text.text for text in drawn.findall("text[@class='tick']")]
    assert labels[:3] == ["1e-4", "1e-3", "1e-2"]


def test_one_point_alone_is_marked() -> None:
    drawn = svg(line([Series("only", [1], [0.5])], title="t", x="x", y="y"))
    assert drawn.find("circle[@class='p0']/title").text == "only: 0.5 at 1"  # type: ignore[union-attr]


def test_whiskers_stand_where_there_are_intervals() -> None:
    one = Series("", [1, 2, 3], [0.5, 0.6, 0.7], low=[0.4, None, None], high=[0.6, None, None])
    drawn = svg(line([one], title="t", x="x", y="y", y_range=(0, 1)))
    assert len(drawn.findall("path[@class='whisker s0']")) == 1


@pytest.mark.parametrize(
    ("last", "wanted"), [(12, ["5", "10"]), (3, ["1", "2", "3"]), (100, ["25", "50", "75", "100"])]
)
def test_marks_are_round_and_epochs_whole(last: int, wanted: list[str]) -> None:
    drawn = svg(line([Series("", [1, last], [0.0, 1.0])], title="t", x="x", y="y", y_range=(0, 1)))
    across = [text.text for text in drawn.findall("text[@text-anchor='middle'][@class='tick']")]
    assert across == wanted


def test_nothing_to_draw_is_said() -> None:
    assert "nothing to draw" in line([Series("", [], [])], title="t", x="x", y="y")
    assert "nothing to draw" in bars([], title="t", x="x", y="y")


def test_bars_are_as_high_as_their_values_and_say_their_names() -> None:
    drawn = svg(bars([40, 20, 10], title="t", x="x", y="y", labels=["a", "<b>", "c"]))
    rects = drawn.findall("rect")
    heights = [float(rect.get("height", 0)) for rect in rects]
    assert heights[0] == pytest.approx(2 * heights[1], abs=0.2)
    assert heights[0] == pytest.approx(4 * heights[2], abs=0.4)
    assert [rect.find("title").text for rect in rects] == ["a: 40", "<b>: 20", "c: 10"]  # type: ignore[union-attr]


def test_three_hundred_bars_stay_inside_the_plot() -> None:
    drawn = svg(bars(list(range(300, 0, -1)), title="t", x="x", y="y"))
    right = max(float(rect.get("x", 0)) + float(rect.get("width", 0)) for rect in drawn.findall("rect"))
    assert right <= WIDTH


def test_names_in_legends_and_titles_stay_text() -> None:
    bad = "<script>alert(1)</script>"
    drawn = line(
        [Series(bad, [1, 2], [1, 2], points=True), Series("b", [1, 2], [2, 1])], title=bad, x=bad, y=bad
    )
    assert "<script>" not in drawn
    assert drawn.count("&lt;script&gt;") >= 4
