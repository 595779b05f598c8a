"""An open gallery: photos in, answers out. What `wildreid.open_gallery` returns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wildreid.artefacts import Missing
from wildreid.data.table import Table
from wildreid.errors import UserError
from wildreid.evaluation.decision import FALSE_NEW
from wildreid.gallery import index, thumbnails
from wildreid.gallery.admission import Added, Joined, Left, check_mark, pairs_of_names, sort_out
from wildreid.gallery.fold import GONE
from wildreid.gallery.history import present
from wildreid.gallery.rule import Rule
from wildreid.gallery.state import State
from wildreid.gallery.store import Gallery
from wildreid.identification.calibration import recalibrate
from wildreid.identification.discover import agreement, discover
from wildreid.identification.identify import Answer, bursts, cautions, identify, unreadable
from wildreid.identification.joining import Embedded
from wildreid.identification.models import MODEL, Model
from wildreid.identification.outputs import Discovered, Identified, in_order, proposals
from wildreid.identification.photos import Looked, look, look_at_arrays, read_given, visits
from wildreid.identification.search import Search
from wildreid.progress import say
from wildreid.registry import Registry

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats, Ints
    from wildreid.kinds import Clusterer


class OpenGallery:
    """A gallery with its model. Any number of threads may ask it at once; they embed one after another.

    Attributes:
        gallery: the folder, for changes that need no model (rename, merge, split, remove, undo).
        model: what embeds.
    """

    def __init__(self, gallery: Gallery, model: Model) -> None:
        self.gallery, self.model = gallery, model
        self._search: Search | None = None

    @property
    def state(self) -> State:
        """The gallery as it is now."""
        return self.gallery.state

    def add(self, table: Table, *, source: str = "") -> Added:
        """Add photos of named individuals, with thumbnails.

        Args:
            table: rows with ``identity``; those without one, and those that cannot be read, are reported.
            source: where they came from, for the journal.
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
        left += [Left(failure.image or f"row {failure.row}", failure.reason) for failure in table.failures]
        keep, known = sort_out(rows.iloc[wanted], self.state)  # what is there already need not be embedded
        wanted = wanted[keep]
        embeddings = self.model.embed(looked.images, wanted)
        there, chosen = set(self.state.individuals), rows.iloc[wanted]
        near = tuple(pairs_of_names(sorted(there), sorted(set(chosen["identity"]) - there)))
        added = self._enter(looked.table, wanted, chosen, embeddings, source=source)
        return replace(added, left=(*known, *added.left, *left), near=near)

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
        return replace(added, left=(*added.left, *(Left(image, why) for image, why in found.failed())))

    def _seen(self, table: Table) -> Iterator[tuple[str, NDArray[np.uint8]]]:
        """Key and picture of each named row whose photo is there, and not private."""
        named = table["identity"].notna().to_numpy()
        for row in np.flatnonzero(named).tolist():
            if not table.withheld(row) and (table.root / str(table["image"].iloc[row])).is_file():
                yield str(table["key"].iloc[row]), self._pixels(table, row)

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
        rows = found.table.rows.reset_index().set_index("key")["index"]
        where = rows[~rows.index.duplicated()].loc[chosen["key"]].to_numpy(np.int64)
        return self._enter(found.table, where, chosen, found.embeddings[at], source=source, reviews=reviews)

    def _enter(
        self, table: Table, at: Ints, chosen: pd.DataFrame, embeddings: Floats, *, source: str,
        reviews: Sequence[int] = (),
    ) -> Added:  # fmt: skip
        """Add rows with their thumbnails; `at` are their positions in the table."""
        trained = _trained(self.gallery.folder / MODEL)
        chosen = chosen.assign(trained=[key.split("_")[0] in trained for key in chosen["key"]])
        shown = [(str(key), int(row)) for key, row in zip(chosen["key"], at, strict=True)]
        images = ((key, self._pixels(table, row)) for key, row in shown if not table.withheld(row))
        thumbnails.save(self.gallery.folder, images)
        added = self.gallery.add(chosen, embeddings, model=self.model.mark, source=source, reviews=reviews)
        self._keep_index()
        return added

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
        thumbnails.save(self.gallery.folder, ((key, image) for key, image in small if image is not None))
        embeddings = theirs.embeddings(np.flatnonzero(theirs.codes != GONE))
        added = self.gallery.add(rows, embeddings, model=theirs.manifest.model, source=source)
        self._keep_index()
        return Joined(added, shared, near)

    def identify(
        self,
        photos: Sequence[str | Path] | Sequence[NDArray[np.uint8]] | str | Path | Table,
        *,
        root: str | Path | None = None,
        top: int = 5,
        exact: bool = False,
        join_bursts: bool = True,
        burst_gap: float | None = None,
    ) -> Identified:
        """Say who is on each photo, and on each burst.

        Args:
            photos: files and folders, a table's file, a `Table`, or (height, width, 3) uint8 arrays.
            root: the folder that the paths in a table's file are relative to; None: the table's own.
            top: candidates to name for each.
            exact: never use an index, however large the gallery.
            join_bursts: answer a burst once; if not, each photo alone.
            burst_gap: seconds between two photos of one burst, at most; None: as the gallery was made with.

        Returns:
            One answer for each photo that came in, in their order, also for one that came twice; those that
            cannot be read say why.

        Raises:
            UserError: there is no such file, or no photo.
        """
        looked, given = self._look(photos, root, burst_gap)
        rows = looked.table.rows
        usable = np.flatnonzero(looked.usable)
        embeddings = self.model.embed(looked.images, usable)
        asked = rows.iloc[usable].reset_index(drop=True)
        asked["burst"] = bursts(asked, joined=join_bursts)
        search = self._searching(exact)
        answers, encounters = identify(search, asked, embeddings, top=top)
        asked["burst"] = [answer.burst for answer in answers]  # photos that disagree were divided
        by_row = dict(zip(usable.tolist(), answers, strict=True))
        images = [
            by_row.get(row) or unreadable(rows["id"][row], looked.reasons.get(row, "it cannot be read"))
            for row in given
        ]
        images = in_order(images, looked.table)
        notes = (*looked.table.notes, *cautions(search.state, answers))
        if looked.whole:
            notes += (f"{looked.whole} of the photos have no mask to rely on: they were looked at whole",)
        return Identified(tuple(images), tuple(encounters), notes, search, asked, embeddings, looked.table)

    def discover(
        self,
        photos: Sequence[str | Path] | str | Path | Table,
        *,
        root: str | Path | None = None,
        clusterer: Clusterer | None = None,
        cut: float | None = None,
    ) -> Discovered:
        """Propose individuals for the photos whose animal the gallery takes for new.

        Photos that are undecided stay so: they are listed, and never proposed as a new animal. Where the gallery
        cannot tell known from new, since it is not calibrated, a photo is undecided from `cut` on.

        Args:
            photos: as for `identify`; identities in a table are used for nothing but the comparison.
            root: as for `identify`.
            clusterer: how; None: average linkage.
            cut: similarity at which a merge of two groups is as likely right as wrong; None: what the
                gallery's own individuals taught, when it was calibrated.

        Raises:
            UserError: the gallery is not calibrated and no cut is given.
        """
        found = self.identify(photos, root=root)
        if cut is None:
            rule = found.search.state.rule
            if rule is None:
                raise UserError(
                    "the gallery is not calibrated, so there is no similarity at which to cut",
                    cure="calibrate it with reid gallery calibrate, or give `cut=…`",
                )
            cut = rule.cut()
        if clusterer is None:
            clusterer = Registry().choose("clusterer", "average-linkage").model_validate({})  # type: ignore[assignment]
        assert clusterer is not None
        answers = {answer.burst: answer for answer in found.encounters}
        who = pd.Series([answers[burst].individual for burst in found.rows["burst"]], dtype="string")
        new = {burst for burst, answer in answers.items() if _is_new(answer, found.search.state.rule, cut)}
        unknown = np.flatnonzero(found.rows["burst"].isin(new))
        rows = found.rows.iloc[unknown]
        proposed = discover(
            rows,
            found.embeddings[unknown],
            clusterer.cluster,
            cut=cut,
            different=found.search.state.different,
        )
        who.iloc[unknown] = proposed.to_numpy()
        return Discovered(
            proposals(found, who, unknown), agreement(proposed, rows["identity"], rows["burst"]), found
        )

    def calibrate(
        self,
        *,
        false_accepts: float | None = None,
        false_new: float = FALSE_NEW,
        prior: float | None = None,
    ) -> tuple[Rule | Missing, tuple[str, ...]]:
        """Fit the rule again for the gallery's present size; see `recalibrate`."""
        return recalibrate(self.gallery.folder, false_accepts=false_accepts, false_new=false_new, prior=prior)

    def pixels(self, found: Identified, name: str, *, longest: int | None = None) -> NDArray[np.uint8] | None:
        """A query image by its id, for a page, its longer side so many pixels at most.

        None where it cannot be read, is private or came as an array.
        """
        row = int(found.table["id"].eq(name).argmax())
        if found.table.withheld(row):
            return None
        try:
            return self._pixels(found.table, row, longest or 2 * thumbnails.LONGEST)
        except UserError:
            return None

    def _pixels(self, table: Table, row: int, longest: int = 2 * thumbnails.LONGEST) -> NDArray[np.uint8]:
        images = self.model.images
        return table.crop(row, margin=images.margin, max_pixels=images.max_pixels, longest=longest)

    def _look(
        self, photos: Any, root: str | Path | None, gap: float | None = None
    ) -> tuple[Looked, Sequence[int]]:
        """The annotations, opened, and the row of each that was given."""
        model = self.model
        if isinstance(photos, (str, Path)):
            photos = [photos]
        if not isinstance(photos, Table) and len(photos) and isinstance(photos[0], np.ndarray):
            looked = look_at_arrays(photos, model.images, foreground=model.foreground, device=model.device)
            return looked, range(len(photos))
        table, given = (
            (photos, range(len(photos))) if isinstance(photos, Table) else read_given(photos, root=root)
        )
        encounters = self.state.manifest.encounters
        if gap is not None:
            encounters = encounters.model_copy(update={"gap": gap})
        looked = look(
            table, model.images, encounters, named=False, foreground=model.foreground, device=model.device
        )
        return looked, given

    def _searching(self, exact: bool) -> Search:
        """One search for all threads and calls, made again when the gallery has changed."""
        state, search = self.state, self._search
        if search is None or search.state is not state or search.exact != exact:
            search = self._search = Search(state, exact)
        return search

    def _keep_index(self) -> None:
        """Make the index again where the gallery has outgrown the one it has."""
        if index.stale(self.state):
            say("making the index again …")
            index.build_index(self.state)


def _is_new(answer: Answer, rule: Rule | None, cut: float) -> bool:
    """Whether an animal may be proposed as a new individual."""
    if rule is not None and rule.decision.tells:
        return answer.verdict == "new"
    return not answer.candidates or answer.candidates[0].score < cut


def _trained(model: Path) -> set[str]:
    """The content hashes of the photos that the model has trained on, where its package says them."""
    file = model / "trained.txt"
    return set(file.read_text(encoding="utf-8").split()) if file.is_file() else set()
