"""The page says what the raw seconds say, and nothing that is not in the JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from benchmarks.figures import growth, ratio, verdicts
from benchmarks.record import Record
from benchmarks.tables import sections_of

from benchmarks import page

MACHINE = {
    "system": "Linux 6", "processor": "Slow & Steady", "cores": 2, "gpu": None, "memory_gb": 8, "device": "cpu",
    "precision": "float32", "threads": 2, "quick": False, "python": "3.11.7", "versions": {"torch": "2.9"},
}  # fmt: skip


def timed(**changes: Any) -> dict[str, Any]:
    row = {
        "table": "Racing", "row": {"animal": "<b>hare</b>"}, "about": "Once | around.", "compare": "speed",
        "count": 10, "unit": "fields",
        "seconds": {"wildreid": [[2.0, 1.0], [4.0, 1.0], [2.5, 1.0]], "bare": [[3.0, 2.0], [3.0, 1.0], [5.0, 4.0]]},
        "figures": {"peak, GB": 0.5}, "aims": {"bare": [">=", 1.2], "peak, GB": ["<=", 0.4]},
    }  # fmt: skip
    return row | changes


def run(
    *rows: dict[str, Any], name: str = "test_race", when: str = "2026-01-01", **machine: Any
) -> dict[str, Any]:
    extra = {"section": {"name": "racing", "words": "Who is first."}, "rows": list(rows)}
    return {
        "machine_info": MACHINE | machine,
        "commit_info": {"id": "abc", "dirty": False},
        "datetime": when,
        "version": "5",
        "benchmarks": [
            {"group": None, "name": name, "fullname": name, "params": None, "extra_info": extra, "stats": {}}
        ],
    }


def written(tmp_path: Path, *runs: dict[str, Any]) -> tuple[str, str]:
    files = []
    for n, one in enumerate(runs):
        files.append(tmp_path / f"{n}.json")
        files[-1].write_text(json.dumps(one))
    assert page.main([*map(str, files), "--out", str(tmp_path / "out")]) == 0
    (markdown,) = (tmp_path / "out").glob("*.md")
    assert markdown.stem == "slow-steady-2-cores"
    return markdown.read_text(), markdown.with_suffix(".html").read_text()


def test_ratios_are_taken_pair_by_pair_from_the_raw_seconds() -> None:
    assert vars(ratio(timed(), "bare", 0)) == {"median": 1.5, "low": 0.75, "high": 2.0}
    assert ratio(timed(), "bare", 1).median == 2.0
    assert ratio(timed(compare="time"), "bare", 0).median == pytest.approx(2 / 3)


def test_verdicts_are_judged_by_the_median_and_say_when_the_spread_leaves_it_open() -> None:
    assert [one.words for one in verdicts(timed())] == ["met, within the spread", "not met"]
    assert verdicts(timed(aims={"seconds": ["<=", 1.9]}))[0].words == "not met"


def test_exponents() -> None:
    found = growth([1, 10, 100], [2, 20, 2000])
    assert found is not None
    assert (found.fitted, found.last) == pytest.approx((1.5, 2.0))
    assert growth([1, 10], [0, 1]) is None


def test_a_page_from_json_alone(tmp_path: Path) -> None:
    grown = [timed(table="Growing", row={"stage": "all"}, size=n, aims={"exponent": ["<=", 1.1]},
                   seconds={"wildreid": [[n * n / 100, 1.0]]}) for n in (10, 100, 1000)]  # fmt: skip
    shown = timed(
        figures={"accuracy@1": {"value": 0.6, "low": 0.5, "high": 0.7, "says": "published"}},
        plot="accuracy@1",
    )
    gone = {"table": "Racing", "row": {"animal": "dodo"}, "about": "", "reason": "it is extinct"}
    markdown, html = written(tmp_path, run(timed(), shown, gone, *grown))
    for text in (
        "1.50 (0.75–2.00)",
        "4.00",
        "it is extinct",
        "0.600 (0.500–0.700), published",
        "Slow & Steady",
    ):
        assert text in markdown
    assert "2.00 (last 2.00)" in markdown
    assert "exponent ≤ 1.1 | 2.00 | not met" in markdown
    assert "<b>hare</b>" not in html
    assert "&lt;b&gt;hare" in html
    assert html.count("<svg") == 3  # ratios, accuracy, growth
    assert "http" not in html.replace("http-equiv", "")


def test_a_page_is_made_anew_from_its_own_json(tmp_path: Path) -> None:
    first = written(tmp_path, run(timed()))
    (own,) = (tmp_path / "out").glob("*.json")
    assert written(tmp_path, json.loads(own.read_text())) == first


def test_the_later_of_two_measurements_counts(tmp_path: Path) -> None:
    early = run(timed(figures={"peak, GB": 111.0}), when="2026-01-01")
    late = run(timed(figures={"peak, GB": 222.0}), when="2026-01-02")
    other = run(timed(figures={"peak, GB": 333.0}), name="another", when="2026-01-01")
    markdown, _ = written(tmp_path, late, early, other)
    assert "222" in markdown
    assert "333" in markdown
    assert "111" not in markdown


def test_what_makes_no_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.json").write_text("")
    (tmp_path / "other.json").write_text("{}")
    (tmp_path / "a.json").write_text(json.dumps(run(timed())))
    (tmp_path / "b.json").write_text(json.dumps(run(timed(), name="b", cores=64)))
    for names, reason in (
        (["none.json"], "No such file"), (["empty.json"], "nothing was measured"),
        (["other.json"], "not the JSON"), (["a.json", "b.json"], "different machines"),
    ):  # fmt: skip
        assert page.main([*(str(tmp_path / name) for name in names), "--out", str(tmp_path / "out")]) == 2
        assert reason in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_sides_are_timed_in_turns(benchmark: Any) -> None:
    turns: list[str] = []
    record = Record(benchmark, "How.", "cpu")
    record.beside("Turns", {"n": 1}, {"ours": lambda: turns.append("o"), "bare": lambda: turns.append("b")})
    (row,) = benchmark.extra_info["rows"]
    count = 6 if benchmark.enabled else 1  # the first turn is not timed
    assert turns == ["b", "o"] * count
    assert {len(seconds) for seconds in row["seconds"].values()} == {max(1, count - 1)}
    extra = {"section": {"name": "turns", "words": ""}, "rows": [row]}
    assert sections_of([{"benchmarks": [{"extra_info": extra}]}])[0].tables[0].rows


def test_quick_benchmarks_are_collected_and_long_ones_left_out(checkout: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "benchmarks",
        "--quick",
        "--collect-only",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_training[resnet18-32-fp32]" in done.stdout
    assert "convnext_tiny" not in done.stdout
    assert "70_000" not in done.stdout
