"""`reid identify`: who is on these photos?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from wildreid.cli.arguments import Columns, Dates, Device, Unknown, given_photos, said_of_table, writable
from wildreid.cli.gallery.arguments import GalleryPath, NoMatching, Pairs, Pictures, Root, Seconds

if TYPE_CHECKING:
    from wildreid.data.table import Table
    from wildreid.identification.identify import Answer

Photos = Annotated[
    list[Path],
    typer.Argument(
        metavar="PHOTOS", help="Photos, folders of photos, or one CSV or Parquet table.", show_default=False
    ),
]
Format = Annotated[
    Literal["own", "animalclef"],
    typer.Option(
        "--format", help="What --csv is: our own, or a submission to AnimalCLEF for its metadata.csv."
    ),
]
Model = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="The same model in another form, such as an ONNX package."),
]


def identify(
    gallery: GalleryPath,
    photos: Photos,
    root: Root = None,
    columns: Columns = None,
    dates: Dates = None,
    unknown: Unknown = None,
    top: Annotated[
        int, typer.Option(min=1, max=50, help="Candidates to name; the terminal shows three.")
    ] = 5,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", callback=writable, help="Also write a CSV.")
    ] = None,
    form: Format = "own",
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", callback=writable, help="Also write a JSON.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", callback=writable, help="Also write a page with pictures.")
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Compare with all images, never by the index.")
    ] = False,
    no_bursts: Annotated[
        bool, typer.Option("--no-bursts", help="Answer each photo alone, also those of one burst.")
    ] = False,
    burst_gap: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help="Between two photos of one burst, at most; as the gallery was made with if not given.",
        ),
    ] = None,
    no_matching: NoMatching = False,
    pairs: Pairs = None,
    seconds: Seconds = None,
    model: Model = None,
    pictures: Pictures = "beside",
    device: Device = None,
) -> None:
    """Say who is on each photo: a known individual, a new one, or undecided.

    Photos of one camera, seconds apart, are one burst and are answered once. A gallery whose model's run had
    matchers, and proved that they help, matches photos point by point.

    Example: [bold]reid identify bears new-photos --html who.html[/]
    """
    from rich.text import Text

    from wildreid.cli.gallery import printing
    from wildreid.identification import open_gallery
    from wildreid.identification.identify import counts
    from wildreid.identification.pages import identified_page
    from wildreid.identification.submissions import identities
    from wildreid.page import Larger
    from wildreid.progress import visible

    of_table = said_of_table(columns, dates, unknown)
    asked = (
        given_photos(photos, root, of_table)
        if form == "own"
        else competition_table(photos, root, csv, of_table)
    )
    opened = open_gallery(gallery, model=model, device=device or "auto")
    found = opened.identify(
        asked, root=root, top=top, exact=exact, join_bursts=not no_bursts, burst_gap=burst_gap,
        matching=not no_matching, pairs=pairs, seconds=seconds,
    )  # fmt: skip
    if csv and form == "animalclef":
        identities(found).to_csv(csv, index=False)
    elif csv:
        found.save_csv(csv)
    if json:
        found.save_json(json)
    if html:
        larger = Larger(html, pictures)
        page = identified_page(
            found, lambda name: opened.pixels(found, name, longest=larger.longest), larger=larger
        )
        html.write_text(page, encoding="utf-8")
    unread = [answer for answer in found.images if answer.verdict == "unreadable"]
    printing.table(
        ("photo", "of a burst of", "answer", "new", "candidates"),
        [
            (
                answer.query,
                len(answer.images),
                Text(visible(_verdict(answer)), style=_STYLES[answer.verdict]),
                "" if answer.new_probability is None else f"{100 * answer.new_probability:.0f} %",
                _candidates(answer),
            )
            for answer in (*found.encounters, *unread)
        ],
        numbers=(1, 3),
    )
    total = counts(found.encounters)
    said = ", ".join(f"{total[kind]} {kind}" for kind in ("known", "new", "undecided"))
    printing.say(
        f"{len(found.images)} photos in {len(found.encounters)} bursts: {said}; {len(unread)} photos not read"
    )
    if found.comparison is not None:
        printing.say(found.comparison.words)
    if found.rule is not None and found.rule.decision.tells:
        printing.say(found.rule.decision.in_words)
    for note in found.notes:
        printing.say(f"! {note}", style="yellow")


def competition_table(photos: list[Path], root: Path | None, csv: Path | None, said: dict[str, Any]) -> Table:
    """The queries of AnimalCLEF's table, which are what a submission is made of."""
    from wildreid.errors import UserError
    from wildreid.identification.photos import read_photos
    from wildreid.identification.submissions import queries

    if csv is None:
        raise UserError(
            "a submission is written to a file", where="--format animalclef", cure="add --csv FILE"
        )
    return queries(read_photos(photos, root=root, **said))


_STYLES = {"known": "green", "new": "blue", "undecided": "yellow", "unreadable": "red"}


def _verdict(answer: Answer) -> str:
    if answer.verdict == "known":
        return str(answer.individual)
    if answer.verdict == "new":
        return "a new individual"
    return f"not read: {answer.reason}" if answer.verdict == "unreadable" else "undecided"


def _candidates(answer: Answer) -> str:
    """Each with its probability, score, images, encounters and when it was last seen."""
    return "\n".join(
        f"{one.individual}"
        + ("" if one.probability is None else f" {100 * one.probability:.0f} %")
        + f" (score {one.score:.2f}, {one.images} images, {one.encounters} encounters"
        + (f", last {one.last_seen[:10]})" if one.last_seen else ")")
        for one in answer.candidates[:3]
    )


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(identify)
