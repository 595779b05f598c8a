"""The process that draws while another one trains; run as ``python -m wildreid.projection.worker FOLDER NICENESS``.

It is asked by lines on its standard input and answers by lines of JSON on its standard output. It gives way to
whatever else wants the processor, and ends when its input does.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np

from wildreid.files import put
from wildreid.projection.drawing import animation, colours_of, picture, window_of
from wildreid.projection.frames import DECIMALS, Frame, load_frames
from wildreid.projection.layout import layout

ANIMATION = "epochs.gif"


class Painter:
    """Draws one epoch after another, each from the positions of the one before.

    Args:
        folder: ``umap`` of a run; frames that it holds are gone on from.
        ids: of the photos.
        identity: their individuals' names, empty where there is none.
        note: what the pictures show, in words.
        seed: of the layouts.
    """

    def __init__(
        self, folder: Path, *, ids: Sequence[str], identity: Sequence[str], note: str, seed: int
    ) -> None:
        self.folder, self.ids, self.note, self.seed = folder, tuple(ids), note, seed
        self.colours = colours_of(identity)
        self.frames = [frame for frame in load_frames(folder) if frame.ids == self.ids]

    def epoch(self, epoch: int, waiting: Path) -> Path:
        """Lay out the embeddings in `waiting`, keep their positions, draw them, and remove `waiting`."""
        try:
            self.frames = [frame for frame in self.frames if frame.epoch < epoch]
            start = self.frames[-1].xy if self.frames else None
            xy = layout(np.load(waiting), seed=self.seed, start=start).round(DECIMALS)
            frame = Frame(epoch, self.ids, xy)
            self.frames.append(frame)
            frame.save(self.folder)
            return self._draw(frame)
        finally:
            waiting.unlink(missing_ok=True)  # one that cannot be drawn must not be tried for ever

    def end(self) -> Path:
        """Draw all epochs again in one window, which was not known before, and animate them."""
        for frame in self.frames:
            self._draw(frame)
        path = self.folder / ANIMATION
        animation(self.frames, self.colours, self.note, path)
        return path

    def _draw(self, frame: Frame) -> Path:
        path = frame.file(self.folder).with_suffix(".png")
        title = f"epoch {frame.epoch}"
        drawn = picture(frame.xy, self.colours, window_of(self.frames), title=title, note=self.note)
        put(path, lambda aside: drawn.save(aside, format="PNG"))
        return path


def main(folder: Path, niceness: int) -> None:
    """Answer until the input ends."""
    if hasattr(os, "nice"):
        os.nice(niceness)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever trains, who then ends this
    Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a library that prints must not be taken for an answer
    painter = Painter(folder, **json.loads(sys.stdin.readline()))
    for line in sys.stdin:
        asked = json.loads(line)
        told: dict[str, Any] = {"epoch": asked.get("epoch")}
        try:
            path = painter.epoch(asked["epoch"], Path(asked["waiting"])) if asked else painter.end()
            told["picture"] = str(path)
        except Exception as error:
            told["failed"] = f"{type(error).__name__}: {error}"
        print(json.dumps(told), file=answers, flush=True)


def _end_with(parent: int) -> None:
    """End when the process that trains was killed: a resumed one will have a painter of its own."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
