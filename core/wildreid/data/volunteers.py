"""What many volunteers said about one photo, as one answer: the classifications that Zooniverse exports."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from wildreid.errors import UserError

NAMES = ("filename", "imagename", "image", "file", "path", "photo")
"""Keys of a subject that hold its photo's name, in small letters without signs, most telling first."""
_NOTHING = ("None", "")


@dataclass(frozen=True)
class Votes:
    """When volunteers agree.

    Attributes:
        task: the task that asks who it is; None: the only one there is.
        least: how many must say the same.
        share: which share of the answers that must be.
    """

    task: str | None = None
    least: int = 3
    share: float = 0.8


def agreed(
    rows: pd.DataFrame, file: Path, votes: Votes, *, key: str | None, unknown: tuple[str, ...] = ()
) -> pd.DataFrame:
    """The photos of a file of classifications, each with the answer that its volunteers agree on.

    Nothing about the volunteers is kept, nor are gold standards.

    Args:
        rows: one row for each classification: one volunteer's answers about one subject.
        file: where they are from.
        votes: when volunteers agree.
        key: the subject's key that holds the name of its photo; None: one that is called so.
        unknown: answers that mean nobody knows; they count against an agreement.

    Returns:
        With the same index: ``image``, ``identity`` (missing without agreement), ``votes`` for the most frequent
        answer and its ``share``, ``media`` (the subject) on each subject's first row; ``_wrong`` (why a row cannot
        be used) and ``_more`` (what kind of further answer it is) on the others.

    Raises:
        UserError: several workflows or tasks, and nothing says which.
    """
    workflows: list[str] = rows["workflow_id"].dropna().unique().tolist() if "workflow_id" in rows else []
    if len(workflows) > 1:
        raise UserError(
            f"the file holds {len(workflows)} workflows: {', '.join(sorted(workflows))}",
            where=str(file),
            cure="export the classifications of one workflow, or keep its rows",
        )
    read = [
        _classification(data, given, key)
        for data, given in zip(rows["subject_data"], rows["annotations"], strict=True)
    ]
    task = _task(votes.task, Counter(name for one in read for name in one.answers), file)
    out = pd.DataFrame(
        {
            "media": [one.subject for one in read],
            "image": [one.photo for one in read],
            "said": [_text(one.answers.get(task)) for one in read],
            "_wrong": [one.wrong for one in read],
        },
        index=rows.index,
        dtype="string",
    )
    who = rows["user_name"] if "user_name" in rows else pd.Series(pd.NA, rows.index)
    again = out.assign(who=who)[who.notna() & out["media"].notna()].duplicated(["media", "who"])
    out["_more"] = pd.Series(pd.NA, rows.index, "string")
    out.loc[again.index[again], "_more"] = "a second answer of one volunteer"
    first = out["media"].notna() & out["_more"].isna()
    out.loc[first & out["media"].duplicated().where(first, False), "_more"] = (
        "a further answer on the same photo"
    )
    second = out["_more"].eq("a second answer of one volunteer").fillna(False)
    found = _agreements(out[out["media"].notna() & ~second], votes, unknown)
    out = out.join(found, on="media").drop(columns="said")
    return out


@dataclass(frozen=True)
class _Classification:
    """What one volunteer said of one subject, or what is wrong with that."""

    subject: str | None = None
    photo: str | None = None
    answers: Mapping[str | None, Any] = field(default_factory=dict)
    wrong: str | None = None


def _classification(data: Any, annotations: Any, key: str | None) -> _Classification:
    try:
        ((subject, facts),) = json.loads(data).items()
        names = {str(name): value for name, value in facts.items()}
        answers: dict[str | None, Any] = {
            str(one["task"]): one.get("value") for one in json.loads(annotations)
        }
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return _Classification(wrong="its annotations or subject_data are not as Zooniverse writes them")
    if key is not None:
        photo = names.get(key)
    else:
        plain = {"".join(filter(str.isalpha, name.lower())): value for name, value in names.items()}
        photo = next((plain[name] for name in NAMES if plain.get(name)), None)
    if not isinstance(photo, str) or not photo.strip():
        return _Classification(
            wrong=f"its subject names no photo; 'columns' may say the key: {', '.join(names)}"
        )
    return _Classification(str(subject), photo.strip(), answers)


def _task(wanted: str | None, tasks: Counter[str | None], file: Path) -> str | None:
    if wanted is not None and tasks and wanted not in tasks:
        raise UserError(
            f"no volunteer answered a task '{wanted}'; there are: {', '.join(sorted(map(str, tasks)))}",
            where=str(file),
        )
    if wanted is None and len(tasks) > 1:
        raise UserError(
            f"there are several tasks: {', '.join(sorted(map(str, tasks)))}",
            where=str(file),
            cure="say which asks for the individual: task: T0",
        )
    return wanted or next(iter(tasks), None)


def _text(value: Any) -> str | None:
    """An answer as text; None where there is none, or several."""
    if isinstance(value, list) and len(value) == 1:
        (value,) = value
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return None
    text = str(value).strip()
    return None if text in _NOTHING else text


def _agreements(rows: pd.DataFrame, votes: Votes, unknown: tuple[str, ...]) -> pd.DataFrame:
    """By subject: the answer that enough volunteers give, how many do, and their share of all answers."""
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for subject, answer in zip(rows["media"], rows["said"], strict=True):
        counted[subject][answer if isinstance(answer, str) else ""] += 1
    found = []
    for subject, answers in counted.items():
        named = {answer: number for answer, number in answers.items() if answer and answer not in unknown}
        best = min(named, key=lambda answer: (-named[answer], answer), default=None)
        number = named.get(best, 0) if best is not None else 0
        share = number / answers.total()
        agree = number >= votes.least and share >= votes.share
        found.append((subject, best if agree else None, number, share))
    frame = pd.DataFrame(found, columns=["media", "identity", "votes", "share"]).set_index("media")
    return frame.astype({"identity": "string"})
