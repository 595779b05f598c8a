"""What a decision may be, and the line that it becomes; words for decisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wildreid.errors import UserError
from wildreid.gallery.admission import check_name
from wildreid.gallery.state import State
from wildreid.review.applying import new_name, owner
from wildreid.review.journal import DECISIONS, REASONS, Review
from wildreid.review.tasks import Task

SIDES = ("left", "right", "front", "back", "top", "unknown")


def review_of(
    state: State, task: Task, view: Mapping[str, Any], said: Mapping[str, Any], taken: Iterable[str]
) -> Review:
    """Turn what the page sent into a line, without its number.

    Args:
        state: the gallery.
        task: what was asked.
        view: what was on the screen.
        said: as `Desk.decide` takes it.
        taken: names of new individuals that are decided and not in the gallery yet.

    Raises:
        UserError: it is no such decision, or cannot be said of this.
    """
    decision = str(said.get("decision"))
    if decision not in DECISIONS or decision == "skip":
        raise UserError(f"'{decision}' is no decision", cure=f"one of {', '.join(DECISIONS)}")
    reason = said.get("reason") or None
    if (decision == "bad-photo") != (reason is not None) or reason not in (None, *REASONS):
        raise UserError("a bad photo, and nothing else, has a reason", cure=f"one of {', '.join(REASONS)}")
    individual, others = _whom(state, task, view, decision, said, {*state.individuals, *taken})
    rule = state.fused if view.get("matched") else state.rule
    thresholds = (
        None if rule is None else {"known_from": rule.decision.threshold, "new_below": rule.new_below}
    )
    return Review(
        number=0,
        time="",
        reviewer=str(said.get("reviewer", "")),
        task=task.id,
        mode=task.mode,
        keys=task.keys,
        others=others,
        decision=decision,
        individual=individual,
        reason=reason,
        shown=tuple({name: one[name] for name in ("id", "name", "score", "p")} for one in view["candidates"]),
        rule=thresholds,
        model=state.manifest.model.name,
        blind=bool(view["blind"]),
        ms=_number(said, "ms", 0, 10**9),
        confidence=_number(said, "confidence", 1, 4),
        settles=tuple(one["number"] for one in view["settles"]),
    )


def _whom(
    state: State,
    task: Task,
    view: Mapping[str, Any],
    decision: str,
    said: Mapping[str, Any],
    taken: set[str],
) -> tuple[str | None, tuple[str, ...]]:
    """The individual that a decision is about, and photos that stand for it."""
    if task.mode == "compare":
        if decision == "new":
            raise UserError("two encounters are the same animal or different ones; neither is new")
        if decision == "same":
            one = owner(state, task.keys)
            _not_apart(state, state.keys_of(one) if one else task.keys, owner(state, task.others))
        apart = decision == "different" and task.together
        return new_name(task.keys, taken) if apart else owner(state, task.others), task.others
    if decision == "new":
        name = str(said.get("name") or "").strip()
        if view["blind"]:
            return None, ()
        if name:
            check_name(name)
            if name in taken:
                raise UserError(f"there is an individual named '{name}' already", cure="choose it with /")
        return name or new_name(task.keys, taken), ()
    if decision not in ("same", "different"):
        return None, ()
    key = str(said.get("candidate") or "")
    shown = next((one for one in view["candidates"] if one["id"] == key), None)
    if shown is None and (view["blind"] or decision == "different"):
        raise UserError("choose one of the candidates")
    name = owner(state, [key]) or ""
    if not name:
        raise UserError("no such individual is in the gallery")
    if decision == "same":
        _not_apart(state, task.keys, name)
    return name, tuple(one["key"] for one in shown["photos"]) if shown else (key,)


def _not_apart(state: State, keys: Iterable[str], name: str | None) -> None:
    if name is not None and (change := state.told_apart(list(keys), name)):
        raise UserError(
            f"on {change.time[:10]} it was decided that this is not '{name}'",
            cure="undo that decision first, if it was wrong",
        )


def _number(said: Mapping[str, Any], name: str, low: int, high: int) -> int | None:
    value = said.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise UserError(f"{name} is a whole number from {low} to {high}")
    return value


def answer(state: State, line: Review) -> str:
    """A decision in words that are the same for all who mean the same, with the name that it has now."""
    if line.decision == "same" and line.mode == "identify":
        return owner(state, line.others) or str(line.individual)
    if line.decision == "different" and line.mode == "identify":
        return f"not {owner(state, line.others) or line.individual}"
    return {"new": "a new individual", "bad-photo": f"bad photo: {line.reason}", "same": "one animal",
            "different": "two animals"}.get(line.decision, line.decision.replace("-", " "))  # fmt: skip


def as_data(line: Review) -> dict[str, Any]:
    """A line as the page shows it."""
    names = ("number", "time", "reviewer", "task", "mode", "decision", "individual", "reason", "blind")
    return {name: getattr(line, name) for name in names}
