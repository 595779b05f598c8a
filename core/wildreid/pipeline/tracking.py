"""The trackers of one run together: one that fails is reported once and left out, and never stops a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from wildreid.kinds import Log, ReportLog, Tracker
from wildreid.progress import note

if TYPE_CHECKING:
    from wildreid.artefacts import Results


@dataclass(frozen=True)
class RunFacts:
    """What a tracker may know of a run that begins."""

    folder: Path
    name: str
    recipe: Mapping[str, Any]
    hashes: Mapping[str, str]


@dataclass
class _Open:
    name: str
    log: Log
    stack: ExitStack = field(default_factory=ExitStack)


class Tracking:
    """A log that tells several: the recipe's trackers, opened here, and others.

    Args:
        trackers: are opened now and closed in the end, or when they fail.
        run: what they are to know of it.
        logs: get each epoch's numbers as well.
    """

    def __init__(self, trackers: Sequence[Tracker], run: RunFacts, logs: Sequence[Log] = ()) -> None:
        self._open = [_Open(type(log).__name__, log) for log in logs]
        for tracker in trackers:
            stack = ExitStack()
            try:
                self._open.append(_Open(tracker.name, stack.enter_context(tracker.open(run=run)), stack))
            except Exception as error:
                _warn(tracker.name, error)

    def log(self, step: int, values: Mapping[str, float], pictures: Mapping[str, Path] | None = None) -> None:
        """Tell each of them."""
        self._each(lambda log: log.log(step, values, pictures))

    def report(self, results: Results, paths: Sequence[Path]) -> None:
        """Tell those who want to know that the run is finished."""
        self._each(lambda log: log.report(results, paths) if isinstance(log, ReportLog) else None)

    def _each(self, tell: Callable[[Log], None]) -> None:
        for one in list(self._open):
            try:
                tell(one.log)
            except Exception as error:
                self._open.remove(one)
                _warn(one.name, error)
                self._close(one, error, quiet=True)

    def __enter__(self) -> Tracking:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in self._open:
            self._close(one, error)

    def _close(self, one: _Open, error: BaseException | None, *, quiet: bool = False) -> None:
        """Close it, with what the run or the tracker itself failed of."""
        try:
            one.stack.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)
        except Exception as raised:
            if raised is not error and not quiet:
                _warn(one.name, raised)
        except BaseException as raised:
            if raised is not error:
                raise


def _warn(name: str, error: Exception) -> None:
    note(f"the tracker '{name}' failed and is left out from now on: {error}")
