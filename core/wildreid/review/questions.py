"""Which questions are open for somebody: new ones, blind second looks, and disagreements to settle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wildreid.gallery.state import State
from wildreid.review.agreement import drawn, twice
from wildreid.review.applying import owner
from wildreid.review.deciding import answer
from wildreid.review.journal import FINAL, Review
from wildreid.review.tasks import Task, ordered

if TYPE_CHECKING:
    from wildreid.review.desk import Desk


def still_open(
    desk: Desk, reviewer: str, mode: str | None, lines: Sequence[Review], state: State
) -> list[Task]:
    """Questions that this person has not answered and that nobody has settled; what was put off comes last."""
    done: dict[str, list[Review]] = {}
    for line in lines:
        if line.decision != "viewpoint" and not line.blind:
            done.setdefault(line.task, []).append(line)
    tasks = [*desk.asking.catalogue, *desk.tasks.values()]
    found = [
        task
        for task in ordered(tasks, desk.settings.order, desk.settings.salt)
        if mode in (None, task.mode) and _asks(task, reviewer, done.get(task.id, ()), state)
    ]
    return sorted(found, key=lambda task: desk.skips.count(reviewer, task.id))


def second_looks(desk: Desk, reviewer: str, lines: Sequence[Review]) -> list[Task]:
    """The encounters that somebody else has decided and that this person is to see blind."""
    share, salt = desk.settings.second_share, desk.settings.salt
    seen = {line.task for line in lines if line.reviewer == reviewer or line.blind}
    first = [
        line.task for line in lines if line.mode == "identify" and line.decision in (*FINAL, "cannot-tell")
    ]
    return [
        desk.tasks[number]
        for number in dict.fromkeys(first)
        if number in desk.tasks and number not in seen and drawn(number, salt, share)
    ]


def disagreements(
    desk: Desk, reviewer: str, mode: str | None, lines: Sequence[Review]
) -> list[tuple[Task, tuple[Review, Review]]]:
    """Encounters on which two people disagree, which nobody has settled."""
    state = desk.gallery.state
    settled = {number for line in lines for number in line.settles}
    return [
        (desk.tasks[a.task], (a, b))
        for a, b in twice(lines)
        if mode != "compare"
        and a.task in desk.tasks
        and not {a.number, b.number} & settled
        and answer(state, a) != answer(state, b)
        and desk.skips.count(reviewer, a.task) == 0
    ]


def _asks(task: Task, reviewer: str, lines: Sequence[Review], state: State) -> bool:
    """Whether a question is still open for somebody, after what was decided on it."""
    one = owner(state, task.keys)
    if task.mode == "identify":
        settled = one is not None or any(line.decision in FINAL for line in lines)
    else:
        other = owner(state, task.others)
        gone = one is None or other is None or (one == other) != task.together
        gone = gone or (one != other and state.told_apart(state.keys_of(str(one)), str(other)) is not None)
        settled = gone or any(line.decision in ("same", "different", "bad-photo") for line in lines)
    unsure = ("cannot-tell", "not-comparable")
    return not settled and not any(line.decision in unsure and line.reviewer == reviewer for line in lines)
