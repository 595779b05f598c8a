"""The table in the terminal: figures, reasons, and where the page is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from wildreid.artefacts import Results
from wildreid_plugins.reporters.terminal import Terminal


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
