"""An open gallery: photos in, answers out. What `wildreid.open_gallery` returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wildreid.artefacts import Missing
from wildreid.data.table import Table
from wildreid.errors import UserError
from wildreid.evaluation.decision import FALSE_NEW
from wildreid.gallery.rule import Rule
from wildreid.gallery.store import Gallery
from wildreid.identification.bursts import bursts
from wildreid.identification.cautions import cautions
from wildreid.identification.discover import agreement, discover, is_new
from wildreid.identification.filling import Filling
from wildreid.identification.hinges import hinges_of, why_unhinged
from wildreid.identification.identify import identify, ruled_out, unreadable
from wildreid.identification.joining import Embedded
from wildreid.identification.lines import Line, lines_of
from wildreid.identification.local import matches, why_not
from wildreid.identification.matched import Comparison, check_budget, compare
from wildreid.identification.models import Model
from wildreid.identification.outputs import Discovered, Identified, in_order, proposals
from wildreid.identification.recalibrate import recalibrate
from wildreid.identification.search import Search, tags_of
from wildreid.registry import Registry

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats, Ints
    from wildreid.data.held import HeldPhotos
    from wildreid.data.store import ImageStore
    from wildreid.kinds import Clusterer


class OpenGallery(Filling):
    """A gallery with its model. Any number of threads may ask it at once; they embed one after another.

    Attributes:
        gallery: the folder, for changes that need no model (rename, merge, split, remove, undo).
        model: what embeds.
    """

    def __init__(self, gallery: Gallery, model: Model) -> None:
        super().__init__(gallery, model)
        self._search: Search | None = None

    @property
    def matches(self) -> bool:
        """Whether photos are matched point by point; see `wildreid.identification.local.matches`."""
        return matches(self.state)

    def identify(
        self,
        photos: Sequence[str | Path] | Sequence[NDArray[np.uint8]] | str | Path | Table | Embedded,
        *,
        root: str | Path | None = None,
        top: int = 5,
        exact: bool = False,
        join_bursts: bool = True,
        burst_gap: float | None = None,
        matching: bool = True,
        pairs: int | None = None,
        seconds: float | None = None,
    ) -> Identified:
        """Say who is on each photo, and on each burst.

        Args:
            photos: files and folders, a table's file, a `Table`, (height, width, 3) uint8 arrays, or what
                `wildreid.identification.joining.joined` reads: embeddings of this gallery's model.
            root: the folder that the paths in a table's file are relative to; None: the table's own.
            top: candidates to name for each.
            exact: never use an index, however large the gallery.
            join_bursts: answer a burst once; if not, each photo alone.
            burst_gap: seconds between two photos of one burst, at most; None: as the gallery was made with.
            matching: match photos point by point, where the gallery does (see `matches`); if not, the embedding
                alone ranks.
            pairs: gallery images that each photo is matched to, at most, the nearest by the embedding; None: as the
                run of the model did.
            seconds: that matching one photo to these takes, at most; None: however long.

        Returns:
            One answer for each photo that came in, in their order, also for one that came twice; those that
            cannot be read say why.

        Raises:
            UserError: there is no such file, or no photo; what the gallery's matchers need is not installed;
                embeddings of another model.
        """
        check_budget(pairs, seconds)
        looked, given = self._look(photos, root, burst_gap)
        rows = looked.table.rows
        usable = np.flatnonzero(looked.usable)
        images, embeddings = looked.photos, looked.embedded(self.model, usable)
        asked = rows.iloc[usable].reset_index(drop=True)
        asked["burst"] = bursts(asked, joined=join_bursts)
        search = self._searching(exact)
        comparison = None
        if matching:
            comparison = self._compared(
                search, asked, embeddings, images, usable, pairs=pairs, seconds=seconds
            )
        answers, encounters = identify(search, asked, embeddings, top=top, comparison=comparison)
        asked["burst"] = [answer.burst for answer in answers]  # photos that disagree were divided
        by_row = dict(zip(usable.tolist(), answers, strict=True))
        each = [
            by_row.get(row) or unreadable(rows["id"][row], looked.reasons.get(row, "it cannot be read"))
            for row in given
        ]
        notes = (*looked.table.notes, *cautions(search.state, answers, comparison))
        if matching and (why := why_not(search.state)):
            notes += (why,)
        elif matching and images is None and search.state.manifest.matching is not None:
            notes += ("these are embeddings without their photos, so nothing was matched point by point",)
        notes += looked.whole(usable)
        return Identified(
            tuple(in_order(each, looked.table)), tuple(encounters), notes, search, asked, embeddings,
            looked.table, images, comparison,
        )  # fmt: skip

    def discover(
        self,
        photos: Sequence[str | Path] | str | Path | Table | Embedded,
        *,
        root: str | Path | None = None,
        clusterer: Clusterer | None = None,
        cut: float | None = None,
        matching: bool = True,
        pairs: int | None = None,
        seconds: float | None = None,
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
            matching: as for `identify`; bursts that the grouping hinges on are matched to one another, too.
            pairs: as for `identify`; of the pairs of bursts those nearest to `cut` are matched, so many for each
                photo.
            seconds: as for `identify`.

        Raises:
            UserError: the gallery is not calibrated and no cut is given.
        """
        fused = self.state.fused
        matching = matching and fused is not None and fused.decision.tells
        found = self.identify(photos, root=root, matching=matching, pairs=pairs, seconds=seconds)
        state = found.search.state
        if cut is None:
            if state.rule is None:
                raise UserError(
                    "the gallery is not calibrated, so there is no similarity at which to cut",
                    cure="calibrate it with reid gallery calibrate, or give `cut=…`",
                )
            cut = state.rule.cut()
            if found.comparison is not None and state.fused and state.fused.same_from is not None:
                cut = state.fused.same_from
        if clusterer is None:
            clusterer = Registry().choose("clusterer", "average-linkage").model_validate({})  # type: ignore[assignment]
        assert clusterer is not None
        answers = {answer.burst: answer for answer in found.encounters}
        who = pd.Series([answers[burst].individual for burst in found.rows["burst"]], dtype="string")
        new = {burst for burst, answer in answers.items() if is_new(answer, found.rule, cut)}
        unknown = np.flatnonzero(found.rows["burst"].isin(new))
        rows = found.rows.iloc[unknown]
        hinges = None
        if found.comparison is not None and len(unknown):
            matched = found.comparison
            local, at = matched.looked, matched.at[unknown]
            tags = tags_of(rows, state.manifest.apart)
            hinges = hinges_of(matched.matchers, local, at, tags, pairs=pairs, seconds=seconds)
            if hinges is None:
                said = f"bursts are grouped by the embedding alone: {why_unhinged(matched.matchers)}"
                found = replace(found, notes=(*found.notes, said))
        proposed = discover(
            rows,
            found.embeddings[unknown],
            clusterer.cluster,
            cut=cut,
            different=state.different,
            hinges=hinges,
        )
        who.iloc[unknown] = proposed.to_numpy()
        table = proposals(found, who, unknown)
        return Discovered(table, agreement(proposed, rows["identity"], rows["burst"]), found)

    def calibrate(
        self,
        *,
        false_accepts: float | None = None,
        false_new: float = FALSE_NEW,
        prior: float | None = None,
        matching: bool = True,
    ) -> tuple[Rule | Missing, tuple[str, ...]]:
        """Fit the rule again for the gallery's present size, that for matched photos too; see `recalibrate`."""
        return recalibrate(
            self.gallery.folder,
            false_accepts=false_accepts,
            false_new=false_new,
            prior=prior,
            matching=matching,
            matchers=self.matchers if matching and self.matches else None,
        )

    def explain(self, key: str, other: str, *, found: Identified | None = None) -> list[Line]:
        """The points of two photos that match, for lines over their pictures.

        Args:
            key: of an annotation in the gallery, or in `found`.
            other: likewise.
            found: photos that were identified, which may be in no gallery.

        Returns:
            the surest first: x and y in the picture of the one, x and y in that of the other, each as a share of
            its width or height, and the confidence, above 0 and at most 1. None are given where the gallery does
            not match, or a photo has no local features. The picture is the photo's part in its box with the margin
            around it, as the gallery's thumbnail shows it.

        Raises:
            UserError: what the gallery's matchers need is not installed.
        """
        if not self.matches:
            return []
        return lines_of(self.state, self.matchers, key, other, found)

    def compared(self, search: Search, found: Identified, at: Ints) -> Comparison | None:
        """Photos of one burst, by their rows in `found`, matched to a gallery that may have changed since.

        Pairs that were matched when they were identified are not matched again.
        """
        rows = found.rows.iloc[at].reset_index(drop=True).assign(burst=0)
        if found.photos is None or not self.matches:
            return None
        before = found.comparison
        if before is None:
            return self._compared(search, rows, found.embeddings[at], found.photos, found.places(rows["key"]))
        barred = ruled_out(search.state, rows["key"].tolist(), rows["burst"].to_numpy())
        return compare(
            search, self.matchers, rows, found.embeddings[at], barred, before.looked, before.at[at],
            pairs=before.candidates.budget, known=before.known,
        )  # fmt: skip

    def _compared(
        self,
        search: Search,
        rows: pd.DataFrame,
        embeddings: Floats,
        images: ImageStore | HeldPhotos | None,
        at: Ints,
        *,
        pairs: int | None = None,
        seconds: float | None = None,
    ) -> Comparison | None:
        """Photos matched to the gallery; None where there is nothing to match, or it does not match."""
        state = search.state
        if images is None or not matches(state) or not len(rows):
            return None
        matchers = self.matchers
        barred = ruled_out(state, rows["key"].tolist(), rows["burst"].to_numpy())
        looked = matchers.look(images, at)
        return compare(search, matchers, rows, embeddings, barred, looked, at, pairs=pairs, seconds=seconds)

    def _searching(self, exact: bool) -> Search:
        """One search for all threads and calls, made again when the gallery has changed."""
        state, search = self.state, self._search
        if search is None or search.state is not state or search.exact != exact:
            search = self._search = Search(state, exact)
        return search
