"""Pictures of an embedding space while it forms, made by a process of its own so that training does not wait."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from wildreid.files import put
from wildreid.progress import note, say
from wildreid.projection.frames import FOLDER
from wildreid.projection.layout import FEWEST
from wildreid.projection.sample import sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats

MOST = 1000
"""Photos on a picture at most."""
PATIENCE = 180.0
"""Seconds without a picture that the end of a run waits: an import and compilation on a fresh machine."""
POLITE = 15.0
"""Seconds after which a process that gave way to training is started again as one that does not."""
NICENESS = 10
WORKER = "wildreid.projection.worker"
WAITING, COMPLAINTS = "waiting", "complaints.txt"


class Projector:
    """Called with each epoch's embeddings; hands them to the process that lays them out and draws them.

    In ``umap`` of the run's folder: positions (``epoch-0007.json``), pictures (``epoch-0007.png``) and, in the
    end, one animation (``epochs.gif``). Embeddings wait there as files in ``waiting``: none is skipped, memory
    does not grow, and a run that is resumed goes on where this stopped. No random number of this process is
    drawn. Whatever fails is warned of once, and never raised; where the process was killed, the run goes on to
    leave what it would have drawn.

    Args:
        folder: the run's.
        ids: of all photos that are embedded, in that order.
        identity: their individuals' names, empty where there is none.
        shown: which of them are validation photos, and not the gallery that those are matched to.
        seed: of the sample and the layouts.
        every: a picture every so many epochs.
        tell: is called with epoch and path of each picture that is done, in this process and thread.
    """

    def __init__(
        self,
        folder: Path,
        *,
        ids: NDArray[np.str_],
        identity: NDArray[np.str_],
        shown: NDArray[np.bool_],
        seed: int,
        every: int = 1,
        tell: Callable[[int, Path], None] = lambda epoch, path: None,
    ) -> None:
        self.folder, self.seed, self.every, self.tell = folder.absolute() / FOLDER, seed, every, tell
        candidates = np.flatnonzero(shown)
        self.rows = sample(candidates, identity, most=MOST, seed=seed)
        self.ids, self.identity = ids[self.rows].tolist(), identity[self.rows].tolist()
        self.note = f"all {len(candidates):,} validation photos"
        if len(self.rows) < len(candidates):
            self.note = (
                f"{len(self.rows):,} of {len(candidates):,} validation photos, each individual in turn"
            )
        self.process: subprocess.Popen[str] | None = None
        self.answers: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self.under_way: set[int] = set()
        self.warned = self.over = self.asleep = False

    def __call__(self, epoch: int, embeddings: Floats) -> None:
        """Take in one epoch's embeddings, (photos, width) of unit length, and tell of what is done by now."""
        if self.over:
            return
        if len(self.rows) < FEWEST:
            self.over = True
            few = f"{FEWEST} validation photos are the fewest for a picture, there are {len(self.rows)}"
            say(f"umap    {few}")
            return
        try:
            if due := epoch % self.every == 0:
                self._clear(epoch)  # left by a run before, or past the checkpoint that this one goes on from
                path = self.folder / WAITING / f"epoch-{epoch:04d}.npy"
                put(path, lambda aside: _save(aside, embeddings[self.rows]))
            if self.asleep:
                return
            self.hear()
            if due and self.process is None:
                self._begin()  # which asks for all that waits
            elif due:
                self._ask(epoch, path)
        except Exception as error:
            self._give_up(f"{error}")

    def finish(self, *, patience: float = PATIENCE) -> None:
        """Wait for what is under way and for the animation, at most `patience` seconds for each of them."""
        if self.over or self.asleep:
            return
        try:
            self.hear()
            if self.process is None and not self._left():
                return
            self._begin()
            self._write({})
            if self.under_way:
                say(f"umap    waiting for {len(self.under_way)} pictures, at most {patience:.0f} s each")
            try:
                waits = self.hear(min(patience, POLITE))
            except Empty:  # nobody trains now: it need not give way any longer
                self.stop()
                self._begin(niceness=0)
                self._write({})
                waits = True
            while waits:
                waits = self.hear(patience)
        except Empty:
            self._give_up(
                f"{len(self.under_way)} pictures wait, and none came in {patience:.0f} s; "
                f"the same command again draws them"
            )
        except Exception as error:
            self._give_up(f"{error}")
        self.over = True
        self.stop()

    def stop(self) -> None:
        """End the process at once; what waits is drawn when the run is resumed."""
        process, self.process = self.process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            with suppress(OSError):
                if stream is not None:
                    stream.close()
        with suppress(OSError):
            if not self.under_way:
                (self.folder / COMPLAINTS).unlink()
                (self.folder / WAITING).rmdir()

    def __enter__(self) -> Projector:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _begin(self, *, niceness: int = NICENESS) -> None:
        """Start the process where there is none yet, and ask for all that waits."""
        if self.process is not None:
            return
        (self.folder / WAITING).mkdir(parents=True, exist_ok=True)
        source = str(Path(__file__).parents[2])
        path = os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH", "")]))
        threads = dict.fromkeys(
            ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
        )
        with (self.folder / COMPLAINTS).open("w", encoding="utf-8") as complaints:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", WORKER, str(self.folder), str(niceness)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env={**os.environ, **threads, "PYTHONPATH": path},
                text=True,
                encoding="utf-8",
            )
        self.answers = SimpleQueue()
        Thread(target=_listen, args=(self.process, self.answers), daemon=True).start()
        self._write({"ids": self.ids, "identity": self.identity, "note": self.note, "seed": self.seed})
        for epoch, waiting in self._left():
            self._ask(epoch, waiting)

    def _left(self) -> list[tuple[int, Path]]:
        """What waits, in order."""
        return sorted(
            (int(path.stem.removeprefix("epoch-")), path)
            for path in (self.folder / WAITING).glob("epoch-*.npy")
        )

    def _clear(self, epoch: int) -> None:
        """Remove this epoch and later ones; what the worker is just writing of an earlier one stays."""
        for path in self.folder.glob("**/epoch-*"):
            number = path.name.removeprefix("epoch-").partition(".")[0]  # half written, it ends in .png.part
            if int(number) >= epoch:
                path.unlink(missing_ok=True)

    def _ask(self, epoch: int, waiting: Path) -> None:
        self.under_way.add(epoch)
        self._write({"epoch": epoch, "waiting": str(waiting)})

    def _write(self, line: dict[str, Any]) -> None:
        assert self.process is not None
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(line) + "\n")
            self.process.stdin.flush()
        except OSError:
            raise RuntimeError(self._complaint()) from None

    def hear(self, patience: float = 0.0) -> bool:
        """Take all answers that are there, or wait so long for the next one; False after the last of all.

        Raises:
            Empty: no answer came in that time.
            RuntimeError: the process ended before it was asked to.
        """
        if patience:
            return self._take(self.answers.get(timeout=patience))
        while not self.answers.empty():
            self._take(self.answers.get())
        return True

    def _take(self, answer: dict[str, Any] | None) -> bool:
        if answer is None:
            raise RuntimeError(self._complaint())
        epoch = answer["epoch"]
        if "failed" in answer:
            self._warn(f"epoch {epoch}: {answer['failed']}" if epoch else answer["failed"])
        if epoch is None:
            return False
        self.under_way.discard(epoch)
        if "picture" in answer:
            self.tell(epoch, Path(answer["picture"]))
        return True

    def _complaint(self) -> str:
        with suppress(OSError):
            said = (self.folder / COMPLAINTS).read_text(encoding="utf-8", errors="replace").strip()
            if said:
                return f"the process that draws has ended: {said.splitlines()[-1]}"
        return "the process that draws has ended"

    def _warn(self, why: str) -> None:
        if not self.warned:
            note(f"a picture of the embeddings failed, and the run goes on: {why}")
        self.warned = True

    def _give_up(self, why: str) -> None:
        """Draw no more in this run. What a killed process would have drawn waits for the next run, and is kept."""
        with suppress(subprocess.TimeoutExpired):
            self.asleep = self.process is not None and self.process.wait(timeout=1) < 0
        later = "; the same command again draws what waits" if self.asleep else ""
        self._warn(why + later)
        self.over = not self.asleep
        self.stop()


def _save(path: Path, array: Floats) -> None:
    with path.open("wb") as file:  # given a path, numpy would add an ending of its own
        np.save(file, array)


def _listen(process: subprocess.Popen[str], answers: SimpleQueue[dict[str, Any] | None]) -> None:
    """Put each answer, and None after the last, where the other thread looks for them."""
    assert process.stdout is not None
    with suppress(ValueError, OSError):  # closed by `stop`
        for line in process.stdout:
            answers.put(json.loads(line))
    answers.put(None)
