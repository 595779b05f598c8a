"""Scores in words and numbers."""

from __future__ import annotations

import pytest

from wildreid.page import count, figure, interval, words_of


@pytest.mark.parametrize(
    ("name", "value", "sign", "wanted"),
    [
        ("accuracy@1", 0.6144, False, "61.4 %"),
        ("macro-accuracy@5", 1.0, False, "100.0 %"),
        ("auroc", 0.7891, False, "0.789"),
        ("auroc", 1.0, False, "1.000"),
        ("verification-pairs", 2925.0, False, "2,925"),
        ("accuracy@1", 0.292, True, "+29.2 points"),
        ("auroc", -0.023, True, "−0.023"),
        ("their-own", 0.5, False, "0.500"),
        ("accuracy@1", None, False, "–"),
    ],
)
def test_figures(name: str, value: float | None, sign: bool, wanted: str) -> None:
    assert figure(name, value, sign=sign).replace("\N{NO-BREAK SPACE}", " ") == wanted


def test_intervals() -> None:
    assert interval("accuracy@1", (0.361, 0.592)).replace("\N{NO-BREAK SPACE}", " ") == "36.1 to 59.2 %"
    assert interval("mrr", (0.1, 0.2)) == "0.100 to 0.200"
    assert interval("mrr", (None, None)) == interval("mrr", None) == ""


def test_names() -> None:
    assert words_of("accuracy@1") == "right individual first"
    assert words_of("accuracy@3") == "right individual among the first 3"
    assert words_of("encounter-accuracy@5") == "right among the first 5, the encounter's photos voting"
    assert words_of("their-own@2") == "their-own@2"


def test_counts() -> None:
    assert count(1, "photo") == "1 photo"
    assert count(2000, "query", "queries") == "2,000 queries"
