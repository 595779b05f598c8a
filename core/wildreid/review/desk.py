"""The desk: hands out questions, takes decisions, and is the only one who writes them down."""

from __future__ import annotations

import queue
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from wildreid.errors import UserError
from wildreid.gallery.store import Gallery
from wildreid.review import questions, summary
from wildreid.review.applying import Newcomers, apply, owner
from wildreid.review.asking import Asking
from wildreid.review.deciding import SIDES, answer, as_data, review_of
from wildreid.review.journal import Review, Reviews, built_on
from wildreid.review.settings import LEASE, Lease, Settings, Skips
from wildreid.review.standing import Standing
from wildreid.review.tasks import Task, of_photos, task_id

PATIENCE = 30.0
"""Seconds that a decision waits for those before it to reach the gallery."""
Explain = Callable[[str, str], tuple[Sequence[tuple[float, float, float, float, float]], str]]
"""Matches of two annotations by key: (x1, y1, x2, y2, weight), each from 0 to 1 across its picture."""


class Conflict(Exception):
    """Something has happened meanwhile; `what` tells it, `more` what the page needs to ask again."""

    def __init__(self, what: str, **more: Any) -> None:
        self.what, self.more = what, more
        super().__init__(what)


class Desk:
    """The desk of one gallery. Any number of threads may call it.

    Args:
        gallery: whose individuals they are.
        settings: how it asks.
        where: the address of this server, for those who come second.

    Attributes:
        explain: what matches in two photos, and why nothing does; None: nobody can say.

    Raises:
        UserError: another server has this gallery; its reviews were altered.
    """

    def __init__(
        self,
        gallery: Gallery,
        settings: Settings | None = None,
        *,
        where: str = "",
    ) -> None:
        self.gallery, self.settings = gallery, settings or Settings()
        self.explain: Explain | None = None
        self.reviews = Reviews(gallery.folder, where=where)
        self._standing = Standing(self.reviews)
        self.preparing = ""
        self.passed = 0
        self.newcomers: Newcomers | None = None
        self.waiting: dict[int, str] = {}
        self._lock = threading.RLock()
        self.tasks: dict[str, Task] = {}
        self._leases: dict[str, Lease] = {}
        self.skips = Skips()
        self.asking = Asking(self)
        self._work: queue.Queue[threading.Event | None] = queue.Queue()
        self._worker = threading.Thread(target=self._apply_in_turn, daemon=True)
        self._worker.start()
        self._wake()

    def close(self) -> None:
        """Finish what is being applied, and let another server have the gallery."""
        self.asking.stop()
        self._work.put(None)
        self._worker.join()
        self.reviews.close()

    def receive(self, newcomers: Newcomers) -> None:
        """Ask about the encounters of these photos too."""
        found, passed = of_photos(newcomers.found, audit=self.settings.audit, salt=self.settings.salt)
        with self._lock:
            self.newcomers, self.passed = newcomers, passed
            self.tasks |= {task.id: task for task in found}
        self._wake()

    def compare(self) -> None:
        """Look for encounters of the gallery that may be one animal, or of one name and two animals."""
        self.asking.compare()

    def next(self, reviewer: str, mode: str | None = None, *, not_task: str = "") -> dict[str, Any]:
        """The next question for somebody, as the page shows it, leased to them; ``{"task": None}`` without any."""
        with self._lock:
            state, now = self.gallery.state, time.monotonic()
            lines = self.standing()
            left = questions.still_open(self, reviewer, mode, lines, state)
            blind = questions.second_looks(self, reviewer, lines)
            for task, hidden in [*((one, False) for one in left), *((one, True) for one in blind)]:
                lease = self._leases.get(task.id + "'" * hidden)
                free = lease is None or lease.until < now or lease.reviewer == reviewer
                if free and task.id != not_task:
                    return self._show(task, reviewer, lines, blind=hidden) | {"left": len(left) + len(blind)}
            if not_task and (left or blind):
                return self.next(reviewer, mode)
            if split := questions.disagreements(self, reviewer, mode, lines):
                task, answers = split[0]
                return self._show(task, reviewer, lines, settles=answers) | {"left": len(split)}
            return {"task": None, "left": 0, "preparing": self.preparing, **self.said()}

    def leased(self, task: Task) -> bool:
        """Whether somebody has a question on the screen."""
        lease = self._leases.get(task.id)
        return lease is not None and lease.until >= time.monotonic()

    def renew(self, reviewer: str, lease: str) -> bool:
        """Hold a question for longer; False where somebody else has it by now."""
        with self._lock:
            held = self._leases.get(lease)
            if held is None or held.reviewer != reviewer:
                return False
            held.until = time.monotonic() + LEASE
            return True

    def decide(self, reviewer: str, said: dict[str, Any]) -> dict[str, Any]:
        """Take one decision; it is on the disk when this returns.

        Args:
            reviewer: who decides.
            said: ``task``, ``revision``, ``decision``; where they apply ``candidate`` (the key of one of an
                individual's photos), ``name``, ``reason``, ``ms``, ``confidence``, ``client``.

        Raises:
            Conflict: something has happened since the question was shown.
            UserError: it is no such decision, or it could not be written down.
        """
        with self._lock:
            client = str(said.get("client") or "")
            if told := self.reviews.told.get(f"{reviewer}/{client}" if client else ""):
                return self._told(told)
            self.settle(PATIENCE)  # what was decided before may forbid this
            lease = self._leases.get(str(said.get("task")))
            if lease is None or lease.reviewer != reviewer:
                raise Conflict("this question was given to somebody else, or the desk was started again")
            task = lease.task
            if said.get("revision") != self._revision(task, lease):
                raise Conflict(summary.happened(self, task, lease))
            if said.get("decision") == "skip":
                self.skips.add(reviewer, task.id)
                self._leases.pop(str(said["task"]), None)
                return {"number": None, "said": "skipped"}
            taken = {str(one.individual) for one in self.standing() if one.decision in ("new", "different")}
            line = review_of(self.gallery.state, task, lease.view, {**said, "reviewer": reviewer}, taken)
            line = self._write(replace(line, client=f"{reviewer}/{client}" if client else ""))
            self._leases.pop(str(said["task"]), None)
        self._wake()
        return self._told(line)

    def undo(self, reviewer: str, number: int | None = None, *, together: bool = False) -> dict[str, Any]:
        """Take back a decision: one's own last one, or one by its number.

        Raises:
            Conflict: later decisions build on it; they are listed, and taken back with it if `together`.
            UserError: there is no such decision.
        """
        with self._lock:
            stands = self.standing()
            own = [one for one in stands if one.reviewer == reviewer]
            found = own[-1:] if number is None else [one for one in stands if one.number == number]
            if not found:
                raise UserError(
                    "there is nothing to undo", cure="decisions of others are undone by their number"
                )
            later = built_on(found[0], self.reviews.lines)
            if later and not together:
                listed = [as_data(one) for one in later]
                raise Conflict("later decisions build on it; undo these first, or all together", later=listed)
            for one in [*reversed(later), found[0]]:
                self._write_undo(reviewer, one)
        self._wake()
        return {"undone": [one.number for one in (found[0], *later)], "said": f"undone: {found[0].decision}"}

    def see(self, reviewer: str, task: str, key: str, side: str) -> dict[str, Any]:
        """Say from which side a photo shows its animal; it is written when the photo enters the gallery."""
        with self._lock:
            shown = {one["key"] for lease in self._leases.values() for one in lease.view["photos"]}
            if key not in shown or side not in SIDES:
                raise UserError("no such photo or side is being asked about")
            line = Review(0, "", reviewer, task, "identify", (key,), (), "viewpoint", reason=side)
            return self._told(self.reviews.add(line))

    def explained(self, reviewer: str, pair: tuple[str, str]) -> dict[str, Any]:
        """What matches in two photos that somebody has on the screen, and why nothing does."""
        for lease in list(self._leases.values()):
            seen = {one["key"] for side in (lease.view, *lease.view["candidates"]) for one in side["photos"]}
            if lease.reviewer == reviewer and set(pair) <= seen:
                if lease.view["blind"]:
                    return {"matches": [], "why": "a second look sees nothing of what the model used"}
                matches, why = (
                    self.explain(*pair) if self.explain else ((), "nobody can say what matches here")
                )
                return {"matches": list(matches), "why": why or "no point of these two photos matches"}
        raise UserError("these two photos are not on your screen")

    def apply(self) -> dict[int, str]:
        """Bring the gallery to the decisions now, and say which must wait."""
        self.waiting = apply(self.gallery, list(self.reviews.lines), self.newcomers)
        if self.settings.hold:
            self._wake()  # what is asked next follows it
        return self.waiting

    def settle(self, timeout: float) -> bool:
        """Wait until what was decided before is applied, if it is not held; False where that takes longer."""
        done = threading.Event()
        self._work.put(done)
        return done.wait(timeout)

    def standing(self) -> list[Review]:
        """The decisions that count: those not undone here, nor at the command line."""
        return self._standing.of(self.gallery.state)

    def agreement(self) -> dict[str, Any]:
        """Percent, κ and the encounters on which two people disagree."""
        with self._lock:
            return summary.agreeing(self)

    def said(self) -> dict[str, Any]:
        """What the page says of the whole."""
        return summary.of_all(self)

    # what follows is called with the lock held

    def _show(
        self,
        task: Task,
        reviewer: str,
        lines: list[Review],
        *,
        blind: bool = False,
        settles: tuple[Review, ...] = (),
    ) -> dict[str, Any]:
        state = self.gallery.state
        view = self.asking.view(task, reviewer, lines, state, blind=blind, settles=bool(settles))
        number = task.id + "'" * blind
        view |= {"task": task.id, "lease": number, "blind": blind, "mode": task.mode}
        view["settles"] = [{**as_data(one), "said": answer(state, one)} for one in settles]
        anchors = {one["id"]: owner(state, [one["id"]]) for one in view["candidates"]}
        lease = Lease(reviewer, time.monotonic() + LEASE, view, anchors, task)
        self._leases[number] = lease
        view["revision"] = self._revision(task, lease)
        return {**view, **self.said(), "preparing": self.preparing}

    def _revision(self, task: Task, lease: Lease) -> str:
        state = self.gallery.state
        about = [
            line.number for line in self.standing() if line.task == task.id and line.decision != "viewpoint"
        ]
        return task_id([f"{key} {owner(state, [key])}" for key in lease.anchors], map(str, about))

    def _write(self, line: Review) -> Review:
        """Write a decision; one that settles a disagreement takes back what it contradicts."""
        for number in line.settles:
            one, state = self.reviews.lines[number - 1], self.gallery.state
            if not one.blind and answer(state, one) != answer(state, line):
                self._write_undo(line.reviewer, one)
        return self.reviews.add(line)

    def _write_undo(self, reviewer: str, one: Review) -> None:
        said = (one.task, one.mode, one.keys, one.others, "undo", one.individual)
        self.reviews.add(Review(0, "", reviewer, *said, undoes=one.number))

    def _told(self, line: Review) -> dict[str, Any]:
        return {"number": line.number, "said": answer(self.gallery.state, line)}

    def _wake(self) -> None:
        self._work.put(threading.Event())

    def _apply_in_turn(self) -> None:
        while (done := self._work.get()) is not None:
            try:
                if not self.settings.hold:
                    self.apply()
                self.asking.prepare()
                self.asking.follow()
            except (UserError, OSError) as error:
                self.waiting = {0: str(error)}
            except Exception as error:
                # a thread that ended would carry out nothing more, and nobody would know
                traceback.print_exc()
                self.waiting = {0: f"{type(error).__name__}: {error}"}
            done.set()
