"""How artefacts show themselves in a notebook and at a prompt; names are untrusted text and are escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wildreid.artefacts import Ranking, Results


def ranking_in_words(ranking: Ranking) -> str:
    """One line: the protocol, and how many queries, images and individuals."""
    return (
        f"Ranking({ranking.protocol}: {len(ranking.queries)} queries, {int(ranking.mated.sum())} mated, "
        f"against {len(ranking.gallery)} images of {len(ranking.individuals)} individuals)"
    )


def ranking_html(ranking: Ranking, *, queries: int = 10) -> str:
    """The first queries with their three best individuals and the rank of their own."""
    rows = []
    for query in range(min(queries, len(ranking.queries))):
        best = [
            f"{ranking.individuals[who]} {score:.2f}"
            for who, score in zip(ranking.top[query, :3], ranking.top_scores[query, :3], strict=True)
            if who >= 0
        ]
        own = int(ranking.own_rank[query])
        rows.append([ranking.queries[query], " · ".join(best), own if own else "not in the gallery"])
    return f"<p>{escape(ranking_in_words(ranking))}</p>" + _table(
        ("row", "nearest individuals", "own rank"), rows
    )


def scores_in_words(scores: Mapping[str, Any]) -> str:
    """One line: the first figure, and the protocol it is measured by."""
    name, score = next(iter(scores["scores"].items()), ("no figure", None))
    return f"Scores({_said(name, score)}, {scores['label']})"


def scores_html(scores: Mapping[str, Any]) -> str:
    """The figures of one protocol, with n, interval, and what flatters."""
    optimistic = f" <b>optimistic: {escape(scores['optimistic'])}</b>" if scores["optimistic"] else ""
    rows = [[name, *_figure(score)] for name, score in scores["scores"].items()]
    figures = _table(("score", "value", "interval", "n", ""), rows)
    return f"<p>{escape(scores['label'])}{optimistic}</p>{figures}"


def results_in_words(results: Results) -> str:
    """One line: the run, its headline, and the protocol it is measured by."""
    return f"Results({_title(results)}: {_headline(results.scores)}, in {results.folder})"


def results_html(results: Results) -> str:
    """The figures of every protocol, with n, interval, and what flatters."""
    parts = [f"<p><b>{escape(_title(results))}</b></p>"]
    parts += [scores_html(block) for block in results.scores["protocols"].values()]
    return "".join(parts)


def _title(results: Results) -> str:
    return f"{results.name} [{results.stamp}]" if results.stamp else results.name


def _headline(scores: Mapping[str, Any]) -> str:
    block = scores["protocols"][scores["headline"]]
    score = block["scores"].get("accuracy@1")
    if score is None:
        return block["label"]  # type: ignore[no-any-return]
    return f"{_said('accuracy@1', score)}, {block['label']}"


def _said(name: str, score: Mapping[str, Any] | None) -> str:
    if score is None:
        return name
    return (
        f"{name} {score['value']:.3f}" if score["value"] is not None else f"{name} null ({score['reason']})"
    )


def _figure(score: Mapping[str, Any]) -> Sequence[str]:
    if score["value"] is None:
        return "null", "", str(score["n"]), score["reason"]
    interval = f"{score['low']:.3f} – {score['high']:.3f}" if score["low"] is not None else ""
    return f"{score['value']:.3f}", interval, str(score["n"]), score["note"] or ""


def _table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    def row(cells: Iterable[object], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"

    return f"<table>{row(head, 'th')}{''.join(row(cells, 'td') for cells in rows)}</table>"
