from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from tests.core.matching.made import Colour

from wildreid.matching import trial


def test_costs_are_told_for_each_matcher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "SECONDS", 0.01)
    recipe: Any = SimpleNamespace(matchers=(Colour(),), matching=SimpleNamespace(pairs=50))
    (said,) = trial.costs(recipe, device="cpu")
    assert said.startswith("colour: ")
    assert "1,000 photos take" in said
    assert "1,000 queries of 50 pairs (50,000) take" in said
