"""Photos that are answered once, since they show one animal: the bursts, and those that turn out not to be one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Ints

TORN = "answered apart: the photos of its burst look like different animals"


def disagreeing(burst: Ints, known: Sequence[str | None]) -> tuple[Ints, NDArray[np.bool_]]:
    """Divide each burst whose photos, each by itself, are known as different individuals.

    Args:
        burst: (rows,) as `bursts` gave them.
        known: (rows,) the individual that each photo by itself is known as.

    Returns:
        (rows,) the numbers of bursts, each photo of such a burst on its own, and which photos these are.
    """
    names = pd.Series(list(known), dtype="object").groupby(burst).transform("nunique")
    torn = (names > 1).to_numpy()
    divided = burst.copy()
    divided[torn] = burst.max(initial=-1) + 1 + np.arange(np.count_nonzero(torn))
    return divided, torn


def bursts(rows: pd.DataFrame, *, joined: bool = True) -> Ints:
    """(rows,) numbers of bursts: what is answered once, since it shows one animal.

    Images of one ``sequence`` are one burst, unless any of its images shows several animals: then it cannot
    be told which is which, and each annotation is on its own. So is an undated image, and every image where
    bursts are not to be `joined`.
    """
    if not joined:
        return np.arange(len(rows))
    several = rows["image"].duplicated(keep=False)
    crowded = several.groupby(rows["sequence"]).transform("any")
    alone = crowded | rows["timestamp"].isna()
    label = rows["sequence"].astype("object").where(~alone, rows["id"])
    return pd.factorize(label)[0].astype(np.int64)
