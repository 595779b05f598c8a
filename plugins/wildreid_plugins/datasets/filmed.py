"""What the data sets of folders share: films among the photos, named or sampled."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from wildreid.kinds import Dataset
from wildreid.option import Location

if TYPE_CHECKING:
    import pandas as pd

    from wildreid.data.files import Found


class Filmed(Dataset):
    """A data set of a folder that may hold films."""

    root: Location
    videos: Literal["list", "sample"] = Field(
        "list",
        description="films: named among the failures, or frames of them taken (needs the extra `video`)",
    )
    every: float = Field(1.0, gt=0, description="seconds between the frames that are taken of a film")
    most: int = Field(10, ge=1, le=300, description="frames that are taken of a film, at most, spread evenly")
    film_times: Literal["utc", "local"] | None = Field(
        None,
        description="the clock that wrote the date into films whose names hold none: universal time, as the "
        "standard says (a zone that the film names is added), or local time, as many cameras do; null: such a "
        "film has no date",
    )

    def frames(self, found: Found) -> tuple[Found, pd.DataFrame]:
        """What lies under a folder, and rows of frames of the films in it, if they are wanted."""
        from wildreid.data.films import sample
        from wildreid.data.frames import is_film

        films = [one.image for one in found.others if is_film(one.image)] if self.videos == "sample" else []
        rows, failures = sample(self.root, films, every=self.every, most=self.most, times=self.film_times)
        taken = set(films)
        others = [one for one in found.others if one.image not in taken] + failures
        return replace(found, others=sorted(others, key=lambda failure: failure.image)), rows
