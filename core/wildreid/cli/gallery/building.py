"""`reid gallery create` and `add`: photos of known individuals go in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wildreid.cli.arguments import Columns, Dates, Device, Unknown, said_of_table
from wildreid.cli.gallery import printing
from wildreid.cli.gallery.arguments import Data, GalleryPath, NoMatching, Part, Root

if TYPE_CHECKING:
    from wildreid.data.table import Failure
    from wildreid.gallery.admission import Added


def create(
    gallery: GalleryPath,
    model: Annotated[Path, typer.Option(metavar="RUN", help="A run, or what `reid export` wrote.")],
    data: Data = None,
    embeddings: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="In place of data: joined shards of `reid embed`; nothing is embedded again. With --root the "
            "gallery gets small pictures of the photos.",
        ),
    ] = None,
    part: Part = None,
    root: Root = None,
    columns: Columns = None,
    dates: Dates = None,
    unknown: Unknown = None,
    licence: Annotated[str, typer.Option(help="Of the photos and annotations, in words.")] = "",
    exact_up_to: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="IMAGES",
            help="Up to how many images every search is exact; a million if not given.",
        ),
    ] = None,
    no_matching: NoMatching = False,
    device: Device = None,
) -> None:
    """Make a gallery for a model, and add photos of known individuals.

    Where the model's run had matchers, and proved that they help, local features are kept beside the embeddings.
    Where they suffice, thresholds and probabilities are then fitted on them, as `reid gallery calibrate` does;
    else those of the model's own validation stay.

    Example: [bold]reid gallery create bears --model runs/bears --data photos-by-bear[/]
    """
    from wildreid.errors import UserError
    from wildreid.gallery.manifest import EXACT_UP_TO
    from wildreid.gallery.rule import Rule
    from wildreid.identification import create_gallery, read_data
    from wildreid.identification.calibration import can_tell
    from wildreid.identification.joining import joined
    from wildreid.pipeline.reading import said

    given = said_of_table(columns, dates, unknown)
    if embeddings is not None and (data is not None or part or columns or dates or unknown):
        raise typer.BadParameter("--embeddings goes without --data, and what says how to read that")
    found = None if embeddings is None else joined(embeddings)
    table = None if data is None else read_data(data, parts=part or (), root=root, **given)
    if table is not None:
        said(table)
    made = create_gallery(
        gallery,
        model,
        licence=licence,
        exact_up_to=EXACT_UP_TO if exact_up_to is None else exact_up_to,
        device=device or "auto",
    )
    if table is None and found is None:
        printing.say(f"made {gallery}, which is empty; next: reid gallery add {gallery} DATA")
        return
    try:
        if found is not None:
            added = made.add_embedded(found, root=root, source=str(embeddings))
        else:
            assert table is not None
            added = made.add(table, source=str(data), matching=not no_matching)
    except UserError:
        made.gallery.discard()  # what was refused leaves nothing behind
        raise
    _say_added(added, gallery, () if table is None else table.failures)
    if can_tell(made.state):
        rule, notes = made.calibrate(matching=not no_matching)
        if isinstance(rule, Rule):
            printing.say_rule(rule, notes)
    printing.say_fused(gallery)


def add(
    gallery: GalleryPath,
    data: Annotated[Path, typer.Argument(metavar="DATA", help="As for create.", show_default=False)],
    part: Part = None,
    root: Root = None,
    columns: Columns = None,
    dates: Dates = None,
    unknown: Unknown = None,
    no_matching: NoMatching = False,
    device: Device = None,
) -> None:
    """Add photos of known individuals; those that are there already are left out and named."""
    from wildreid.identification import open_gallery, read_data
    from wildreid.pipeline.reading import said

    table = read_data(data, parts=part or (), root=root, **said_of_table(columns, dates, unknown))
    said(table)
    added = open_gallery(gallery, device=device or "auto").add(
        table, source=str(data), matching=not no_matching
    )
    _say_added(added, gallery, table.failures)


def features(
    gallery: GalleryPath,
    photos: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", help="What the gallery's image paths are relative to.", show_default=False
        ),
    ],
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN",
            help="The run that the gallery's model is of, for a gallery that does not know how it matched.",
        ),
    ] = None,
    device: Device = None,
) -> None:
    """Add local features to the photos of a gallery that have none, so that it matches point by point.

    Photos are known by their bytes, and nothing is embedded again. Then thresholds and probabilities for matched
    photos are fitted, as `reid gallery calibrate` does.

    Example: [bold]reid gallery features herd photos[/]
    """
    from wildreid.identification import open_gallery
    from wildreid.identification.calibration import can_tell

    opened = open_gallery(gallery, device=device or "auto")
    done = opened.describe(photos, model=model)
    printing.say(f"{done.rows} images have local features now, {done.had} had them before")
    _say_left([f"{left.image}: {left.reason}" for left in done.left], "without")
    if can_tell(opened.state):
        opened.calibrate()
    printing.say_fused(gallery)


def join(
    gallery: GalleryPath,
    other: Annotated[
        Path,
        typer.Argument(
            metavar="OTHER", help="The gallery to take in; it stays as it is.", show_default=False
        ),
    ],
    root: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="The other's photos, to be embedded again: needed for another model."
        ),
    ] = None,
    device: Device = None,
) -> None:
    """Take in all that another gallery holds; animals of the same name become one.

    Example: [bold]reid gallery join herd herd-2023[/]
    """
    from wildreid.gallery.store import Gallery
    from wildreid.identification import open_gallery

    joined = open_gallery(gallery, device=device or "auto").join(Gallery(other), root=root)
    _say_added(joined.added, gallery)
    if joined.shared:
        printing.say(f"taken for one animal, by name: {', '.join(joined.shared)}")
    _say_near(set(joined.near) - set(joined.added.near))
    printing.say(f"reid gallery undo {gallery} takes all of it back")


def _say_near(near: Iterable[tuple[str, str]]) -> None:
    for ours, theirs in sorted(near):
        printing.say(f"! '{ours}' and '{theirs}' are two animals now; if they are one: reid gallery merge")


def _say_added(added: Added, gallery: Path, failures: Sequence[Failure] = ()) -> None:
    printing.say(f"added {added.rows} images of {added.individuals} individuals to {gallery}")
    for note in added.notes:
        printing.say(f"note: {note}")
    _say_near(added.near)
    rows = [f"row {one.row}: {one.image}: {one.reason}" for one in failures if one.row is not None]
    others = [f"{left.image}: {left.reason}" for left in added.left]
    _say_left([*rows, *others], "not added")


def _say_left(told: Sequence[str], what: str) -> None:
    for one in told[:20]:
        printing.say(f"  {what}: {one}")
    if len(told) > 20:
        printing.say(f"  … and {len(told) - 20} others: {what}")
