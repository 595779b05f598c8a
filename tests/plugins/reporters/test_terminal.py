"""The table in the terminal: figures, reasons, and where the page is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from wildreid.artefacts import Results
from wildreid.errors import UserError
from wildreid_plugins.reporters.terminal import LEFT, SHOWN, Terminal


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")


def test_figures_with_interval_n_protocol_and_stamp(
    make_results: Callable[..., Results], capsys: pytest.CaptureFixture[str]
) -> None:
    results = make_results()
    folder = results.folder / "report"
    folder.mkdir()
    (folder / "index.html").write_text("")
    assert Terminal().write(results=results, folder=folder) == []
    said = capsys.readouterr().out
    score = results.scores["protocols"]["cross-encounter"]["scores"]["accuracy@1"]
    row = next(line for line in said.splitlines() if line.startswith("accuracy@1 "))
    assert row.split()[1:6] == [
        f"{score['value']:.3f}", f"{score['low']:.3f}", "–", f"{score['high']:.3f}", str(score["n"]),
    ]  # fmt: skip
    assert "drawn [sample] · cross-encounter: test against test, across encounters" in said
    assert "optimistic: a query may be matched to a photo of its own encounter" in said
    assert f"report  {folder / 'index.html'}" in said
    assert "simulated unknowns" in said


def test_what_could_not_be_measured_has_its_reason(
    make_results: Callable[..., Results], capsys: pytest.CaptureFixture[str]
) -> None:
    results = make_results(dated=False)
    Terminal(scores=("accuracy@1", "auroc")).write(results=results, folder=results.folder)
    said = capsys.readouterr().out
    assert "not measured: no dates: encounters cannot be told apart" in said
    reason = results.scores["protocols"]["image-loo"]["scores"]["auroc"]["reason"]
    assert reason
    assert reason in " ".join(said.split())
    assert "every figure of this run is optimistic" in said
    assert "macro" not in said
    assert "report " not in said


def test_what_another_plugin_measures_is_shown_and_a_name_that_nobody_measures_is_refused(
    make_results: Callable[..., Results], capsys: pytest.CaptureFixture[str]
) -> None:
    results = make_results()
    Terminal().write(results=results, folder=results.folder)
    ours = {line.split()[0] for line in capsys.readouterr().out.splitlines() if "@" in line.split(" ")[0]}
    for block in results.scores["protocols"].values():
        block["scores"]["my-own"] = dict(block["scores"]["map"], value=0.123)
    Terminal().write(results=results, folder=results.folder)
    said = capsys.readouterr().out
    assert said.count("my-own") == 2
    assert "0.123" in said
    assert {line.split()[0] for line in said.splitlines() if "@" in line.split(" ")[0]} == ours
    assert "macro-accuracy@5" not in said  # the page has it
    Terminal(scores=("my-own", "10-shot")).write(results=results, folder=results.folder)
    assert not any(line.startswith("accuracy@1") for line in capsys.readouterr().out.splitlines())
    with pytest.raises(
        UserError, match="no metric of this run gives a score 'my-onw', did you mean 'my-own'"
    ):
        Terminal(scores=("my-onw",)).write(results=results, folder=results.folder)


def test_every_figure_of_ours_is_shown_or_left_to_the_page(
    make_results: Callable[..., Results], capsys: pytest.CaptureFixture[str]
) -> None:
    for block in make_results().scores["protocols"].values():
        assert [name for name in block["scores"] if name not in SHOWN and not LEFT.fullmatch(name)] == []
