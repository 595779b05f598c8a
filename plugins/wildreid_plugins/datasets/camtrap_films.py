"""Films of a Camtrap DP package: what is said of a film is said of frames of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Films:
    """Which frames of a film are taken: one each `every` seconds, `most` at most."""

    every: float
    most: int


def with_frames(
    every: pd.DataFrame, photo: pd.DataFrame, root: Path, films: Films
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Observations of animals on films, once for each frame that is taken; the others as they are.

    Args:
        every: (n, …) observations.
        photo: (n, …) the medium of each, with ``image``; a film's ``timestamp`` is that of its first frame.
        root: the folder that ``image`` is relative to.
        films: which frames.

    Returns:
        (m, …) both, with ``frame`` (its name), ``seconds`` (since the film began) and ``film_failed`` (why there
        is none) of those on films; a frame stands in ``image`` of its medium.
    """
    import pandas as pd

    from wildreid.data.films import read_film, sample
    from wildreid.data.frames import is_film

    filmed = photo["image"].map(is_film, na_action="ignore").eq(True) & every["observationType"].eq("animal")
    filmed &= ~every["observationLevel"].eq("event")
    wanted = sorted(photo.loc[filmed, "image"].unique())
    taken, failures = sample(root, wanted, every=films.every, most=films.most)
    wrong = {failure.image: failure.reason for failure in failures}
    moments = {film: read_film(root / film, times=None).seconds for film in wanted if film not in wrong}
    numbers = taken["image"].str.extract(r"f(\d+)\.jpg$", expand=False).astype(int)
    seconds = [float(moments[film][number]) for film, number in zip(taken["event"], numbers, strict=True)]
    frames = pd.DataFrame({"image": taken["event"], "frame": taken["image"], "seconds": seconds})
    told = photo[["image"]].where(filmed).reset_index(names="row").merge(frames, on="image", how="left")
    place = told["row"].to_numpy()
    many, media = every.loc[place].reset_index(drop=True), photo.loc[place].reset_index(drop=True)
    many = many.assign(frame=told["frame"], seconds=told["seconds"], film_failed=told["image"].map(wrong))
    media["image"] = told["frame"].fillna(media["image"])
    return many, media
