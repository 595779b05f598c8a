"""`reid history`: who was seen when?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wildreid.cli.arguments import writable
from wildreid.cli.gallery.arguments import GalleryPath

if TYPE_CHECKING:
    from wildreid.gallery.state import State


def history(
    gallery: GalleryPath,
    csv: Annotated[
        Path | None,
        typer.Option(metavar="FILE", callback=writable, help="Also write a CSV, one row for each encounter."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", callback=writable, help="Also write a page with timelines.")
    ] = None,
    stations: Annotated[
        bool, typer.Option("--stations", help="Also print when each was first and last seen at each station.")
    ] = False,
    together: Annotated[bool, typer.Option("--together", help="Also print who was seen with whom.")] = False,
    coordinates: Annotated[
        bool, typer.Option("--coordinates", help="Say where, too; think of who may read it.")
    ] = False,
) -> None:
    """Print who was seen when: each individual's encounters, first and last seen.

    Example: [bold]reid history bears --html history.html[/]
    """
    from wildreid.cli.gallery import printing
    from wildreid.files import cells
    from wildreid.gallery.history import encounters, individuals
    from wildreid.gallery.store import Gallery
    from wildreid.identification.pages import history_page

    state = Gallery(gallery).state
    table = encounters(state, coordinates=coordinates)
    if csv:
        cells(table).to_csv(csv, index=False)
    if html:
        html.write_text(history_page(state, coordinates=coordinates), encoding="utf-8")
    by_individual = dict(list(table.groupby("individual")))
    printing.table(
        ("individual", "encounters", "images", "first seen", "last seen", "seen on"),
        [
            (
                row.individual, row.encounters, row.images, printing.day(row.first_seen),
                printing.day(row.last_seen), _days(by_individual[row.individual]["first"]),
            )
            for row in printing.each(individuals(state))
        ],
        numbers=(1, 2),
    )  # fmt: skip
    printing.say(f"{len(by_individual)} individuals in {len(table)} encounters")
    if stations:
        _print_stations(state)
    if together:
        _print_pairs(state)


def _print_stations(state: State) -> None:
    from wildreid.cli.gallery import printing
    from wildreid.gallery.history import by_station

    printing.table(
        ("individual", "station", "encounters", "images", "first seen", "last seen"),
        [
            (
                row.individual, row.station, row.encounters, row.images, printing.day(row.first_seen),
                printing.day(row.last_seen),
            )
            for row in printing.each(by_station(state))
        ],
        numbers=(2, 3),
    )  # fmt: skip


def _print_pairs(state: State) -> None:
    from wildreid.cli.gallery import printing
    from wildreid.gallery.history import together

    pairs = together(state)
    if not len(pairs):
        printing.say("no two individuals were seen by one camera within ten minutes")
        return
    printing.table(
        ("individual", "with", "encounters", "photos of both", "first", "last", "index"),
        [
            (
                row.individual, row.other, row.together, row.on_one_photo, printing.day(row.first),
                printing.day(row.last), f"{row.ratio:.2f}",
            )
            for row in printing.each(pairs)
        ],
        numbers=(2, 3, 6),
    )  # fmt: skip


def _days(first: object) -> str:
    """The dates, eight at most, and how many more there are."""
    days = sorted(set(first.dropna().dt.strftime("%Y-%m-%d")))  # type: ignore[attr-defined]
    more = f" and {len(days) - 8} more" if len(days) > 8 else ""
    return ", ".join(days[:8]) + more


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(history)
