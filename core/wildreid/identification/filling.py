"""How photos get into a gallery: looked at, embedded, with local features where it matches, and with thumbnails."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wildreid.data.table import Table
from wildreid.errors import UserError
from wildreid.gallery import index, thumbnails
from wildreid.gallery.admission import Added, Joined, Left, check_mark, pairs_of_names, sort_out
from wildreid.gallery.fold import GONE
from wildreid.gallery.history import present
from wildreid.gallery.state import State
from wildreid.gallery.store import Gallery
from wildreid.identification.describing import Described, describe
from wildreid.identification.joining import Embedded
from wildreid.identification.local import Matchers, Placed, build_matchers, why_not
from wildreid.identification.looking import Looked, look, look_at_arrays, visits
from wildreid.identification.models import MODEL, Model
from wildreid.identification.outputs import Identified
from wildreid.identification.photos import read_given
from wildreid.progress import say

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats, Ints
    from wildreid.gallery.features import Points
    from wildreid.gallery.manifest import Matching


class Filling:
    """A gallery with its model, as far as photos go into it; `OpenGallery` answers.

    Attributes:
        gallery: the folder, for changes that need no model (rename, merge, split, remove, undo).
        model: what embeds.
    """

    def __init__(self, gallery: Gallery, model: Model) -> None:
        self.gallery, self.model = gallery, model
        self._building = threading.Lock()
        self._matchers: tuple[Matching, Matchers] | None = None

    @property
    def state(self) -> State:
        """The gallery as it is now."""
        return self.gallery.state

    @property
    def matchers(self) -> Matchers:
        """What the gallery matches by, built when it is first asked for.

        Raises:
            UserError: a plugin is not there, or what it needs.
        """
        with self._building:
            state = self.state
            matching = state.manifest.matching
            assert matching is not None
            if self._matchers is None or self._matchers[0] != matching:
                built = build_matchers(matching, device=self.model.device, where=str(state.folder))
                self._matchers = matching, built
            return self._matchers[1]

    def describes(self) -> bool:
        """Whether photos that are added get local features: matching counts, and those before have some."""
        state = self.state
        matching = state.manifest.matching
        return matching is not None and matching.counts and (not state.images or not why_not(state))

    def add(self, table: Table, *, source: str = "", matching: bool = True) -> Added:
        """Add photos of named individuals, with thumbnails, and with local features where the gallery matches.

        Args:
            table: rows with ``identity``; those without one, and those that cannot be read, are reported.
            source: where they came from, for the journal.
            matching: add local features; without them these photos count as if no point of theirs matched.

        Raises:
            UserError: what the matchers need is not installed.
        """
        model, encounters = self.model, self.state.manifest.encounters
        looked = look(
            table, model.images, encounters, named=True, foreground=model.foreground, device=model.device
        )
        rows = looked.table.rows
        named = rows["identity"].notna().to_numpy()
        wanted = np.flatnonzero(looked.usable & named)
        left = [
            Left(str(rows["id"][row]), looked.reasons.get(int(row), "it has no identity; ask reid identify"))
            for row in np.flatnonzero(~(looked.usable & named))
        ]
        left += map(Left.of, table.failures)
        keep, known = sort_out(rows.iloc[wanted], self.state)  # what is there already need not be embedded
        wanted = wanted[keep]
        embeddings = self.model.embed(looked.images, wanted)
        points = self._points(looked.images, wanted) if matching else []
        there, chosen = set(self.state.individuals), rows.iloc[wanted]
        near = tuple(pairs_of_names(sorted(there), sorted(set(chosen["identity"]) - there)))
        added = self._enter(looked.table, wanted, chosen, embeddings, points, source=source)
        return replace(added, left=(*known, *added.left, *left), near=near, notes=looked.whole(wanted))

    def add_embedded(self, found: Embedded, *, root: Path | None = None, source: str = "") -> Added:
        """Add photos of named individuals that `reid embed` embedded; nothing is embedded again.

        Args:
            found: of this gallery's model.
            root: the folder that its image paths are relative to, for thumbnails; None: there will be none.
            source: where they came from, for the journal.

        Raises:
            UserError: they are another model's.
        """
        check_mark(self.state.manifest.model, found.model, self.gallery.folder)
        rows = found.annotations()
        trained = _trained(self.gallery.folder / MODEL)
        rows["trained"] = rows["content"].isin(trained)
        rows["visit"] = visits(rows, rows["key"].tolist())
        if root is not None:
            thumbnails.save(self.gallery.folder, self._seen(Table(rows, root.absolute())))
        added = self.gallery.add(rows, found.vectors(), model=found.model, source=source)
        self._keep_index()
        return replace(added, left=(*added.left, *map(Left.of, found.failed())))

    def _seen(self, table: Table) -> Iterator[tuple[str, NDArray[np.uint8]]]:
        """Key and picture of each named row whose photo is there, and not private."""
        named = table["identity"].notna().to_numpy()
        for row in np.flatnonzero(named).tolist():
            if not table.withheld(row) and (table.root / str(table["image"].iloc[row])).is_file():
                yield str(table["key"].iloc[row]), self.picture(table, row)

    def take(
        self, found: Identified, keys: Sequence[str], *, source: str, reviews: Sequence[int], **told: Any
    ) -> Added:
        """Add photos that `identify` has answered already, so that nothing is embedded again.

        Args:
            found: the answers.
            keys: the annotations to add.
            source: where they came from, for the journal.
            reviews: the numbers of the reviews that decided it.
            told: columns that hold for all of them, ``identity`` among them.
        """
        at = np.flatnonzero(found.rows["key"].isin(list(keys)))
        chosen = found.rows.iloc[at].drop(columns="burst").assign(**told)
        where = found.places(chosen["key"])
        points = self._points(found.photos, where)
        vectors = found.embeddings[at]
        return self._enter(found.table, where, chosen, vectors, points, source=source, reviews=reviews)

    def _points(self, images: Placed | None, rows: Ints) -> list[Points]:
        """Local features of some images, where the gallery keeps such; by each matcher."""
        if images is None or not len(rows) or not self.describes():
            return []
        return self.matchers.points(images, rows)

    def _enter(
        self, table: Table, at: Ints, chosen: pd.DataFrame, embeddings: Floats, points: Sequence[Points], *,
        source: str, reviews: Sequence[int] = (),
    ) -> Added:  # fmt: skip
        """Add rows with their thumbnails; `at` are their positions in the table."""
        trained = _trained(self.gallery.folder / MODEL)
        chosen = chosen.assign(trained=[key.split("_")[0] in trained for key in chosen["key"]])
        shown = [(str(key), int(row)) for key, row in zip(chosen["key"], at, strict=True)]
        images = ((key, self.picture(table, row)) for key, row in shown if not table.withheld(row))
        larger = thumbnails.MATCHED if points else thumbnails.LONGEST
        thumbnails.save(self.gallery.folder, images, longest=larger)
        added = self.gallery.add(
            chosen, embeddings, model=self.model.mark, source=source, reviews=reviews, points=points
        )
        self._keep_index()
        return added

    def describe(self, root: str | Path, *, model: str | Path | None = None) -> Described:
        """Add local features to photos of the gallery that have none; see `wildreid.identification.describing`."""
        return describe(self, root, model=model)

    def join(self, other: Gallery, *, root: Path | None = None) -> Joined:
        """Add all that another gallery holds, in one change that can be undone; the other stays as it is.

        Individuals are taken for one animal where their names are the same. A photo that both hold under two
        names stays as it is here, and is named among those left.

        Args:
            other: of the same model, whose embeddings are then taken over; or of another.
            root: the folder that the other's image paths are relative to: its photos are then embedded again.

        Raises:
            UserError: it is of another model, and there is no `root`; or this very gallery.
        """
        if other.folder.resolve() == self.gallery.folder.resolve():
            raise UserError("a gallery cannot be joined to itself", where=str(other.folder))
        theirs, mine = other.state, set(self.state.individuals)
        rows = present(theirs)
        rows = rows.assign(identity=rows["individual"])
        shared = tuple(sorted(mine & set(theirs.individuals)))
        near = tuple(pairs_of_names(self.state.individuals, theirs.individuals))
        source = f"the gallery {other.folder.name}"
        if root is not None:
            seen = rows.drop(columns=["key", "visit", "met", "individual", "change", "trained"])
            return Joined(self.add(Table.of(seen, root.absolute()), source=source), shared, near)
        check_mark(self.state.manifest.model, theirs.manifest.model, self.gallery.folder)
        small = ((key, thumbnails.load(other.folder, key)) for key in rows["key"])
        seen_small = ((key, image) for key, image in small if image is not None)
        thumbnails.save(self.gallery.folder, seen_small, longest=thumbnails.MATCHED)
        there = np.flatnonzero(theirs.codes != GONE)
        own, kept = self.state.manifest.matching, theirs.manifest.matching
        same = (
            set(own.known.items()) & set(kept.known.items()) if own and kept and self.describes() else set()
        )
        points = [theirs.local[name].select(there) for name, _ in sorted(same) if name in theirs.local]
        added = self.gallery.add(
            rows, theirs.embeddings(there), model=theirs.manifest.model, source=source, points=points
        )
        self._keep_index()
        return Joined(added, shared, near)

    def picture(self, table: Table, row: int, longest: int = thumbnails.MATCHED) -> NDArray[np.uint8]:
        """What a row shows: its photo's part in the box and the margin around it; a UserError where it is gone."""
        images = self.model.images
        return table.crop(row, margin=images.margin, max_pixels=images.max_pixels, longest=longest)

    def pixels(self, found: Identified, name: str, *, longest: int | None = None) -> NDArray[np.uint8] | None:
        """A query image by its id, for a page, its longer side so many pixels at most.

        None where it cannot be read, is private or came as an array.
        """
        row = int(found.table["id"].eq(name).argmax())
        if found.table.withheld(row):
            return None
        try:
            return self.picture(found.table, row, longest or thumbnails.MATCHED)
        except UserError:
            return None

    def _look(
        self, photos: Any, root: str | Path | None, gap: float | None = None
    ) -> tuple[Looked, Sequence[int]]:
        """The annotations, opened, and the row of each that was given."""
        model, encounters = self.model, self.state.manifest.encounters
        if gap is not None:
            encounters = encounters.model_copy(update={"gap": gap})
        if isinstance(photos, Embedded):
            check_mark(self.state.manifest.model, photos.model, self.gallery.folder)
            return photos.looked(encounters, root=None if root is None else Path(root)), range(photos.rows)
        if isinstance(photos, (str, Path)):
            photos = [photos]
        if not isinstance(photos, Table) and len(photos) and isinstance(photos[0], np.ndarray):
            looked = look_at_arrays(photos, model.images, foreground=model.foreground, device=model.device)
            return looked, range(len(photos))
        table, given = (
            (photos, range(len(photos))) if isinstance(photos, Table) else read_given(photos, root=root)
        )
        looked = look(
            table, model.images, encounters, named=False, foreground=model.foreground, device=model.device
        )
        return looked, given

    def _keep_index(self) -> None:
        """Make the index again where the gallery has outgrown the one it has."""
        if index.stale(self.state):
            say("making the index again …")
            index.build_index(self.state)


def _trained(model: Path) -> set[str]:
    """The content hashes of the photos that the model has trained on, where its package says them."""
    file = model / "trained.txt"
    return set(file.read_text(encoding="utf-8").split()) if file.is_file() else set()
