"""Local features for a gallery that has none, or not of all photos: from the photos themselves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from wildreid.data.table import Table
from wildreid.errors import UserError
from wildreid.files import read_json
from wildreid.gallery import thumbnails
from wildreid.gallery.admission import Left, check_mark
from wildreid.gallery.fold import GONE
from wildreid.gallery.state import State
from wildreid.identification.local import build_matchers
from wildreid.identification.looking import look
from wildreid.identification.models import DESCRIPTION, mark_of, name_of
from wildreid.identification.proven import matching_of

if TYPE_CHECKING:
    from wildreid.artefacts import Ints
    from wildreid.gallery.manifest import Matching
    from wildreid.identification.filling import Filling


@dataclass(frozen=True)
class Described:
    """What adding local features did.

    Attributes:
        rows: annotations that have some now, and had none.
        had: those that had some before.
        left: those that have none still, and why.
        matchers: whose features they are.
    """

    rows: int
    had: int
    left: tuple[Left, ...]
    matchers: tuple[str, ...]


def describe(opened: Filling, root: str | Path, *, model: str | Path | None = None) -> Described:
    """Add local features to the photos of a gallery that have none; nothing is embedded again.

    Args:
        opened: the gallery.
        root: the folder that its image paths are relative to.
        model: the run that its model is of, or a package of it, where the gallery does not know yet how that run
            matched; None: as the gallery knows.

    Raises:
        UserError: the gallery does not match; the model is another; what the matchers need is not installed.
    """
    state = opened.state
    matching = _matching(opened, None if model is None else Path(model))
    matchers = build_matchers(matching, device=opened.model.device, where=str(opened.gallery.folder))
    lacking = _lacking(state, matching)
    rows = state.rows.iloc[lacking]
    drop = ["key", "visit", "change", "trained"]
    table = Table.of(rows.drop(columns=drop).assign(identity=None), Path(root).absolute())
    own = opened.model
    looked = look(
        table, own.images, state.manifest.encounters,
        named=False, foreground=own.foreground, device=own.device,
    )  # fmt: skip
    keys = looked.table["key"].astype("object").to_numpy()
    ours = np.isin(keys.astype(str), rows["key"].astype(str)) & looked.usable
    good = np.flatnonzero(ours)
    points = matchers.points(looked.images, good)
    shown = (
        (str(keys[row]), opened.picture(table, int(row))) for row in good if not table.withheld(int(row))
    )
    thumbnails.save(opened.gallery.folder, shown, longest=thumbnails.MATCHED, replace=True)
    added = opened.gallery.describe([str(key) for key in keys[good]], points, matching=matching)
    left = [
        Left(
            str(table["image"].iloc[row]),
            looked.reasons.get(int(row), "its file is not the one that was added"),
        )
        for row in np.flatnonzero(~ours)
    ]
    left += map(Left.of, table.failures)
    return Described(added, state.images - len(rows), tuple(left), tuple(matching.known))


def _matching(opened: Filling, model: Path | None) -> Matching:
    folder, state = opened.gallery.folder, opened.state
    if model is not None:
        check_mark(state.manifest.model, mark_of(read_json(model / DESCRIPTION), name_of(model)), folder)
    matching = state.manifest.matching if model is None else matching_of(model)
    if matching is None:
        raise UserError(
            "nothing is known of how this gallery's model matches photos point by point",
            where=str(folder if model is None else model),
            cure="give the run that its model is of, if its recipe has matchers: `model=RUN`",
        )
    if not matching.counts:
        raise UserError(
            " ".join(
                ("photos are not matched point by point, so no local features are kept.", *matching.says)
            ),
            where=str(folder),
        )
    return matching


def _lacking(state: State, matching: Matching) -> Ints:
    """The rows that lack features of some matcher."""
    had = np.ones(len(state.codes), bool)
    same = state.manifest.matching is not None and state.manifest.matching.known == matching.known
    for name in matching.known:
        had &= state.local[name].there if same and name in state.local else False
    return np.flatnonzero((state.codes != GONE) & ~had)
