"""The positions of a run's pictures, one file an epoch: ``umap/epoch-0007.json``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from wildreid.files import put_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDER = "umap"
DECIMALS = 3
"""What is kept of a position, some units of which lie between groups."""


@dataclass(frozen=True)
class Frame:
    """Where each photo lay after an epoch.

    Attributes:
        epoch: counted from 1.
        ids: the photos', as in the table.
        xy: (photos, 2) positions, comparable between the frames of one run.
    """

    epoch: int
    ids: tuple[str, ...]
    xy: NDArray[np.float64]

    def file(self, folder: Path) -> Path:
        """Where it is kept in ``umap`` of a run."""
        return folder / f"epoch-{self.epoch:04d}.json"

    def save(self, folder: Path) -> None:
        """Write ``{"epoch": n, "ids": […], "xy": [[x, y], …]}``, whole or not at all."""
        text = json.dumps({"epoch": self.epoch, "ids": self.ids, "xy": self.xy.tolist()})
        put_text(self.file(folder), text)


def load_frames(folder: Path) -> list[Frame]:
    """All frames of a run's folder ``umap``, in the order of their epochs; none where there is no such folder."""
    frames = []
    for path in folder.glob("epoch-*.json"):
        told = json.loads(path.read_text(encoding="utf-8"))
        xy = np.array(told["xy"], dtype=np.float64).reshape(-1, 2)
        frames.append(Frame(int(told["epoch"]), tuple(told["ids"]), xy))
    return sorted(frames, key=lambda frame: frame.epoch)
