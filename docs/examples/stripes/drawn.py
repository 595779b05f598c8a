"""The data set ``drawn-stripes``: animals that a program draws, a pattern of stripes on each flank."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from wildreid.kinds import Dataset

from .animals import SIDES

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

    from wildreid.data.table import Table

VERSION = 2  # raise it whenever another picture comes out


class DrawnStripes(Dataset):
    """Striped animals from the left and from the right, on several days, two frames a time, with true masks."""

    name = "drawn-stripes"
    animals: int = Field(24, ge=3, le=60, description="animals; each has two flanks")
    encounters: int = Field(4, ge=1, le=10, description="days on which each flank is seen")
    size: int = Field(64, ge=32, le=256, description="pixels a side")
    seed: int = Field(0, ge=0, description="of everything drawn")
    homes: bool = Field(
        False, description="each flank is seen at one place of its own on all days, which gives it away"
    )

    def table(self) -> Table:
        """Draw the photos, or find them drawn; the identity is the flank, ``a03-left``."""
        import pandas as pd

        from wildreid.data.table import Table
        from wildreid.places import cache_folder

        key = "-".join(str(value) for value in (VERSION, *self.model_dump(exclude={"name"}).values()))
        folder = cache_folder() / "drawn-stripes" / key
        rows = []
        for animal in range(self.animals):
            for side in SIDES:
                for meeting in range(self.encounters):
                    for frame in range(2):
                        who = f"a{animal:02d}"
                        image = f"{who}/{side}-{meeting}-{frame}.png"
                        mask = f"masks/{image}"
                        if not (folder / image).is_file():
                            self._draw(folder, image, mask, (animal, SIDES.index(side), meeting, frame))
                        # each flank has days of its own: an animal walks past a camera on one side
                        day = pd.Timedelta(days=13 * meeting + animal + 5 * SIDES.index(side))
                        rows.append(
                            {
                                "image": image,
                                "identity": f"{who}-{side}",
                                "camera": f"trail{(animal + meeting) % 2}",
                                "timestamp": pd.Timestamp("2025-04-01 06:00")
                                + day
                                + pd.Timedelta(seconds=frame),
                                "viewpoint": side,
                                "mask": mask,
                            }
                        )
        return Table.of(pd.DataFrame(rows), folder)

    def _draw(self, folder: Path, image: str, mask: str, which: tuple[int, int, int, int]) -> None:
        """Write a photo and, before it, its mask: where the photo is, both are."""
        import numpy as np

        animal, side, meeting, frame = which
        pattern = np.random.default_rng((self.seed, animal, side))
        day = np.random.default_rng((self.seed, animal, side, meeting))
        moment = np.random.default_rng((self.seed, animal, side, meeting, frame))
        home = np.random.default_rng((self.seed, animal, side, 10)) if self.homes else None
        for name, picture in zip(
            (mask, image), _flank(pattern, day, moment, home, left=side == 0), strict=True
        ):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            aside = path.with_suffix(".part")
            picture.resize((self.size, self.size)).save(aside, format="png")
            aside.replace(path)


def _flank(
    pattern: np.random.Generator,
    day: np.random.Generator,
    moment: np.random.Generator,
    home: np.random.Generator | None,
    *,
    left: bool,
) -> tuple[Image, Image]:
    """A mask, and a body with stripes: the pattern is the flank's own, light and place the day's, or its home's."""
    import numpy as np
    from PIL import Image, ImageDraw

    side = 128
    ground = tuple(int(tone) for tone in day.integers(60, 190, 3))
    picture = Image.new("RGB", (side, side), ground)
    if home is not None:
        picture = _place(home, side)
    coat = Image.new("RGB", (side, side), (222, 206, 170))
    pen: Any = ImageDraw.Draw(coat)
    for at in np.sort(pattern.uniform(14, 114, pattern.integers(4, 10))):
        lean, width = pattern.uniform(-22, 22), int(pattern.integers(2, 12))
        bend = pattern.uniform(-14, 14)
        pen.line([(at, 20), (at + bend, 64), (at + lean, 108)], fill=(40, 32, 28), width=width, joint="curve")
    body = Image.new("L", (side, side), 0)
    shape: Any = ImageDraw.Draw(body)
    shape.ellipse((10, 34, 118, 96), fill=255)
    shape.ellipse((0, 22, 34, 56) if left else (94, 22, 128, 56), fill=255)  # the head says which side it is
    dx, dy = (int(step) for step in day.integers(-5, 6, 2) + moment.integers(-1, 2, 2))
    turn = float(day.uniform(-6, 6) + moment.uniform(-1, 1))
    picture.paste(coat.rotate(turn), (dx, dy), body.rotate(turn))
    mask = Image.new("L", (side, side))
    mask.paste(body.rotate(turn), (dx, dy))
    noisy = np.asarray(picture, dtype=np.float64) * day.uniform(0.6, 1.25) + moment.normal(
        0, 5, (side, side, 3)
    )
    return mask, Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def _place(home: np.random.Generator, side: int) -> Image:
    """Ground of one colour with bushes of others."""
    import numpy as np
    from PIL import Image, ImageDraw

    def tone() -> tuple[int, ...]:
        return tuple(int(value) for value in home.integers(40, 200, 3))

    picture = Image.new("RGB", (side, side), tone())
    pen: Any = ImageDraw.Draw(picture)
    for x, y, far in np.column_stack([home.uniform(0, side, (8, 2)), home.uniform(8, 26, 8)]).tolist():
        pen.ellipse((x - far, y - far, x + far, y + far), fill=tone())
    return picture
