"""`reid discover`: who are the new ones?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wildreid.cli.arguments import Columns, Dates, Device, Unknown, given_photos, said_of_table, writable
from wildreid.cli.gallery.arguments import GalleryPath, NoMatching, Pairs, Pictures, Root, Seconds
from wildreid.cli.identify import Format, competition_table

if TYPE_CHECKING:
    from wildreid.identification.discover import Agreement
    from wildreid.identification.outputs import Discovered


def discover(
    gallery: GalleryPath,
    photos: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[PHOTOS]",
            help="Photos, folders of photos, or one CSV or Parquet table.",
            show_default=False,
        ),
    ] = None,
    embeddings: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="In place of photos: joined shards of `reid embed`; nothing is embedded again.",
        ),
    ] = None,
    root: Root = None,
    columns: Columns = None,
    dates: Dates = None,
    unknown: Unknown = None,
    clusterer: Annotated[
        str, typer.Option(metavar="NAME", help="`reid plugins clusterers` lists them.")
    ] = "average-linkage",
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A field of the clusterer; may be given again."),
    ] = None,
    cut: Annotated[
        float | None,
        typer.Option(
            min=-1,
            max=1,
            help="Similarity that joins; where a merge is as likely right as wrong if not given.",
        ),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(metavar="FILE", callback=writable, help="Write a table that `reid gallery add` reads."),
    ] = None,
    form: Format = "own",
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", callback=writable, help="Also write a JSON.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", callback=writable, help="Also write a page with pictures.")
    ] = None,
    no_matching: NoMatching = False,
    pairs: Pairs = None,
    seconds: Seconds = None,
    pictures: Pictures = "beside",
    device: Device = None,
) -> None:
    """Group the photos of animals that the gallery takes for new into proposed individuals.

    Undecided photos are listed apart and never proposed. Where a table of photos has a column identity, the
    proposals are compared with it.

    Example: [bold]reid discover bears new-photos --csv proposals.csv[/]

    Example: [bold]reid discover bears --embeddings shards --root photos --html proposals.html[/]
    """
    from wildreid.cli.options import chosen
    from wildreid.identification import open_gallery
    from wildreid.identification.joining import joined
    from wildreid.identification.pages import discovered_page
    from wildreid.identification.submissions import clusters
    from wildreid.page import Larger

    option = chosen("clusterer", clusterer, set_, where="--clusterer")
    if (embeddings is None) == (not photos):
        raise typer.BadParameter("give PHOTOS or --embeddings, one of them")
    of_table = said_of_table(columns, dates, unknown)
    asked: Any
    if embeddings is not None:
        if columns or dates or unknown or form != "own":
            raise typer.BadParameter("--embeddings goes without what says how to read a table, and --format")
        asked = joined(embeddings)
    elif form == "own":
        asked = given_photos(photos or [], root, of_table)
    else:
        asked = competition_table(photos or [], root, csv, of_table)
    opened = open_gallery(gallery, device=device or "auto")
    found = opened.discover(
        asked, root=root, clusterer=option, cut=cut,  # type: ignore[arg-type]
        matching=not no_matching, pairs=pairs, seconds=seconds,
    )  # fmt: skip
    if csv and form == "animalclef":
        clusters(found).to_csv(csv, index=False)
    elif csv:
        found.save_csv(csv)
    if json:
        found.save_json(json)
    if html:
        larger = Larger(html, pictures)
        page = discovered_page(
            found, lambda name: opened.pixels(found.identified, name, longest=larger.longest), larger=larger
        )
        html.write_text(page, encoding="utf-8")
    _show(found)


def _show(found: Discovered) -> None:
    """The proposals, how many photos they are of, and how they compare with the labels."""
    from wildreid.cli.gallery import printing

    rows = found.rows
    new = rows[rows["proposed"]]
    printing.table(
        ("proposed", "photos", "bursts", "first", "last", "one of its photos"),
        [
            (
                name, len(own), own["burst"].nunique(), printing.day(own["timestamp"].min()),
                printing.day(own["timestamp"].max()), own["image"].iloc[0],
            )
            for name, own in new.groupby("identity", sort=True)
        ],
        numbers=(1, 2),
    )  # fmt: skip
    known = int((~rows["proposed"] & rows["identity"].notna()).sum())
    unread = sum(answer.verdict == "unreadable" for answer in found.identified.images)
    undecided = len(rows) - len(new) - known - unread
    printing.say(
        f"{len(rows)} photos: {len(new)} of {new['identity'].nunique()} proposed individuals, "
        f"{known} of known ones, {undecided} undecided, {unread} not read"
    )
    if found.identified.comparison is not None:
        printing.say(found.identified.comparison.words)
    for note in found.identified.notes:
        printing.say(f"! {note}", style="yellow")
    if found.agreement is not None:
        _say_agreement(found.agreement)


def _say_agreement(one: Agreement) -> None:
    """How the proposals compare with the labels."""
    from wildreid.cli.gallery import printing

    ari = "–" if one.ari is None else f"{one.ari:.3f}"
    printing.say(
        f"against the labels, over {one.encounters} bursts: ARI {ari}, B³ {one.b_cubed:.3f} (precision "
        f"{one.b_cubed_precision:.3f}, recall {one.b_cubed_recall:.3f}), ghosts {one.ghosts}, "
        f"false merges {one.false_merges}, count error {one.count_error:+d} "
        f"({one.proposed} for {one.real})"
    )


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(discover)
