"""Data set ``drawn-bears``: bears that a program draws, for the days before the real photos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Dataset

if TYPE_CHECKING:
    from wildreid.data.table import Table

SOURCES = ("backgrounds.py", "drawn.py", "faces.py", "painting.py", "scenes.py", "visits.py")


class DrawnBears(Dataset):
    """Drawn faces of bears, seen by three cameras in bursts over a year: a stand-in for photos.

    Who a bear is lies in its proportions, ears, markings and scars. Light, pose, distance, season and
    background change between encounters and hardly within a burst. They are drawn once, into the cache
    folder, and are the same for the same fields.
    """

    name = "drawn-bears"
    individuals: int = Field(24, ge=4, le=60, description="bears; two of them have one and three images")
    encounters: int = Field(8, ge=1, le=12, description="encounters a bear, about; rare bears have one")
    frames: int = Field(3, ge=1, le=12, description="images in a burst, about")
    undated: float = Field(0.1, ge=0, le=1, description="share of bears with an encounter whose date is lost")
    size: int = Field(160, ge=48, le=512, description="pixels a side")
    seed: int = Field(0, ge=0, description="of everything drawn")

    def table(self) -> Table:
        """Draw the bears, or find them drawn: for each photo camera, time, viewpoint and true mask."""
        import pandas as pd

        from wildreid.data.table import Table

        folder = self._folder()
        if not folder.is_dir():
            self._draw(folder)
        rows = pd.read_csv(folder / "metadata.csv", dtype="string")
        return Table.of(rows, folder)

    def _folder(self) -> Path:
        import hashlib

        from wildreid.places import cache_folder

        key = hashlib.sha256(self.model_dump_json().encode())
        for name in SOURCES:  # whoever changes the drawing gets new drawings
            key.update((Path(__file__).parent / name).read_bytes())
        return cache_folder() / "drawn-bears" / key.hexdigest()[:16]

    def _draw(self, folder: Path) -> None:
        """Write photos and table into `folder`, whole or not at all; two processes may do so at once."""
        import shutil
        import tempfile

        import pandas as pd

        from wildreid.progress import bar

        from .painting import paint
        from .visits import photos

        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", suffix=".part", dir=folder.parent))
        try:
            taken = photos(
                individuals=self.individuals,
                encounters=self.encounters,
                frames=self.frames,
                undated=self.undated,
                seed=self.seed,
            )
            for photo in bar(taken, "drawing bears"):
                path = aside / photo.image
                path.parent.mkdir(exist_ok=True)
                picture, mask = paint(
                    photo.face,
                    photo.scene,
                    photo.pose,
                    self.size,
                    coat_seed=photo.coat_seed,
                    moment_seed=photo.moment_seed,
                )
                picture.save(path, quality=90)
                own = aside / _mask_of(photo.image)
                own.parent.mkdir(parents=True, exist_ok=True)
                mask.save(own)
            pd.DataFrame(
                {
                    "image": photo.image,
                    "identity": photo.face.name,
                    "camera": photo.scene.camera,
                    "timestamp": photo.when.isoformat() if photo.when else None,
                    "viewpoint": photo.pose.viewpoint,
                    "mask": _mask_of(photo.image),
                }
                for photo in taken
            ).to_csv(aside / "metadata.csv", index=False)
            try:
                aside.rename(folder)
            except OSError:
                if not folder.is_dir():  # otherwise another process was first, with the same photos
                    raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def _mask_of(image: str) -> str:
    """Where the mask of a photo lies."""
    return f"masks/{Path(image).with_suffix('.png').as_posix()}"
