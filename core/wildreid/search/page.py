"""The page of a search: the best so far, which fields matter, every trial with a link to its run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml
from markupsafe import Markup, escape
from optuna import Study
from optuna.importance import FanovaImportanceEvaluator, get_param_importances

from wildreid.page import Series, Veil, line, render
from wildreid.search import board
from wildreid.search.drawing import size
from wildreid.search.ledger import Entry, best, entries
from wildreid.search.load import Search
from wildreid.search.parallel import parallel

FILE = "index.html"
FEW, ENOUGH = 10, 30
"""Finished trials under which the importance of fields is not said, and under which it is doubtful."""


def write_page(search: Search, study: Study, folder: Path, found: Mapping[str, Any] | None) -> Path:
    """Write ``index.html`` into the study's folder; `found` is what the test part said."""
    listed = entries(study)
    recipe = search.base.recipe
    veil = Veil((), places=(search.path.absolute().parent,), private=recipe.private)
    winner = best(listed)
    names = [one.name for one in search.space.draws]
    path = folder / FILE
    page = render(
        Path(__file__).with_name("search.html"),
        styles=[Path(__file__).with_name("search.css")],
        title=search.name,
        stamp=recipe.stamp,
        sections=[
            ("answer", "The answer"), ("progress", "Best so far"), ("fields", "Fields"), ("trials", "Trials"),
            ("space", "Space"),
        ],
        made=f"Made by wildreid {version('wildreid')} on {datetime.now(UTC):%Y-%m-%d}.",
        name=search.name,
        about=veil.text(search.plan.about),
        watch=recipe.training.watch,
        counts={"done": sum(entry.state == "done" for entry in listed)},
        best=winner and {"link": _link(winner, folder), "value": winner.value, "drawn": board.drawn(winner)},
        summary=board.summary(listed),
        final=found and _final(found),
        progress=_progress(listed, recipe.training.watch),
        shares=_shares(study, listed),
        parallel=parallel(
            search.space.draws, listed, recipe.training.watch, best=winner.number if winner else None
        ),
        columns=_columns(recipe.training.watch, names),
        rows=[_row(entry, names, folder, veil) for entry in board.ranked(listed)],
        size=_size(search),
        sampler=_sampler(search),
        space=yaml.safe_dump(veil.data(search.plan.space), sort_keys=False, allow_unicode=True),
    )  # fmt: skip
    path.write_text(page, encoding="utf-8")
    return path


def _progress(listed: Sequence[Entry], watch: str) -> Markup:
    done = [entry for entry in listed if entry.state == "done" and entry.value is not None]
    high: list[float] = []
    numbers = [float(entry.number) for entry in done]
    for entry in done:
        high.append(max([entry.value or 0.0, *high[-1:]]))
    # a step where a better one comes, not a slope to it
    steps = [x for n, number in enumerate(numbers) for x in ((number, number) if n else (number,))]
    heights = [y for n, value in enumerate(high) for y in ((high[n - 1], value) if n else (value,))]
    # a gap after each trial: dots, not a line
    apart = [x for number in numbers for x in (number, number + 0.5)]
    values = [y for entry in done for y in (entry.value, None)]
    return line(
        [Series("best so far", steps, heights), Series("each trial", apart, values, points=True)],
        title=f"Validation {watch} of each trial, and the best so far", x="trial", y=watch,
    )  # fmt: skip


def _shares(study: Study, listed: Sequence[Entry]) -> dict[str, Any]:
    """How much each field matters, by optuna's fANOVA: a forest's variance that goes with the field alone.

    PED-ANOVA, optuna's default, would take in fields that are drawn under a condition. On 24 to 100 trials in
    which one field decided all, it often named another first; fANOVA never did.
    """
    values = [entry.value for entry in listed if entry.state == "done"]
    if len(values) < FEW:
        return {
            "reason": f"There are {len(values)} finished trials; {FEW} are the least from which this is read."
        }
    if len(set(values)) < 2:
        return {"reason": "All trials have one value."}
    rows = list(get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0)).items())
    if not rows:
        return {"reason": "No field was drawn in every trial."}
    note = "" if len(values) >= ENOUGH else f" Under {ENOUGH} trials much of this is chance."
    return {"reason": None, "rows": rows, "most": max(share for _, share in rows) or 1.0, "note": note}


def _columns(watch: str, names: Sequence[str]) -> list[dict[str, Any]]:
    fixed = [("trial", True), (watch, True), ("state", False), ("epoch", True), ("time", True)]
    return [
        {"words": words, "number": number} for words, number in (*fixed, *((name, False) for name in names))
    ]


def _row(entry: Entry, names: Sequence[str], folder: Path, veil: Veil) -> list[Any]:
    reason = f": {veil.text(entry.reason)}" if entry.reason else ""
    return [
        {"words": _link(entry, folder), "sort": entry.number},
        {
            "words": "–" if entry.value is None else f"{entry.value:.3f}",
            "sort": "" if entry.value is None else entry.value,
        },
        entry.state + reason,
        {"words": f"{entry.epoch}/{entry.epochs}" if entry.epoch else "", "sort": entry.epoch or ""},
        {"words": board.duration(entry.seconds), "sort": round(entry.seconds) if entry.seconds else ""},
        *(
            {"words": board.short(entry.values[name]), "sort": entry.values[name]}
            if name in entry.values
            else ""
            for name in names
        ),
    ]


def _link(entry: Entry, folder: Path) -> str | Markup:
    """The trial's number, linked to its run where that is on this machine."""
    if not (folder / entry.folder).is_dir():
        return str(entry.number)
    return Markup(f'<a href="{escape(entry.folder)}/">{entry.number}</a>')


def _final(found: Mapping[str, Any]) -> dict[str, Any]:
    columns = ["", "mean accuracy@1", f"over {len(found['seeds'])} seeds", "by individual", "each seed"]
    rows = [
        [
            name, f"{row['mean']:.3f}", board.between(row["over_seeds"]), board.between(row["by_individual"]),
            " ".join(f"{value:.3f}" for value in row["values"]),
        ]
        for name, row in board.final_rows(found)
    ]  # fmt: skip
    note = f"Test part, {found['protocol']}, 95 % intervals. {board.final_note(found)}"
    return {
        "columns": [{"words": words, "number": False} for words in columns],
        "rows": rows,
        "note": note,
        "optimistic": found["optimistic"],
    }


def _size(search: Search) -> str:
    possible = size(search)
    count = len(search.space.draws)
    many = "more configurations than can be listed" if possible is None else f"{possible} configurations"
    return f"{count} draws, {many}."


def _sampler(search: Search) -> str:
    words = {
        "random": "Each value was drawn at random, independent of all others.",
        "tpe": "Values were drawn by TPE.",
    }
    halving = search.plan.halving
    early = (
        f" Poor trials were stopped early, after {halving.first}, {halving.first * halving.factor} … epochs."
        if halving
        else ""
    )
    return words[search.plan.sampler] + early
